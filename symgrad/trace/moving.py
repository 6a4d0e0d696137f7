"""Entries moved about: reversed, rolled, padded, axes permuted, picked along an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.concatenate import total
from symgrad.ops.dims import Dim, same
from symgrad.program import Builder, exact_number
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.constants import arange
from symgrad.trace.indexing import getitem
from symgrad.trace.joining import along
from symgrad.trace.keys import Range
from symgrad.trace.regions import filled, join, written
from symgrad.trace.sizes import number

_BACKWARDS = slice(None, None, -1)


def _axes(axis: Any, rank: int, where: str) -> list[int]:
    if axis is None:
        return list(range(rank))
    return [ops.axis_of(i, rank, where) for i in (axis if isinstance(axis, (tuple, list)) else (axis,))]


def flip(builder: Builder, m: Any, axis: Any = None) -> Any:
    a = ops.lift(builder, m)
    return getitem(builder, a, flipping(a, axis))


def flipping(a: Any, axis: Any) -> tuple[slice, ...]:
    """The key that reads these axes backwards."""
    axes = _axes(axis, a.ndim, "np.flip")
    return tuple(_BACKWARDS if i in axes else slice(None) for i in range(a.ndim))


def roll(builder: Builder, a: Any, shift: Any, axis: Any = None) -> Any:
    value = ops.lift(builder, a)
    if axis is None:
        return moves.reshape_dims(_rolled(builder, moves.reshape(value, -1), shift, 0), value.dims)
    axes = _axes(axis, value.ndim, "np.roll")
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    for s, i in zip(shifts, axes, strict=True):
        value = _rolled(builder, value, s, i)
    return value


def _rolled(builder: Builder, a: Any, shift: Any, axis: int) -> Any:
    if isinstance(shift, ops.Array) or not isinstance(shift, (int, np.integer)):
        shift = int(shift)
    size = a.dims[axis]
    by = int(shift) % size if isinstance(size, int) and size else int(shift)
    if by == 0 or same(size, 0):
        return a
    parts = [along(builder, a, axis, slice(-by, None)), along(builder, a, axis, slice(None, -by))]
    return ops.Array(builder, join(builder, [p.name for p in parts], axis))


def moveaxis(builder: Builder, a: Any, source: Any, destination: Any) -> Any:
    value = ops.lift(builder, a)
    return moves.transpose(value, moved(value, source, destination))


def moved(a: Any, source: Any, destination: Any) -> list[int]:
    """The order of the axes after ``np.moveaxis``."""
    here, there = (_axes(x, a.ndim, "np.moveaxis") for x in (source, destination))
    if len(here) != len(there):
        raise ShapeError("moveaxis takes as many sources as destinations.", where="np.moveaxis")
    order = [i for i in range(a.ndim) if i not in here]
    for to, i in sorted(zip(there, here, strict=True)):
        order.insert(to, i)
    return order


def swapaxes(builder: Builder, a: Any, axis1: Any, axis2: Any) -> Any:
    value = ops.lift(builder, a)
    i, j = (ops.axis_of(x, value.ndim, "np.swapaxes") for x in (axis1, axis2))
    order = list(range(value.ndim))
    order[i], order[j] = j, i
    return moves.transpose(value, order)


def rollaxis(builder: Builder, a: Any, axis: Any, start: int = 0) -> Any:
    value = ops.lift(builder, a)
    i = ops.axis_of(axis, value.ndim, "np.rollaxis")
    to = start + value.ndim if start < 0 else start
    return moveaxis(builder, value, i, to - 1 if i < to else to)


def rot90(builder: Builder, m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    a = ops.lift(builder, m)
    first, second = _axes(tuple(axes), a.ndim, "np.rot90")
    turns = int(k) % 4
    if turns == 0:
        return a
    if turns == 2:
        return flip(builder, a, (first, second))
    if turns == 1:
        return swapaxes(builder, flip(builder, a, second), first, second)
    return flip(builder, swapaxes(builder, a, first, second), second)


# Padding --------------------------------------------------------------------------------------------------


def pad(
    builder: Builder, array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0
) -> Any:
    a = ops.lift(builder, array)
    widths = _widths(pad_width, a.ndim)
    if mode == "constant":
        return _padded(builder, a, widths, constant_values)
    if mode not in ("edge", "wrap", "reflect", "symmetric"):
        raise UnsupportedError("This way of padding is not traced.", where="np.pad", got=f"mode={mode!r}")
    for axis, (before, after) in enumerate(widths):
        if before != 0 or after != 0:
            size = number(builder, a.dims[axis], "np.pad")
            index = np.pad(np.arange(size), (int(before), int(after)), mode=mode)  # type: ignore[call-overload]
            a = along(builder, a, axis, index)
    return a


def _padded(builder: Builder, a: Any, widths: Sequence[tuple[Dim, Dim]], value: Any) -> Any:
    if np.ndim(value) or isinstance(value, ops.Array):
        raise UnsupportedError(
            "np.pad is traced with one number around the array.", where="np.pad", got=repr(value)
        )
    shape = tuple(total([b, d, e]) for d, (b, e) in zip(a.dims, widths, strict=True))
    regions = [Range(before, 1, d) for d, (before, _) in zip(a.dims, widths, strict=True)]
    if shape == a.dims:
        return a
    if value != 0:
        return ops.Array(
            builder, written(builder, filled(builder, exact_number(value), shape), regions, a.name)
        )
    attrs = {
        "shape": shape,
        "start": tuple(r.start for r in regions),
        "step": (1,) * a.ndim,
        "size": a.dims,
        "drop": (),
    }
    return ops.Array(builder, builder.emit("place", a.name, **attrs))


def _widths(given: Any, rank: int) -> list[tuple[Dim, Dim]]:
    if isinstance(given, dict):
        raise UnsupportedError(
            "np.pad is traced with widths for each axis in order.", where="np.pad", got="a dict"
        )
    if not isinstance(given, (tuple, list, np.ndarray)) or not np.ndim(given):
        return [(ops.as_size(given), ops.as_size(given))] * rank
    items = list(given)
    if len(items) == 1:
        items = (
            items * rank if isinstance(items[0], (tuple, list, np.ndarray)) else [(items[0], items[0])] * rank
        )
    elif not isinstance(items[0], (tuple, list, np.ndarray)):
        items = [tuple(items)] * rank
    if len(items) != rank:
        raise ShapeError(
            "np.pad needs two widths for each axis.", where="np.pad", expected=f"{rank} pairs", got=str(given)
        )
    pairs = [tuple(i) * 2 if len(i) == 1 else tuple(i) for i in items]
    return [(ops.as_size(b), ops.as_size(e)) for b, e in pairs]


# Picking --------------------------------------------------------------------------------------------------


def take(builder: Builder, a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    if mode != "raise":
        raise UnsupportedError(
            "np.take is traced with mode='raise' only.", where="np.take", got=f"mode={mode!r}"
        )
    value = ops.lift(builder, a)
    key = np.asarray(indices) if isinstance(indices, (list, tuple)) and not _traced(indices) else indices
    if axis is None:
        return getitem(builder, moves.reshape(value, -1), key)
    return along(builder, value, ops.axis_of(axis, value.ndim, "np.take"), key)


def _traced(items: Any) -> bool:
    return any(isinstance(i, ops.Array) for i in items)


def take_along_axis(builder: Builder, arr: Any, indices: Any, axis: Any = -1) -> Any:
    a, index = ops.lift(builder, arr), indices
    if axis is None:
        return getitem(builder, moves.reshape(a, -1), index)
    at = ops.axis_of(axis, a.ndim, "np.take_along_axis")
    dims = index.dims if isinstance(index, ops.Array) else np.shape(index)
    if len(dims) != a.ndim:
        raise ShapeError(
            "The index has as many axes as the array.",
            where="np.take_along_axis",
            expected=a.ndim,
            got=len(dims),
        )
    key = []
    for i, d in enumerate(a.dims):
        if i == at:
            key.append(index)
        else:
            counted = arange(builder, 0, d)
            key.append(moves.reshape_dims(counted, tuple(d if j == i else 1 for j in range(a.ndim))))
    return getitem(builder, a, tuple(key))


def ix_(builder: Builder, *args: Any) -> tuple[Any, ...]:
    out: list[Any] = []
    for i, a in enumerate(args):
        if isinstance(a, ops.Array) and a.numbers is None:
            if a.ndim != 1 or a.kind == "bool":
                raise UnsupportedError("np.ix_ is traced for vectors of whole numbers.", where="np.ix_")
            out.append(moves.reshape_dims(a, tuple(a.dims[0] if j == i else 1 for j in range(len(args)))))
            continue
        values = np.asarray(a.numbers if isinstance(a, ops.Array) else a)
        if values.dtype.kind == "b":
            (values,) = np.nonzero(values)
        out.append(values.reshape([-1 if j == i else 1 for j in range(len(args))]))
    return tuple(out)


NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {
    np.roll: roll,
    np.rollaxis: rollaxis,
    np.rot90: rot90,
    np.pad: pad,
    np.take: take,
    np.take_along_axis: take_along_axis,
    np.ix_: ix_,
}
