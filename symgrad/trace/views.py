"""Functions of arrays whose result shares memory with the argument, and assignment.

Each is the pure operation of the same name, with what it shares recorded (``Memory.as_view``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ops.dims import Shape, broadcast, format_shape, product
from symgrad.trace import indexing, layout, moves
from symgrad.trace import operations as ops
from symgrad.trace.keys import New
from symgrad.trace.keys import read as read_key
from symgrad.trace.memory import View
from symgrad.trace.sizes import constant_of


def fresh(a: Any, order: str | None = None) -> Any:
    """The same value in memory of its own, which lies like it, or row by row with ``order="C"``."""
    numbers = a.numbers
    if numbers is not None:
        return ops.Array(a.builder, data=np.array(numbers, order="C" if order == "C" else "K"), order=order)
    return _as_real(ops.Array(a.builder, a.name, order=order), a)


def _as_real(made: Any, a: Any) -> Any:
    """``made``, of floats where ``a`` is."""
    made.real = a.real
    return made


def copy(a: Any, order: str = "K") -> Any:
    """``np.copy(a, order)``: like the array itself for "K" and "A"."""
    made = fresh(a, "C" if order == "C" else None)
    return transpose(fresh(transpose(made), "C")) if order == "F" else made


def reshape(a: Any, shape: Any) -> Any:
    """``a.reshape(shape)``: a view where the array lies such that it can be one, and else a copy."""
    return _reshaped(a, shape, lambda base, wanted: layout.reshapes(base.builder, *_lies(base), wanted))


def ravel(a: Any) -> Any:
    """``a.ravel()``: a view where the array lies row by row without gaps, and else a copy."""
    return _reshaped(a, -1, lambda base, wanted: layout.contiguous(base.builder, *_lies(base)))


def by_rows(a: Any) -> Any:
    """``np.ascontiguousarray(a)``: the array itself where it lies row by row without gaps, and else a copy."""
    return _reshaped(a, a.dims, lambda base, wanted: layout.contiguous(base.builder, *_lies(base)))


def flat(a: Any) -> Any:
    """``a.flat``: written through, however the array lies."""
    return _reshaped(a, -1, None, copied=True)


def _lies(a: Any) -> tuple[Any, layout.Strides | None]:
    return a.dims, a.strides_known()


def _reshaped(a: Any, shape: Any, shares: Callable[[Any, Any], bool] | None, copied: bool = False) -> Any:
    if isinstance(shape, (list, tuple)):
        shape = tuple(shape)

    def read(base: Any) -> Any:
        numbers = base.numbers
        if numbers is not None:
            return ops.Array(base.builder, data=numbers.reshape(shape))
        return fresh(moves.reshape(base, shape))

    def write(base: Any, value: Any) -> None:
        base.store(fresh(moves.reshape_dims(ops.lift(base.builder, value), base.dims)))

    found = read(a)
    wanted = found.dims

    def strides(base: Any) -> layout.Strides | None:
        known = base.strides_known()
        return None if known is None or shares is None else layout.reshaped(base.dims, known, wanted)

    asked = None if shares is None else lambda base: shares(base, wanted)
    return found.as_view(View(a, read, write, strides, keeps=True, shares=asked, copied=copied))


def transpose(a: Any, axes: Any = None) -> Any:
    order = tuple(range(a.ndim))[::-1] if axes is None else tuple(int(i) % max(a.ndim, 1) for i in axes)

    def read(base: Any) -> Any:
        numbers = base.numbers
        if numbers is not None:
            return ops.Array(base.builder, data=numbers.transpose(axes))
        return fresh(moves.transpose(base, axes))

    def write(base: Any, value: Any) -> None:
        base.store(fresh(moves.transpose(ops.lift(base.builder, value), tuple(np.argsort(order)))))

    def strides(base: Any) -> layout.Strides | None:
        known = base.strides_known()
        return None if known is None else tuple(known[i] for i in order)

    return read(a).as_view(View(a, read, write, strides, keeps=layout.in_order(a.dims, order)))


def swapaxes(a: Any, axis1: Any, axis2: Any) -> Any:
    i, j = (ops.axis_of(x, a.ndim, "np.swapaxes") for x in (axis1, axis2))
    order = list(range(a.ndim))
    order[i], order[j] = j, i
    return transpose(a, order)


def squeeze(a: Any, axis: Any = None) -> Any:
    return reshape(a, moves.squeeze(_named(a), axis).dims)


def expand_dims(a: Any, axis: Any) -> Any:
    return reshape(a, moves.expand_dims(_named(a), axis).dims)


def at_least(rank: int) -> Callable[..., Any]:
    """``np.atleast_1d``, ``_2d`` and ``_3d``."""

    def rule(builder: Any, *arys: Any) -> Any:
        values = [ops.lift(builder, a) for a in arys]
        found = tuple(a if a.ndim >= rank else reshape(a, dims_at_least(a.dims, rank)) for a in values)
        return found[0] if len(found) == 1 else found

    return rule


def dims_at_least(dims: Shape, rank: int) -> Shape:
    """The shape with axes of size 1 where NumPy puts them."""
    if rank == 3 and dims:
        return (1, dims[0], 1) if len(dims) == 1 else (*dims, 1)
    return (*(1,) * (rank - len(dims)), *dims)


def _named(a: Any) -> Any:
    return _as_real(ops.Array(a.builder, a.name), a)


def read_only(a: Any, function: Callable[[Any], Any]) -> Any:
    """The result of ``function``, which shares memory with ``a`` in a way that is not written through."""

    def read(base: Any) -> Any:
        result = function(base)
        return fresh(result) if result is base else result

    return read(a).as_view(View(a, read, None))


# Indexing -------------------------------------------------------------------------------------------------


def plain_key(key: Any) -> Any:
    """An index with its plain numbers as numbers: positions as ints, constant index arrays as arrays."""
    if isinstance(key, tuple):
        return tuple(plain_key(k) for k in key)
    if isinstance(key, list):
        if any(isinstance(k, ops.Array) for k in key):
            return [plain_key(k) for k in key]
        return np.asarray(key)
    if isinstance(key, slice):
        return slice(*(plain_key(k) for k in (key.start, key.stop, key.step)))
    if isinstance(key, ops.Array):
        numbers = key.numbers
        if numbers is not None:
            return numbers.item() if not numbers.shape and numbers.dtype.kind in "iu" else numbers
        value = constant_of(key)
        if value is not None and value.is_Integer:
            return int(value)
    return key


def _basic(key: Any) -> bool:
    """Whether NumPy returns a view: positions, slices, new axes, and nothing else."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        k is None
        or k is Ellipsis
        or (isinstance(k, (int, np.integer, slice)) and not isinstance(k, bool))
        or _position(k)
        for k in parts
    )


