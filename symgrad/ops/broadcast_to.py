"""Repeating an array along new axes or axes of size 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.ops.dims import broadcast, format_shape
from symgrad.ops.pointwise import aligned
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


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = tuple(attrs["shape"])
    if broadcast([args[0].shape, shape], "broadcast_to") != shape:
        raise ShapeError(
            "The array has more entries than the shape it shall broadcast to.",
            where="broadcast_to",
            expected=format_shape(shape),
            got=format_shape(args[0].shape),
        )
    return Type(shape, args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.sum_to(g, node.shape, e.type(node.args[0]).shape)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank, shape = len(out.shape), args[0].shape
    shift = rank - len(shape)
    index = tuple(0 if d == 1 else INDEX(shift + i) for i, d in enumerate(shape))
    return Definition(rank, (Access(0, index),), ARG(0))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    inner = ", ".join(dim(d) for d in attrs["shape"])
    return f"np.broadcast_to({args[0]}, ({inner},))"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.spread(args[0], attrs["shape"])


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return np.broadcast_to(args[0].size, np.shape(out))


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    placed = aligned(e, args[0], len(node.shape))
    return e.emit("broadcast_to", placed, shape=(e.type(placed).shape[0], *node.shape))


BROADCAST_TO = Op(
    name="broadcast_to",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = A repeated  ⇒  Ā = Σ C̄ over the repetitions",
    why=("a repeated entry acts in many places, so its adjoints are summed over them",),
    stack=_stack,
    source="linearity (the transpose of repeating is summing)",
    examples=(
        Example((("d",),), {"shape": ("n", "d")}),
        Example((("n", 1),), {"shape": ("n", "d")}),
        Example(((),), {"shape": ("n", "d")}),
    ),
)
