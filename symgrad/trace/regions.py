"""Regular parts of a value, read and replaced.

Reading looks through what built the value: a row of stacked rows is that row, and a part of a part is a part.
Replacing joins what stays with what is new.  So a loop that fills an array row by row becomes the rows side by
side, and a recursion reads each earlier row directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy

from symgrad.ops.array import as_array
from symgrad.ops.concatenate import total
from symgrad.ops.dims import Dim, Shape, same
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Select
from symgrad.program import Builder
from symgrad.program.program import Binding
from symgrad.trace.keys import Range, full


def shape_of(regions: Sequence[Range]) -> Shape:
    return tuple(r.size for r in regions if not r.dropped)


def is_full(r: Range, size: Dim) -> bool:
    return not r.dropped and r.step == 1 and same(r.start, 0) and same(r.size, size)


def uniform(builder: Builder, name: str) -> sympy.Expr | None:
    """The number that every entry of a value is; None if they differ or depend on an input."""
    value = builder.constant_value(name)
    if value is not None:
        return value
    binding = builder.binding(name)
    while binding is not None and binding.op in ("broadcast_to", "reshape"):
        binding = builder.binding(binding.args[0])
    if binding is not None and binding.op == "array":
        entries = as_array(binding.attrs["numbers"])
        if entries.size and (entries == entries.flat[0]).all():
            return sympy.Rational(*float(entries.flat[0]).as_integer_ratio())
    return None


def filled(builder: Builder, value: sympy.Expr, shape: Shape) -> str:
    return builder.emit("broadcast_to", builder.constant(value), shape=shape)


def join(builder: Builder, names: Sequence[str], axis: int) -> str:
    """The values side by side; what is itself joined along this axis is taken apart, empty parts are left out."""
    parts: list[str] = []
    for name in names:
        binding = builder.binding(name)
        inner = binding is not None and binding.op == "concatenate" and binding.attrs["axis"] == axis
        parts.extend(binding.args if inner and binding is not None else (name,))
    kept = [p for p in parts if not same(builder.type(p).shape[axis], 0)] or parts[:1]
    return kept[0] if len(kept) == 1 else builder.emit("concatenate", *kept, axis=axis)


def reshaped(builder: Builder, name: str, shape: Shape) -> str:
    """``name`` in another shape; a reshape that is undone is left away."""
    binding = builder.binding(name)
    if binding is not None and binding.op == "reshape":
        return reshaped(builder, binding.args[0], shape)
    return builder.emit("reshape", name, shape=shape)


# Reading --------------------------------------------------------------------------------------------------


def cut(builder: Builder, name: str, regions: Sequence[Range]) -> str:
    """The part of a value that a range on each axis names."""
    shape = builder.type(name).shape
    if all(is_full(r, d) for r, d in zip(regions, shape, strict=True)):
        return name
    wanted = shape_of(regions)
    constant = builder.constant_value(name)
    if constant is not None:
        return filled(builder, constant, wanted)
    binding = builder.binding(name)
    found = None if binding is None else _through(builder, binding, regions, wanted)
    if found is not None:
        return found
    return builder.emit(
        "slice",
        name,
        shape=shape,
        start=tuple(r.start for r in regions),
        step=tuple(r.step for r in regions),
        size=tuple(r.size for r in regions),
        drop=tuple(i for i, r in enumerate(regions) if r.dropped),
    )


def _through(builder: Builder, b: Binding, regions: Sequence[Range], wanted: Shape) -> str | None:
    if b.op == "slice":
        return cut(builder, b.args[0], _composed(b, regions))
    if b.op == "concatenate":
        return _from_pieces(builder, b, regions)
    if b.op == "reshape":
        axis = _new_axis(builder.type(b.args[0]).shape, b.shape)
        if axis is not None and same(regions[axis].size, 1):
            inner = cut(builder, b.args[0], [r for i, r in enumerate(regions) if i != axis])
            return reshaped(builder, inner, wanted)
    return None


def _composed(b: Binding, regions: Sequence[Range]) -> list[Range]:
    """The ranges in the array that a slice was cut from."""
    rest = iter(regions)
    out = []
    for axis, (start, step, size) in enumerate(
        zip(b.attrs["start"], b.attrs["step"], b.attrs["size"], strict=True)
    ):
        if axis in b.attrs["drop"]:
            out.append(Range(start, step, size, dropped=True))
            continue
        r = next(rest)
        first = total([start, step * r.start]) if not same(r.start, 0) else start
        out.append(Range(first, step * r.step if not r.dropped else 1, r.size, r.dropped))
    return out


def _new_axis(shape: Shape, wider: Shape) -> int | None:
    """The axis of size 1 that a reshape has put in."""
    if len(wider) != len(shape) + 1:
        return None
    for axis, d in enumerate(wider):
        if d == 1 and wider[:axis] + wider[axis + 1 :] == shape:
            return axis
    return None


def _from_pieces(builder: Builder, b: Binding, regions: Sequence[Range]) -> str | None:
    """The part of joined arrays, where sizes tell which of them it lies in; None where they do not."""
    axis = b.attrs["axis"]
    here = regions[axis]
    if here.step != 1 or same(here.size, 0):
        return None
    stop = total([here.start, here.size])
    pieces = []
    begin: Dim = 0
    for a in b.args:
        size = builder.type(a).shape[axis]
        end = total([begin, size])
        low, high = _larger(begin, here.start), _smaller(end, stop)
        if low is None or high is None:
            return None
        count = sympy.expand(sympy.sympify(high) - sympy.sympify(low))
        if count.is_positive or (count.is_nonnegative and not count.is_zero):
            first = total([low, -sympy.sympify(begin)])
            inside = [*regions[:axis], replace(here, start=first, size=total([count])), *regions[axis + 1 :]]
            pieces.append(cut(builder, a, inside))
        elif not count.is_nonpositive:
            return None
        begin = end
    if not pieces:
        return None
    if here.dropped:
        return pieces[0] if len(pieces) == 1 else None
    return join(builder, pieces, axis - sum(r.dropped for r in regions[:axis]))


def _larger(a: Dim, b: Dim) -> Dim | None:
    difference = sympy.expand(sympy.sympify(a) - sympy.sympify(b))
    return a if difference.is_nonnegative else b if difference.is_nonpositive else None


def _smaller(a: Dim, b: Dim) -> Dim | None:
    larger = _larger(a, b)
    return None if larger is None else (b if larger is a else a)


# Replacing ------------------------------------------------------------------------------------------------


def written(builder: Builder, name: str, regions: Sequence[Range], value: str) -> str:
    """The array that ``name`` is once its part has become ``value``, which has the shape of the part."""
    shape = builder.type(name).shape
    kept = tuple(r.size for r in regions)
    return _written(
        builder, name, [replace(r, dropped=False) for r in regions], reshaped(builder, value, kept), shape
    )


def _written(builder: Builder, name: str, regions: Sequence[Range], value: str, shape: Shape) -> str:
    partial = [i for i, (r, d) in enumerate(zip(regions, shape, strict=True)) if not is_full(r, d)]
    if not partial:
        return value
    if any(same(regions[i].size, 0) for i in partial):
        return name
    zero = uniform(builder, name) == 0
    wide = [i for i in partial if not same(regions[i].size, 1)]
    if any(abs(regions[i].step) != 1 for i in wide) or (zero and len(wide) > 1):
        return _masked(builder, name, regions, value, shape, zero)
    axis = partial[0]
    r = regions[axis]
    if r.step == -1 and not same(r.size, 1):
        flipped = [full(s) for s in builder.type(value).shape]
        flipped[axis] = Range(total([r.size, -1]), -1, r.size)
        value = cut(builder, value, flipped)
        r = Range(total([r.start, 1, -sympy.sympify(r.size)]), 1, r.size)
    stop = total([r.start, r.size])

    def along(start: Dim, size: Dim) -> str:
        ranges = [full(d) for d in shape]
        ranges[axis] = Range(start, 1, size)
        return cut(builder, name, ranges)

    inner = (*shape[:axis], r.size, *shape[axis + 1 :])
    rest = [full(r.size) if i == axis else region for i, region in enumerate(regions)]
    middle = _written(builder, along(r.start, r.size), rest, value, inner)
    after = total([shape[axis], -sympy.sympify(stop)])
    return join(builder, [along(0, r.start), middle, along(stop, after)], axis)


def _masked(
    builder: Builder, name: str, regions: Sequence[Range], value: str, shape: Shape, zero: bool
) -> str:
    attrs: dict[str, Any] = {
        "shape": shape,
        "start": tuple(r.start for r in regions),
        "step": tuple(r.step for r in regions),
        "size": tuple(r.size for r in regions),
        "drop": (),
    }
    placed = builder.emit("place", value, **attrs)
    if zero:
        return placed
    inside = builder.emit("place", filled(builder, sympy.S.One, builder.type(value).shape), **attrs)
    return builder.emit("pointwise", inside, placed, name, fn=Select(ARG(0), ARG(1), ARG(2)))