def _position(k: Any) -> bool:
    return isinstance(k, ops.Array) and not k.dims and k.kind != "bool"


def _constant(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    flat = [x for k in parts for x in ((k.start, k.stop, k.step) if isinstance(k, slice) else (k,))]
    return not any(isinstance(k, (ops.Array, list)) for k in flat)


def getitem(a: Any, key: Any) -> Any:
    """``a[key]``."""
    key = plain_key(key)

    def read(base: Any) -> Any:
        numbers = base.numbers
        if numbers is not None and _constant(key):
            return ops.Array(base.builder, data=np.asarray(numbers[key]))
        return fresh_or_masked(indexing.getitem(base.builder, _named(base), key))

    def write(base: Any, value: Any) -> None:
        setitem(base, key, value)

    def strides(base: Any) -> layout.Strides | None:
        known = base.strides_known()
        return None if known is None else _strides_of(known, read_key(base.builder, base.dims, key))

    found = read(a)
    if isinstance(found, ops.Array):
        _as_real(found, a)
    if not _basic(key) or not found.dims:  # an entry is a number, not a view
        return found
    if a.parts_are_copies:
        return fresh(found, "C")
    return found.as_view(View(a, read, write, strides, keeps=True))


def _strides_of(strides: layout.Strides, parts: Sequence[Any]) -> layout.Strides:
    """The strides of a part of an array."""
    known = iter(strides)
    out: list[Any] = []
    for p in parts:
        if isinstance(p, New):
            out.append(1)
            continue
        step = next(known)
        if not p.dropped:
            out.append(product([step, p.step]))
    return tuple(out)


def fresh_or_masked(value: Any) -> Any:
    """Entries picked by a mask are no array and have no memory to share."""
    return fresh(value) if isinstance(value, ops.Array) else value


def setitem(a: Any, key: Any, value: Any) -> None:
    """``a[key] = value``."""
    key = plain_key(key)
    numbers = a.numbers
    if isinstance(value, ops.Array):
        plain = value.numbers
        value = plain if plain is not None else value
    elif isinstance(value, (list, tuple)):
        value = ops.lift(a.builder, value)
        value = value.numbers if value.numbers is not None else value
    traced = isinstance(value, ops.Array) or hasattr(value, "mask")
    if numbers is not None and _constant(key) and not traced:
        made = numbers.copy()
        if made.dtype.kind in "iub" and np.asarray(value).dtype.kind == "f" and made.dtype.kind != "b":
            value = np.trunc(value)
        made[key] = value
        a.store(ops.Array(a.builder, data=made))
        return
    if a.kind in ("int", "bool"):  # NumPy keeps the dtype of the array
        value = ops.as_kind(ops.lift(a.builder, value), int if a.kind == "int" else bool)
    elif numbers is None:
        a.builder.dtypes_read |= a.builder.reads(a.name)
    a.store(fresh(indexing.assigned(a.builder, _named(a), key, value)))


def replace(a: Any, value: Any, where: str) -> Any:
    """``a[...] = value`` for a result of the same operation, as ``+=`` and ``out=`` mean it; returns ``a``."""
    value = ops.lift(a.builder, value) if not isinstance(value, ops.Array) else value
    if broadcast([a.dims, value.dims], where) != a.dims:
        raise ShapeError(
            "The result has more entries than the array that it is written into.",
            where=where,
            expected=format_shape(a.dims),
            got=format_shape(value.dims),
        )
    if value.dims != a.dims:
        value = moves.broadcast_to(_named(value), a.dims)
    a.store(fresh(value))
    return a
