"""What stands between the brackets of ``a[...]``, read axis by axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, TraceError, UnsupportedError
from symgrad.ops.dims import Dim, Shape, as_dim, format_shape
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.sizes import NeedsKind, assume, constant_of, divided, number


@dataclass(frozen=True)
class Range:
    """``size`` entries of an axis from ``start`` on, ``step`` apart; ``dropped`` for a single position."""

    start: Dim
    step: int
    size: Dim
    dropped: bool = False


@dataclass(frozen=True)
class Index:
    """An array of whole numbers that names entries of an axis; ``values`` where they are known."""

    traced: Any
    values: np.ndarray | None = None


class New:
    """A new axis of size 1."""


Part = Range | Index | New


def full(size: Dim) -> Range:
    return Range(0, 1, size)


def is_mask(key: Any) -> bool:
    """Whether a key is an array of truth values that depend on the data."""
    return isinstance(key, ops.Array) and key.kind == "bool" and key.ndim > 0


def _is_plain(key: Any) -> bool:
    """Whether a key is an array of numbers; traced arrays say of themselves that they are NumPy's."""
    return isinstance(key, np.ndarray) and not isinstance(key, ops.Array)


def parts_of(key: Any) -> list[Any]:
    """The key as a list; a list of numbers is one index array."""
    return list(key) if isinstance(key, tuple) else [key]


def expanded(keys: Sequence[Any], rank: int, dims: Shape) -> list[Any]:
    """The parts of a key with the ellipsis and the axes at the end written out."""
    used = sum(_axes(k) for k in keys)
    if used > rank:
        raise ShapeError(
            "Too many indices.", where="a[...]", expected=format_shape(dims), got=f"{used} indices"
        )
    rest = [slice(None)] * (rank - used)
    places = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(places) > 1:
        raise ShapeError("An index has one ellipsis at most.", where="a[...]", got=str(list(keys)))
    if not places:
        return [*keys, *rest]
    return [*keys[: places[0]], *rest, *keys[places[0] + 1 :]]


def _axes(key: Any) -> int:
    """How many axes a part of a key indexes."""
    if key is None or key is Ellipsis:
        return 0
    if is_mask(key) or (_is_plain(key) and key.dtype.kind == "b"):
        return int(key.ndim)
    return 1


def read(builder: Builder, dims: Shape, key: Any) -> list[Part]:
    """The parts of a key without masks of the data, one for each axis and each new axis.

    Raises:
        ShapeError: too many indices, or one outside its axis.
        TraceError: something that cannot index.
        NeedsKind: an input is used as an index and has to hold whole numbers.
        NeedsSize: the answer depends on a size that is a symbol.
    """
    keys = expanded([_plain(builder, k) for k in parts_of(key)], len(dims), dims)
    out: list[Part] = []
    axis = 0
    for k in keys:
        if k is None:
            out.append(New())
            continue
        if isinstance(k, slice):
            out.append(_range(builder, k, dims[axis]))
            axis += 1
        elif _is_plain(k) and k.dtype.kind == "b":
            out.extend(_constant_mask(builder, k, dims[axis : axis + k.ndim]))
            axis += k.ndim
        else:
            out.append(_position_or_index(builder, k, dims[axis]))
            axis += 1
    return out


def _plain(builder: Builder, k: Any) -> Any:
    """Lists and ranges as arrays, traced constants as positions."""
    if isinstance(k, ops.Array):
        ops.lift(builder, k)  # refuses a value of another trace
        if k.numbers is not None:
            return k.numbers if k.ndim else k.numbers.item()
        return k
    if isinstance(k, (list, range)):
        if any(isinstance(x, ops.Array) for x in k):
            return ops.lift(builder, list(k))
        array = np.asarray(k)
        return array.astype(int) if array.size == 0 else array
    if _is_plain(k) and k.ndim == 0:
        return k.item()
    return k


def _position_or_index(builder: Builder, k: Any, size: Dim) -> Part:
    if isinstance(k, (bool, np.bool_)):
        raise UnsupportedError("A single truth value is no index here.", where="a[...]", got=repr(k))
    if isinstance(k, (int, np.integer)):
        return Range(_position(builder, int(k), size), 1, 1, dropped=True)
    if _is_plain(k):
        return _constant_index(builder, k, size)
    if isinstance(k, ops.Array):
        constant = constant_of(k)
        if constant is not None and constant.free_symbols:
            divided(builder, constant)
            return Range(_position(builder, constant, size), 1, 1, dropped=True)
        if constant is not None and constant.is_integer:
            return Range(_position(builder, constant, size), 1, 1, dropped=True)
        whole(builder, k.name, "a[...]")
        return Index(k)
    raise TraceError(
        "This cannot index an array.",
        where="a[...]",
        expected="whole numbers, slices, arrays of whole numbers or truth values",
        got=repr(k),
    )


def _position(builder: Builder, i: Any, size: Dim) -> Dim:
    """The position that a number names, counted from the end where it is negative."""
    i = sympy.sympify(i)
    extent = sympy.sympify(size)
    negative = i.is_negative
    if negative is None and i.is_nonnegative is None:
        assume(builder, i >= 0, "a[...]")
    position = i + extent if negative else i
    inside = [position] if negative else [extent - position - 1]
    if i.is_Integer and extent.is_Integer and not 0 <= position < extent:
        raise ShapeError(
            "The index lies outside the array.",
            where="a[...]",
            expected=f"an index from {-extent} to {extent - 1}" if extent else "no index: the axis is empty",
            got=str(i),
        )
    for distance in inside:
        _nonnegative(builder, distance)
    return as_dim(position)


def _nonnegative(builder: Builder, value: Any) -> None:
    """Go on as if a difference of sizes were not negative."""
    value = sympy.expand(value)
    if value.is_nonnegative:
        return
    assume(builder, value >= 0, "a[...]")


