"""Scalar expressions as NumPy source, and as NumPy functions made from that source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy

from symgrad.errors import UnsupportedError
from symgrad.ops.record import Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import logic, rounding, special
from symgrad.ops.scalars.functions import Comparison
from symgrad.ops.scalars.printer import ADD, ATOM, MUL, POW, ScalarPrinter, shortest_decimal

NUMPY_CALLS: dict[type, str] = {
    sympy.exp: "np.exp",
    sympy.log: "np.log",
    sympy.sin: "np.sin",
    sympy.cos: "np.cos",
    sympy.tan: "np.tan",
    sympy.asin: "np.arcsin",
    sympy.acos: "np.arccos",
    sympy.atan: "np.arctan",
    sympy.sinh: "np.sinh",
    sympy.cosh: "np.cosh",
    sympy.tanh: "np.tanh",
    sympy.asinh: "np.arcsinh",
    sympy.atanh: "np.arctanh",
    sympy.erf: "erf",
    sympy.Abs: "np.abs",
    sympy.sign: "np.sign",
    sympy.Max: "np.maximum",
    sympy.Min: "np.minimum",
    f.Sigmoid: "expit",
    f.Log1p: "np.log1p",
    f.Expm1: "np.expm1",
    f.Absolute: "np.abs",
    f.Sign: "np.sign",
    f.Maximum: "np.maximum",
    f.Minimum: "np.minimum",
    f.LogAddExp: "np.logaddexp",
    f.Select: "np.where",
    sympy.acosh: "np.arccosh",
    sympy.atan2: "np.arctan2",
    sympy.erfc: "erfc",
    sympy.loggamma: "gammaln",
    sympy.polygamma: "polygamma",
    logic.LogicalAnd: "np.logical_and",
    logic.LogicalOr: "np.logical_or",
    logic.LogicalXor: "np.logical_xor",
    logic.LogicalNot: "np.logical_not",
    logic.IsNan: "np.isnan",
    logic.IsInf: "np.isinf",
    logic.IsFinite: "np.isfinite",
    rounding.Floor: "np.floor",
    rounding.Ceil: "np.ceil",
    rounding.Trunc: "np.trunc",
    rounding.Rint: "np.rint",
    rounding.FloorDivide: "np.floor_divide",
    rounding.Remainder: "np.remainder",
    rounding.Fmod: "np.fmod",
    special.Hypot: "np.hypot",
    special.Cbrt: "np.cbrt",
    special.Sinc: "np.sinc",
    special.CopySign: "np.copysign",
    special.StepAt: "np.heaviside",
    special.FMax: "np.fmax",
    special.FMin: "np.fmin",
    special.XLogY: "xlogy",
    special.XLog1pY: "xlog1py",
    special.LogNdtr: "log_ndtr",
}
"""Functions that are one call in NumPy; a name without ``np.`` is SciPy's."""

SCIPY_NAMES = (*(n for n in NUMPY_CALLS.values() if "." not in n), "digamma")
"""What is imported from ``scipy.special`` where it occurs."""

SPECIAL = {sympy.pi: "np.pi", sympy.E: "np.e", sympy.EulerGamma: "np.euler_gamma", sympy.oo: "np.inf"}


