"""Running sums along an axis, from the start or from the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

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
from symgrad.ops.scalars.functions import LessEqual, Select
from symgrad.ops.scalars.printer import ATOM


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    return Type(args[0].shape, "int" if args[0].kind == "bool" else args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    axis, reverse = node.attrs["axis"], node.attrs["reverse"]
    return [e.emit("cumsum", e.full(g, node.shape), axis=axis, reverse=not reverse)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    axis, rank = attrs["axis"], len(out.shape)
    here, there = INDEX(axis), INDEX(rank)
    counted = LessEqual(here, there) if attrs["reverse"] else LessEqual(there, here)
    index = tuple(there if i == axis else INDEX(i) for i in range(rank))
    return Definition(rank, (Access(0, index),), Select(counted, ARG(0), sympy.S.Zero), (out.shape[axis],))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    axis = attrs["axis"]
    if not attrs["reverse"]:
        return f"np.cumsum({args[0]}, axis={axis})"
    return f"np.flip(np.cumsum(np.flip({args[0]}, axis={axis}), axis={axis}), axis={axis})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    name = "revcumsum" if attrs["reverse"] else "cumsum"
    if args[0].rank == 1:
        return style.call(name, args[0])
    return style.call(name, args[0], Piece(f"axis={attrs['axis']}", ATOM))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    axis, size = attrs["axis"], args[0].size
    return np.flip(np.cumsum(np.flip(size, axis), axis), axis) if attrs["reverse"] else np.cumsum(size, axis)


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("cumsum", args[0], axis=node.attrs["axis"] + 1, reverse=node.attrs["reverse"])


CUMSUM = Op(
    name="cumsum",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: shapes[0][attrs["axis"]],
    rule="cᵢ = Σ_{j ≤ i} aⱼ  ⇒  āⱼ = Σ_{i ≥ j} c̄ᵢ",
    why=("an entry counts in its own running sum and in all later ones, so their adjoints are summed",),
    source="linearity (the transpose of a lower triangle of ones is the upper one)",
    examples=(
        Example((("n",),), {"axis": 0, "reverse": False}),
        Example((("n",),), {"axis": 0, "reverse": True}),
        Example((("n", "d"),), {"axis": 0, "reverse": True}),
        Example((("n", "d"),), {"axis": 1, "reverse": False}),
    ),
    stack=_stack,
)
