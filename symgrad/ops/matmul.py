"""The matrix product with NumPy's meaning for vectors, matrices, and stacks of matrices that broadcast."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Shape, broadcast, format_shape, same
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
from symgrad.ops.squares import swapped


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    a, b = args[0].shape, args[1].shape
    if not a or not b:
        raise ShapeError(
            "matmul takes vectors and matrices, not scalars.",
            where="matmul",
            got=f"{format_shape(a)} @ {format_shape(b)}",
            fix="multiply by a scalar with *",
        )
    if all(t.kind == "bool" for t in args):
        raise UnsupportedError(
            "The product of two arrays of truth values is no sum: NumPy answers True or False.",
            where="matmul",
            fix="multiply one of them by 1.0",
        )
    left, right = a[-1], b[-2:][0]
    if not same(left, right):
        error = ShapeError(
            f"The inner dimensions of matmul differ: {left} and {right}.",
            where="matmul",
            expected=f"{format_shape((*a[:-1], 'k'))} @ {format_shape((*b[:-2], 'k', *b[1:][-1:]))}",
            got=f"{format_shape(a)} @ {format_shape(b)}",
            fix="transpose one side (.T), or give equal sizes the same name in shapes",
        )
        error.clash = (left, right)
        raise error
    return Type((*broadcast([a[:-2], b[:-2]], "matmul"), *a[-2:-1], *(b[-1:] if len(b) > 1 else ())))


def _reshaped(e: Emitter, a: str, shape: Sequence[object]) -> str:
    return e.emit("reshape", a, shape=tuple(shape))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, b = node.args
    rank_a, rank_b = len(e.type(a).shape), len(e.type(b).shape)
    if rank_a == 1 and rank_b == 1:
        return [e.pointwise(ARG(0) * ARG(1), g, b), e.pointwise(ARG(0) * ARG(1), g, a)]
    g = e.full(g, node.shape)
    if max(rank_a, rank_b) > 2:
        return _stacks_vjp(e, node, g)
    if rank_b == 1:
        return [e.emit("outer", g, b), e.emit("matmul", e.emit("transpose", a, axes=(1, 0)), g)]
    if rank_a == 1:
        return [e.emit("matmul", b, g), e.emit("outer", a, g)]
    return [
        e.emit("matmul", g, e.emit("transpose", b, axes=(1, 0))),
        e.emit("matmul", e.emit("transpose", a, axes=(1, 0)), g),
    ]


def _stacks_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    """Vectors become matrices with an axis of size 1; axes that were broadcast are summed over."""
    a, b = node.args
    shape_a, shape_b = e.type(a).shape, e.type(b).shape
    stack = broadcast([shape_a[:-2], shape_b[:-2]], "matmul")
    if len(shape_a) == 1:
        left = _reshaped(e, e.emit("matmul", b, _reshaped(e, g, (*node.shape, 1))), (*stack, shape_a[0]))
        column, row = _reshaped(e, a, (*shape_a, 1)), _reshaped(e, g, (*stack, 1, shape_b[-1]))
        right = e.pointwise(ARG(0) * ARG(1), column, row)
        return [e.sum_to(left, (*stack, *shape_a), shape_a), right]
    if len(shape_b) == 1:
        column = _reshaped(e, g, (*node.shape, 1))
        left = e.pointwise(ARG(0) * ARG(1), column, b)
        right = _reshaped(e, e.emit("matmul", swapped(e, a), column), (*stack, shape_b[0]))
        return [left, e.sum_to(right, (*stack, *shape_b), shape_b)]
    left = e.emit("matmul", g, swapped(e, b))
    right = e.emit("matmul", swapped(e, a), g)
    return [
        e.sum_to(left, (*stack, *shape_a[-2:]), shape_a),
        e.sum_to(right, (*stack, *shape_b[-2:]), shape_b),
    ]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    a, b = args[0].shape, args[1].shape
    rank, last = len(out.shape), int(len(b) > 1)
    k = INDEX(rank)
    stack = rank - last - int(len(a) > 1)

    def leading(shape: Shape) -> tuple[object, ...]:
        first = stack - len(shape[:-2])
        return tuple(0 if d == 1 else INDEX(first + i) for i, d in enumerate(shape[:-2]))

    a_index = (*leading(a), INDEX(stack), k) if len(a) > 1 else (k,)
    b_index = (*leading(b), k, INDEX(rank - 1)) if len(b) > 1 else (k,)
    return Definition(rank, (Access(0, a_index), Access(1, b_index)), ARG(0) * ARG(1), (args[0].shape[-1],))


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    a, b = args
    if a.rank == 1:  # vectors are columns on paper
        return style.inner(a, b) if b.rank == 1 else style.matmul(style.transpose(b), a)
    return style.matmul(a, b)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: object) -> object:
    return args[0].size @ args[1].size


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    a, b = args
    rank_a, rank_b = (len(e.type(n).shape) - s for n, s in zip(args, stacked, strict=True))
    if rank_a == rank_b == 1 and all(stacked):
        product = e.emit("pointwise", a, b, fn=ARG(0) * ARG(1))
        return e.emit("sum", product, axes=(1,), keepdims=False, total=False)
    if stacked[1] and not stacked[0] and rank_b == 1 and rank_a <= 2:
        return e.emit("matmul", b, a if rank_a == 1 else swapped(e, a))
    if stacked[0] and not stacked[1] and rank_b <= 2:
        return e.emit("matmul", a, b)
    if stacked[1] and not stacked[0] and rank_b > 1 and rank_a <= 2:
        return e.emit("matmul", a, b)
    # In general: vectors as matrices, and as many axes behind the new one on either side.
    size = e.type(args[stacked.index(True)]).shape[0]
    most = max(rank_a, rank_b, 2)
    left = _matrices(e, a, stacked[0], most, column=False)
    right = _matrices(e, b, stacked[1], most, column=True)
    return _reshaped(e, e.emit("matmul", left, right), (size, *node.shape))


def _matrices(e: Emitter, a: str, stacked: bool, rank: int, column: bool) -> str:
    """``a`` with ``rank`` axes, behind the stack's axis where it has one."""
    shape = e.type(a).shape
    front, own = (shape[:1], shape[1:]) if stacked else ((), shape)
    if len(own) == 1:
        own = (*own, 1) if column else (1, *own)
    if stacked:
        own = (*(1,) * (rank - len(own)), *own)
    return _reshaped(e, a, (*front, *own))


_RULES = ("C = AB  ⇒  Ā = C̄Bᵀ", "C = AB  ⇒  B̄ = AᵀC̄")
_WHY = (
    "row i of A makes row i of C, so row i of C̄ flows back to it through Bᵀ, which stands behind",
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
    source="Giles (2008), An extended collection of matrix derivative results (multiplication); Goodfellow, Bengio and "
    "Courville (2016), Deep Learning, 6.5.6; derived from Petersen and Pedersen (2012), The Matrix Cookbook, eq. 37",
    examples=(
        Example((("n", "d"), ("d", "k"))),
        Example((("n", "d"), ("d",))),
        Example((("d",), ("d", "k"))),
        Example((("d",), ("d",))),
        Example((("n", "n"), ("n", 1))),
        Example((("k", "n", "d"), ("k", "d", "n"))),
        Example((("k", "n", "d"), ("d", "n"))),
        Example((("n", "d"), ("k", "d", 2))),
        Example((("k", "n", "d"), ("d",))),
        Example((("d",), ("k", "d", "n"))),
        Example((("k", 1, "n", "d"), (2, "d", 1))),
        Example((("n", "n", "n"), (1, "n", "n"))),
    ),
    stack=_stack,
)
