"""Entries at given whole numbers: NumPy's advanced indexing along one axis or several together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, broadcast, dim_symbol, format_shape
from symgrad.ops.record import (
    ARG,
    INDEX,
    Access,
    Attrs,
    Definition,
    Emitter,
    Example,
    Magnitude,
    Node,
    Notation,
    Op,
    Part,
    Piece,
    Type,
)
from symgrad.ops.scalars.functions import Equal
from symgrad.ops.slice import bracketed


def place_of(axes: Sequence[int]) -> int:
    """Where NumPy puts the axes of the indices: where they stand if side by side, else in front."""
    return axes[0] if list(axes) == list(range(axes[0], axes[-1] + 1)) else 0


def taken_shape(shape: Shape, axes: Sequence[int], indices: Shape) -> Shape:
    """The shape of ``A[…]`` where these axes are indexed by arrays that broadcast to ``indices``."""
    rest = tuple(d for i, d in enumerate(shape) if i not in axes)
    at = place_of(axes)
    return (*rest[:at], *indices, *rest[at:])


def whole_numbers(args: Sequence[Type], where: str) -> Shape:
    """The shape that index arrays broadcast to.

    Raises:
        ShapeError: they do not broadcast together.
    """
    return broadcast([a.shape for a in args], where)


def index_text(axes: Sequence[int], rank: int, indices: Sequence[str]) -> str:
    """``:, i, j``: the indices at their axes; whole axes at the end are left away."""
    by_axis = dict(zip(axes, indices, strict=True))
    return ", ".join(by_axis.get(i, ":") for i in range(max(axes) + 1))


def selected(
    axes: Sequence[int], shape: Shape, index: Sequence[sympy.Expr], entry: Sequence[Any]
) -> sympy.Expr:
    """1 where the index arrays name this entry, else 0; negative numbers count from the end."""
    fn = sympy.S.One
    for axis, i in zip(axes, index, strict=True):
        size = shape[axis]
        fn = fn * Equal(i if size == 0 else sympy.Mod(i, size), entry[axis])
    return fn


def index_access(args: Sequence[Type], indices: Shape, first: int) -> tuple[Access, ...]:
    """The accesses to index arrays (arguments 1, 2, …) at ``INDEX(first), …`` of their broadcast shape."""
    out = []
    for position, a in enumerate(args, start=1):
        shift = first + len(indices) - len(a.shape)
        out.append(Access(position, tuple(0 if d == 1 else INDEX(shift + k) for k, d in enumerate(a.shape))))
    return tuple(out)


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape, axes = args[0].shape, attrs["axes"]
    if not axes or max(axes) >= len(shape) or len(axes) != len(args) - 1:
        raise ShapeError(
            "take needs one index for each axis.", where="take", expected=format_shape(shape), got=axes
        )
    return Type(taken_shape(shape, axes, whole_numbers(args[1:], "take")), args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, *indices = node.args
    attrs = {"axes": node.attrs["axes"], "shape": e.type(a).shape}
    if e.type(g).shape == ():  # one adjoint for all: it stands in front of how often each entry is read
        counts = e.emit("scatter", e.full(e.constant(1), node.shape), *indices, **attrs)
        back = e.pointwise(ARG(0) * ARG(1), g, counts)
    else:
        back = e.emit("scatter", e.full(g, node.shape), *indices, **attrs)
    return [back, *(None for _ in indices)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    shape, axes = args[0].shape, attrs["axes"]
    indices = whole_numbers(args[1:], "take")
    at, rank = place_of(axes), len(out.shape)
    others = iter([*range(at), *range(at + len(indices), rank)])
    reduced = iter(range(rank, rank + len(axes)))
    entry = [INDEX(next(reduced)) if i in axes else INDEX(next(others)) for i in range(len(shape))]
    names = [ARG(k) for k in range(1, len(args))]
    fn = ARG(0) * selected(axes, shape, names, entry)
    access = (Access(0, tuple(entry)), *index_access(args[1:], indices, at))
    reduce = tuple(shape[i] for i in axes)
    return Definition(rank, access, fn, reduce, parts=(_gathered(args, axes, access[1:], entry, out.shape),))


def _gathered(
    args: Sequence[Type], axes: Sequence[int], index: Sequence[Access], entry: Sequence[Any], shape: Shape
) -> Part:
    """The same without looking at every entry: each index is read, then the entry that it names."""
    number = {axis: ARG(k) for k, axis in enumerate(axes)}
    there = tuple(number.get(i, e) for i, e in enumerate(entry))
    whole = tuple(INDEX(i) for i in range(len(shape)))
    return Part(shape, (*index, Access(0, there)), whole, ARG(len(index)))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    text = args[0] if args[0].isidentifier() else f"({args[0]})"
    return f"{text}[{index_text(attrs['axes'], attrs['rank'], args[1:])}]"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    a, *indices = args
    rank = a.rank - len(indices) + max(i.rank for i in indices)
    return bracketed(a, index_text(attrs["axes"], attrs["rank"], [i.text for i in indices]), rank)


def array_key(axes: Sequence[int], indices: Sequence[Any]) -> tuple[Any, ...]:
    """NumPy's key for index arrays at these axes."""
    import numpy as np

    by_axis = {i: np.asarray(v).astype(int) for i, v in zip(axes, indices, strict=True)}
    return tuple(by_axis.get(i, slice(None)) for i in range(max(axes) + 1))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    return args[0].size[array_key(attrs["axes"], [a.value for a in args[1:]])]


def to_front(e: Emitter, name: str, axis: int) -> str:
    """Move one axis to the front."""
    rank = len(e.type(name).shape)
    return e.emit("transpose", name, axes=(axis, *(i for i in range(rank) if i != axis))) if axis else name


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    a, *indices = args
    axes = tuple(i + 1 for i in node.attrs["axes"])
    taken = e.emit("take", a, *indices, axes=axes, rank=node.attrs["rank"] + 1)
    count = max(len(e.type(i).shape) for i in indices)
    return to_front(e, taken, count if place_of(axes) == 0 else 0)


_N, _D = dim_symbol("n"), dim_symbol("d")


def _example(shapes: tuple[tuple[Dim, ...], ...], axes: tuple[int, ...], *sizes: str) -> Example:
    domains = ("real", *(f"labels {s}" for s in sizes))
    return Example(shapes, {"axes": axes, "rank": len(shapes[0])}, domains, nonempty=True)


TAKE = Op(
    name="take",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = A[i]  ⇒  Ā = the sum of C̄ over the places that read the same entry",
    why=("an entry acts wherever the index names it, so its adjoints are added up there",),
    source="linearity (the transpose of gathering is scattering with addition)",
    examples=(
        _example(((_N,), (_D,)), (0,), "n"),
        _example(((_N, _D), (3,), (3,)), (0, 1), "n", "d"),
        _example(((_N, _D), (2, 3)), (1,), "d"),
        _example(((_N, 2, _D), (3,), (3,)), (0, 2), "n", "d"),
        _example(((2, _N, _D), (2, 1), (3,)), (1, 2), "n", "d"),
        _example(((_N, _D), ()), (0,), "n"),
    ),
    stack=_stack,
)
