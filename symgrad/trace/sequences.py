"""Functions along an axis: running sums, differences, convolutions, windows, order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Dim
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.constants import tri
from symgrad.trace.indexing import getitem
from symgrad.trace.joining import along, flat_or_axis, stack
from symgrad.trace.moving import moveaxis, pad, take_along_axis
from symgrad.trace.refusals import refused
from symgrad.trace.sizes import assume, number

FEW = 8
"""A convolution with at most so many weights is written out as a sum of shifted parts."""


def cumsum(builder: Builder, a: Any, axis: Any = None) -> Any:
    value, at = flat_or_axis(builder, a, axis, "np.cumsum")
    return ops.Array(builder, builder.emit("cumsum", value.name, axis=at, reverse=False))


def cumprod(builder: Builder, a: Any, axis: Any = None) -> Any:
    """Running products: the product of each row of a lower triangle that has 1 above its diagonal."""
    value, at = flat_or_axis(builder, a, axis, "np.cumprod")
    last = moveaxis(builder, value, at, -1)
    size = last.dims[-1]
    row = moves.reshape_dims(last, (*last.dims[:-1], 1, size))
    kept = ops.elementary(builder, "where", tri(builder, size, size), row, 1)
    out = builder.emit("prod", kept.name, **sum_attrs(kept.ndim, (kept.ndim - 1,)))
    return moveaxis(builder, ops.Array(builder, out), -1, at)


def diff(builder: Builder, a: Any, n: int = 1, axis: Any = -1) -> Any:
    value = ops.lift(builder, a)
    at = ops.axis_of(axis, value.ndim, "np.diff")
    for _ in range(int(n)):
        later = along(builder, value, at, slice(1, None))
        value = ops.elementary(builder, "sub", later, along(builder, value, at, slice(None, -1)))
    return value


def trapezoid(builder: Builder, y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    value = ops.lift(builder, y)
    at = ops.axis_of(axis, value.ndim, "np.trapezoid")
    width: Any = dx
    if x is not None:
        points = ops.lift(builder, x)
        width = diff(builder, points, axis=0 if points.ndim == 1 else at)
        if points.ndim == 1:
            width = moves.reshape_dims(
                width, tuple(width.dims[0] if i == at else 1 for i in range(value.ndim))
            )
    both = along(builder, value, at, slice(1, None)) + along(builder, value, at, slice(None, -1))
    return ops.total(width * both / 2, at)


def cross(
    builder: Builder,
    a: Any,
    b: Any,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = (moveaxis(builder, v, i, -1) for v, i in ((a, axisa), (b, axisb)))
    for v in (left, right):
        if number(builder, v.dims[-1], "np.cross") != 3:
            raise UnsupportedError(
                "np.cross is traced for vectors of three.", where="np.cross", got=f"size {v.dims[-1]}"
            )
    u = [getitem(builder, left, (Ellipsis, i)) for i in range(3)]
    v = [getitem(builder, right, (Ellipsis, i)) for i in range(3)]
    entries = [u[i] * v[j] - u[j] * v[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(builder, stack(builder, entries, -1), -1, axisc)


# Convolutions and windows ---------------------------------------------------------------------------------


def convolve(builder: Builder, a: Any, v: Any, mode: str = "full") -> Any:
    signal, kernel = ops.lift(builder, a), ops.lift(builder, v)
    if signal.ndim != 1 or kernel.ndim != 1:
        raise ShapeError(
            "np.convolve takes two vectors.", where="np.convolve", got=f"{signal.ndim} and {kernel.ndim} axes"
        )
    if isinstance(signal.dims[0], int) and not isinstance(kernel.dims[0], int):
        signal, kernel = kernel, signal  # the shorter one is the one of known size
    count = number(builder, kernel.dims[0], "np.convolve")
    size = signal.dims[0]
    if isinstance(size, int) and size < count:
        signal, kernel, size, count = kernel, signal, count, size
    if count == 0:
        raise ShapeError("np.convolve takes vectors that are not empty.", where="np.convolve")
    if not isinstance(size, int):
        assume(builder, sympy.sympify(size) >= count, "np.convolve")
    if mode == "valid":
        return _weighted(builder, signal, kernel, count)
    if mode == "full":
        return _weighted(builder, pad(builder, signal, count - 1), kernel, count)
    if mode == "same":
        return _weighted(builder, pad(builder, signal, (count // 2, (count - 1) // 2)), kernel, count)
    raise UnsupportedError(
        "This mode of np.convolve is not traced.", where="np.convolve", got=f"mode={mode!r}"
    )


def _weighted(builder: Builder, signal: Any, kernel: Any, count: int) -> Any:
    """Σ_j kernel[j]·signal[i + count − 1 − j], for all i where that is defined."""
    size = signal.dims[0]
    if count > FEW:
        windows = sliding_window_view(builder, signal, count)
        return ops.matmul(builder, windows, getitem(builder, kernel, slice(None, None, -1)))
    out: Any = None
    for j in range(count):
        first = count - 1 - j
        last = first + sympy.sympify(size) - count + 1
        stop = None if j == 0 else ops.size_value(builder, int(last) if last.is_Integer else last)
        term = getitem(builder, kernel, j) * getitem(builder, signal, slice(first, stop))
        out = term if out is None else out + term
    return out


def correlate(builder: Builder, a: Any, v: Any, mode: str = "valid") -> Any:
    kernel = ops.lift(builder, v)
    signal = ops.lift(builder, a)
    sizes = (signal.dims[0], kernel.dims[0])
    if not isinstance(kernel.dims[0], int) or (
        all(isinstance(s, int) for s in sizes) and sizes[0] < sizes[1]
    ):
        raise UnsupportedError(
            "np.correlate is traced with a second vector of known size that is not longer.",
            where="np.correlate",
        )
    return convolve(builder, signal, getitem(builder, kernel, slice(None, None, -1)), mode)


def sliding_window_view(builder: Builder, x: Any, window_shape: Any, axis: Any = None) -> Any:
    value = ops.lift(builder, x)
    several = isinstance(window_shape, (tuple, list))
    lengths = [int(w) for w in (window_shape if several else (window_shape,))]
    axes = (
        list(range(value.ndim)) if axis is None else list(axis) if isinstance(axis, (tuple, list)) else [axis]
    )
    if len(axes) != len(lengths):
        raise ShapeError(
            "There is one window length for each axis.", where="sliding_window_view", got=str(window_shape)
        )
    for length, i in zip(lengths, axes, strict=True):
        at = ops.axis_of(i, value.ndim, "sliding_window_view")
        size = number(builder, value.dims[at], "sliding_window_view")
        if length > size:
            raise ShapeError(
                "The window is longer than the axis.",
                where="sliding_window_view",
                expected=f"at most {size}",
                got=length,
            )
        index = np.arange(size - length + 1)[:, None] + np.arange(length)
        value = moveaxis(builder, along(builder, value, at, index), at + 1, -1)
    return value


# Order ----------------------------------------------------------------------------------------------------


def argsort(builder: Builder, a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    value, at = flat_or_axis(builder, a, axis, "np.argsort")
    return ops.Array(builder, builder.emit("argsort", value.name, axis=at))


def sort(builder: Builder, a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    value, at = flat_or_axis(builder, a, axis, "np.sort")
    return take_along_axis(builder, value, argsort(builder, value, at), at)


def accumulated(builder: Builder, rule: Callable[..., Any], a: Any, axis: Any, name: str) -> Any:
    """``ufunc.accumulate``: each entry with all before it; the axis needs a number for its size."""
    value = ops.lift(builder, a)
    at = ops.axis_of(axis, value.ndim, name)
    lines = [along(builder, value, at, i) for i in range(number(builder, value.dims[at], name))]
    for i in range(1, len(lines)):
        lines[i] = rule(builder, lines[i - 1], lines[i])
    return stack(builder, lines, at) if lines else value


def compress(builder: Builder, condition: Any, a: Any, axis: Any = None, name: str = "np.compress") -> Any:
    """The entries at which a condition holds that does not depend on the data."""
    numbers = condition.numbers if isinstance(condition, ops.Array) else np.asarray(condition)
    if numbers is None:
        raise builder.refuse(UnsupportedError(f"{name} is not traced.", where=name, fix=_COUNTS))
    value, at = flat_or_axis(builder, a, axis, name)
    return along(builder, value, at, np.flatnonzero(numbers))


def extract(builder: Builder, condition: Any, arr: Any) -> Any:
    """The entries of the flat array at which a condition holds that does not depend on the data."""
    flat = condition.ravel() if isinstance(condition, ops.Array) else np.ravel(condition)
    return compress(builder, flat, arr, name="np.extract")


def median(builder: Builder, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    rank = ops.lift(builder, a).ndim
    value, at = flat_or_axis(builder, a, axis, "np.median")
    size = number(builder, value.dims[at], "np.median")
    if size == 0:
        raise ShapeError("The median of nothing is not defined.", where="np.median")
    ordered = sort(builder, value, at)
    middle = along(builder, ordered, at, size // 2)
    if size % 2 == 0:
        middle = (along(builder, ordered, at, size // 2 - 1) + middle) / 2
    if not keepdims:
        return middle
    dims: tuple[Dim, ...] = (
        (1,) * rank if axis is None else tuple(1 if i == at else d for i, d in enumerate(value.dims))
    )
    return moves.reshape_dims(middle, dims)


# Triangles and diagonals --------------------------------------------------------------------------------------


def _triangle(upper: bool) -> Callable[..., Any]:
    def rule(builder: Builder, m: Any, k: int = 0) -> Any:
        value = ops.lift(builder, m)
        return ops.Array(builder, builder.emit("triangle", value.name, upper=upper, k=int(k)))

    return rule


def _indices(upper: bool) -> Callable[..., Any]:
    def rule(builder: Builder, arr: Any, k: int = 0) -> Any:
        rows, columns = (number(builder, d, "np.tril_indices_from") for d in ops.lift(builder, arr).dims)
        return (np.triu_indices if upper else np.tril_indices)(rows, int(k), columns)

    return rule


_COUNTS = "how many entries there are depends on the data; keep the full size and write np.where(mask, x, 0)"
_STEPS = "it is piecewise constant in the data; compute it outside and pass it in as an argument"

NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.diff: diff,
    np.trapezoid: trapezoid,
    np.cross: cross,
    np.linalg.cross: lambda b, x1, x2, *, axis=-1: cross(b, x1, x2, axis=axis),
    np.convolve: convolve,
    np.correlate: correlate,
    np.lib.stride_tricks.sliding_window_view: sliding_window_view,
    np.argsort: argsort,
    np.sort: sort,
    np.median: median,
    np.triu: _triangle(True),
    np.tril: _triangle(False),
    np.triu_indices_from: _indices(True),
    np.tril_indices_from: _indices(False),
    np.nonzero: refused("np.nonzero", _COUNTS),
    np.flatnonzero: refused("np.flatnonzero", _COUNTS),
    np.argwhere: refused("np.argwhere", _COUNTS),
    np.unique: refused("np.unique", _COUNTS),
    np.extract: extract,
    np.compress: compress,
    np.place: refused("np.place", "write np.where(mask, values, x) with values of the shape of x"),
    np.partition: refused("np.partition", "use np.sort: its entries stand where np.partition puts them, too"),
    np.searchsorted: refused("np.searchsorted", _STEPS),
    np.digitize: refused("np.digitize", _STEPS),
    np.choose: refused("np.choose", "write np.where, or index with x[i, np.arange(n)]"),
    np.gradient: refused("np.gradient", "write the differences: (y[2:] - y[:-2]) / (2*h)"),
    np.interp: refused("np.interp", "pass the index of the interval in and write the line between its ends"),
}
