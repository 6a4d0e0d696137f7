"""The elementwise functions: one record each, from which tracing, tests and the op table are made.

``expr`` is what the function does to entries ``a0, a1, …``.  ``meaning`` says the same in SymPy's own
functions where ``expr`` uses one of ours; a test compares both with NumPy, and the scalar witness
differentiates ``meaning``, never ``expr``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Piecewise, Rational

from symgrad.ops.record import ARG
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import logic, rounding, special
from symgrad.ops.scalars.rounding import floor_of, trunc_of

A, B, C = ARG(0), ARG(1), ARG(2)


@dataclass(frozen=True)
class Elementary:
    """An elementwise function.

    Attributes:
        name: its name in the eager side and in text.
        expr: the result in terms of ``ARG`` symbols.
        ufunc: NumPy's name for it, in ``numpy``; None where NumPy has none.
        meaning: ``expr`` in SymPy's own functions; None where it is that already.
        domain: for each argument where it is differentiable and real: ``real``, ``positive``, ``unit``
            (|x| < 1), ``nonzero``, ``above-minus-one``, ``above-one``, ``fraction`` (no whole number and no
            half), ``bool``.
        kink: an expression that is 0 where the derivative jumps; None where it never does.
        convention: the derivative used at the kink.
    """

    name: str
    expr: sympy.Expr
    ufunc: str | None = None
    meaning: sympy.Expr | None = None
    domain: tuple[str, ...] = ("real",)
    kink: sympy.Expr | None = None
    convention: str = ""

    @property
    def arity(self) -> int:
        return len(self.domain)


_TWO = ("real", "real")
_TRUTHS = ("bool", "bool")
_HEAVISIDE = Piecewise((1, A > 0), (0, True))


def _truth(holds: sympy.Basic) -> sympy.Expr:
    return Piecewise((1, holds), (0, True))


_LOGIC = (
    Elementary(
        "logical_and",
        logic.LogicalAnd(A, B),
        "logical_and",
        meaning=_truth(sympy.And(sympy.Ne(A, 0), sympy.Ne(B, 0))),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_or",
        logic.LogicalOr(A, B),
        "logical_or",
        meaning=_truth(sympy.Or(sympy.Ne(A, 0), sympy.Ne(B, 0))),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_xor",
        logic.LogicalXor(A, B),
        "logical_xor",
        meaning=_truth(
            sympy.Or(sympy.And(sympy.Ne(A, 0), sympy.Eq(B, 0)), sympy.And(sympy.Eq(A, 0), sympy.Ne(B, 0)))
        ),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_not",
        logic.LogicalNot(A),
        "logical_not",
        meaning=_truth(sympy.Eq(A, 0)),
        domain=("bool",),
    ),
    Elementary("isnan", logic.IsNan(A), "isnan", meaning=sympy.S.Zero),
    Elementary("isinf", logic.IsInf(A), "isinf", meaning=sympy.S.Zero),
    Elementary("isfinite", logic.IsFinite(A), "isfinite", meaning=sympy.S.One),
)
_ROUNDING = (
    Elementary(
        "floor",
        rounding.Floor(A),
        "floor",
        meaning=floor_of(A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "ceil",
        rounding.Ceil(A),
        "ceil",
        meaning=-floor_of(-A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "trunc",
        rounding.Trunc(A),
        "trunc",
        meaning=trunc_of(A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "rint",
        rounding.Rint(A),
        "rint",
        meaning=floor_of(A + Rational(1, 2)),
        domain=("fraction",),
        kink=sympy.cos(sympy.pi * A),
    ),
    Elementary(
        "floor_divide",
        rounding.FloorDivide(A, B),
        "floor_divide",
        meaning=floor_of(A / B),
        domain=("fraction", "nonzero"),
        kink=sympy.sin(sympy.pi * A / B),
    ),
    Elementary(
        "remainder",
        rounding.Remainder(A, B),
        "remainder",
        meaning=A - B * floor_of(A / B),
        domain=("fraction", "nonzero"),
        kink=sympy.sin(sympy.pi * A / B),
        convention="the slope on the side where the remainder is 0",
    ),
    Elementary(
        "fmod",
        rounding.Fmod(A, B),
        "fmod",
        meaning=A - B * trunc_of(A / B),
        domain=("fraction", "nonzero"),
        kink=sympy.sin(sympy.pi * A / B),
        convention="the slope on the side where the remainder is 0",
    ),
)
_SPECIAL = (
    Elementary(
        "hypot",
        special.Hypot(A, B),
        "hypot",
        meaning=sympy.sqrt(A**2 + B**2),
        domain=_TWO,
        kink=A**2 + B**2,
        convention="0 at the origin",
    ),
    Elementary("arctan2", sympy.atan2(A, B), "arctan2", domain=_TWO),
    Elementary("arccosh", sympy.acosh(A), "arccosh", domain=("above-one",)),
    Elementary("exp2", 2**A, "exp2"),
    Elementary(
        "cbrt",
        special.Cbrt(A),
        "cbrt",
        meaning=Piecewise((A ** Rational(1, 3), A >= 0), (-((-A) ** Rational(1, 3)), True)),
        domain=("nonzero",),
    ),
    Elementary(
        "sinc",
        special.Sinc(A),
        meaning=Piecewise((1, sympy.Eq(A, 0)), (sympy.sin(sympy.pi * A) / (sympy.pi * A), True)),
    ),
    Elementary("deg2rad", A * sympy.pi / 180, "deg2rad"),
    Elementary("rad2deg", A * 180 / sympy.pi, "rad2deg"),
    Elementary(
        "copysign",
        special.CopySign(A, B),
        "copysign",
        meaning=Piecewise((A, A >= 0), (-A, True)) * Piecewise((1, B >= 0), (-1, True)),
        domain=_TWO,
        kink=A * B,
        convention="0 where a = 0",
    ),
    Elementary(
        "heaviside",
        special.StepAt(A, B),
        "heaviside",
        meaning=Piecewise((0, A < 0), (1, A > 0), (B, True)),
        domain=_TWO,
        kink=A,
        convention="0 by x; at 0 the value there has the slope 1",
    ),
    Elementary(
        "fmax",
        special.FMax(A, B),
        "fmax",
        meaning=Piecewise((A, A >= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "fmin",
        special.FMin(A, B),
        "fmin",
        meaning=Piecewise((A, A <= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary("erfc", sympy.erfc(A)),
    Elementary("gammaln", sympy.loggamma(A), domain=("positive",)),
    Elementary("digamma", sympy.polygamma(0, A), domain=("positive",)),
    Elementary(
        "xlogy",
        special.XLogY(A, B),
        meaning=Piecewise((0, sympy.Eq(A, 0)), (A * sympy.log(B), True)),
        domain=("real", "positive"),
    ),
    Elementary(
        "xlog1py",
        special.XLog1pY(A, B),
        meaning=Piecewise((0, sympy.Eq(A, 0)), (A * sympy.log(1 + B), True)),
        domain=("real", "above-minus-one"),
    ),
    Elementary(
        "less_one",
        special.LessOne(A),
        meaning=Piecewise((1, sympy.Eq(A, 0)), (A - 1, True)),
        domain=("nonzero",),
    ),
    Elementary(
        "log_ndtr",
        special.LogNdtr(A),
        meaning=sympy.log(sympy.erfc(-A / sympy.sqrt(2)) / 2),
    ),
)

ELEMENTARY: tuple[Elementary, ...] = (
    Elementary("add", A + B, "add", domain=_TWO),
    Elementary("sub", A - B, "subtract", domain=_TWO),
    Elementary("mul", A * B, "multiply", domain=_TWO),
    Elementary("div", A / B, "true_divide", domain=("real", "nonzero")),
    Elementary("neg", -A, "negative"),
    Elementary("reciprocal", 1 / A, "reciprocal", domain=("nonzero",)),
    Elementary("square", A**2, "square"),
    Elementary("pow", A**B, "power", domain=("positive", "real")),
    Elementary("exp", sympy.exp(A), "exp"),
    Elementary("expm1", f.Expm1(A), "expm1", meaning=sympy.exp(A) - 1),
    Elementary("log", sympy.log(A), "log", domain=("positive",)),
    Elementary("log2", sympy.log(A) / sympy.log(2), "log2", domain=("positive",)),
    Elementary("log10", sympy.log(A) / sympy.log(10), "log10", domain=("positive",)),
    Elementary("log1p", f.Log1p(A), "log1p", meaning=sympy.log(1 + A), domain=("above-minus-one",)),
    Elementary("sqrt", sympy.sqrt(A), "sqrt", domain=("positive",)),
    Elementary(
        "abs",
        f.Absolute(A),
        "absolute",
        meaning=Piecewise((A, A >= 0), (-A, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary(
        "sign",
        f.Sign(A),
        "sign",
        meaning=Piecewise((1, A > 0), (-1, A < 0), (0, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary("sin", sympy.sin(A), "sin"),
    Elementary("cos", sympy.cos(A), "cos"),
    Elementary("tan", sympy.tan(A), "tan", domain=("unit",)),
    Elementary("arctan", sympy.atan(A), "arctan"),
    Elementary("arcsin", sympy.asin(A), "arcsin", domain=("unit",)),
    Elementary("arccos", sympy.acos(A), "arccos", domain=("unit",)),
    Elementary("sinh", sympy.sinh(A), "sinh"),
    Elementary("cosh", sympy.cosh(A), "cosh"),
    Elementary("tanh", sympy.tanh(A), "tanh"),
    Elementary("arctanh", sympy.atanh(A), "arctanh", domain=("unit",)),
    Elementary("arcsinh", sympy.asinh(A), "arcsinh"),
    Elementary("erf", sympy.erf(A)),
    Elementary("sigmoid", f.Sigmoid(A), meaning=1 / (1 + sympy.exp(-A))),
    Elementary("softplus", f.Softplus(A), meaning=sympy.log(1 + sympy.exp(A))),
    Elementary(
        "logaddexp",
        f.LogAddExp(A, B),
        "logaddexp",
        meaning=sympy.log(sympy.exp(A) + sympy.exp(B)),
        domain=_TWO,
    ),
    Elementary(
        "relu",
        f.Relu(A),
        meaning=Piecewise((A, A > 0), (0, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary(
        "step",
        f.Step(A),
        meaning=_HEAVISIDE,
        kink=A,
        convention="0 at 0",
    ),
    Elementary("silu", A * f.Sigmoid(A), meaning=A / (1 + sympy.exp(-A))),
    Elementary("gelu", A * (1 + sympy.erf(A / sympy.sqrt(2))) / 2),
    Elementary(
        "elu",
        f.Elu(A),
        meaning=Piecewise((A, A > 0), (sympy.exp(A) - 1, True)),
    ),
    Elementary(
        "maximum",
        f.Maximum(A, B),
        "maximum",
        meaning=Piecewise((A, A >= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "minimum",
        f.Minimum(A, B),
        "minimum",
        meaning=Piecewise((A, A <= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "above",
        f.Above(A, B),
        meaning=Piecewise((1, A > B), (0, A < B), (Rational(1, 2), True)),
        domain=_TWO,
        kink=A - B,
    ),
    Elementary(
        "where",
        f.Select(A, B, C),
        meaning=Piecewise((B, sympy.Ne(A, 0)), (C, True)),
        domain=("bool", "real", "real"),
    ),
    Elementary(
        "ratio",
        f.Ratio(A, B),
        meaning=Piecewise((A / B, sympy.Ne(B, 0)), (0, True)),
        domain=("real", "nonzero"),
        kink=B,
        convention="0 at 0",
    ),
    Elementary("greater", f.Greater(A, B), "greater", meaning=_truth(A > B), domain=_TWO, kink=A - B),
    Elementary(
        "greater_equal",
        f.GreaterEqual(A, B),
        "greater_equal",
        meaning=_truth(A >= B),
        domain=_TWO,
        kink=A - B,
    ),
    Elementary("less", f.Less(A, B), "less", meaning=_truth(A < B), domain=_TWO, kink=A - B),
    Elementary(
        "less_equal", f.LessEqual(A, B), "less_equal", meaning=_truth(A <= B), domain=_TWO, kink=A - B
    ),
    Elementary("equal", f.Equal(A, B), "equal", meaning=_truth(sympy.Eq(A, B)), domain=_TWO, kink=A - B),
    Elementary(
        "not_equal", f.NotEqual(A, B), "not_equal", meaning=_truth(sympy.Ne(A, B)), domain=_TWO, kink=A - B
    ),
    *_LOGIC,
    *_ROUNDING,
    *_SPECIAL,
)

BY_NAME: dict[str, Elementary] = {e.name: e for e in ELEMENTARY}
BY_UFUNC: dict[str, Elementary] = {e.ufunc: e for e in ELEMENTARY if e.ufunc}

MEANING: dict[type, Callable[..., sympy.Expr]] = {
    type(e.expr): sympy.Lambda(tuple(ARG(i) for i in range(e.arity)), e.meaning)
    for e in ELEMENTARY
    if e.meaning is not None and e.expr.args == tuple(ARG(i) for i in range(e.arity))
}


def in_own_terms(expr: sympy.Expr) -> sympy.Expr:
    """Write every function of ours in SymPy's own terms, for a witness that shares nothing with ``fdiff``."""
    # Not simultaneously: SymPy then forgets a function whose arguments have become equal.
    return expr.replace(lambda e: type(e) in MEANING, lambda e: MEANING[type(e)](*e.args), simultaneous=False)
