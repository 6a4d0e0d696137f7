"""Elementwise functions of NumPy and ``scipy.special`` that are more than one row of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.record import ARG
from symgrad.ops.scalars import functions as f
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.sizes import NeedsKind

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]
_ENTRYWISE = ("pointwise", "constant", "broadcast_to")


def _formula(fn: sympy.Expr) -> Rule:
    return lambda builder, *operands: ops.apply(builder, fn, *operands)


# Choosing -----------------------------------------------------------------------------------------------------


def clip(
    builder: Builder, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Traced:
    """``minimum(maximum(a, low), high)``; the bounds may be arrays."""
    return ops.clip(builder, a, a_min if min is None else min, a_max if max is None else max)


def select(builder: Builder, condlist: Any, choicelist: Any, default: Any = 0) -> Traced:
    """The choice of the first condition that holds.

    Raises:
        ShapeError: the lists have different lengths.
    """
    if len(condlist) != len(choicelist):
        raise ShapeError(
            "Each condition needs one choice.", where="np.select", got=f"{len(condlist)} conditions"
        )
    found = ops.lift(builder, default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        found = ops.elementary(builder, "where", condition, choice, found)
    return found


def piecewise(builder: Builder, x: Any, condlist: Any, funclist: Any) -> Traced:
    """The function of the last condition that holds; a function more is for where none does.

    Raises:
        UnsupportedError: a function is not elementwise, so that it would see the chosen entries alone.
    """
    value = ops.lift(builder, x)
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    functions = list(funclist)
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise ShapeError("Each condition needs one function.", where="np.piecewise", got=f"{len(functions)}")
    otherwise = functions.pop() if len(functions) > len(conditions) else 0
    found = _of_entries(builder, otherwise, value)
    for condition, function in zip(conditions, functions, strict=True):
        found = ops.elementary(builder, "where", condition, _of_entries(builder, function, value), found)
    return found


def _of_entries(builder: Builder, function: Any, x: Traced) -> Any:
    if not callable(function) or isinstance(function, ops.Array):
        return function
    before = len(builder.bindings)
    result = ops.lift(builder, function(x))
    if any(b.op not in _ENTRYWISE for b in builder.bindings[before:]) or result.dims not in ((), x.dims):
        raise UnsupportedError(
            "A function of np.piecewise is not elementwise.",
            where="np.piecewise",
            expected="functions of single entries",
            fix="write it with np.where",
        )
    return result


# Rounding -----------------------------------------------------------------------------------------------------


def around(builder: Builder, a: Any, decimals: int = 0) -> Traced:
    """Rounded to so many decimals; constant between the jumps."""
    if decimals == 0:
        return ops.elementary(builder, "rint", a)
    scale = 10 ** abs(int(decimals))
    up, down = ("mul", "div") if decimals > 0 else ("div", "mul")
    return ops.elementary(
        builder, down, ops.elementary(builder, "rint", ops.elementary(builder, up, a, scale)), scale
    )


def _bits(name: str, function: str) -> Rule:
    def rule(builder: Builder, *operands: Any) -> Traced:
        values = [ops.lift(builder, v) for v in operands]
        for v in values:
            if v.kind != "bool" and builder.binding(v.name) is None:
                raise builder.refuse(NeedsKind(v.name, "bool", name))
        if any(v.kind != "bool" for v in values):
            raise UnsupportedError(
                f"{name} is traced for truth values only.",
                where=name,
                fix=f"use np.{function} on comparisons",
            )
        return ops.elementary(builder, function, *values)

    return rule


def _divmod(builder: Builder, a: Any, b: Any) -> tuple[Traced, Traced]:
    return ops.elementary(builder, "floor_divide", a, b), ops.elementary(builder, "remainder", a, b)


UFUNCS: dict[str, Rule] = {
    "mod": ops.rule_of("remainder"),
    "radians": ops.rule_of("deg2rad"),
    "degrees": ops.rule_of("rad2deg"),
    "divmod": _divmod,
    "logaddexp2": _formula(f.LogAddExp(ARG(0) * sympy.log(2), ARG(1) * sympy.log(2)) / sympy.log(2)),
    "bitwise_and": _bits("&", "logical_and"),
    "bitwise_or": _bits("|", "logical_or"),
    "bitwise_xor": _bits("^", "logical_xor"),
    "invert": _bits("~", "logical_not"),
    "signbit": lambda builder, a: ops.elementary(builder, "less", a, 0),
}
"""By the name of the ufunc."""

NUMPY: dict[Callable[..., Any], Rule] = {
    np.clip: clip,
    np.select: select,
    np.piecewise: piecewise,
    np.round: around,
    np.around: around,
    np.fix: ops.rule_of("trunc"),
    np.sinc: ops.rule_of("sinc"),
}

# SciPy --------------------------------------------------------------------------------------------------------

_A, _B = ARG(0), ARG(1)


def _huber(builder: Builder, delta: Any, r: Any) -> Traced:
    size = ops.elementary(builder, "abs", r)
    near = ops.elementary(builder, "less_equal", size, delta)
    inside = ops.apply(builder, _A**2 / 2, r)
    outside = ops.apply(builder, _A * (_B - _A / 2), delta, size)
    return ops.elementary(builder, "where", near, inside, outside)


SCIPY_SPECIAL: dict[str, Rule] = {
    **{n: ops.rule_of(n) for n in ("erf", "erfc", "gammaln", "digamma", "xlogy", "xlog1py", "log_ndtr")},
    **{n: ops.rule_of(n) for n in ("log1p", "expm1", "exp2", "cbrt", "softplus", "sinc")},
    "expit": ops.rule_of("sigmoid"),
    "loggamma": ops.rule_of("gammaln"),
    "psi": ops.rule_of("digamma"),
    "log_expit": _formula(-f.Softplus(-_A)),
    "logit": _formula(sympy.log(_A) - f.Log1p(-_A)),
    "ndtr": _formula(sympy.erfc(-_A / sympy.sqrt(2)) / 2),
    "entr": lambda builder, x: ops.elementary(builder, "neg", ops.elementary(builder, "xlogy", x, x)),
    "rel_entr": lambda builder, x, y: ops.elementary(
        builder, "sub", ops.elementary(builder, "xlogy", x, x), ops.elementary(builder, "xlogy", x, y)
    ),
    "kl_div": lambda builder, x, y: ops.elementary(
        builder,
        "add",
        ops.elementary(builder, "sub", SCIPY_SPECIAL["rel_entr"](builder, x, y), x),
        y,
    ),
    "huber": _huber,
    "pseudo_huber": _formula(_A**2 * (sympy.sqrt(1 + (_B / _A) ** 2) - 1)),
}
"""By the name in ``scipy.special``."""
