"""The elementwise functions: one record each, from which tracing, tests and the op table are made.

``expr`` is what the function does to entries ``a0, a1, …``.  ``meaning`` says the same in SymPy's own functions
where ``expr`` uses one of ours, and is made when somebody asks for it.  A test compares both with NumPy, and the
scalar witness differentiates ``meaning``, never ``expr``.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Piecewise, Rational

from symgrad.ops.record import ARG
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import logic, rounding, special
from symgrad.ops.scalars.elementary import Elementary
from symgrad.ops.scalars.rounding import floor_of, trunc_of

A, B, C = ARG(0), ARG(1), ARG(2)

_TWO = ("real", "real")
_TRUTHS = ("bool", "bool")


def _truth(holds: sympy.Basic) -> sympy.Expr:
    return Piecewise((1, holds), (0, True))


_LOGIC = (
    Elementary(
        "logical_and",
        logic.LogicalAnd(A, B),
        "logical_and",
        meaning_of=lambda: _truth(sympy.And(sympy.Ne(A, 0), sympy.Ne(B, 0))),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_or",
        logic.LogicalOr(A, B),
        "logical_or",
        meaning_of=lambda: _truth(sympy.Or(sympy.Ne(A, 0), sympy.Ne(B, 0))),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_xor",
        logic.LogicalXor(A, B),
        "logical_xor",
        meaning_of=lambda: _truth(
            sympy.Or(sympy.And(sympy.Ne(A, 0), sympy.Eq(B, 0)), sympy.And(sympy.Eq(A, 0), sympy.Ne(B, 0)))
        ),
        domain=_TRUTHS,
    ),
    Elementary(
        "logical_not",
        logic.LogicalNot(A),
        "logical_not",
        meaning_of=lambda: _truth(sympy.Eq(A, 0)),
        domain=("bool",),
    ),
    Elementary("isnan", logic.IsNan(A), "isnan", meaning_of=lambda: sympy.S.Zero),
    Elementary("isinf", logic.IsInf(A), "isinf", meaning_of=lambda: sympy.S.Zero),
    Elementary("isfinite", logic.IsFinite(A), "isfinite", meaning_of=lambda: sympy.S.One),
)
_ROUNDING = (
    Elementary(
        "floor",
        rounding.Floor(A),
        "floor",
        meaning_of=lambda: floor_of(A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "ceil",
        rounding.Ceil(A),
        "ceil",
        meaning_of=lambda: -floor_of(-A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "trunc",
        rounding.Trunc(A),
        "trunc",
        meaning_of=lambda: trunc_of(A),
        domain=("fraction",),
        kink=sympy.sin(sympy.pi * A),
    ),
    Elementary(
        "rint",
        rounding.Rint(A),
        "rint",
        meaning_of=lambda: floor_of(A + Rational(1, 2)),
        domain=("fraction",),
        kink=sympy.cos(sympy.pi * A),
    ),
    Elementary(
        "floor_divide",
        rounding.FloorDivide(A, B),
        "floor_divide",
        meaning_of=lambda: floor_of(A / B),
        domain=("fraction", "nonzero"),
        kink=sympy.sin(sympy.pi * A / B),
    ),
    Elementary(
        "remainder",
        rounding.Remainder(A, B),
        "remainder",
        meaning_of=lambda: A - B * floor_of(A / B),
        domain=("fraction", "nonzero"),
        kink=sympy.sin(sympy.pi * A / B),
        convention="the slope on the side where the remainder is 0",
    ),
    Elementary(
        "fmod",
        rounding.Fmod(A, B),
        "fmod",
        meaning_of=lambda: A - B * trunc_of(A / B),
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
        meaning_of=lambda: sympy.sqrt(A**2 + B**2),
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
        meaning_of=lambda: Piecewise((A ** Rational(1, 3), A >= 0), (-((-A) ** Rational(1, 3)), True)),
        domain=("nonzero",),
    ),
    Elementary(
        "sinc",
        special.Sinc(A),
        meaning_of=lambda: Piecewise((1, sympy.Eq(A, 0)), (sympy.sin(sympy.pi * A) / (sympy.pi * A), True)),
    ),
    Elementary("deg2rad", A * sympy.pi / 180, "deg2rad"),
    Elementary("rad2deg", A * 180 / sympy.pi, "rad2deg"),
    Elementary(
        "copysign",
        special.CopySign(A, B),
        "copysign",
        meaning_of=lambda: Piecewise((A, A >= 0), (-A, True)) * Piecewise((1, B >= 0), (-1, True)),
        domain=_TWO,
        kink=A * B,
        convention="0 where a = 0",
    ),
    Elementary(
        "heaviside",
        special.StepAt(A, B),
        "heaviside",
        meaning_of=lambda: Piecewise((0, A < 0), (1, A > 0), (B, True)),
        domain=_TWO,
        kink=A,
        convention="0 by x; at 0 the value there has the slope 1",
    ),
    Elementary(
        "fmax",
        special.FMax(A, B),
        "fmax",
        meaning_of=lambda: Piecewise((A, A >= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "fmin",
        special.FMin(A, B),
        "fmin",
        meaning_of=lambda: Piecewise((A, A <= B), (B, True)),
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
        meaning_of=lambda: Piecewise((0, sympy.Eq(A, 0)), (A * sympy.log(B), True)),
        domain=("real", "positive"),
    ),
    Elementary(
        "xlog1py",
        special.XLog1pY(A, B),
        meaning_of=lambda: Piecewise((0, sympy.Eq(A, 0)), (A * sympy.log(1 + B), True)),
        domain=("real", "above-minus-one"),
    ),
    Elementary(
        "less_one",
        special.LessOne(A),
        meaning_of=lambda: Piecewise((1, sympy.Eq(A, 0)), (A - 1, True)),
        domain=("nonzero",),
    ),
    Elementary(
        "log_ndtr",
        special.LogNdtr(A),
        meaning_of=lambda: sympy.log(sympy.erfc(-A / sympy.sqrt(2)) / 2),
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
    Elementary("expm1", f.Expm1(A), "expm1", meaning_of=lambda: sympy.exp(A) - 1),
    Elementary("log", sympy.log(A), "log", domain=("positive",)),
    Elementary("log2", sympy.log(A) / sympy.log(2), "log2", domain=("positive",)),
    Elementary("log10", sympy.log(A) / sympy.log(10), "log10", domain=("positive",)),
    Elementary(
        "log1p", f.Log1p(A), "log1p", meaning_of=lambda: sympy.log(1 + A), domain=("above-minus-one",)
    ),
    Elementary("sqrt", sympy.sqrt(A), "sqrt", domain=("positive",)),
    Elementary(
        "abs",
        f.Absolute(A),
        "absolute",
        meaning_of=lambda: Piecewise((A, A >= 0), (-A, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary(
        "sign",
        f.Sign(A),
        "sign",
        meaning_of=lambda: Piecewise((1, A > 0), (-1, A < 0), (0, True)),
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
    Elementary("sigmoid", f.Sigmoid(A), meaning_of=lambda: 1 / (1 + sympy.exp(-A))),
    Elementary("softplus", f.Softplus(A), meaning_of=lambda: sympy.log(1 + sympy.exp(A))),
    Elementary(
        "logaddexp",
        f.LogAddExp(A, B),
        "logaddexp",
        meaning_of=lambda: sympy.log(sympy.exp(A) + sympy.exp(B)),
        domain=_TWO,
    ),
    Elementary(
        "relu",
        f.Relu(A),
        meaning_of=lambda: Piecewise((A, A > 0), (0, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary(
        "step",
        f.Step(A),
        meaning_of=lambda: Piecewise((1, A > 0), (0, True)),
        kink=A,
        convention="0 at 0",
    ),
    Elementary("silu", A * f.Sigmoid(A), meaning_of=lambda: A / (1 + sympy.exp(-A))),
    Elementary("gelu", A * (1 + sympy.erf(A / sympy.sqrt(2))) / 2),
    Elementary(
        "elu",
        f.Elu(A),
        meaning_of=lambda: Piecewise((A, A > 0), (sympy.exp(A) - 1, True)),
    ),
    Elementary(
        "maximum",
        f.Maximum(A, B),
        "maximum",
        meaning_of=lambda: Piecewise((A, A >= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "minimum",
        f.Minimum(A, B),
        "minimum",
        meaning_of=lambda: Piecewise((A, A <= B), (B, True)),
        domain=_TWO,
        kink=A - B,
        convention="½ to each argument at a tie",
    ),
    Elementary(
        "above",
        f.Above(A, B),
        meaning_of=lambda: Piecewise((1, A > B), (0, A < B), (Rational(1, 2), True)),
        domain=_TWO,
        kink=A - B,
    ),
    Elementary(
        "where",
        f.Select(A, B, C),
        meaning_of=lambda: Piecewise((B, sympy.Ne(A, 0)), (C, True)),
        domain=("bool", "real", "real"),
    ),
    Elementary(
        "ratio",
        f.Ratio(A, B),
        meaning_of=lambda: Piecewise((A / B, sympy.Ne(B, 0)), (0, True)),
        domain=("real", "nonzero"),
        kink=B,
        convention="0 at 0",
    ),
    Elementary(
        "greater", f.Greater(A, B), "greater", meaning_of=lambda: _truth(A > B), domain=_TWO, kink=A - B
    ),
    Elementary(
        "greater_equal",
        f.GreaterEqual(A, B),
        "greater_equal",
        meaning_of=lambda: _truth(A >= B),
        domain=_TWO,
        kink=A - B,
    ),
    Elementary("less", f.Less(A, B), "less", meaning_of=lambda: _truth(A < B), domain=_TWO, kink=A - B),
    Elementary(
        "less_equal",
        f.LessEqual(A, B),
        "less_equal",
        meaning_of=lambda: _truth(A <= B),
        domain=_TWO,
        kink=A - B,
    ),
    Elementary(
        "equal", f.Equal(A, B), "equal", meaning_of=lambda: _truth(sympy.Eq(A, B)), domain=_TWO, kink=A - B
    ),
    Elementary(
        "not_equal",
        f.NotEqual(A, B),
        "not_equal",
        meaning_of=lambda: _truth(sympy.Ne(A, B)),
        domain=_TWO,
        kink=A - B,
    ),
    *_LOGIC,
    *_ROUNDING,
    *_SPECIAL,
)

BY_NAME: dict[str, Elementary] = {e.name: e for e in ELEMENTARY}
BY_UFUNC: dict[str, Elementary] = {e.ufunc: e for e in ELEMENTARY if e.ufunc}

MEANING: dict[type, Callable[..., sympy.Expr]] = {
    type(e.expr): e.meaning_at
    for e in ELEMENTARY
    if e.meaning_of is not None and e.expr.args == tuple(ARG(i) for i in range(e.arity))
}


def in_own_terms(expr: sympy.Expr) -> sympy.Expr:
    """Write every function of ours in SymPy's own terms, for a witness that shares nothing with ``fdiff``."""
    # Not simultaneously: SymPy then forgets a function whose arguments have become equal.
    return expr.replace(lambda e: type(e) in MEANING, lambda e: MEANING[type(e)](*e.args), simultaneous=False)
