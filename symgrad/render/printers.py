"""Scalar functions of arrays as formulas: for a terminal, in ASCII, in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import sympy

from symgrad.ops.record import Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import logic, rounding, special
from symgrad.ops.scalars.printer import ADD, ATOM, MUL, NEG, POW, ScalarPrinter
from symgrad.render.conditions import condition
from symgrad.render.numbers import decimal, parts, rounded, under_root
from symgrad.render.spacing import ONES, Spacing

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_DIGITS, _LETTER = re.compile(r"[\d.]+"), re.compile(r"[^\W\d_][²³]?")
_FRACTIONS = {"1/2": "½", "1/3": "⅓", "1/4": "¼", "3/4": "¾", "2/3": "⅔"}
_NAMES: dict[type, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.atan: "arctan",
    sympy.asin: "arcsin",
    sympy.acos: "arccos",
    sympy.asinh: "arsinh",
    sympy.atanh: "artanh",
    f.Sigmoid: "σ",
    f.Softplus: "softplus",
    f.LogAddExp: "logaddexp",
    f.Relu: "relu",
    f.Elu: "elu",
    f.Sign: "sign",
    f.Maximum: "max",
    f.Minimum: "min",
    f.Select: "where",
    f.Log1p: "log1p",
    f.Expm1: "expm1",
    sympy.acosh: "arcosh",
    sympy.atan2: "arctan2",
    sympy.loggamma: "gammaln",
    sympy.polygamma: "polygamma",
    logic.LogicalXor: "xor",
    logic.IsNan: "isnan",
    logic.IsInf: "isinf",
    logic.IsFinite: "isfinite",
    rounding.Floor: "floor",
    rounding.Ceil: "ceil",
    rounding.Trunc: "trunc",
    rounding.Rint: "round",
    rounding.FloorDivide: "floordiv",
    rounding.Remainder: "mod",
    rounding.Fmod: "fmod",
    special.Hypot: "hypot",
    special.Cbrt: "cbrt",
    special.Sinc: "sinc",
    special.CopySign: "copysign",
    special.StepAt: "heaviside",
    special.FMax: "fmax",
    special.FMin: "fmin",
    special.LogNdtr: "log_ndtr",
}


class UnicodePrinter(ScalarPrinter):
    """Scalar functions of arrays as a terminal shows them."""

    times = " ⊙ "
    dot = "·"
    sum_sign = "Σ"
    root = "√"
    half = "½"
    minus = "−"
    conjunction, disjunction, negation = " ∧ ", " ∨ ", "¬"
    equal_signs: ClassVar[Mapping[str, str]] = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}
    functions: ClassVar[Mapping[type, str]] = _NAMES
    fractions: ClassVar[Mapping[str, str]] = _FRACTIONS
    spacing = Spacing()

    def __init__(self, symbols: Mapping[sympy.Symbol, Piece]) -> None:
        super().__init__(symbols)
        self._pieces: dict[sympy.Expr, Piece] = {}

    def piece(self, expr: sympy.Expr) -> Piece:
        """The expression in signs; each part of it is written once, however often it is asked for."""
        if expr not in self._pieces:
            self._pieces[expr] = super().piece(expr)
        return self._pieces[expr]

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer:
            return Piece(str(int(value)), ATOM)
        top, bottom = parts(value)
        text = f"{top}/{bottom}"
        if text in self.fractions:
            return Piece(self.fractions[text], ATOM)
        if bottom == 1:
            return Piece(decimal(top) or rounded(top) or str(top), ATOM)
        return Piece(f"{self.number(top).text}/{self.number(bottom).text}", MUL)

    def special(self, value: sympy.Expr) -> Piece:
        return Piece({sympy.pi: "π", sympy.E: "e", sympy.oo: "∞"}.get(value, str(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        inner = self.piece(base)
        if exponent == sympy.Rational(1, 2):
            return Piece(f"{self.root}{self.wrap(inner, ATOM)}", POW, inner.rank)
        return Piece(
            f"{self.wrap(inner, ATOM)}{self.raised(exponent)}",
            POW,
            max(inner.rank, self.piece(exponent).rank),
        )

    def raised(self, exponent: sympy.Expr) -> str:
        if exponent.is_Integer:
            return str(int(exponent)).translate(_SUPERSCRIPTS)
        return f"^{self.wrap(self.piece(exponent), ATOM)}"

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        rank = max(a.rank for a in args)
        kind = type(expr)
        if kind is f.Absolute or kind is sympy.Abs:
            return Piece(self.bars(args[0].text), ATOM, rank)
        if kind is f.Step:
            return Piece(f"[{args[0].text} > 0]", ATOM, rank)
        if kind is special.LessOne:
            return self.piece(expr.args[0] - 1)
        if kind is special.XLogY:
            return self.piece(expr.args[0] * sympy.log(expr.args[1]))
        if kind is special.XLog1pY:
            return self.piece(expr.args[0] * sympy.log(1 + expr.args[1]))
        if kind is f.Ratio:
            return self.fraction(*args)
        if kind in (logic.LogicalAnd, logic.LogicalOr, logic.LogicalNot):
            return Piece(f"[{condition(self, expr)}]", ATOM, rank)
        if kind is f.Above:  # a tie counts half
            a, b = args[0].text, args[1].text
            return Piece(f"[{a} > {b}] + {self.half}[{a} = {b}]", ADD, rank)
        if kind is f.Select and expr.args[2] == 0:
            return self.piece(expr.args[0] * expr.args[1])
        if kind is f.Select and expr.args[1] == 0:
            return self.piece((1 - expr.args[0]) * expr.args[2])
        if kind is sympy.polygamma and expr.args[0] == 0:
            return self.called("digamma", args[1:], rank)
        return self.called(self.functions.get(kind, kind.__name__), args, rank)

    def bars(self, text: str) -> str:
        return f"|{text}|"

    def called(self, name: str, args: list[Piece], rank: int) -> Piece:
        return Piece(f"{name}({', '.join(a.text for a in args)})", ATOM, rank)

    def compare(self, sign: str, a: Piece, b: Piece) -> Piece:
        shown = self.equal_signs.get(sign, sign)
        return Piece(f"[{self.wrap(a, ADD)} {shown} {self.wrap(b, ADD)}]", ATOM, max(a.rank, b.rank))

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        over = f"({top.text})" if top.text.startswith(self.sum_sign) else self.wrap(top, MUL)
        under = self.wrap(bottom, POW)
        if top.rank == 0 and bottom.rank == 0:
            return Piece(f"{over}/{under}", MUL)
        if bottom.rank == 0:  # an array over a number
            several = top.strength < NEG and (self.times in top.text or " / " in top.text)
            return Piece(f"{f'({top.text})' if several else over} / {under}", MUL, top.rank)
        return Piece(f"{self.wrap(top, NEG)} / {under}", MUL, max(top.rank, bottom.rank))

    def product(self, factors: list[Piece]) -> Piece:
        """Entrywise products of arrays with ⊙; a scalar stands in front without a sign."""
        if len(factors) == 1:
            return factors[0]
        # What is summed reaches to the end, so sums come last.
        scalars = sorted((p for p in factors if p.rank == 0), key=lambda p: p.text.startswith(self.sum_sign))
        arrays = [p for p in factors if p.rank > 0]
        if not arrays:
            last = scalars.pop()
            front = self.scalar_product([self.wrap(p, NEG) for p in scalars])
            if last.text.startswith((self.sum_sign, "(")) or last.strength < NEG:
                return Piece(self.in_front(front, self.wrap(last, MUL)), MUL, 0)
            return Piece(self.scalar_product([front, self.wrap(last, NEG)]), MUL, 0)
        text = self.times.join(self.wrap(p, NEG) for p in arrays) if len(arrays) > 1 else arrays[0].text
        if len(arrays) == 1 and arrays[0].strength < MUL + bool(scalars):
            text = f"({text})"
        if scalars:
            least = ATOM if len(scalars) == 1 else NEG
            text = self.in_front(self.scalar_product([self.wrap(p, least) for p in scalars]), text)
        return Piece(text, MUL, max(p.rank for p in arrays))

    def scalar_product(self, texts: list[str]) -> str:
        text = texts[0]
        for t in texts[1:]:
            near = self.spacing.tight(text, t) and not t.startswith("(") and "^" not in t
            near = near or (_DIGITS.fullmatch(text) is not None and _LETTER.fullmatch(t) is not None)
            text += t if near or t.startswith(("|", "‖")) else f"{self.dot}{t}"
        return text

    def in_front(self, front: str, text: str) -> str:
        """A scalar before what it multiplies: 2xᵀr, ½ Σ r², (2/n) xᵀr."""
        if text.startswith((self.sum_sign, ONES)) or front.endswith(")"):
            tight = False
        elif front.isnumeric():
            tight = not re.match(r"[a-z]{2,}\(", text) and not text[0].isdigit()
        else:
            tight = self.spacing.tight(front, text)
        return f"{front}{text}" if tight else f"{front} {text}"

    def ratio(self, value: sympy.Rational, divided: bool) -> tuple[sympy.Expr, sympy.Expr]:
        return parts(value)

    def _product(self, expr: sympy.Expr) -> Piece:
        """Numbers and sizes as one coefficient in front of the rest."""
        sizes = {s for s, p in self.symbols.items() if p.is_size}
        coefficient: list[sympy.Expr] = []
        rest: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(expr):
            known = factor.is_number or (factor.free_symbols and factor.free_symbols <= sizes)
            (coefficient if known else rest).append(factor)
        scale = sympy.Mul(*coefficient)
        if scale.is_Rational and decimal(abs(scale)) == "1":  # 0.7 + 0.3
            scale, expr = sympy.sign(scale), sympy.Mul(sympy.sign(scale), *rest)
        if not rest or scale == 1:
            return super()._product(expr)
        if scale.could_extract_minus_sign():
            return self.negative(self.piece(sympy.Mul(-scale, *rest)))
        body = sympy.Mul(*rest)
        if all(f.is_Pow and f.exp.is_number and f.exp.is_negative for f in rest):
            bottom = self.piece(sympy.Mul(*(f.base ** (-f.exp) for f in rest)))
            top = self.coefficient(scale)
            return self.fraction(Piece(top[1:-1] if top.startswith("(") else top, NEG), bottom)
        inner = self.piece(body)
        divisor = _divisor(scale)
        if divisor is not None:
            return self.fraction(inner, self.piece(divisor))
        text = self.wrap(inner, MUL)
        over = re.match(r"1( ?/ ?)", text)
        if over:
            return Piece(f"{self.coefficient(scale)}{over[1]}{text[over.end() :]}", MUL, inner.rank)
        return Piece(self.in_front(self.coefficient(scale), text), MUL, inner.rank)

    def coefficient(self, scale: sympy.Expr) -> str:
        """A number or fraction of sizes, in brackets where it would run into what follows."""
        piece = self.scale(scale)
        plain = piece.strength >= ATOM or re.fullmatch(r"\d+/\([^()]*\)|\w+|√\w+", piece.text)
        return piece.text if plain else f"({piece.text})"

    def scale(self, scale: sympy.Expr) -> Piece:
        square = under_root(scale)
        if square is not None:
            return self.power(square, sympy.Rational(1, 2))
        return ScalarPrinter._product(self, scale) if scale.is_Mul else self.piece(scale)


def _divisor(scale: sympy.Expr) -> sympy.Expr | None:
    """The number that is divided by, where the coefficient is one over it: √2 for √2/2, log 2 for 1/log 2."""
    square = under_root(scale)
    if square is not None and square.is_Rational and square.p == 1:
        return sympy.sqrt(square.q)
    inverse = 1 / scale
    return inverse if scale.is_number and scale.is_Pow and isinstance(inverse, sympy.log) else None


class AsciiPrinter(UnicodePrinter):
    """Scalar functions of arrays in ASCII."""

    times = " * "
    dot = "*"
    sum_sign = "sum"
    root = "sqrt"
    half = "(1/2)"
    minus = "-"
    conjunction, disjunction, negation = " and ", " or ", "not "
    equal_signs: ClassVar[Mapping[str, str]] = {"==": "="}
    functions: ClassVar[Mapping[type, str]] = {**_NAMES, f.Sigmoid: "sigmoid"}
    fractions: ClassVar[Mapping[str, str]] = {k: f"({k})" for k in _FRACTIONS}

    def special(self, value: sympy.Expr) -> Piece:
        return Piece({sympy.pi: "pi", sympy.E: "e", sympy.oo: "inf"}.get(value, str(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        if exponent == sympy.Rational(1, 2):
            inner = self.piece(base)
            return Piece(f"sqrt({inner.text})", ATOM, inner.rank)
        return super().power(base, exponent)

    def raised(self, exponent: sympy.Expr) -> str:
        return f"^{self.wrap(self.piece(exponent), ATOM)}"


class LatexPrinter(UnicodePrinter):
    """Scalar functions of arrays in LaTeX."""

    times = r" \odot "
    sum_sign = r"\sum"
    half = r"\tfrac{1}{2}"
    minus = "-"
    conjunction, disjunction, negation = r" \wedge ", r" \vee ", r"\neg "
    equal_signs: ClassVar[Mapping[str, str]] = {">=": r"\ge", "<=": r"\le", "==": "=", "!=": r"\ne"}
    functions: ClassVar[Mapping[type, str]] = {**_NAMES, f.Sigmoid: r"\sigma"}
    commands: ClassVar = ("exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "max", "min")

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer:
            return Piece(str(int(value)), ATOM)
        top, bottom = parts(value)
        if bottom == 1:
            return Piece(decimal(top) or rounded(top) or str(top), ATOM)
        return Piece(rf"\tfrac{{{self.number(top).text}}}{{{self.number(bottom).text}}}", ATOM)

    def special(self, value: sympy.Expr) -> Piece:
        return Piece({sympy.pi: r"\pi", sympy.E: "e"}.get(value, sympy.latex(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        if exponent == sympy.Rational(1, 2):
            inner = self.piece(base)
            return Piece(rf"\sqrt{{{inner.text}}}", ATOM, inner.rank)
        return super().power(base, exponent)

    def raised(self, exponent: sympy.Expr) -> str:
        return f"^{{{self.piece(exponent).text}}}"

    def bars(self, text: str) -> str:
        return rf"\left|{text}\right|"

    def called(self, name: str, args: list[Piece], rank: int) -> Piece:
        inside = rf"\left({', '.join(a.text for a in args)}\right)"
        command = rf"\{name}" if name in self.commands else rf"\operatorname{{{name}}}"
        return Piece(f"{name if name.startswith(chr(92)) else command}{inside}", ATOM, rank)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(rf"\frac{{{top.text}}}{{{bottom.text}}}", ATOM, max(top.rank, bottom.rank))

    def scalar_product(self, texts: list[str]) -> str:
        return r" \, ".join(texts)

    def in_front(self, front: str, text: str) -> str:
        return rf"{front} \, {text}"

    def coefficient(self, scale: sympy.Expr) -> str:
        return self.scale(scale).text
