"""Scalar expressions as kernel source: what numba compiles, and what runs the same without it.

Every number carries the kernel's dtype (``F(0.5)``), so that float32 stays float32 both compiled and
interpreted.  Functions that need care at the ends of their range are small helpers, written into the file of
the kernel that uses them; those that loops spend their time in come from ``vector_math``.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.compile.vector_math import VECTOR_MATH
from symgrad.errors import UnsupportedError
from symgrad.ops.record import Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import logic, rounding, special
from symgrad.ops.scalars.printer import ADD, ATOM, MUL, POW, ScalarPrinter

HELPERS: dict[str, str] = {
    "relu": """
@njit(**HELPER)
def relu(x):
    return x if x > F(0) or x != x else F(0)
""",
    "elu": """
@njit(**HELPER)
def elu(x):
    return x if x > F(0) or x != x else expm1(x)
""",
    "heaviside": """
@njit(**HELPER)
def heaviside(x):
    return F(1) if x > F(0) else (F(0) if x <= F(0) else x)
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
    "erfc": """
@njit(**HELPER)
def erfc(x):
    return F(math.erfc(x))
""",
    "gammaln": """
@njit(**HELPER)
def gammaln(x):
    return F(math.lgamma(x))
""",
    "digamma": """
@njit(**HELPER)
def digamma(x):
    # psi(x) = psi(x + 1) - 1/x until the asymptotic series converges; reflection on the left.
    left = 0.0
    if x <= 0:
        left = -math.pi / math.tan(math.pi * x)
        x = 1 - x
    below = 0.0
    while x < 12:
        below += 1 / x
        x += 1
    r = 1 / (x * x)
    tail = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    return F(left + math.log(x) - 0.5 / x - tail - below)
""",
    "trigamma": """
@njit(**HELPER)
def trigamma(x):
    left = 0.0
    sign = 1.0
    if x <= 0:
        left = (math.pi / math.sin(math.pi * x)) ** 2
        sign = -1.0
        x = 1 - x
    below = 0.0
    while x < 12:
        below += 1 / (x * x)
        x += 1
    r = 1 / (x * x)
    tail = r * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - r * (5 / 66 - r * 691 / 2730)))))
    return F(left + sign * (below + 1 / x + r / 2 + tail / x))
""",
    "xlogy": """
@njit(**HELPER)
def xlogy(x, y):
    return F(0) if x == F(0) and y == y else x * log(y)
""",
    "xlog1py": """
@njit(**HELPER)
def xlog1py(x, y):
    return F(0) if x == F(0) and y == y else x * log1p(y)
""",
    "log_ndtr": """
@njit(**HELPER)
def log_ndtr(x):
    if x > -1:
        return F(math.log1p(-0.5 * math.erfc(x * math.sqrt(0.5))))
    if x > -36:
        return F(math.log(0.5 * math.erfc(-x * math.sqrt(0.5))))
    r = 1 / (x * x)
    series = -r * (1 - r * (3 - r * (15 - r * 105)))
    return F(-0.5 * x * x - math.log(-x) - 0.5 * math.log(2 * math.pi) + math.log1p(series))
""",
    "less_one": """
@njit(**HELPER)
def less_one(x):
    return F(1) if x == F(0) else x - F(1)
""",
    "hypot": """
@njit(**HELPER)
def hypot(a, b):
    return F(math.hypot(a, b))
""",
    "cbrt": """
@njit(**HELPER)
def cbrt(x):
    root = abs(x) ** F(1 / 3)
    if root > F(0) and root < F(np.inf):
        root = root - (root - abs(x) / (root * root)) / F(3)
    return root if x >= F(0) or x != x else -root
""",
    "sinc": """
@njit(**HELPER)
def sinc(x):
    y = F(math.pi) * (x if x != F(0) else F(1e-20))
    return sin(y) / y
""",
    "step_at": """
@njit(**HELPER)
def step_at(x, h):
    return F(1) if x > F(0) else (F(0) if x < F(0) else (h if x == x else x))
""",
    "fmax": """
@njit(**HELPER)
def fmax(a, b):
    return a if a >= b or b != b else b
""",
    "fmin": """
@njit(**HELPER)
def fmin(a, b):
    return a if a <= b or b != b else b
""",
    "rint": """
@njit(**HELPER)
def rint(x):
    return np.rint(x)
""",
    "floor_divide": """
@njit(**HELPER)
def floor_divide(a, b):
    if b == F(0):
        return np.floor(a / b)
    rest = F(np.fmod(a, b))
    if rest != F(0) and (rest < F(0)) != (b < F(0)):
        return np.rint((a - rest) / b) - F(1)
    return np.rint((a - rest) / b)
""",
    "remainder": """
@njit(**HELPER)
def remainder(a, b):
    rest = F(np.fmod(a, b)) if b != F(0) else F(np.nan)
    return rest + b if rest != F(0) and (rest < F(0)) != (b < F(0)) else rest
""",
    "fmod": """
@njit(**HELPER)
def fmod(a, b):
    return F(np.fmod(a, b)) if b != F(0) else F(np.nan)
""",
    "logical_and": """
@njit(**HELPER)
def logical_and(a, b):
    return F(1) if a != F(0) and b != F(0) else F(0)
""",
    "logical_or": """
@njit(**HELPER)
def logical_or(a, b):
    return F(1) if a != F(0) or b != F(0) else F(0)
""",
    "logical_xor": """
@njit(**HELPER)
def logical_xor(a, b):
    return F(1) if (a != F(0)) != (b != F(0)) else F(0)
""",
    "logical_not": """
@njit(**HELPER)
def logical_not(a):
    return F(1) if a == F(0) else F(0)
""",
    "isnan": """
@njit(**HELPER)
def isnan(x):
    return F(1) if x != x else F(0)
""",
    "isinf": """
@njit(**HELPER)
def isinf(x):
    return F(1) if abs(x) == F(np.inf) else F(0)
""",
    "isfinite": """
@njit(**HELPER)
def isfinite(x):
    return F(1) if abs(x) < F(np.inf) else F(0)
""",
}
"""Functions that NumPy lacks or that need NaN to pass; each is used through its name."""

