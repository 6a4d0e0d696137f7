"""Functions of arrays whose result shares memory with the argument, and assignment.

Each is the pure operation of the same name, with what it shares recorded (``Memory.as_view_of``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ops.dims import broadcast, format_shape
from symgrad.trace import indexing, moves
from symgrad.trace import operations as ops
from symgrad.trace.sizes import constant_of


def fresh(a: Any) -> Any:
    """The same value in memory of its own."""
    numbers = a.numbers
    if numbers is not None:
        return ops.Array(a.builder, data=numbers.copy())
    return ops.Array(a.builder, a.name)


def reshape(a: Any, shape: Any) -> Any:
    def read(base: Any) -> Any:
        numbers = base.numbers
        if numbers is not None:
            return ops.Array(base.builder, data=numbers.reshape(shape))
        return fresh(moves.reshape(base, shape))

    def write(base: Any, value: Any) -> None:
        base.store(fresh(moves.reshape_dims(ops.lift(base.builder, value), base.dims)))

    if isinstance(shape, (list, tuple)):
        shape = tuple(shape)
    return read(a).as_view_of(a, read, write)


def transpose(a: Any, axes: Any = None) -> Any:
    def read(base: Any) -> Any:
        numbers = base.numbers
        if numbers is not None:
            return ops.Array(base.builder, data=numbers.transpose(axes))
        return fresh(moves.transpose(base, axes))

    def write(base: Any, value: Any) -> None:
        order = tuple(np.argsort([int(i) % base.ndim for i in axes])) if axes is not None else None
        base.store(fresh(moves.transpose(ops.lift(base.builder, value), order)))

    return read(a).as_view_of(a, read, write)


def squeeze(a: Any, axis: Any = None) -> Any:
    return reshape(a, moves.squeeze(_named(a), axis).dims)


def expand_dims(a: Any, axis: Any) -> Any:
    return reshape(a, moves.expand_dims(_named(a), axis).dims)


def _named(a: Any) -> Any:
    return ops.Array(a.builder, a.name)


def read_only(a: Any, function: Callable[[Any], Any]) -> Any:
    """The result of ``function``, which shares memory with ``a`` in a way that is not written through."""

    def read(base: Any) -> Any:
        result = function(base)
        return fresh(result) if result is base else result

    return read(a).as_view_of(a, read, None)


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

    found = read(a)
    if not _basic(key) or not found.dims:  # an entry is a number, not a view
        return found
    return found.as_view_of(a, read, write)


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
