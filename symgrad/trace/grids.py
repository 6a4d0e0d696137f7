"""Arrays of positions, columns side by side, and entries in Fortran's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product as all_of
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.program import Builder
from symgrad.trace import constants, moves, views
from symgrad.trace import operations as ops
from symgrad.trace.indexing import getitem
from symgrad.trace.joining import along, concatenate, meshgrid, stack
from symgrad.trace.moving import moveaxis
from symgrad.trace.sequences import diff
from symgrad.trace.sizes import constant_of, number, usual

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


# Order --------------------------------------------------------------------------------------------------------


def ordered_reshape(a: Any, shape: Any, order: str = "C") -> Any:
    """``a.reshape(shape, order=order)``, a view as NumPy's is; Fortran's order goes through transposes.

    Raises:
        UnsupportedError: an order that depends on how the array lies in memory.
    """
    if _by_columns(order):
        wanted = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        return views.transpose(views.reshape(views.transpose(a), wanted[::-1]))
    return views.reshape(a, shape)


def ordered_ravel(a: Any, order: str = "C") -> Any:
    """``a.ravel(order)``, as ``ordered_reshape``."""
    return views.ravel(views.transpose(a) if _by_columns(order) else a)


def _by_columns(order: str) -> bool:
    if order in ("C", "F"):
        return order == "F"
    raise UnsupportedError(
        "How an array lies in memory is not traced.",
        where=f"order={order!r}",
        expected="order='C' or order='F'",
    )


# Side by side -------------------------------------------------------------------------------------------------


class Joined:
    """``np.r_`` and ``np.c_`` while a function is traced: what stands between the brackets, joined.

    Args:
        columns: vectors become columns and the last axis is joined, as ``np.c_`` does it.
    """

    def __init__(self, builder: Builder, columns: bool) -> None:
        self._builder, self._columns = builder, columns

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if any(isinstance(i, str) for i in items):
            raise self._builder.refuse(
                UnsupportedError(
                    "Directions in a string are not traced.",
                    where="np.c_" if self._columns else "np.r_",
                    fix="use np.concatenate with an axis",
                )
            )
        parts = [self._part(i) for i in items]
        return concatenate(self._builder, parts, -1 if self._columns else 0)

    def _part(self, item: Any) -> Traced:
        value = _counted(self._builder, item) if isinstance(item, slice) else ops.lift(self._builder, item)
        if value.ndim == 0:
            return moves.reshape_dims(value, (1, 1) if self._columns else (1,))
        if self._columns and value.ndim == 1:
            return moves.expand_dims(value, 1)
        return value


class Grid:
    """``np.mgrid`` and ``np.ogrid`` while a function is traced.

    Args:
        whole: every axis is written out, as ``np.mgrid`` does it.
    """

    def __init__(self, builder: Builder, whole: bool) -> None:
        self._builder, self._whole = builder, whole

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _counted(self._builder, key)
        vectors = [_counted(self._builder, k) for k in key]
        return _grid(self._builder, vectors, self._whole)


def _counted(builder: Builder, key: slice) -> Traced:
    """The numbers of a slice; a complex step says how many."""
    key = views.plain_key(key)
    start = 0 if key.start is None else key.start
    if isinstance(key.step, complex):
        return linspace(builder, start, key.stop, int(abs(key.step)))
    step = 1 if key.step is None else key.step
    if all(isinstance(v, (int, float, np.number)) for v in (start, key.stop, step)):
        return ops.Array(builder, data=np.arange(start, key.stop, step))
    return constants.arange(builder, start, key.stop, step)


def _grid(builder: Builder, vectors: Sequence[Any], whole: bool) -> Any:
    axes = meshgrid(builder, *vectors, indexing="ij", sparse=not whole)
    return stack(builder, list(axes), 0) if whole else tuple(axes)


def indices(builder: Builder, dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The position of every entry of an array of these sizes, one array for each axis."""
    return _grid(builder, [_range(builder, d) for d in dimensions], not sparse)


def _range(builder: Builder, size: Any) -> Traced:
    dim = ops.as_size(size)
    if isinstance(dim, int):
        return ops.Array(builder, data=np.arange(dim))
    return constants.arange(builder, 0, size)


def fromfunction(builder: Builder, function: Rule, shape: Any, **options: Any) -> Any:
    """The function of the positions of all entries, called once."""
    plain = {k: v for k, v in options.items() if k not in ("dtype", "like")}
    return function(*meshgrid(builder, *(_range(builder, d) for d in shape), indexing="ij"), **plain)


# Evenly spaced ------------------------------------------------------------------------------------------------


