"""Reductions other than sums: extrema, products, spreads, softmax and its kind, questions of any and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Dim, product, same
from symgrad.ops.record import ARG
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.refusals import MISSING_ENTRIES, refused
from symgrad.trace.sizes import assume

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def _reduced(builder: Builder, op: str, a: Any, axis: Any, keepdims: bool) -> Traced:
    value = ops.lift(builder, a)
    axes = ops.axes_of(value, axis, f"np.{op}")
    if not axes:
        return value
    return ops.Array(builder, builder.emit(op, value.name, **sum_attrs(value.ndim, axes, bool(keepdims))))


def _not_empty(builder: Builder, a: Traced, axis: Any, where: str) -> None:
    """The reduced entries exist; for sizes that are symbols it is assumed."""
    for i in ops.axes_of(a, axis, where):
        size = a.dims[i]
        if same(size, 0):
            raise ShapeError("There is no largest or smallest of no entries.", where=where)
        if not isinstance(size, int):
            assume(builder, sympy.Ge(size, 1), where)


# Extrema ------------------------------------------------------------------------------------------------------


def _extremum(op: str, elementwise: str) -> Rule:
    def rule(
        builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> Traced:
        value = ops.lift(builder, a)
        _not_empty(builder, value, axis, f"np.{op}")
        found = _reduced(builder, op, value, axis, keepdims)
        return found if initial is None else ops.elementary(builder, elementwise, found, initial)

    return rule


amax = _extremum("max", "maximum")
amin = _extremum("min", "minimum")


def _place(op: str) -> Rule:
    def rule(builder: Builder, a: Any, axis: Any = None, *, keepdims: bool = False) -> Traced:
        value = ops.lift(builder, a)
        rank = value.ndim
        if axis is None and rank != 1:
            value = moves.reshape_dims(value, (product(value.dims),))
        _not_empty(builder, value, axis, f"np.{op}")
        found = _reduced(builder, op, value, axis, keepdims)
        return moves.reshape_dims(found, (1,) * rank) if keepdims and axis is None else found

    return rule


argmax = _place("argmax")
argmin = _place("argmin")


def ptp(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    """The largest entry minus the smallest one."""
    largest, smallest = (f(builder, a, axis, keepdims) for f in (amax, amin))
    return ops.elementary(builder, "sub", largest, smallest)


def _truth_values(builder: Builder, a: Any) -> Traced:
    value = ops.lift(builder, a)
    return value if value.kind == "bool" else ops.elementary(builder, "not_equal", value, 0)


def any_true(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    """Whether an entry is not 0."""
    return amax(builder, _truth_values(builder, a), axis, keepdims)


def all_true(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    """Whether no entry is 0."""
    return amin(builder, _truth_values(builder, a), axis, keepdims)


def count_nonzero(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    """How many entries are not 0."""
    return ops.total(_truth_values(builder, a), axis, keepdims)


# Sums and products --------------------------------------------------------------------------------------------


def summed(
    builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, initial: Any = 0, where: Any = True
) -> Traced:
    """The sum of the entries, of those alone for which ``where`` holds."""
    value = ops.lift(builder, a)
    if where is not True:
        value = ops.elementary(builder, "where", where, value, 0)
    found = ops.total(value, axis, keepdims)
    return found if _is_number(initial, 0) else ops.elementary(builder, "add", found, initial)


def mean(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, where: Any = True) -> Traced:
    """The mean of the entries, of those alone for which ``where`` holds."""
    value = ops.lift(builder, a)
    if where is True:
        return ops.mean(value, axis, keepdims)
    total = summed(builder, value, axis, keepdims, where=where)
    one = ops.elementary(builder, "where", where, ops.ones(builder, value.dims), 0)
    return ops.elementary(builder, "div", total, ops.total(one, axis, keepdims))


def _is_number(value: Any, number: int) -> bool:
    return isinstance(value, (int, float)) and value == number


def prod(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, initial: Any = 1) -> Traced:
    """The product of the entries, one axis after the other."""
    value = ops.lift(builder, a)
    axes = ops.axes_of(value, axis, "np.prod")
    found = value
    if len(axes) == value.ndim > 1:
        found = moves.reshape_dims(value, (product(value.dims),))
        found = _reduced(builder, "prod", found, 0, False)
        if keepdims:
            found = moves.reshape_dims(found, (1,) * value.ndim)
    else:
        for i in reversed(axes):
            found = _reduced(builder, "prod", found, i, keepdims)
    return found if _is_number(initial, 1) else ops.elementary(builder, "mul", found, initial)


def average(
    builder: Builder,
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean, weighted where weights are given: of the array's shape, or one for each entry of the axis."""
    value = ops.lift(builder, a)
    if weights is None:
        found = ops.mean(value, axis, keepdims)
        sizes = product([value.dims[i] for i in ops.axes_of(value, axis, "np.average")])
        return (found, ops.ones(builder, found.dims, sizes)) if returned else found
    w = ops.lift(builder, weights)
    if w.dims != value.dims:
        if w.ndim != 1 or axis is None or isinstance(axis, (tuple, list)):
            raise ShapeError(
                "The weights do not fit.",
                where="np.average",
                expected="the shape of the array, or one weight for each entry of the axis",
                got=f"weights of {w.ndim} axes, array of {value.ndim}",
            )
        (at,) = ops.axes_of(value, axis, "np.average")
        w = moves.reshape_dims(w, tuple(w.dims[0] if i == at else 1 for i in range(value.ndim)))
    total = ops.total(ops.elementary(builder, "mul", value, w), axis, keepdims)
    weight = ops.total(w, axis, keepdims)
    found = ops.elementary(builder, "div", total, weight)
    return (found, moves.broadcast_to(weight, found.dims)) if returned else found