def _bound(builder: Builder, value: Any) -> sympy.Expr | None:
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return sympy.Integer(int(value))
    if isinstance(value, ops.Array):
        constant = constant_of(value)
        if constant is not None and constant.free_symbols:
            divided(builder, constant)
            return constant
        if constant is not None and constant.is_integer:
            return constant
    raise TraceError(
        "The bound of a slice has to be a whole number that does not depend on the data.",
        where="a[...]",
        got=repr(value),
        fix="use a mask: np.where(np.arange(n) < k, x, 0)",
    )


def _range(builder: Builder, key: slice, size: Dim) -> Range:
    start, stop, step = (_bound(builder, v) for v in (key.start, key.stop, key.step))
    stride = 1 if step is None else int(step) if step.is_Integer else number(builder, as_dim(step), "a[...]")
    if stride == 0:
        raise ShapeError("The step of a slice is not 0.", where="a[...]")
    known = isinstance(size, int) and all(b is None or b.is_Integer for b in (start, stop))
    if not known and abs(stride) != 1:
        symbols = [b for b in (start, stop) if b is not None]
        for d in (size, *map(as_dim_of, symbols)):
            number(builder, d, "a[::step]")
    if known:
        first_, last_ = (None if b is None else int(b) for b in (start, stop))
        bounds = slice(first_, last_, stride).indices(int(size))
        count = len(range(*bounds))
        return Range(bounds[0], stride, count) if count else Range(0, 1, 0)
    extent = sympy.sympify(size)
    if stride == 1:
        first = sympy.S.Zero if start is None else _inside(builder, start, extent)
        last = extent if stop is None else _inside(builder, stop, extent)
        count = _extent(builder, last - first)
        return Range(as_dim(first), 1, count) if count != 0 else Range(0, 1, 0)
    first = (
        extent - 1
        if start is None
        else _inside(builder, start + 1, extent) - 1
        if not _below(start)
        else (_inside(builder, start, extent))
    )
    last = sympy.Integer(-1) if stop is None else _inside(builder, stop, extent)
    count = _extent(builder, first - last)
    return Range(as_expr_dim(first), -1, count) if count != 0 else Range(0, 1, 0)


def as_dim_of(value: sympy.Expr) -> Dim:
    return int(value) if value.is_Integer else value


def as_expr_dim(value: sympy.Expr) -> Dim:
    """A start that may be −1 for an axis without entries."""
    value = sympy.expand(value)
    return int(value) if value.is_Integer else value


def _below(value: sympy.Expr) -> bool:
    return bool(value.is_negative)


def _inside(builder: Builder, bound: sympy.Expr, extent: sympy.Expr) -> sympy.Expr:
    """A bound of a slice counted from the start; where it depends on the sizes, as if it lay inside."""
    if _below(bound):
        bound = bound + extent
        _nonnegative(builder, bound)
        return sympy.expand(bound)
    if not bound.is_nonnegative:  # its sign depends on the sizes
        _nonnegative(builder, bound)
    if (bound - extent).is_nonnegative:
        return extent
    _nonnegative(builder, extent - bound)
    return bound


def _extent(builder: Builder, difference: sympy.Expr) -> Dim:
    difference = sympy.expand(difference)
    if difference.is_negative:
        return 0
    _nonnegative(builder, difference)
    return as_dim(difference)


# Index arrays ---------------------------------------------------------------------------------------------


def _constant_index(builder: Builder, values: np.ndarray, size: Dim) -> Index:
    if values.dtype.kind not in "iu":
        raise TraceError(
            "An index array has to hold whole numbers.", where="a[...]", got=f"dtype {values.dtype}"
        )
    values = values.astype(np.int64)
    if values.size:
        _position(builder, int(values.max()), size)
        _position(builder, int(values.min()), size)
    if isinstance(size, int):
        values = np.where(values < 0, values + size, values)
    return Index(ops.lift(builder, values), values)


def _constant_mask(builder: Builder, mask: np.ndarray, dims: Shape) -> list[Part]:
    for have, want in zip(mask.shape, dims, strict=True):
        if have != number(builder, want, "a[mask]"):
            raise ShapeError(
                "The mask has another shape than the array.",
                where="a[mask]",
                expected=format_shape(dims),
                got=format_shape(mask.shape),
            )
    return [Index(ops.lift(builder, i), i) for i in np.nonzero(mask)]


_KEEPING = ("reshape", "transpose", "broadcast_to", "slice", "place", "take", "scatter", "concatenate")


def whole(builder: Builder, name: str, where: str) -> None:
    """Check that a value holds whole numbers.

    Raises:
        NeedsKind: it would if an input were known to.
        TraceError: it does not.
    """
    if builder.type(name).kind == "int":
        return
    binding = builder.binding(name)
    if binding is None:
        raise builder.refuse(NeedsKind(name, "int", where))
    constant = builder.constant_value(name)
    if constant is not None and constant.is_integer:
        return
    if binding.op in _KEEPING:
        whole(builder, binding.args[0], where)
        if binding.op == "concatenate":
            for a in binding.args[1:]:
                whole(builder, a, where)
        return
    if binding.op == "pointwise":
        fn = binding.attrs["fn"]
        symbols = [ARG(i) for i in range(len(binding.args))]
        if fn.is_polynomial(*symbols) and all(c.is_integer for c in sympy.Poly(fn, *symbols).coeffs()):
            for a in binding.args:
                whole(builder, a, where)
            return
    raise TraceError(
        "An index has to hold whole numbers.",
        where=where,
        expected="an argument with whole numbers, np.arange, or sums and products of them",
        got=f"real numbers ({binding.op})",
    )
