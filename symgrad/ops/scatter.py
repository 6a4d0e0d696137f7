"""Addition into zeros at given whole numbers: the transpose of ``take``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, dim_symbol, format_shape
from symgrad.ops.place import INTO_ZEROS
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
from symgrad.ops.scalars.printer import ATOM
from symgrad.ops.take import (
    array_key,
    index_access,
    index_text,
    place_of,
    selected,
    taken_shape,
    whole_numbers,
)


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = tuple(attrs["shape"])
    expected = taken_shape(shape, attrs["axes"], whole_numbers(args[1:], "scatter"))
    if args[0].shape != expected:
        raise ShapeError(
            "The values do not fit the index.",
            where="scatter",
            expected=format_shape(expected),
            got=format_shape(args[0].shape),
        )
    return Type(shape, args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    _, *indices = node.args
    axes = node.attrs["axes"]
    back = e.emit("take", e.full(g, node.shape), *indices, axes=axes, rank=len(node.shape))
    return [back, *(None for _ in indices)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    axes, rank = attrs["axes"], len(out.shape)
    indices = whole_numbers(args[1:], "scatter")
    entry = [INDEX(i) for i in range(rank)]
    others = [INDEX(i) for i in range(rank) if i not in axes]
    named = [INDEX(rank + k) for k in range(len(indices))]
    at = place_of(axes)
    names = [ARG(k) for k in range(1, len(args))]
    fn = ARG(0) * selected(axes, out.shape, names, entry)
    access = (Access(0, (*others[:at], *named, *others[at:])), *index_access(args[1:], indices, rank))
    # The same without looking at every value for every entry: each value is added where its index says.
    width = len(out.shape) - len(axes) + len(indices)
    count = iter([*range(at), *range(at + len(indices), width)])
    target = tuple(ARG(1 + axes.index(i)) if i in axes else INDEX(next(count)) for i in range(rank))
    value = Access(0, tuple(INDEX(i) for i in range(width)))
    part = Part(args[0].shape, (value, *index_access(args[1:], indices, at)), target, adds=True)
    return Definition(rank, access, fn, indices, parts=(part,))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    shape = attrs["shape"]
    inner = ", ".join(dim(d) for d in shape) + "," * (len(shape) == 1)
    index = index_text(attrs["axes"], len(shape), args[1:])
    return f"into_zeros(({inner}), np.s_[{index}], {args[0]})"


def _counted(style: Notation, attrs: Attrs) -> str:
    """The printed index that names each row once."""
    rows = style.scalar(sympy.sympify(attrs["shape"][attrs["axes"][0]]), ())
    return style.call("arange", rows).text


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    g, *indices = args
    if g.text == style.ones(()).text and len(indices) == 2 and indices[0].text == _counted(style, attrs):
        return Piece(style.call("onehot", indices[1]).text, ATOM, len(attrs["shape"]))
    index = index_text(attrs["axes"], len(attrs["shape"]), [i.text for i in indices])
    piece = style.call("scatter", g, Piece(f"[{index}]", ATOM))
    return Piece(piece.text, piece.strength, len(attrs["shape"]))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    size = np.zeros(np.shape(out))
    np.add.at(size, array_key(attrs["axes"], [a.value for a in args[1:]]), args[0].size)
    return size


def _roundings(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> int:
    import numpy as np

    return prod(np.broadcast_shapes(*shapes[1 : 1 + len(attrs["axes"])]))


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    g, *indices = args
    shape = e.type(g).shape
    axes = tuple(i + 1 for i in node.attrs["axes"])
    count = max(len(e.type(i).shape) for i in indices)
    if place_of(axes) == 0 and count:  # the axes of the indices stand in front
        order = (*range(1, count + 1), 0, *range(count + 1, len(shape)))
        g = e.emit("transpose", g, axes=order)
    return e.emit("scatter", g, *indices, axes=axes, shape=(shape[0], *node.attrs["shape"]))


_N, _D = dim_symbol("n"), dim_symbol("d")


def _example(
    shapes: tuple[tuple[Dim, ...], ...], axes: tuple[int, ...], of: tuple[Dim, ...], *sizes: str
) -> Example:
    domains = ("real", *(f"labels {s}" for s in sizes))
    return Example(shapes, {"axes": axes, "shape": of}, domains, nonempty=True)


SCATTER = Op(
    name="scatter",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=_roundings,
    rule="C = A added at i  ⇒  Ā = C̄[i]",
    why=("each value is added to the entry that its index names, so it reads the adjoint there",),
    source="linearity (the transpose of scattering with addition is gathering)",
    examples=(
        _example(((_D,), (_D,)), (0,), (_N,), "n"),
        _example(((_D,), (_D,), (_D,)), (0, 1), (_N, _D), "n", "d"),
        _example(((_N, 2, _D), (2, _D)), (1,), (_N, _D), "d"),
        _example(((_D, 2), (_D,), (_D,)), (0, 2), (_N, 2, _D), "n", "d"),
    ),
    stack=_stack,
    imports=(INTO_ZEROS,),
)
