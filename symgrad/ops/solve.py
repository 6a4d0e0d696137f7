"""The solution of linear equations, for one right side or several, and for stacks of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.ops import sympy_forms
from symgrad.ops.dims import broadcast, format_shape, same
from symgrad.ops.pointwise import aligned
from symgrad.ops.record import (
    ARG,
    Attrs,
    Condition,
    Emitter,
    Example,
    Magnitude,
    Node,
    Notation,
    Op,
    Piece,
    Type,
    Whole,
)
from symgrad.ops.squares import exact_inverse, inverse_grows, pivoted, square, square_roundings, swapped


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    a, b = args[0].shape, args[1].shape
    square(a, "solve")
    size = b[-2:][0] if b else 1
    if not b or not same(a[-1], size):
        error = ShapeError(
            "The right side of solve does not fit the matrix.",
            where="solve",
            expected=f"({a[-1]},) or (…, {a[-1]}, k)",
            got=format_shape(b),
            fix="a stack of vectors needs an axis of size 1 at the end: b[..., None]" if len(b) > 1 else None,
        )
        error.clash = (a[-1], size)
        raise error
    if len(b) == 1:
        return Type((*a[:-2], b[0]))
    return Type((*broadcast([a[:-2], b[:-2]], "solve"), *b[-2:]))


def _columns(e: Emitter, b: str) -> str:
    """Vectors as matrices of one column."""
    return e.emit("reshape", b, shape=(*e.type(b).shape, 1))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, b = node.args
    shape_a, shape_b = e.type(a).shape, e.type(b).shape
    g, turned = e.full(g, node.shape), swapped(e, a)
    if len(shape_b) > 1:
        flowing = e.emit("solve", turned, g)
        product = e.emit("matmul", flowing, swapped(e, node.name))
        stack = node.shape[:-2]
    elif len(shape_a) == 2:
        flowing = e.emit("solve", turned, g)
        return [e.pointwise(-ARG(0), e.emit("outer", flowing, node.name)), flowing]
    else:  # one vector for a stack of matrices
        column = e.emit("solve", turned, _columns(e, g))
        flowing = e.emit("reshape", column, shape=node.shape)
        row = e.emit("reshape", node.name, shape=(*node.shape[:-1], 1, node.shape[-1]))
        product = e.pointwise(ARG(0) * ARG(1), column, row)
        stack = node.shape[:-1]
    minus = e.pointwise(-ARG(0), product)
    return [
        e.sum_to(minus, (*stack, *shape_a[-2:]), shape_a),
        e.sum_to(flowing, node.shape, shape_b),
    ]


def _exactly(a: Any, b: Any) -> Any:
    import numpy as np

    vector = b.ndim == 1
    right = b[:, None] if vector else b
    lead = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    a = np.broadcast_to(a, (*lead, *a.shape[-2:]))
    right = np.broadcast_to(right, (*lead, *right.shape[-2:]))
    out = np.empty(right.shape, dtype=object)
    for at in np.ndindex(*lead):
        out[at] = exact_inverse(a[at]) @ right[at] if right[at].size else right[at]
    return out[..., 0] if vector else out


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    return Whole(_exactly)


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.matmul(style.inverse(args[0]), args[1])


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    a, b = args
    inverse, value = np.abs(np.linalg.inv(a.value)), np.abs(np.asarray(out))
    vector = np.ndim(b.value) == 1
    right, found = (b.size[:, None], value[..., None]) if vector else (b.size, value)
    size = inverse @ (pivoted(a.size) @ found + right)  # Higham (2002), section 7.2
    return (size[..., 0] if vector else size) + value


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    a, b = args
    rank_a, rank_b = (len(e.type(n).shape) - s for n, s in zip(args, stacked, strict=True))
    size = e.type(args[stacked.index(True)]).shape[0]
    if rank_b == 1 and not stacked[1]:
        return e.emit("solve", a, b)
    if rank_b == 1:
        b, rank_b = _columns(e, b), 2
    most = max(rank_a, rank_b)
    a, b = (aligned(e, n, most) if s else n for n, s in zip((a, b), stacked, strict=True))
    return e.emit("reshape", e.emit("solve", a, b), shape=(size, *node.shape))


def _sympy(args: Sequence[Any], shapes: Sequence[Any], attrs: Attrs, out: Any) -> Any:
    return sympy_forms.times(args[0].inverse(), args[1])


_RULES = ("x = A⁻¹b  ⇒  Ā = −b̄xᵀ with b̄ = A⁻ᵀx̄", "x = A⁻¹b  ⇒  b̄ = A⁻ᵀx̄")
_WHY = (
    "a change of A acts like the change −dA x of the right side, so Ā is −b̄ against x",
    "x depends linearly on b through A⁻¹, so the adjoint goes back through its transpose: one more solve",
)
_PAIR = ("invertible", "real")

SOLVE = Op(
    name="solve",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.linalg.solve({args[0]}, {args[1]})",
    notation=_notation,
    magnitude=_magnitude,
    roundings=square_roundings,
    condition=Condition("its entrywise condition number |A⁻¹|(|A||x| + |b|)", inverse_grows),
    rule="X = A⁻¹B  ⇒  B̄ = A⁻ᵀX̄,  Ā = −B̄Xᵀ",
    why=_WHY,
    explain=lambda attrs, position, broadcast: (_RULES[position], _WHY[position]),
    source="Giles (2008), An extended collection of matrix derivative results (matrix inverse product); "
    "Petersen and Pedersen (2012), The Matrix Cookbook, eq. 61",
    examples=(
        Example((("n", "n"), ("n",)), domains=_PAIR),
        Example((("n", "n"), ("n", "d")), domains=_PAIR),
        Example((("d", "n", "n"), ("n",)), domains=_PAIR),
        Example((("d", "n", "n"), ("n", 2)), domains=_PAIR),
        Example((("n", "n"), ("d", "n", 2)), domains=_PAIR),
        Example((("n", "n"), ("n", "n")), domains=_PAIR),
    ),
    stack=_stack,
    sympy=_sympy,
)