def linspace(
    builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False
) -> Any:
    """start + i (stop − start)/(num − 1) for i = 0 … num − 1; num may be a size, the ends traced values."""
    count = ops.as_size(num)
    ends = [_plain(v) for v in (start, stop)]
    if isinstance(count, int) and all(e is not None for e in ends):
        numbers, width = np.linspace(ends[0], ends[1], count, endpoint=endpoint, retstep=True)
        plain = ops.Array(builder, data=numbers)
        return (plain, width) if retstep else plain
    first, last = (ops.lift(builder, v) for v in (start, stop))
    if first.dims or last.dims:
        raise UnsupportedError("np.linspace is traced between scalars.", where="np.linspace")
    if endpoint:
        several = usual(builder, sympy.Gt(count, 1), "np.linspace")
        if not several:
            return moves.reshape_dims(first, (1,)) if count == 1 else ops.ones(builder, (0,), 0)
    parts = count - 1 if endpoint else count
    step = ops.elementary(builder, "div", last - first, ops.size_value(builder, parts))
    made = first + ops.elementary(builder, "mul", constants.arange(builder, 0, num), step)
    return (made, step) if retstep else made


def _plain(value: Any) -> Any:
    if isinstance(value, ops.Array):
        numbers = value.numbers
        if numbers is not None:
            return numbers
        constant = constant_of(value)
        return float(constant) if constant is not None and not constant.free_symbols else None
    return value


def logspace(
    builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0
) -> Traced:
    """Powers of the base, evenly spaced in the exponent."""
    exponents = linspace(builder, start, stop, num, endpoint)
    plain = exponents.numbers
    if plain is not None and _plain(base) is not None:
        return ops.Array(builder, data=np.power(float(_plain(base)), plain))
    return ops.power(builder, base, exponents)


def geomspace(builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: bool = True) -> Traced:
    """Evenly spaced in the logarithm, between positive ends."""
    ends = [_plain(v) for v in (start, stop)]
    if any(e is None for e in ends):
        raise builder.refuse(
            UnsupportedError(
                "np.geomspace is traced between numbers.",
                where="np.geomspace",
                fix="np.exp(np.linspace(np.log(a), np.log(b), n))",
            )
        )
    return ops.Array(builder, data=np.geomspace(ends[0], ends[1], int(num), endpoint=endpoint))


# Line by line -------------------------------------------------------------------------------------------------


def apply_along_axis(
    builder: Builder, func1d: Rule, axis: Any, arr: Any, *args: Any, **kwargs: Any
) -> Traced:
    """``func1d`` of every line of the array along an axis; the other sizes have to be numbers."""
    value = ops.lift(builder, arr)
    at = ops.axis_of(axis, value.ndim, "np.apply_along_axis")
    lines = moveaxis(builder, value, at, -1)
    sizes = [number(builder, d, "np.apply_along_axis") for d in lines.dims[:-1]]
    if 0 in sizes:
        raise ShapeError("There are no lines to apply the function to.", where="np.apply_along_axis")
    found = [
        ops.lift(builder, func1d(getitem(builder, lines, position) if position else lines, *args, **kwargs))
        for position in all_of(*(range(s) for s in sizes))
    ]
    stacked = stack(builder, found, 0)
    result = moves.reshape_dims(stacked, (*sizes, *found[0].dims))
    rank = found[0].ndim
    return moveaxis(builder, result, [len(sizes) + i for i in range(rank)], [at + i for i in range(rank)])


def ediff1d(builder: Builder, ary: Any, to_end: Any = None, to_begin: Any = None) -> Traced:
    """The differences of the entries in a row, with more numbers before and after."""
    steps = diff(builder, moves.reshape(ops.lift(builder, ary), -1))
    ends = [moves.reshape(ops.lift(builder, v), -1) if v is not None else None for v in (to_begin, to_end)]
    parts = [p for p in (ends[0], steps, ends[1]) if p is not None]
    return concatenate(builder, parts, 0) if len(parts) > 1 else steps


def resize(builder: Builder, a: Any, new_shape: Any) -> Traced:
    """The entries over and over until the new shape is full."""
    value = moves.reshape(ops.lift(builder, a), -1)
    given = new_shape if isinstance(new_shape, (list, tuple)) else (new_shape,)
    shape = tuple(number(builder, ops.as_size(d), "np.resize") for d in given)
    size = number(builder, value.dims[0], "np.resize")
    if size == 0:
        return ops.ones(builder, shape, 0)
    return moves.reshape_dims(
        along(builder, value, 0, np.resize(np.arange(size), int(np.prod(shape)))), shape
    )


NUMPY: dict[Callable[..., Any], Rule] = {
    np.apply_along_axis: apply_along_axis,
    np.ediff1d: ediff1d,
    np.resize: resize,
    np.logspace: logspace,
    np.geomspace: geomspace,
}

CREATION: dict[str, Rule] = {
    "linspace": linspace,
    "logspace": logspace,
    "geomspace": geomspace,
    "indices": indices,
    "fromfunction": fromfunction,
}
"""By NumPy's name; what NumPy's protocols cannot redirect."""


def brackets(builder: Builder) -> dict[str, Any]:
    """NumPy's objects that are indexed."""
    return {
        "c_": Joined(builder, columns=True),
        "r_": Joined(builder, columns=False),
        "mgrid": Grid(builder, whole=True),
        "ogrid": Grid(builder, whole=False),
    }
