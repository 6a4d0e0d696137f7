"""``a[key]``, and the arrays that ``a[key] = value`` and ``a[key] += value`` leave behind.

Basic indices become slices, arrays of whole numbers become gathering, masks that depend on the data become
choices between entries.  Nothing is changed in place: assignment is a function with a new array as its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, TraceError, UnsupportedError
from symgrad.ops.dims import Dim, Shape, broadcast, format_shape, same
from symgrad.ops.take import place_of, taken_shape
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.keys import Index, New, Part, Range, expanded, full, is_mask, parts_of, read
from symgrad.trace.masked import Masked
from symgrad.trace.regions import cut, filled, reshaped, shape_of, uniform, written
from symgrad.trace.sizes import assume


def getitem(builder: Builder, a: Any, key: Any) -> Any:
    """``a[key]`` with NumPy's meaning; a :class:`Masked` value where the key is a mask of the data.

    Raises:
        ShapeError: too many indices, or one outside its axis.
        TraceError: something that cannot index.
        UnsupportedError: a kind of indexing without a rule.
    """
    masked = _split_mask(a, key)
    if masked is not None:
        mask, rest, axis = masked
        inner = getitem(builder, a, rest) if rest is not None else a
        return Masked.of(builder, inner, mask, axis)
    parts = read(builder, a.dims, key)
    value = cut(builder, a.name, _regions(parts, a.dims))
    indices = [p for p in parts if isinstance(p, Index)]
    if indices:
        value = _gathered(builder, value, _axes_left(parts), indices)
    tokens, wanted = _layout(parts)
    current = _current(parts)
    if tokens != current:
        value = builder.emit("transpose", value, axes=tuple(current.index(t) for t in tokens))
    sizes = iter(builder.type(value).shape)
    shape = tuple(1 if t is None else next(sizes) for t in wanted)
    return ops.Array(builder, reshaped(builder, value, shape) if None in wanted else value)


def _regions(parts: Sequence[Part], dims: Shape) -> list[Range]:
    """One range for each axis; axes with an index array are kept whole."""
    axes = [p for p in parts if not isinstance(p, New)]
    return [full(d) if isinstance(p, Index) else p for p, d in zip(axes, dims, strict=True)]


def _axes_left(parts: Sequence[Part]) -> tuple[int, ...]:
    """The axes with index arrays, counted without the dropped ones."""
    left = [p for p in parts if isinstance(p, Index) or (isinstance(p, Range) and not p.dropped)]
    return tuple(i for i, p in enumerate(left) if isinstance(p, Index))


def _index_shape(indices: Sequence[Index]) -> Shape:
    return broadcast([i.traced.dims for i in indices], "a[...]")


def _gathered(builder: Builder, name: str, axes: tuple[int, ...], indices: Sequence[Index]) -> str:
    shape = builder.type(name).shape
    if len(axes) == 1 and _is_identity(builder, indices[0], shape[axes[0]]):
        return name
    return builder.emit("take", name, *(i.traced.name for i in indices), axes=axes, rank=len(shape))


def _is_identity(builder: Builder, index: Index, size: Dim) -> bool:
    b = builder.binding(index.traced.name)
    if b is None or b.op != "pattern" or b.attrs["rule"] != "arange":
        return False
    return bool(same(b.attrs["first"], 0) and same(b.attrs["step"], 1) and same(b.shape[0], size))


def _current(parts: Sequence[Part]) -> list[Any]:
    """What each axis of the gathered value is: a part's position, or an axis of the index arrays."""
    left = [
        (n, p)
        for n, p in enumerate(parts)
        if isinstance(p, Index) or (isinstance(p, Range) and not p.dropped)
    ]
    axes = [i for i, (_, p) in enumerate(left) if isinstance(p, Index)]
    rest: list[Any] = [n for n, p in left if isinstance(p, Range)]
    if axes:
        at = place_of(axes)
        rest[at:at] = _index_tokens(parts)
    return rest


def _index_tokens(parts: Sequence[Part]) -> list[Any]:
    return [("index", k) for k in range(len(_index_shape([p for p in parts if isinstance(p, Index)])))]


