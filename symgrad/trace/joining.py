"""Arrays joined, taken apart and repeated, as NumPy's functions of the same names do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, TraceError, UnsupportedError
from symgrad.ops.dims import Dim, as_dim, broadcast, format_shape, product, same
from symgrad.program import Builder
from symgrad.trace import moves, views
from symgrad.trace import operations as ops
from symgrad.trace.constants import arange, constant_array, eye, tri
from symgrad.trace.indexing import getitem
from symgrad.trace.regions import join
from symgrad.trace.sizes import divided, number


def along(builder: Builder, a: Any, axis: int, key: Any) -> Any:
    """``a[:, …, key]`` with the key at this axis."""
    return getitem(builder, a, (*(slice(None),) * axis, key))


def rows(builder: Builder, arrays: Any, where: str) -> list[Any]:
    """The arrays of a sequence; those of a traced array are its rows."""
    if isinstance(arrays, ops.Array):
        if not arrays.dims:
            raise TraceError("This needs several arrays.", where=where, got=repr(arrays))
        return [getitem(builder, arrays, i) for i in range(number(builder, arrays.dims[0], where))]
    found = [ops.lift(builder, a) for a in arrays]
    if not found:
        raise ShapeError("This needs at least one array.", where=where)
    return found


# Joining --------------------------------------------------------------------------------------------------


def _joined(builder: Builder, arrays: Sequence[Any], axis: int) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    return ops.Array(builder, builder.emit("concatenate", *(a.name for a in arrays), axis=axis))


def concatenate(builder: Builder, arrays: Any, axis: Any = 0) -> Any:
    found = rows(builder, arrays, "np.concatenate")
    if axis is None:
        return _joined(builder, [moves.reshape(a, -1) for a in found], 0)
    if not found[0].dims:
        raise ShapeError(
            "Numbers are not joined.",
            where="np.concatenate",
            expected="arrays with axes",
            fix="use np.stack or np.array",
        )
    return _joined(builder, found, ops.axis_of(axis, found[0].ndim, "np.concatenate"))


def stack(builder: Builder, arrays: Any, axis: Any = 0) -> Any:
    found = rows(builder, arrays, "np.stack")
    first = found[0].dims
    for a in found:
        if a.ndim != len(first) or any(not same(d, e) for d, e in zip(a.dims, first, strict=True)):
            error = ShapeError(
                "Arrays that are stacked have one shape.",
                where="np.stack",
                expected=format_shape(first),
                got=format_shape(a.dims),
            )
            if a.ndim == len(first):
                error.clash = next((d, e) for d, e in zip(first, a.dims, strict=True) if d != e)
            raise error
    at = ops.axis_of(axis, len(first) + 1, "np.stack")
    return _joined(builder, [moves.reshape_dims(a, (*a.dims[:at], 1, *a.dims[at:])) for a in found], at)


def stack_nested(builder: Builder, nested: Any) -> Any:
    """``np.array`` of lists of lists whose entries are numbers and traced values of one shape."""
    if not isinstance(nested, (list, tuple)):
        return ops.lift(builder, nested)
    if not ops.holds_traced(nested):
        return ops.lift(builder, np.asarray(nested))
    return stack(builder, [stack_nested(builder, part) for part in nested])


def at_least(a: Any, rank: int) -> Any:
    """The array with axes of size 1 where NumPy's ``atleast_1d``, ``_2d`` and ``_3d`` put them."""
    return a if a.ndim >= rank else moves.reshape_dims(a, views.dims_at_least(a.dims, rank))


def vstack(builder: Builder, tup: Any) -> Any:
    return _joined(builder, [at_least(a, 2) for a in rows(builder, tup, "np.vstack")], 0)


def hstack(builder: Builder, tup: Any) -> Any:
    found = [at_least(a, 1) for a in rows(builder, tup, "np.hstack")]
    return _joined(builder, found, 0 if found[0].ndim == 1 else 1)


def column_stack(builder: Builder, tup: Any) -> Any:
    found = rows(builder, tup, "np.column_stack")
    return _joined(
        builder, [a if a.ndim > 1 else moves.reshape_dims(a, (product(a.dims), 1)) for a in found], 1
    )


def dstack(builder: Builder, tup: Any) -> Any:
    return _joined(builder, [at_least(a, 3) for a in rows(builder, tup, "np.dstack")], 2)


def append(builder: Builder, arr: Any, values: Any, axis: Any = None) -> Any:
    return concatenate(builder, [ops.lift(builder, arr), ops.lift(builder, values)], axis)