class NumPyPrinter(ScalarPrinter):
    """NumPy source text."""

    _masks = False
    """Whether a truth value may stand as one: beside a real factor, where it becomes 0 or 1 by itself."""

    def piece(self, expr: sympy.Expr) -> Piece:
        if expr in self.symbols:
            return self.symbols[expr]
        # A sum of truth values is "or" in NumPy, and they have no negative.
        if isinstance(expr, f.Step) and not self._masks:
            return Piece(f"np.heaviside({self.piece(expr.args[0]).text}, 0)", ATOM)
        masks, self._masks = self._masks, _has_real_factor(expr)
        try:
            found = self._written(expr)
        finally:
            self._masks = masks
        if isinstance(expr, Comparison) and not masks:
            return Piece(f"1.0*{found.text}", MUL)
        return found

    def _written(self, expr: sympy.Expr) -> Piece:
        if isinstance(expr, f.Select):
            condition, *branches = expr.args
            self._masks = True
            pieces = [self.piece(condition)]
            self._masks = False
            return self.function(expr, [*pieces, *(self.piece(b) for b in branches)])
        # √2 or log 2 as a Python number: np.sqrt(2) is a float64, which would promote a float32 array.
        if (
            expr.is_number
            and expr.is_real
            and not (expr.is_Rational or expr.is_Float or expr.is_NumberSymbol)
        ):
            value = sympy.N(expr, 20)
            if value.is_Float:
                number = Piece(repr(abs(float(value))), ATOM)
                return self.negative(number) if value < 0 else number
        return super().piece(expr)

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer and abs(value) < 2**53:
            return Piece(str(int(value)), ATOM)
        decimal = shortest_decimal(value)
        if decimal is not None:
            return Piece(decimal, ATOM)
        return Piece(f"{int(value.p) / int(value.q)!r}", ATOM)

    def special(self, value: sympy.Expr) -> Piece:
        if value in SPECIAL:
            return Piece(SPECIAL[value], ATOM)
        return Piece(repr(float(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        inner = self.piece(base)
        if exponent == sympy.Rational(1, 2):
            return Piece(f"np.sqrt({inner.text})", ATOM)
        if exponent.is_Integer or not exponent.is_Rational:
            return Piece(f"{self.wrap(inner, ATOM)}**{self.wrap(self.piece(exponent), ATOM)}", POW)
        return Piece(f"{self.wrap(inner, ATOM)}**{float(exponent)!r}", POW)

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        kind = type(expr)
        if kind is sympy.polygamma and expr.args[0] == 0:
            return Piece(f"digamma({args[1].text})", ATOM)
        if kind in NUMPY_CALLS:
            if len(args) > 2 and kind in (sympy.Max, sympy.Min):  # NumPy's take two
                text = args[0].text
                for other in args[1:]:
                    text = f"{NUMPY_CALLS[kind]}({text}, {other.text})"
                return Piece(text, ATOM)
            return Piece(f"{NUMPY_CALLS[kind]}({', '.join(a.text for a in args)})", ATOM)
        if kind is f.Softplus:
            return Piece(f"np.logaddexp(0, {args[0].text})", ATOM)
        if kind is f.Elu:
            x = args[0].text
            return Piece(f"np.where({self.wrap(args[0], ADD)} > 0, {x}, np.expm1(np.minimum({x}, 0)))", ATOM)
        if kind is f.Relu:
            return Piece(f"np.maximum({args[0].text}, 0)", ATOM)
        if kind is special.LessOne:
            return Piece(f"np.where({self.wrap(args[0], ADD)} == 0, 1, {self.wrap(args[0], ADD)} - 1)", ATOM)
        if kind is f.Step:
            return Piece(f"({self.wrap(args[0], ADD)} > 0)", ATOM)
        if kind is f.Above:
            a, b = (self.wrap(p, ADD) for p in args)
            return Piece(f"(0.5*({a} > {b}) + 0.5*({a} >= {b}))", ATOM)
        if kind is f.Ratio:  # the divisor is 1 where it would be 0
            top, bottom = self.wrap(args[0], MUL), self.wrap(args[1], ADD)
            return Piece(f"{top}*({bottom} != 0)/({bottom} + ({bottom} == 0))", MUL)
        raise UnsupportedError(f"{kind.__name__} has no NumPy spelling.", where=str(expr))

    def compare(self, sign: str, a: Piece, b: Piece) -> Piece:
        return Piece(f"({self.wrap(a, ADD)} {sign} {self.wrap(b, ADD)})", ATOM)

    def negative(self, piece: Piece) -> Piece:
        return Piece(f"-{self.wrap(piece, MUL)}", MUL)


def _has_real_factor(expr: sympy.Expr) -> bool:
    return expr.is_Mul and any(not isinstance(a, (f.Step, Comparison)) and not a.is_number for a in expr.args)


def numpy_text(expr: sympy.Expr, names: Mapping[sympy.Symbol, Piece | str]) -> str:
    """The expression as NumPy source, with each symbol replaced by the text given for it."""
    pieces = {s: p if isinstance(p, Piece) else Piece(p, ATOM) for s, p in names.items()}
    printer = NumPyPrinter(pieces)
    if isinstance(expr, Comparison):
        return printer.compare(expr.sign, *(printer.piece(a) for a in expr.args)).text
    return printer.text(expr)


def numpy_names(source: str) -> dict[str, Any]:
    """The global names that this NumPy source relies on; SciPy's functions only where they occur."""
    import numpy as np

    names: dict[str, Any] = {"np": np}
    for name in scipy_names(source):
        from scipy import special as functions

        names[name] = getattr(functions, name)
    return names


def scipy_names(source: str) -> list[str]:
    """The functions of ``scipy.special`` that a source calls."""
    called = set(re.findall(r"(?<![\w.])(\w+)\(", source))
    return [name for name in SCIPY_NAMES if name in called]


@lru_cache(maxsize=4096)
def _function(
    args: tuple[sympy.Symbol, ...], exprs: tuple[sympy.Expr, ...]
) -> Callable[..., tuple[Any, ...]]:
    names = {s: f"x{i}" for i, s in enumerate(args)}
    body = ", ".join(numpy_text(e, names) for e in exprs)
    source = f"lambda {', '.join(names.values())}: ({body},)"
    return eval(compile(source, "<symgrad scalar>", "eval"), numpy_names(source))


def numpy_function(
    args: Sequence[sympy.Symbol], exprs: Sequence[sympy.Expr]
) -> Callable[..., tuple[Any, ...]]:
    """A function of arrays or numbers that returns the tuple of values of ``exprs``.

    Numbers in the expressions are Python numbers, so that float32 arrays stay float32.
    """
    return _function(tuple(args), tuple(exprs))