def _layout(parts: Sequence[Part]) -> tuple[list[Any], list[Any]]:
    """The order of the axes that NumPy gives the result, without and with new axes (None)."""
    arrays = any(isinstance(p, Index) and p.traced.dims for p in parts)
    out: list[Any] = []
    if arrays:
        advanced = [
            n for n, p in enumerate(parts) if isinstance(p, Index) or (isinstance(p, Range) and p.dropped)
        ]
        adjacent = advanced == list(range(advanced[0], advanced[-1] + 1))
        at = advanced[0] if adjacent else -1
    else:
        at = -2
    if at == -1:
        out.extend(_index_tokens(parts))
    for n, p in enumerate(parts):
        if n == at:
            out.extend(_index_tokens(parts))
        if isinstance(p, New):
            out.append(None)
        elif isinstance(p, Range) and not p.dropped:
            out.append(n)
    return [t for t in out if t is not None], out


# Masks ----------------------------------------------------------------------------------------------------


def _split_mask(a: Any, key: Any) -> tuple[Any, Any, int] | None:
    """The mask of a key, the rest of the key with the masked axes kept whole, and the mask's first axis.

    The axis is counted in what the rest of the key leaves; the rest is None where it changes nothing.
    """
    keys = parts_of(key)
    if not any(is_mask(k) for k in keys):
        return None
    keys = expanded(keys, a.ndim, a.dims)
    at = next(i for i, k in enumerate(keys) if is_mask(k))
    mask = keys[at]
    others = [*keys[:at], *keys[at + 1 :]]
    if any(
        (k is not None and not isinstance(k, (int, np.integer, slice))) or isinstance(k, bool) for k in others
    ):
        raise UnsupportedError(
            "A mask is combined with positions and slices only.",
            where="a[mask, ...]",
            fix="index in two steps, the mask last",
        )
    first = sum(k is not None for k in keys[:at])
    under = a.dims[first : first + mask.ndim]
    if any(not same(d, e) for d, e in zip(mask.dims, under, strict=True)):
        error = ShapeError(
            "The mask has another shape than the array.",
            where="a[mask]",
            expected=format_shape(under),
            got=format_shape(mask.dims),
        )
        error.clash = next((d, e) for d, e in zip(mask.dims, under, strict=True) if d != e)
        raise error
    axis = sum(not isinstance(k, (int, np.integer)) for k in keys[:at])
    if axis and any(isinstance(k, (int, np.integer)) for k in others):
        raise UnsupportedError(
            "A mask behind other axes is not combined with positions.",
            where="a[..., mask]",
            fix="index in two steps, the mask last",
        )
    if all(isinstance(k, slice) and k == slice(None) for k in others):
        return mask, None, axis
    return mask, (*keys[:at], *(slice(None),) * mask.ndim, *keys[at + 1 :]), axis


# Assignment -----------------------------------------------------------------------------------------------


def assigned(builder: Builder, a: Any, key: Any, value: Any) -> Any:
    """The array that ``a`` is after ``a[key] = value``, as a new value.

    Raises:
        ShapeError: the value does not broadcast to the part.
        TraceError: it would be rounded to whole numbers.
        UnsupportedError: an index array that depends on the data may name an entry twice.
    """
    masked = _split_mask(a, key)
    if masked is not None:
        mask, rest, axis = masked
        inner = getitem(builder, a, rest) if rest is not None else a
        chosen = Masked.of(builder, inner, mask, axis).replaced(value)
        return chosen if rest is None else assigned(builder, a, rest, chosen)
    if isinstance(value, Masked):
        raise UnsupportedError(
            "What a mask picks has no known number of entries and fills its own mask only.",
            where="a[...] = x[mask]",
            fix="use np.where(mask, x, 0)",
        )
    value = ops.lift(builder, value)
    if a.kind != "real" and value.kind == "real" and builder.constant_value(value.name) is None:
        raise TraceError(
            "Real numbers would be rounded to whole ones.",
            where="a[...] = value",
            fix="create the array with dtype float",
        )
    parts = read(builder, a.dims, key)
    regions = _regions(parts, a.dims)
    if not any(isinstance(p, Index) for p in parts):
        shape = tuple(
            1 if isinstance(p, New) else p.size for p in parts if not isinstance(p, Index) and not _dropped(p)
        )
        new = reshaped(builder, _spread(builder, value, shape), shape_of(regions))
        return ops.Array(builder, written(builder, a.name, regions, new))
    inner = cut(builder, a.name, regions)
    new = _index_assigned(builder, inner, parts, value)
    return ops.Array(builder, written(builder, a.name, regions, new))


