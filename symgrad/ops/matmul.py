"""The matrix product with NumPy's meaning for vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import format_shape, same
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
    a, b = args[0].shape, args[1].shape
    if not a or not b:
        raise ShapeError(
            "matmul takes vectors and matrices, not scalars.",
            where="matmul",
            got=f"{format_shape(a)} @ {format_shape(b)}",
            fix="multiply by a scalar with *",
        )
    if len(a) > 2 or len(b) > 2:
        raise UnsupportedError(
            "matmul of stacks of matrices has no rule yet.",
            where="matmul",
            expected="one or two axes on either side",
            got=f"{format_shape(a)} @ {format_shape(b)}",
        )
    left, right = a[-1], b[0]
    if not same(left, right):
        error = ShapeError(
            f"The inner dimensions of matmul differ: {left} and {right}.",
            where="matmul",
            expected=f"{format_shape((*a[:-1], 'k'))} @ {format_shape(('k', *b[1:]))}",
            got=f"{format_shape(a)} @ {format_shape(b)}",
            fix="transpose one side (.T), or give equal sizes the same name in shapes",
        )
        error.clash = (left, right)
        raise error
    return Type((*a[:-1], *b[1:]))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, b = node.args
    rank_a, rank_b = len(e.type(a).shape), len(e.type(b).shape)
    if rank_a == 1 and rank_b == 1:
        return [e.pointwise(ARG(0) * ARG(1), g, b), e.pointwise(ARG(0) * ARG(1), g, a)]
    g = e.full(g, node.shape)
    if rank_b == 1:
        return [e.emit("outer", g, b), e.emit("matmul", e.emit("transpose", a, axes=(1, 0)), g)]
    if rank_a == 1:
        return [e.emit("matmul", b, g), e.emit("outer", a, g)]
    return [
        e.emit("matmul", g, e.emit("transpose", b, axes=(1, 0))),
        e.emit("matmul", e.emit("transpose", a, axes=(1, 0)), g),
    ]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    k = INDEX(rank)
    a_index = (INDEX(0), k) if len(args[0].shape) == 2 else (k,)
    b_index = (k, INDEX(rank - 1)) if len(args[1].shape) == 2 else (k,)
    return Definition(rank, (Access(0, a_index), Access(1, b_index)), ARG(0) * ARG(1), (args[0].shape[-1],))


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    a, b = args
    if a.rank == 1:  # vectors are columns on paper
        return style.inner(a, b) if b.rank == 1 else style.matmul(style.transpose(b), a)
    return style.matmul(a, b)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: object) -> object:
    return args[0].size @ args[1].size


_RULES = ("C = AB  ⇒  Ā = C̄Bᵀ", "C = AB  ⇒  B̄ = AᵀC̄")
_WHY = (
    "row i of A meets every column of B, so its adjoint collects row i of C̄ against Bᵀ",
    "row k of B is weighted by column k of A, so Aᵀ stands in front and sums over the rows",
)

MATMUL = Op(
    name="matmul",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"{args[0]} @ {args[1]}",
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: shapes[0][-1],
    rule="C = AB  ⇒  Ā = C̄Bᵀ,  B̄ = AᵀC̄",
    why=_WHY,
    explain=lambda attrs, position, broadcast: (_RULES[position], _WHY[position]),
    source="Giles (2008), An extended collection of matrix derivative results, 2.1; Petersen and Pedersen "
    "(2012), The Matrix Cookbook, eq. 70–73",
    examples=(
        Example((("n", "d"), ("d", "k"))),
        Example((("n", "d"), ("d",))),
        Example((("d",), ("d", "k"))),
        Example((("d",), ("d",))),
        Example((("n", "n"), ("n", 1))),
    ),
)
