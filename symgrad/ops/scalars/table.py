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
            (|x| < 1), ``nonzero``, ``above-minus-one``, ``bool``.
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
_HEAVISIDE = Piecewise((1, A > 0), (0, True))


def _truth(holds: sympy.Basic) -> sympy.Expr:
    return Piecewise((1, holds), (0, True))


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
    return expr.replace(lambda e: type(e) in MEANING, lambda e: MEANING[type(e)](*e.args))
