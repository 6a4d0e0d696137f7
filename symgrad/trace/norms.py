"""``np.linalg.norm`` in the forms that have a formula entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import format_shape
from symgrad.ops.norm import norm_attrs
from symgrad.program import Builder, exact_number
from symgrad.trace import moves
from symgrad.trace import operations as ops

if TYPE_CHECKING:
    from symgrad.trace.array import Traced


def norm(builder: Builder, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Traced:
    """The norm of the vectors along one axis, of the matrices along two, or of the whole array.

    Raises:
        UnsupportedError: a norm by singular values, or the number of entries that are not 0.
    """
    value = ops.lift(builder, x)
    if value.ndim == 0:
        return ops.elementary(builder, "abs", value)
    if axis is None and ord is None:
        return _p_norm(builder, value, tuple(range(value.ndim)), 2, keepdims)
    axes = _axes(value, axis)
    if len(axes) == 1:
        return _vector(builder, value, ord, axes[0], keepdims)
    return _matrix(builder, value, ord, axes, keepdims)


def _axes(value: Traced, axis: Any) -> tuple[int, ...]:
    if axis is None:
        given: tuple[Any, ...] = tuple(range(value.ndim))
    else:
        given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    for i in given:
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not -value.ndim <= i < value.ndim:
            raise ShapeError(
                "There is no such axis.",
                where="norm",
                expected=f"an axis of {format_shape(value.dims)}",
                got=f"axis={axis!r}",
            )
    axes = tuple(int(i) % value.ndim for i in given)
    if len(axes) not in (1, 2) or len(set(axes)) < len(axes):
        raise ShapeError(
            "A norm is taken over one axis or two different ones.",
            where="norm",
            got=f"axis={axis!r} of an array of shape {format_shape(value.dims)}",
            fix="flatten the array first: np.linalg.norm(x.ravel(), ord)",
        )
    return axes


def _p_norm(builder: Builder, value: Traced, axes: tuple[int, ...], p: Any, keepdims: bool) -> Traced:
    attrs = norm_attrs(value.ndim, axes, p, bool(keepdims))
    return ops.Array(builder, builder.emit("norm", value.name, **attrs))


def _extreme(builder: Builder, value: Traced, axis: int, keepdims: bool, largest: bool) -> Traced:
    from symgrad.trace import reductions

    return (reductions.amax if largest else reductions.amin)(builder, value, axis, keepdims=keepdims)


def _vector(builder: Builder, value: Traced, order: Any, axis: int, keepdims: bool) -> Traced:
    if order is None:
        order = 2
    if isinstance(order, (str, bool)) or not isinstance(order, (int, float, np.number)):
        raise UnsupportedError(
            "There is no such norm of vectors.", where="norm", expected="a number", got=f"ord={order!r}"
        )
    if order in (np.inf, -np.inf):
        size = ops.elementary(builder, "abs", value)
        return _extreme(builder, size, axis, keepdims, bool(order > 0))
    if order == 0:
        raise UnsupportedError(
            "The number of entries that are not 0 has no derivative.",
            where="norm",
            got="ord=0",
            fix="use ord=1, its usual convex stand-in",
        )
    if order == 1:
        return ops.total(ops.elementary(builder, "abs", value), axis, keepdims)
    return _p_norm(builder, value, (axis,), exact_number(order), keepdims)


def _matrix(builder: Builder, value: Traced, order: Any, axes: tuple[int, ...], keepdims: bool) -> Traced:
    if order is None or order == "fro":
        return _p_norm(builder, value, axes, 2, keepdims)
    if isinstance(order, str) and order != "nuc":
        raise UnsupportedError(
            "There is no such norm of matrices.", where="norm", expected="'fro'", got=f"ord={order!r}"
        )
    if order in ("nuc", 2, -2):
        from symgrad.trace.spectral import norm_by_singular_values

        return norm_by_singular_values(builder, value, order, axes, keepdims)
    if order not in (1, -1, np.inf, -np.inf):
        raise UnsupportedError(
            "There is no such norm of matrices.",
            where="norm",
            expected="'fro', 1 or inf",
            got=f"ord={order!r}",
        )
    row, column = axes
    summed, other = (row, column) if abs(order) == 1 else (column, row)
    sums = ops.total(ops.elementary(builder, "abs", value), summed, True)
    found = _extreme(builder, sums, other, True, bool(order > 0))
    if keepdims:
        return found
    return moves.reshape_dims(found, tuple(d for i, d in enumerate(found.dims) if i not in axes))
