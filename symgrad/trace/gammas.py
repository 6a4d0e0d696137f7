"""``scipy.special``: the Gamma function and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symgrad.errors import UnsupportedError
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.refusals import refused

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def _logarithm(builder: Builder, x: Any) -> Traced:
    return ops.elementary(builder, "gammaln", x)


def _sign(builder: Builder, x: Traced) -> Traced:
    """The sign of Γ: it changes at every whole number below 0."""
    parity = ops.elementary(builder, "remainder", ops.elementary(builder, "floor", x), 2)
    below = ops.apply(builder, 1 - 2 * ARG(0), parity)
    return ops.elementary(builder, "where", ops.elementary(builder, "greater", x, 0), 1, below)


def gamma(builder: Builder, x: Any) -> Traced:
    """Γ(x) as its sign times exp(log|Γ(x)|)."""
    value = ops.lift(builder, x)
    size = ops.elementary(builder, "exp", _logarithm(builder, value))
    return ops.elementary(builder, "mul", _sign(builder, value), size)


def betaln(builder: Builder, a: Any, b: Any) -> Traced:
    """log|B(a, b)| = log|Γ(a)| + log|Γ(b)| − log|Γ(a + b)|."""
    first, second = ops.lift(builder, a), ops.lift(builder, b)
    both = ops.elementary(builder, "add", first, second)
    return _logarithm(builder, first) + _logarithm(builder, second) - _logarithm(builder, both)


def beta(builder: Builder, a: Any, b: Any) -> Traced:
    """B(a, b) = Γ(a)Γ(b)/Γ(a + b)."""
    first, second = ops.lift(builder, a), ops.lift(builder, b)
    both = ops.elementary(builder, "add", first, second)
    signs = _sign(builder, first) * _sign(builder, second) * _sign(builder, both)
    return signs * ops.elementary(builder, "exp", betaln(builder, first, second))


def factorial(builder: Builder, n: Any, exact: bool = False, extend: str = "zero") -> Traced:
    """n! = Γ(n + 1); 0 below 0, as SciPy has it."""
    if exact or extend != "zero":
        raise UnsupportedError("factorial is traced without options.", where="factorial")
    value = ops.lift(builder, n)
    found = gamma(builder, ops.apply(builder, ARG(0) + 1, value))
    return ops.elementary(builder, "where", ops.elementary(builder, "less", value, 0), 0, found)


_INVERSE = "compute it outside where its argument is data, or write the loss with the function itself"
_BESSEL = "compute it outside where its argument is data; there is no derivative of it here"

SCIPY_SPECIAL: dict[str, Rule] = {
    "gamma": gamma,
    "beta": beta,
    "betaln": betaln,
    "factorial": factorial,
    **{
        name: refused(name, _INVERSE, within="scipy.special.")
        for name in ("erfinv", "erfcinv", "ndtri", "lambertw", "betainc", "gammainc")
    },
    **{
        name: refused(name, _BESSEL, within="scipy.special.")
        for name in ("i0", "i1", "i0e", "i1e", "iv", "ive", "jv", "kv", "j0", "j1")
    },
}
"""By the name in ``scipy.special``."""
