"""The outer product of two vectors."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.ops.record import ARG, INDEX, Access, Attrs, Definition, Emitter, Example, Node, Op, Type


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    a, b = args[0].shape, args[1].shape
    if len(a) != 1 or len(b) != 1:
        raise ShapeError(
            "outer takes two vectors.",
            where="outer",
            expected="(n,) and (d,)",
            got=f"{format_shape(a)} and {format_shape(b)}",
        )
    return Type((*a, *b))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, b = node.args
    g = e.full(g, node.shape)
    return [e.emit("matmul", g, b), e.emit("matmul", e.emit("transpose", g, axes=(1, 0)), a)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    return Definition(2, (Access(0, (INDEX(0),)), Access(1, (INDEX(1),))), ARG(0) * ARG(1))


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    a, b = args
    column = e.emit("reshape", a, shape=(*e.type(a).shape, 1))
    if stacked[1]:
        m, d = e.type(b).shape
        b = e.emit("reshape", b, shape=(m, 1, d))
    return e.emit("pointwise", column, b, fn=ARG(0) * ARG(1))


OUTER = Op(
    name="outer",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.outer({args[0]}, {args[1]})",
    notation=lambda style, args, attrs: style.outer(args[0], args[1]),
    magnitude=lambda args, attrs, out: args[0].size[:, None] * args[1].size[None, :],
    roundings=lambda shapes, attrs: 1,
    rule="C = abᵀ  ⇒  ā = C̄b,  b̄ = C̄ᵀa",
    why=(
        "entry i of a fills row i of C, so row i of C̄ is summed against b",
        "entry j of b fills column j of C, so column j of C̄ is summed against a",
    ),
    stack=_stack,
    source="derived from Petersen and Pedersen (2012), The Matrix Cookbook, eq. 69: ⟨C̄, abᵀ⟩ is aᵀC̄b",
    examples=(Example((("n",), ("d",))), Example((("n",), ("n",)))),
)
