"""Summing over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

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
    shape, axes = args[0].shape, attrs["axes"]
    if attrs["keepdims"]:
        return Type(tuple(1 if i in axes else d for i, d in enumerate(shape)))
    return Type(tuple(d for i, d in enumerate(shape) if i not in axes))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    shape, axes = e.type(node.args[0]).shape, node.attrs["axes"]
    if not node.attrs["keepdims"] and len(axes) < len(shape) and axes != tuple(range(len(axes))):
        # Leading axes come back by broadcasting alone; others need their place.
        g = e.emit("reshape", e.full(g, node.shape), shape=_kept(shape, axes))
    return [g]


def _kept(shape: Sequence[object], axes: Sequence[int]) -> tuple[object, ...]:
    return tuple(1 if i in axes else d for i, d in enumerate(shape))


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    shape, axes = args[0].shape, attrs["axes"]
    rank = len(out.shape)
    index, reduced, kept = [], 0, 0
    for i in range(len(shape)):
        if i in axes:
            index.append(INDEX(rank + reduced))
            reduced += 1
            kept += bool(attrs["keepdims"])
        else:
            index.append(INDEX(kept))
            kept += 1
    return Definition(rank, (Access(0, tuple(index)),), ARG(0), tuple(shape[i] for i in axes))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    axes = attrs["axes"]
    options = []
    if not attrs["total"]:
        options.append(f"axis={axes[0] if len(axes) == 1 else tuple(axes)}")
    if attrs["keepdims"]:
        options.append("keepdims=True")
    return f"np.sum({', '.join([args[0], *options])})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.total(args[0], None if attrs["total"] else tuple(attrs["axes"]), attrs["keepdims"])


def sum_attrs(rank: int, axes: Sequence[int], keepdims: bool = False) -> dict[str, object]:
    """The attributes of a sum over these axes of an array of this rank."""
    return {"axes": tuple(sorted(axes)), "keepdims": keepdims, "total": len(axes) == rank}


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    axes = [i + 1 for i in node.attrs["axes"]]
    return e.emit("sum", args[0], **sum_attrs(len(e.type(args[0]).shape), axes, node.attrs["keepdims"]))


SUM = Op(
    name="sum",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=lambda args, attrs, out: args[0].size.sum(
        axis=tuple(attrs["axes"]), keepdims=attrs["keepdims"]
    ),
    roundings=lambda shapes, attrs: prod(shapes[0][i] for i in attrs["axes"]),
    rule="s = Σ A  ⇒  Ā = s̄ for every entry summed",
    why=("every summand counts once, so each receives the adjoint of the sum",),
    stack=_stack,
    source="linearity; Petersen and Pedersen (2012), The Matrix Cookbook, eq. 33–36",
    examples=(
        Example((("n", "d"),), sum_attrs(2, (0, 1))),
        Example((("n", "d"),), sum_attrs(2, (0,))),
        Example((("n", "d"),), sum_attrs(2, (1,))),
        Example((("n", "d"),), sum_attrs(2, (1,), keepdims=True)),
        Example((("n",),), sum_attrs(1, (0,))),
        Example((("n", "d", "k"),), sum_attrs(3, (0, 2))),
    ),
)