# Spreads ------------------------------------------------------------------------------------------------------


def var(
    builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, ddof: Any = 0, correction: Any = None
) -> Traced:
    """The mean square distance from the mean, its divisor less by ``ddof``."""
    value = ops.lift(builder, a)
    number: Dim = product([value.dims[i] for i in ops.axes_of(value, axis, "np.var")])
    less = ops.lift(builder, ddof if correction is None else correction)
    distance = ops.elementary(builder, "sub", value, ops.mean(value, axis, keepdims=True))
    squares = ops.total(ops.elementary(builder, "square", distance), axis, keepdims)
    divisor = ops.size_value(builder, number)
    if builder.constant_value(less.name) != 0:
        divisor = ops.elementary(builder, "sub", divisor, less)
    return ops.elementary(builder, "div", squares, divisor)


def std(
    builder: Builder, a: Any, axis: Any = None, keepdims: bool = False, ddof: Any = 0, correction: Any = None
) -> Traced:
    """The root of the variance."""
    return ops.elementary(builder, "sqrt", var(builder, a, axis, keepdims, ddof, correction))


# Exponential sums ---------------------------------------------------------------------------------------------


def logsumexp(
    builder: Builder,
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Traced:
    """log Σ b exp(a) over the axes, without overflow.

    Raises:
        UnsupportedError: ``return_sign``.
    """
    value = ops.lift(builder, a)
    if return_sign:
        raise UnsupportedError("logsumexp is traced without the sign.", where="logsumexp")
    if b is None:
        return _reduced(builder, "logsumexp", value, axis, keepdims)
    largest = amax(builder, value, axis, keepdims=True)
    shares = ops.apply(builder, sympy.exp(ARG(0) - ARG(1)), value, largest)
    weighted = ops.elementary(builder, "mul", b, shares)
    axes = ops.axes_of(value, axis, "logsumexp")
    shifted = ops.elementary(builder, "log", ops.total(weighted, _behind(axes, value, weighted), keepdims))
    if not keepdims:
        largest = moves.reshape_dims(largest, tuple(d for i, d in enumerate(value.dims) if i not in axes))
    return ops.elementary(builder, "add", shifted, largest)


def _behind(axes: tuple[int, ...], a: Traced, b: Traced) -> tuple[int, ...]:
    """The same axes, counted from the right, of an array with as many axes."""
    if a.ndim != b.ndim:
        raise ShapeError("The factors have more axes than the exponents.", where="logsumexp")
    return axes


def softmax(builder: Builder, a: Any, axis: Any = None) -> Traced:
    """exp(a) / Σ exp(a), as exp(a − logsumexp(a)): no overflow, and the same derivative in fewer operations."""
    value = ops.lift(builder, a)
    return ops.apply(
        builder, sympy.exp(ARG(0) - ARG(1)), value, logsumexp(builder, value, axis, keepdims=True)
    )


def log_softmax(builder: Builder, a: Any, axis: Any = None) -> Traced:
    """a − logsumexp(a)."""
    value = ops.lift(builder, a)
    return ops.elementary(builder, "sub", value, logsumexp(builder, value, axis, keepdims=True))


# Tables -------------------------------------------------------------------------------------------------------


NUMPY: dict[Callable[..., Any], Rule] = {
    np.sum: summed,
    np.mean: mean,
    np.max: amax,
    np.min: amin,
    np.amax: amax,
    np.amin: amin,
    np.argmax: argmax,
    np.argmin: argmin,
    np.ptp: ptp,
    np.any: any_true,
    np.all: all_true,
    np.count_nonzero: count_nonzero,
    np.prod: prod,
    np.average: average,
    np.var: lambda b, a, axis=None, ddof=0, keepdims=False, *, correction=None: var(
        b, a, axis, keepdims, ddof, correction
    ),
    np.std: lambda b, a, axis=None, ddof=0, keepdims=False, *, correction=None: std(
        b, a, axis, keepdims, ddof, correction
    ),
}
NUMPY |= {
    f: refused(f"np.{f.__name__}", MISSING_ENTRIES, what="has no rule")
    for f in (
        *(np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanprod, np.nanvar, np.nanstd, np.nanmedian),
        *(np.nanargmax, np.nanargmin, np.nanpercentile, np.nanquantile),
    )
}

SCIPY_SPECIAL: dict[str, Rule] = {"logsumexp": logsumexp, "softmax": softmax, "log_softmax": log_softmax}
