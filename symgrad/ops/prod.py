"""The product over one axis, and for each entry the product of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from symgrad.ops.dims import Dim
from symgrad.ops.eye import eye_attrs
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
    Piece,
    Type,
)
from symgrad.ops.reduction import (
    called,
    entry_index,
    options,
    reduced_shape,
    reduced_sizes,
    spread,
    stacking,
)
from symgrad.ops.scalars.functions import Equal, Select
from symgrad.ops.scalars.printer import ATOM
from symgrad.ops.sum import sum_attrs


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    (a,), attrs = node.args, node.attrs
    others = e.emit("prod_others", a, axis=attrs["axes"][0])
    return [e.pointwise(ARG(0) * ARG(1), spread(e, g, e.type(a).shape, attrs), others)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    shape = args[0].shape
    access = Access(0, entry_index(len(shape), attrs))
    return Definition(len(out.shape), (access,), ARG(0), reduced_sizes(shape, attrs), combine="prod")


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    return args[0].size.prod(axis=tuple(attrs["axes"]), keepdims=attrs["keepdims"])


PROD = Op(
    name="prod",
    infer=lambda args, attrs: Type(reduced_shape(args[0].shape, attrs)),
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.prod({args[0]}{options(attrs)})",
    notation=lambda style, args, attrs: called(style, "prod", args[0], attrs),
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: prod(shapes[0][i] for i in attrs["axes"]),
    rule="p = Π a  ⇒  āᵢ = p̄ Π a_j over j ≠ i",
    why=(
        "an entry is multiplied by all the others, so their product is its slope; p/a would be the same, and "
        "undefined where an entry is 0",
    ),
    source="product rule; Griewank and Walther (2008), Evaluating Derivatives (Speelpenning's product)",
    examples=(
        Example((("n",),), sum_attrs(1, (0,))),
        Example((("n", "d"),), sum_attrs(2, (0,))),
        Example((("n", "d"),), sum_attrs(2, (1,), keepdims=True)),
        Example((("n", "d", "k"),), sum_attrs(3, (1,))),
    ),
    stack=stacking("prod"),
)


def _others_define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank, axis = len(out.shape), attrs["axis"]
    index = tuple(INDEX(rank) if i == axis else INDEX(i) for i in range(rank))
    other = Select(Equal(INDEX(axis), INDEX(rank)), 1, ARG(0))
    return Definition(rank, (Access(0, index),), other, (out.shape[axis],), combine="prod")


def _others_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    """Once more the product of the others, in a matrix that has 1 where row and column are the same entry."""
    (a,), axis = node.args, node.attrs["axis"]
    shape = e.type(a).shape
    size = shape[axis]
    rest = shape[axis + 1 :]
    same = e.emit("reshape", e.emit("eye", **eye_attrs(size)), shape=(size, size, *(1,) * len(rest)))
    row = e.emit("reshape", a, shape=(*shape[:axis], 1, *shape[axis:]))
    wide = (*shape[:axis], size, *shape[axis:])
    left_out = e.full(e.pointwise(Select(ARG(0), 1, ARG(1)), same, row), wide)
    both = e.emit("prod_others", left_out, axis=axis + 1)
    upstream = e.emit("reshape", e.full(g, node.shape), shape=(*shape[:axis], 1, *shape[axis:]))
    terms = e.full(e.pointwise(Select(ARG(0), 0, ARG(1) * ARG(2)), same, upstream, both), wide)
    return [e.emit("sum", terms, **sum_attrs(len(wide), (axis + 1,)))]


def _others_numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Dim], str]) -> str:
    a, axis = args[0], attrs["axis"]

    def before(text: str) -> str:
        ones_first = f"np.insert({text}, 0, 1, axis={axis})"
        return f"np.delete(np.cumprod({ones_first}, axis={axis}), -1, axis={axis})"

    return f"{before(a)} * np.flip({before(f'np.flip({a}, {axis})')}, {axis})"


def _others_notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    if args[0].rank == 1:
        return style.call("prod_others", args[0])
    return style.call("prod_others", args[0], Piece(f"axis={attrs['axis']}", ATOM))


def _others_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    size, axis = np.moveaxis(args[0].size, attrs["axis"], 0), attrs["axis"]
    rows = [np.prod(np.delete(size, i, axis=0), axis=0) for i in range(len(size))]
    return np.moveaxis(np.array(rows).reshape(size.shape), 0, axis)


PROD_OTHERS = Op(
    name="prod_others",
    infer=lambda args, attrs: Type(args[0].shape),
    vjp=_others_vjp,
    define=_others_define,
    numpy=_others_numpy,
    notation=_others_notation,
    magnitude=_others_magnitude,
    roundings=lambda shapes, attrs: shapes[0][attrs["axis"]] + 1,
    rule="oᵢ = Π a_j over j ≠ i  ⇒  ā_k = Σ ōᵢ Π a_j over j ≠ i, k, summed over i ≠ k",
    why=("every other entry's product contains this one, multiplied by what is left of it",),
    source="product rule",
    examples=(
        Example((("n",),), {"axis": 0}),
        Example((("n", "d"),), {"axis": 0}),
        Example((("n", "d"),), {"axis": 1}),
    ),
    stack=lambda e, node, args, stacked: e.emit("prod_others", args[0], axis=node.attrs["axis"] + 1),
)
