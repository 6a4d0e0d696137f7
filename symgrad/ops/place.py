"""An array of zeros with the argument in a regular part of it: the transpose of slicing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Shape, dim_symbol, format_shape
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
from symgrad.ops.scalars.printer import ATOM
from symgrad.ops.slice import access_index, as_expr, key, part_shape, region_text, shown, stacked_attrs

INTO_ZEROS = '''def into_zeros(shape, index, values):
    """Zeros to which the values are added at the index; repeated entries add up."""
    out = np.zeros(shape, np.result_type(values))
    np.add.at(out, index, values)
    return out
'''
"""A function that the NumPy source of additions at an index calls; NumPy has it as a statement only."""


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    if args[0].shape != part_shape(attrs):
        raise ShapeError(
            "The array does not fill the region.",
            where="place",
            expected=format_shape(part_shape(attrs)),
            got=format_shape(args[0].shape),
        )
    return Type(tuple(attrs["shape"]), args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.emit("slice", e.full(g, node.shape), **node.attrs)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank, own_rank = len(out.shape), len(args[0].shape)
    fn = ARG(0)
    for i, at in enumerate(access_index(attrs, rank)):
        fn = fn * Equal(INDEX(i), as_expr(at))
    index = tuple(INDEX(rank + i) for i in range(own_rank))
    own = tuple(INDEX(i) for i in range(own_rank))
    part = Part(args[0].shape, (Access(0, own),), access_index(attrs))
    return Definition(rank, (Access(0, index),), fn, args[0].shape, parts=(part,))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    shape = attrs["shape"]
    if attrs["drop"] or any(s != 1 for s in attrs["step"]):
        inner = ", ".join(dim(d) for d in shape)
        index = region_text(attrs, shape, dim)
        return f"into_zeros(({inner}{',' * (len(shape) == 1)}), np.s_[{index}], {args[0]})"
    widths = []
    for of, start, size in zip(shape, attrs["start"], attrs["size"], strict=True):
        after = as_expr(of) - as_expr(start) - as_expr(size)
        widths.append(f"({dim(as_expr(start))}, {dim(sympy.expand(after))})")
    inner = widths[0] if len(widths) == 1 else f"({', '.join(widths)})"
    return f"np.pad({args[0]}, {inner})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    index = region_text(attrs, attrs["shape"], shown(style))
    piece = style.call("place", args[0], Piece(f"[{index}]", ATOM))
    return Piece(piece.text, piece.strength, len(attrs["shape"]))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    size = np.zeros(np.shape(out))
    size[key(attrs)] = args[0].size
    return size


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    count = e.type(args[0]).shape[0]
    shape = (count, *node.attrs["shape"])
    return e.emit("place", args[0], shape=shape, **stacked_attrs(node.attrs, count))


_N, _D = dim_symbol("n"), dim_symbol("d")


def _example(of: Shape, start: Any, step: Any, size: Any, drop: Any = ()) -> Example:
    attrs = {"shape": of, "start": start, "step": step, "size": size, "drop": drop}
    return Example((part_shape(attrs),), attrs)


PLACE = Op(
    name="place",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = 0 outside a region, A in it  ⇒  Ā = C̄[region]",
    why=("the argument acts inside the region only, so it reads the adjoint there",),
    source="linearity (the transpose of padding with zeros is cutting out)",
    examples=(
        _example((_N + 1,), (1,), (1,), (_N,)),
        _example((_N, 4), (0, 1), (1, 1), (_N, 2)),
        _example((3, _N), (1, _N - 1), (1, -1), (1, _N), (0,)),
        _example((_N, 7), (0, 5), (1, -2), (_N, 3)),
        _example((4,), (2,), (1,), (1,), (0,)),
    ),
    stack=_stack,
    imports=(INTO_ZEROS,),
)
