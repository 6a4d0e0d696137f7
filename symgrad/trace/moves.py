"""Operations that move entries to another shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, as_dim, format_shape, product
from symgrad.trace import operations as ops
from symgrad.trace.sizes import usual

if TYPE_CHECKING:
    from symgrad.trace.array import Traced


def transpose(a: Traced, axes: Any = None) -> Traced:
    order = tuple(range(a.ndim))[::-1] if axes is None else tuple(int(i) % max(a.ndim, 1) for i in axes)
    if order == tuple(range(a.ndim)):
        return a
    return ops.Array(a.builder, a.builder.emit("transpose", a.name, axes=order))


def reshape(a: Traced, shape: Any) -> Traced:
    wanted = [shape] if not isinstance(shape, (tuple, list)) else list(shape)
    dims: list[Dim] = []
    unknown: int | None = None
    for i, d in enumerate(wanted):
        if isinstance(d, (int, np.integer)) and d == -1:
            if unknown is not None:
                raise ShapeError("Only one size can be left to reshape.", where="reshape", got=str(wanted))
            unknown = i
            dims.append(1)
        else:
            dims.append(ops.as_size(d))
    if unknown is not None:
        rest = sympy.cancel(sympy.sympify(product(a.dims)) / sympy.sympify(product(dims)))
        if sympy.denom(rest) != 1:
            raise ShapeError(
                "reshape cannot divide the entries evenly.",
                where="reshape",
                expected=f"a divisor of {product(a.dims)}",
                got=format_shape(dims),
            )
        dims[unknown] = as_dim(rest)
    return ops.Array(a.builder, a.builder.emit("reshape", a.name, shape=tuple(dims)))


def broadcast_to(a: Traced, shape: Any) -> Traced:
    wanted = (shape,) if not isinstance(shape, (tuple, list)) else shape
    dims = tuple(ops.as_size(d) for d in wanted)
    return ops.Array(a.builder, a.builder.emit("broadcast_to", a.name, shape=dims))


def squeeze(a: Traced, axis: Any = None) -> Traced:
    if axis is None:
        ones = [usual(a.builder, sympy.Eq(d, 1), "squeeze") for d in a.dims]
        axes: Sequence[int] = [i for i, one in enumerate(ones) if one]
    else:
        axes = ops.axes_of(a, axis, "squeeze")
    for i in axes:
        if a.dims[i] != 1:
            raise ShapeError(
                "squeeze drops axes of size 1 only.", where="squeeze", got=f"size {a.dims[i]} on axis {i}"
            )
    return reshape_dims(a, tuple(d for i, d in enumerate(a.dims) if i not in axes))


def reshape_dims(a: Traced, dims: Shape) -> Traced:
    return ops.Array(a.builder, a.builder.emit("reshape", a.name, shape=dims))


def expand_dims(a: Traced, axis: Any) -> Traced:
    if not isinstance(axis, (int, np.integer)) or not -a.ndim - 1 <= axis <= a.ndim:
        raise ShapeError("There is no place for this axis.", where="expand_dims", got=f"axis={axis!r}")
    at = int(axis) % (a.ndim + 1)
    return reshape_dims(a, (*a.dims[:at], 1, *a.dims[at:]))