def _dropped(p: Part) -> bool:
    return isinstance(p, Range) and p.dropped


def _spread(builder: Builder, value: Any, shape: Shape) -> str:
    """A value broadcast to the part that it is written into; axes of size 1 in front are dropped."""
    dims = value.dims
    while len(dims) > len(shape) and same(dims[0], 1):
        dims = dims[1:]
    name = reshaped(builder, value.name, dims) if dims != value.dims else value.name
    if broadcast([dims, shape], "a[...] = value") != shape:
        raise ShapeError(
            "The value does not fit the part of the array.",
            where="a[...] = value",
            expected=format_shape(shape),
            got=format_shape(value.dims),
        )
    return builder.emit("broadcast_to", name, shape=shape)


def _index_assigned(builder: Builder, name: str, parts: Sequence[Part], value: Any) -> str:
    """Assignment at index arrays: a choice between what is scattered and what was there."""
    shape = builder.type(name).shape
    axes = _axes_left(parts)
    given = [p for p in parts if isinstance(p, Index)]
    indices = [_from_one_end(builder, i, shape[axis]) for i, axis in zip(given, axes, strict=True)]
    where = _index_shape(indices)
    names = [i.traced.name for i in indices]
    tokens, wanted = _layout(parts)
    current = _current(parts)
    sizes = taken_shape(shape, axes, where)
    by_token = dict(zip(current, sizes, strict=True))
    target = tuple(1 if t is None else by_token[t] for t in wanted)
    touched = builder.emit("scatter", filled(builder, sympy.S.One, sizes), *names, axes=axes, shape=shape)
    hit = ops.elementary(builder, "greater", ops.Array(builder, touched), 0)
    same_for_all = _without_index_axes(builder, value, wanted, by_token, axes, shape)
    if same_for_all is not None:
        return ops.elementary(builder, "where", hit, same_for_all, ops.Array(builder, name)).name
    if not _distinct(builder, indices, where):
        indices, kept = _last_of_repeated(builder, indices, where)
        value = ops.Array(builder, _spread(builder, value, target))
        at = wanted.index(("index", 0))
        value = getitem(builder, value, (*(slice(None),) * at, kept))
        target = value.dims
        names = [i.traced.name for i in indices]
    new = reshaped(
        builder,
        _spread(builder, value, target),
        tuple(d for d, t in zip(target, wanted, strict=True) if t is not None),
    )
    if tokens != current:
        new = builder.emit("transpose", new, axes=tuple(tokens.index(t) for t in current))
    placed = builder.emit("scatter", new, *names, axes=axes, shape=shape)
    if uniform(builder, name) == 0:
        return placed
    return ops.elementary(builder, "where", hit, ops.Array(builder, placed), ops.Array(builder, name)).name


def _without_index_axes(
    builder: Builder,
    value: Any,
    wanted: Sequence[Any],
    by_token: dict[Any, Dim],
    axes: Sequence[int],
    shape: Shape,
) -> Any:
    """The value in the array's own axes, where it is the same for all entries of the index; None elsewhere."""
    missing = len(wanted) - value.ndim
    for position, t in enumerate(wanted):
        varies = position >= missing and not same(value.dims[position - missing], 1)
        if varies and (
            t is None or isinstance(t, tuple) or not same(by_token[t], value.dims[position - missing])
        ):
            return None
    if missing < 0:
        return None
    parts = [t for t in wanted if t is not None and not isinstance(t, tuple)]
    places = {t: wanted.index(t) - missing for t in parts}
    own = [1 if places[t] < 0 else value.dims[places[t]] for t in parts]
    rest = iter(own)
    dims = tuple(1 if i in axes else next(rest) for i in range(len(shape)))
    return ops.Array(builder, reshaped(builder, value.name, dims))


