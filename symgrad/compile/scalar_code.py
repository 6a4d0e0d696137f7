"""Scalar expressions as kernel source: what numba compiles, and what runs the same without it.

Every number carries the kernel's dtype (``F(0.5)``), so that float32 stays float32 both compiled and
interpreted.  Functions that need care at the ends of their range are small helpers, written into the file of
the kernel that uses them.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.errors import UnsupportedError
from symgrad.ops.record import Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars.printer import ADD, ATOM, MUL, POW, ScalarPrinter

HELPERS: dict[str, str] = {
    "sigmoid": """
@njit(**HELPER)
def sigmoid(x):
    e = np.exp(-abs(x))
    return F(1) / (F(1) + e) if x >= F(0) else e / (F(1) + e)
""",
    "softplus": """
@njit(**HELPER)
def softplus(x):
    return (x if x > F(0) or x != x else F(0)) + np.log1p(np.exp(-abs(x)))
""",
    "logaddexp": """
@njit(**HELPER)
def logaddexp(a, b):
    if a == b:
        return a + np.log(F(2))
    return (a if a > b or a != a else b) + np.log1p(np.exp(-abs(a - b)))
""",
    "relu": """
@njit(**HELPER)
def relu(x):
    return x if x > F(0) or x != x else F(0)
""",
    "elu": """
@njit(**HELPER)
def elu(x):
    return x if x > F(0) or x != x else np.expm1(x)
""",
    "heaviside": """
@njit(**HELPER)
def heaviside(x):
    return F(1) if x > F(0) else F(0)
""",
    "sign": """
@njit(**HELPER)
def sign(x):
    return F(1) if x > F(0) else (F(-1) if x < F(0) else x)
""",
    "above": """
@njit(**HELPER)
def above(a, b):
    return F(1) if a > b else (F(0.5) if a == b else F(0))
""",
    "maximum": """
@njit(**HELPER)
def maximum(a, b):
    return a if a >= b or a != a else b
""",
    "minimum": """
@njit(**HELPER)
def minimum(a, b):
    return a if a <= b or a != a else b
""",
    "ratio": """
@njit(**HELPER)
def ratio(a, b):
    return a / b if b != F(0) else F(0)
""",
    "erf": """
@njit(**HELPER)
def erf(x):
    return F(math.erf(x))
""",
}
"""Functions that NumPy lacks or that need NaN to pass; each is used through its name."""

_HELPER_OF: dict[type, str] = {
    f.Sigmoid: "sigmoid",
    f.Softplus: "softplus",
    f.LogAddExp: "logaddexp",
    f.Relu: "relu",
    f.Elu: "elu",
    f.Step: "heaviside",
    f.Sign: "sign",
    sympy.sign: "sign",
    f.Above: "above",
    f.Ratio: "ratio",
    f.Maximum: "maximum",
    f.Minimum: "minimum",
    sympy.Max: "maximum",
    sympy.Min: "minimum",
    sympy.erf: "erf",
}
_NUMPY: dict[type, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.asin: "arcsin",
    sympy.acos: "arccos",
    sympy.atan: "arctan",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.tanh: "tanh",
    sympy.asinh: "arcsinh",
    sympy.atanh: "arctanh",
    f.Log1p: "log1p",
    f.Expm1: "expm1",
}
_MULTIPLY_UP_TO = 4


class KernelPrinter(ScalarPrinter):
    """Kernel source of one scalar expression; ``helpers`` collects the helpers it needs."""

    def __init__(self, symbols: Mapping[sympy.Symbol, Piece], helpers: set[str], cast: str = "F") -> None:
        super().__init__(symbols)
        self.helpers = helpers
        self.cast = cast

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer and abs(value) < 2**53:
            return Piece(f"{self.cast}({int(value)})", ATOM)
        return Piece(f"{self.cast}({int(value.p) / int(value.q)!r})", ATOM)

    def special(self, value: sympy.Expr) -> Piece:
        return Piece(f"{self.cast}({float(value)!r})", ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        inner = self.piece(base)
        if exponent == sympy.Rational(1, 2):
            return Piece(f"np.sqrt({inner.text})", ATOM)
        if exponent.is_Integer and 1 < exponent <= _MULTIPLY_UP_TO and inner.strength >= ATOM:
            return Piece("*".join([inner.text] * int(exponent)), MUL)
        if exponent.is_Integer:
            return Piece(f"{self.wrap(inner, ATOM)}**{int(exponent)}", POW)
        return Piece(f"{self.wrap(inner, ATOM)}**{self.wrap(self.piece(exponent), ATOM)}", POW)

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        kind = type(expr)
        if kind in _NUMPY:
            return Piece(f"np.{_NUMPY[kind]}({args[0].text})", ATOM)
        if kind in _HELPER_OF:
            name = _HELPER_OF[kind]
            self.helpers.add(name)
            text = f"{name}({', '.join(a.text for a in args[:2])})"
            for more in args[2:]:
                text = f"{name}({text}, {more.text})"
            return Piece(text, ATOM)
        if kind in (f.Absolute, sympy.Abs):
            return Piece(f"abs({args[0].text})", ATOM)
        if kind is f.Select:
            condition = self.piece(expr.args[0])
            test = (
                condition.text
                if isinstance(expr.args[0], f.Comparison)
                else f"{condition.text} != {self.cast}(0)"
            )
            return Piece(f"({args[1].text} if {test} else {args[2].text})", ATOM)
        raise UnsupportedError(f"{kind.__name__} has no kernel spelling.", where=str(expr))

    def piece(self, expr: sympy.Expr) -> Piece:
        if isinstance(expr, f.Comparison) and expr not in self.symbols:
            return Piece(f"{self.cast}({super().piece(expr).text})", ATOM)
        return super().piece(expr)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(f"{self.wrap(top, MUL)}/{self.wrap(bottom, ATOM)}", MUL)

    def compare(self, sign: str, a: Piece, b: Piece) -> Piece:
        return Piece(f"{self.wrap(a, ADD)} {sign} {self.wrap(b, ADD)}", ADD - 1)


def kernel_text(
    expr: sympy.Expr, names: Mapping[sympy.Symbol, str], helpers: set[str], cast: str = "F"
) -> str:
    """Kernel source of an expression whose symbols have the given texts."""
    return KernelPrinter({s: Piece(t, ATOM) for s, t in names.items()}, helpers, cast).text(expr)


def balanced_sum(terms: list[str]) -> str:
    """A sum as a balanced tree: short dependency chains, and pairwise rounding."""
    if not terms:
        return "F(0)"
    if len(terms) == 1:
        return terms[0]
    half = (len(terms) + 1) // 2
    left, right = balanced_sum(terms[:half]), balanced_sum(terms[half:])
    return f"({left} + {right})"
