"""Permuting axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.ops.record import (
    ARG,
    INDEX,
    Access,
    Attrs,
    Definition,
    Emitter,
    Example,
    Node,
    Notation,
    Op,
    Piece,
    Type,
)


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    (a,), axes = args, attrs["axes"]
    if sorted(axes) != list(range(len(a.shape))):
        raise ShapeError(
            "transpose takes each axis once.",
            where="transpose",
            expected=f"a permutation of the axes of {format_shape(a.shape)}",
            got=axes,
        )
    return Type(tuple(a.shape[i] for i in axes), a.kind)


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    g = e.full(g, node.shape)
    return [e.emit("transpose", g, axes=_inverse(node.attrs["axes"]))]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    inverse = _inverse(attrs["axes"])
    return Definition(len(out.shape), (Access(0, tuple(INDEX(i) for i in inverse)),), ARG(0))


def swaps_last(axes: Sequence[int]) -> bool:
    """Whether each matrix of a stack is transposed, and nothing else."""
    rank = len(axes)
    return rank > 1 and tuple(axes) == (*range(rank - 2), rank - 1, rank - 2)


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    if tuple(attrs["axes"]) == (1, 0):
        return f"{args[0]}.T"
    return f"np.transpose({args[0]}, {tuple(attrs['axes'])})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    if swaps_last(attrs["axes"]):  # each matrix of a stack
        return style.transpose(args[0])
    return style.call("transpose", args[0])


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("transpose", args[0], axes=(0, *(i + 1 for i in node.attrs["axes"])))


TRANSPOSE = Op(
    name="transpose",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=lambda args, attrs, out: args[0].size.transpose(attrs["axes"]),
    roundings=lambda shapes, attrs: 0,
    rule="C = Aᵀ  ⇒  Ā = C̄ᵀ",
    why=("moving entries moves their adjoints back the same way",),
    stack=_stack,
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 44",
    examples=(Example((("n", "d"),), {"axes": (1, 0)}), Example((("n", "d", "k"),), {"axes": (2, 0, 1)})),
)
