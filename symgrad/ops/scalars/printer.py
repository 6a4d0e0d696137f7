"""Printing a scalar SymPy expression in any target language, with the fewest brackets.

One walk serves NumPy source, kernels, Unicode and LaTeX formulas; a target overrides how numbers, symbols
and function calls look.  Terms and factors are ordered by the argument that they read first, as a person
writes them, not by SymPy's internal order.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy

from symgrad.errors import UnsupportedError
from symgrad.ops.record import Piece
from symgrad.ops.scalars.functions import Comparison

COMPARE, ADD, MUL, NEG, POW, ATOM = range(6)


def shortest_decimal(value: sympy.Rational) -> str | None:
    """The shortest decimal that reads back as this double, or None if the number is no double."""
    try:
        number = float(Fraction(int(value.p), int(value.q)))
    except OverflowError:
        return None
    if Fraction(number) != Fraction(int(value.p), int(value.q)):
        return None
    return repr(number)


def exact(number: sympy.Float) -> sympy.Rational:
    """The dyadic rational that a float is."""
    return sympy.Rational(*float(number).as_integer_ratio())


class ScalarPrinter:
    """Base of all targets; instances are cheap and hold the pieces that stand for the symbols."""

    times = "*"
    minus = "-"

    def __init__(self, symbols: Mapping[sympy.Symbol, Piece]) -> None:
        self.symbols = symbols
        self._order = {s: i for i, s in enumerate(symbols)}

    def text(self, expr: sympy.Expr) -> str:
        """The expression as source or formula text."""
        return self.piece(expr).text

    # What targets override ------------------------------------------------------------------------------

    def number(self, value: sympy.Rational) -> Piece:
        raise NotImplementedError

    def special(self, value: sympy.Expr) -> Piece:
        """π, e, ∞ and what else SymPy keeps exact."""
        raise NotImplementedError

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        raise NotImplementedError

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        raise NotImplementedError

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(f"{self.wrap(top, MUL)}/{self.wrap(bottom, NEG)}", MUL)

    def ratio(self, value: sympy.Rational, divided: bool) -> tuple[sympy.Expr, sympy.Expr]:
        """A coefficient as what stands above the line and what below; ``divided``: there is a line anyway."""
        if shortest_decimal(value) is None or divided or value.q <= 10:
            return sympy.Integer(value.p), sympy.Integer(value.q)
        return value, sympy.S.One

    def product(self, factors: list[Piece]) -> Piece:
        if len(factors) == 1:
            return factors[0]
        return Piece(self.times.join(self.wrap(p, MUL) for p in factors), MUL)

    def compare(self, sign: str, a: Piece, b: Piece) -> Piece:
        return Piece(f"{self.wrap(a, ADD)} {sign} {self.wrap(b, ADD)}", COMPARE)

    # The walk -----------------------------------------------------------------------------------------

    def wrap(self, piece: Piece, least: int) -> str:
        return piece.text if piece.strength >= least else f"({piece.text})"

    def negative(self, piece: Piece) -> Piece:
        return Piece(f"{self.minus}{self.wrap(piece, MUL)}", MUL, piece.rank)

    def piece(self, expr: sympy.Expr) -> Piece:
        if expr in self.symbols:
            return self.symbols[expr]
        if expr.is_Float:
            expr = exact(expr)
        if expr.is_Rational:
            if expr < 0:
                return self.negative(self.number(-expr))
            return self.number(expr)
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if isinstance(expr, sympy.exp):
            return self.function(expr, [self.piece(expr.args[0])])
        if expr.is_Pow:
            base, exponent = expr.as_base_exp()
            if exponent.is_Rational and exponent < 0:
                return self.fraction(self.number(sympy.S.One), self.piece(base ** (-exponent)))
            return self.power(base, exponent)
        if isinstance(expr, Comparison):
            return self.compare(expr.sign, self.piece(expr.args[0]), self.piece(expr.args[1]))
        if expr == -sympy.oo:
            return self.negative(self.special(sympy.oo))
        if expr.is_NumberSymbol or expr in (sympy.oo, sympy.nan):
            return self.special(expr)
        if expr.is_Function:
            return self.function(expr, [self.piece(a) for a in expr.args])
        raise UnsupportedError(
            f"{type(expr).__name__} cannot be written out.",
            where=str(expr),
            fix="use the functions listed in docs/ops.md, or a sympy.Lambda made of them",
        )

    def _rank(self, expr: sympy.Expr) -> tuple[int, str]:
        places = [self._order[s] for s in expr.free_symbols if s in self._order]
        return (min(places, default=len(self._order)), sympy.default_sort_key(expr).__repr__())

    def _sum(self, expr: sympy.Expr) -> Piece:
        terms = sorted(expr.args, key=self._rank)
        signed = [(t.could_extract_minus_sign(), t) for t in terms]
        if signed[0][0] and not all(negative for negative, _ in signed):
            first = next(i for i, (negative, _) in enumerate(signed) if not negative)
            signed.insert(0, signed.pop(first))
        text = ""
        for negative, term in signed:
            piece = self.piece(-term if negative else term)
            if not text:
                text = self.negative(piece).text if negative else self.wrap(piece, ADD)
            elif negative:
                text += f" {self.minus} {self.wrap(piece, MUL)}"
            else:
                text += f" + {self.wrap(piece, MUL)}"
        return Piece(text, ADD, max((self.piece(t).rank for t in terms), default=0))

    def _product(self, expr: sympy.Expr) -> Piece:
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient.is_Float:
            coefficient = exact(coefficient)
        if coefficient.is_Rational and coefficient < 0:
            return self.negative(self.piece(-coefficient * rest))
        top, bottom = [], []
        for factor in sorted(sympy.Mul.make_args(rest), key=self._rank):
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent < 0 and not isinstance(factor, sympy.exp):
                bottom.append(self.piece(base ** (-exponent)))
            else:
                top.append(self.piece(factor))
        if coefficient.is_Rational and coefficient != 1:
            p, q = self.ratio(coefficient, bool(bottom))
            top = ([self.number(p)] if p != 1 else []) + top
            bottom = ([self.number(q)] if q != 1 else []) + bottom
        whole = self.product(top) if top else self.number(sympy.S.One)
        return self.fraction(whole, self.product(bottom)) if bottom else whole
