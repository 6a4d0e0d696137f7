"""Summing over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from symgrad.ops.record import (
    ARG,
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
from symgrad.ops.reduction import entry_index, options, reduced_shape, reduced_sizes, spread, stacking


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    """Whole numbers and truth values have whole sums, which may be indices."""
    return Type(reduced_shape(args[0].shape, attrs), "real" if args[0].kind == "real" else "int")


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [spread(e, g, e.type(node.args[0]).shape, node.attrs)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    shape = args[0].shape
    access = Access(0, entry_index(len(shape), attrs))
    return Definition(len(out.shape), (access,), ARG(0), reduced_sizes(shape, attrs))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    return f"np.sum({args[0]}{options(attrs)})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.total(args[0], None if attrs["total"] else tuple(attrs["axes"]), attrs["keepdims"])


def sum_attrs(rank: int, axes: Sequence[int], keepdims: bool = False) -> dict[str, object]:
    """The attributes of a sum over these axes of an array of this rank."""
    return {"axes": tuple(sorted(axes)), "keepdims": keepdims, "total": len(axes) == rank}


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
    stack=stacking("sum"),
    source="linearity; Petersen and Pedersen (2012), The Matrix Cookbook, eq. 35",
    examples=(
        Example((("n", "d"),), sum_attrs(2, (0, 1))),
        Example((("n", "d"),), sum_attrs(2, (0,))),
        Example((("n", "d"),), sum_attrs(2, (1,))),
        Example((("n", "d"),), sum_attrs(2, (1,), keepdims=True)),
        Example((("n",),), sum_attrs(1, (0,))),
        Example((("n", "d", "k"),), sum_attrs(3, (0, 2))),
    ),
)