def block(builder: Builder, arrays: Any) -> Any:
    depth, rank = _depth(arrays), _rank(builder, arrays)
    return _block(builder, arrays, max(depth, rank), depth)


def _depth(arrays: Any) -> int:
    return 1 + max(_depth(a) for a in arrays) if isinstance(arrays, list) else 0


def _rank(builder: Builder, arrays: Any) -> int:
    return (
        max(_rank(builder, a) for a in arrays)
        if isinstance(arrays, list)
        else int(ops.lift(builder, arrays).ndim)
    )


def _block(builder: Builder, arrays: Any, rank: int, depth: int) -> Any:
    if isinstance(arrays, list):
        return _joined(builder, [_block(builder, a, rank, depth - 1) for a in arrays], rank - depth)
    a = ops.lift(builder, arrays)
    return moves.reshape_dims(a, (*(1,) * (rank - a.ndim), *a.dims))


# Taking apart ---------------------------------------------------------------------------------------------


def _split(name: str, even: bool, axis: int | None = None) -> Callable[..., list[Any]]:
    def rule(builder: Builder, ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
        a = ops.lift(builder, ary)
        return _parts(builder, a, indices_or_sections, ops.axis_of(axis, a.ndim, name), even, name)

    def fixed(builder: Builder, ary: Any, indices_or_sections: Any) -> list[Any]:
        a = ops.lift(builder, ary)
        at = 0 if axis == 1 and a.ndim == 1 else axis
        return _parts(builder, a, indices_or_sections, ops.axis_of(at, a.ndim, name), True, name)

    return rule if axis is None else fixed


def _parts(builder: Builder, a: Any, sections: Any, axis: int, even: bool, name: str) -> list[Any]:
    if isinstance(sections, (int, np.integer)) or (isinstance(sections, ops.Array) and not sections.dims):
        count = int(sections)
        if even and not isinstance(a.dims[axis], int):
            part = sympy.sympify(a.dims[axis]) / count
            divided(builder, part)
            bounds: list[Any] = [ops.size_value(builder, as_dim(i * part)) for i in range(count + 1)]
            return [_part(a, axis, slice(i, j)) for i, j in pairwise(bounds)]
        size = number(builder, a.dims[axis], name)
        if even and size % count:
            raise ShapeError(
                "The array does not split evenly.", where=name, expected=f"a divisor of {size}", got=count
            )
        each, more = divmod(size, count)
        bounds = [min(i, more) + i * each for i in range(count + 1)]
    else:
        bounds = [None, *list(sections), None]
    return [_part(a, axis, slice(i, j)) for i, j in pairwise(bounds)]


def _part(a: Any, axis: int, key: slice) -> Any:
    """A part that shares its memory with the whole."""
    return views.getitem(a, (*(slice(None),) * axis, key))


def delete(builder: Builder, arr: Any, obj: Any, axis: Any = None) -> Any:
    a, at = flat_or_axis(builder, arr, axis, "np.delete")
    if isinstance(obj, (int, np.integer)) and not isinstance(obj, bool):
        along(builder, a, at, int(obj))  # refuses an index outside the array
        after = slice(int(obj) + 1, None) if obj != -1 else slice(0, 0)
        return _side_by_side(
            builder, [along(builder, a, at, slice(None, int(obj))), along(builder, a, at, after)], at
        )
    kept = np.delete(np.arange(number(builder, a.dims[at], "np.delete")), _plain(obj, "np.delete"))
    return along(builder, a, at, kept)


def insert(builder: Builder, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    a, at = flat_or_axis(builder, arr, axis, "np.insert")
    new = ops.lift(builder, values)
    new = moves.reshape_dims(new, (*(1,) * (a.ndim - new.ndim), *new.dims))
    single = isinstance(obj, (int, np.integer)) and not isinstance(obj, bool)
    if single:  # then the first axis of the values is the one that is inserted along
        new = moves.transpose(new, (*range(1, at + 1), 0, *range(at + 1, a.ndim)))
    others = [new.dims[at] if i == at else d for i, d in enumerate(a.dims)]
    if single:
        new = ops.Array(builder, builder.emit("broadcast_to", new.name, shape=tuple(others)))
        parts = [
            along(builder, a, at, slice(None, int(obj))),
            new,
            along(builder, a, at, slice(int(obj), None)),
        ]
        return _side_by_side(builder, parts, at)
    places, size = _plain(obj, "np.insert"), number(builder, a.dims[at], "np.insert")
    if isinstance(places, slice):
        places = np.arange(size)[places]
    count = np.size(places)
    others[at] = count
    new = ops.Array(builder, builder.emit("broadcast_to", new.name, shape=tuple(others)))
    order = np.insert(np.arange(size), places, size + np.arange(count))
    return along(builder, _side_by_side(builder, [a, new], at), at, order)


def _side_by_side(builder: Builder, arrays: Sequence[Any], axis: int) -> Any:
    return ops.Array(builder, join(builder, [a.name for a in arrays], axis))


def flat_or_axis(builder: Builder, arr: Any, axis: Any, where: str) -> tuple[Any, int]:
    """The array and the axis; all entries in one row where no axis is named, as NumPy has it."""
    a = ops.lift(builder, arr)
    return (moves.reshape(a, -1), 0) if axis is None else (a, ops.axis_of(axis, a.ndim, where))


def _plain(obj: Any, where: str) -> Any:
    """Positions that do not depend on the data."""
    numbers = obj.numbers if isinstance(obj, ops.Array) else obj
    if numbers is None or hasattr(obj, "mask"):
        raise UnsupportedError(
            "The positions depend on the data.", where=where, expected="ints, slices, lists of ints"
        )
    return numbers if isinstance(numbers, slice) else np.asarray(numbers)


# Repeating ------------------------------------------------------------------------------------------------


def tile(builder: Builder, A: Any, reps: Any) -> Any:
    a = ops.lift(builder, A)
    counts = [
        ops.as_size(r)
        for r in (reps if isinstance(reps, (tuple, list, np.ndarray)) and np.ndim(reps) else (reps,))
    ]
    rank = max(a.ndim, len(counts))
    counts = [*(1,) * (rank - len(counts)), *counts]
    dims: tuple[Dim, ...] = (*(1,) * (rank - a.ndim), *a.dims)
    spread = moves.reshape_dims(a, tuple(x for d in dims for x in (1, d)))
    wide = tuple(x for r, d in zip(counts, dims, strict=True) for x in (r, d))
    repeated = builder.emit("broadcast_to", spread.name, shape=wide)
    return moves.reshape_dims(
        ops.Array(builder, repeated), tuple(product([r, d]) for r, d in zip(counts, dims, strict=True))
    )


def repeat(builder: Builder, a: Any, repeats: Any, axis: Any = None) -> Any:
    value, at = flat_or_axis(builder, a, axis, "np.repeat")
    if isinstance(repeats, (list, tuple, np.ndarray)) and np.ndim(repeats):
        each = np.asarray(_plain(repeats, "np.repeat"))
        size = number(builder, value.dims[at], "np.repeat")
        return along(builder, value, at, np.repeat(np.arange(size), each))
    count = ops.as_size(repeats)
    dims = value.dims
    spread = moves.reshape_dims(value, (*dims[: at + 1], 1, *dims[at + 1 :]))
    wide = builder.emit("broadcast_to", spread.name, shape=(*dims[: at + 1], count, *dims[at + 1 :]))
    return moves.reshape_dims(
        ops.Array(builder, wide), (*dims[:at], product([dims[at], count]), *dims[at + 1 :])
    )


def meshgrid(
    builder: Builder, *xi: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True
) -> Any:
    vectors = [moves.reshape(ops.lift(builder, x), -1) for x in xi]
    rank = len(vectors)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    open_ones = [
        moves.reshape_dims(v, tuple(v.dims[0] if i == p else 1 for i in range(rank)))
        for v, p in zip(vectors, places, strict=True)
    ]
    if sparse:
        return tuple(open_ones)
    shape = broadcast([v.dims for v in open_ones], "np.meshgrid")
    return tuple(ops.Array(builder, builder.emit("broadcast_to", v.name, shape=shape)) for v in open_ones)


SPLITS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.split: _split("np.split", even=True),
    np.array_split: _split("np.array_split", even=False),
    np.hsplit: _split("np.hsplit", even=True, axis=1),
    np.vsplit: _split("np.vsplit", even=True, axis=0),
    np.dsplit: _split("np.dsplit", even=True, axis=2),
}
"""Their parts are views."""

NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {
    np.concatenate: concatenate,
    np.stack: stack,
    np.vstack: vstack,
    np.hstack: hstack,
    np.column_stack: column_stack,
    np.dstack: dstack,
    np.append: append,
    np.block: block,
    np.delete: delete,
    np.insert: insert,
    np.tile: tile,
    np.repeat: repeat,
    np.meshgrid: meshgrid,
}

__all__ = ["NUMPY", "arange", "constant_array", "eye", "stack_nested", "tri"]