def _distinct(builder: Builder, indices: Sequence[Index], where: Shape) -> bool:
    """Whether no entry is named twice: each axis of the index is told apart by one of the arrays."""
    if any(same(d, 0) for d in where):
        return True
    known = [i.values for i in indices if i.values is not None]
    if len(known) == len(indices):
        together = np.stack([np.ravel(v) for v in np.broadcast_arrays(*known)])
        return together.shape[1] == np.unique(together, axis=1).shape[1]
    covered: set[int] = set()
    for i in indices:
        varying = {len(where) - i.traced.ndim + k for k, d in enumerate(i.traced.dims) if not same(d, 1)}
        if i.values is not None:
            if np.unique(i.values).size == i.values.size:
                covered |= varying
        elif _counts_up(builder, i.traced.name):
            covered |= varying
    return covered >= {k for k, d in enumerate(where) if not same(d, 1)}


def _from_one_end(builder: Builder, index: Index, size: Dim) -> Index:
    """Positions counted from the end beside others: counted from the front, or taken to lie behind the others."""
    values = index.values
    if values is None or (values >= 0).all() or (values < 0).all():
        return index
    if isinstance(size, int):
        front = np.where(values < 0, values + size, values)
        return Index(ops.lift(builder, front), front)
    assume(builder, sympy.Gt(size, int(values.max() - values.min())), "a[index] = value")
    return index


def _counts_up(builder: Builder, name: str) -> bool:
    b = builder.binding(name)
    if b is not None and b.op == "reshape":
        return _counts_up(builder, b.args[0])
    if b is None or b.op != "pattern" or b.attrs["rule"] != "arange":
        return False
    first, step = sympy.sympify(b.attrs["first"]), sympy.sympify(b.attrs["step"])
    return bool(first.is_nonnegative and step.is_positive)


def _last_of_repeated(
    builder: Builder, indices: Sequence[Index], where: Shape
) -> tuple[list[Index], np.ndarray]:
    """The index without repetitions, and which values it takes: of several for one entry the last wins."""
    (only, *others) = indices
    if others or only.values is None or only.values.ndim != 1:
        raise builder.refuse(
            UnsupportedError(
                "The index may name an entry twice, and which value wins depends on the data.",
                where="a[index] = value",
                expected="np.arange(n) in the index, or numbers",
                fix="where repeated entries shall add up, use np.add.at(a, index, value)",
            )
        )
    last = {int(entry): position for position, entry in enumerate(only.values)}
    entries = np.array(list(last), dtype=np.int64)
    return [Index(ops.lift(builder, entries), entries)], np.array(list(last.values()), dtype=np.int64)


def added_at(builder: Builder, a: Any, key: Any, value: Any) -> Any:
    """The array that ``a`` is after ``np.add.at(a, key, value)``: what meets at one entry adds up."""
    keys = parts_of(key)
    if any(is_mask(k) for k in keys):
        return assigned(builder, a, key, getitem(builder, a, key) + value)
    parts = read(builder, a.dims, key)
    value = ops.lift(builder, value)
    if not any(isinstance(p, Index) for p in parts):
        old = getitem(builder, a, key)
        new = value if uniform(builder, old.name) == 0 else ops.elementary(builder, "add", old, value)
        return assigned(builder, a, key, new)
    regions = _regions(parts, a.dims)
    inner = cut(builder, a.name, regions)
    shape, axes = builder.type(inner).shape, _axes_left(parts)
    indices = [p for p in parts if isinstance(p, Index)]
    tokens, wanted = _layout(parts)
    current = _current(parts)
    by_token = dict(zip(current, taken_shape(shape, axes, _index_shape(indices)), strict=True))
    target = tuple(1 if t is None else by_token[t] for t in wanted)
    new = reshaped(builder, _spread(builder, value, target), tuple(by_token[t] for t in tokens))
    if tokens != current:
        new = builder.emit("transpose", new, axes=tuple(tokens.index(t) for t in current))
    added = builder.emit("scatter", new, *(i.traced.name for i in indices), axes=axes, shape=shape)
    if uniform(builder, inner) != 0:
        added = ops.elementary(builder, "add", ops.Array(builder, inner), ops.Array(builder, added)).name
    return ops.Array(builder, written(builder, a.name, regions, added))