_VECTOR_MATH: dict[type, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.erf: "erf",
    sympy.sin: "sin",
    sympy.cos: "cos",
    f.Expm1: "expm1",
    f.Log1p: "log1p",
    f.Sigmoid: "sigmoid",
    f.Softplus: "softplus",
    f.LogAddExp: "logaddexp",
}
_HELPER_OF: dict[type, str] = {
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
    sympy.erfc: "erfc",
    sympy.loggamma: "gammaln",
    logic.LogicalAnd: "logical_and",
    logic.LogicalOr: "logical_or",
    logic.LogicalXor: "logical_xor",
    logic.LogicalNot: "logical_not",
    logic.IsNan: "isnan",
    logic.IsInf: "isinf",
    logic.IsFinite: "isfinite",
    rounding.Rint: "rint",
    rounding.FloorDivide: "floor_divide",
    rounding.Remainder: "remainder",
    rounding.Fmod: "fmod",
    special.LessOne: "less_one",
    special.Hypot: "hypot",
    special.Cbrt: "cbrt",
    special.Sinc: "sinc",
    special.StepAt: "step_at",
    special.FMax: "fmax",
    special.FMin: "fmin",
    special.XLogY: "xlogy",
    special.XLog1pY: "xlog1py",
    special.LogNdtr: "log_ndtr",
}
_NUMPY: dict[type, str] = {
    sympy.tan: "tan",
    sympy.asin: "arcsin",
    sympy.acos: "arccos",
    sympy.atan: "arctan",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.asinh: "arcsinh",
    sympy.atanh: "arctanh",
    sympy.acosh: "arccosh",
    sympy.atan2: "arctan2",
    rounding.Floor: "floor",
    rounding.Ceil: "ceil",
    rounding.Trunc: "trunc",
    special.CopySign: "copysign",
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
        number = {sympy.oo: "np.inf", sympy.nan: "np.nan"}.get(value) or repr(float(value))
        return Piece(f"{self.cast}({number})", ATOM)

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
        if kind in _VECTOR_MATH:
            name = _VECTOR_MATH[kind]
            texts = ", ".join(a.text for a in args)
            if self.cast != "F" and VECTOR_MATH[name].libm:  # a single number in double, behind a reduction
                return Piece(f"np.{name}({texts})", ATOM)
            self.helpers.add(name)
            return Piece(f"{name}({texts})", ATOM)
        if kind in _NUMPY:
            return Piece(f"np.{_NUMPY[kind]}({', '.join(a.text for a in args)})", ATOM)
        if kind is sympy.polygamma and expr.args[0] in (0, 1):
            name = ("digamma", "trigamma")[int(expr.args[0])]
            self.helpers.add(name)
            return Piece(f"{name}({args[1].text})", ATOM)
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
