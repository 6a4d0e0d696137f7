"""The Moore–Penrose inverse of each matrix of a stack, where a small change leaves the rank as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.ops.record import ARG, Attrs, Condition, Emitter, Example, Magnitude, Node, Op, Type, Whole
from symgrad.ops.squares import each_matrix, exact_inverse, same_on_stack, swapped


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = args[0].shape
    if len(shape) < 2:
        raise ShapeError("pinv takes a matrix.", where="pinv", expected="(n, m)", got=format_shape(shape))
    return Type((*shape[:-2], shape[-1], shape[-2]))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, p = node.args[0], node.name

    def times(*factors: str) -> str:
        product = factors[0]
        for f in factors[1:]:
            product = e.emit("matmul", product, f)
        return product

    g = e.full(g, node.shape)
    turned, back = swapped(e, p), swapped(e, g)
    first = times(turned, g, turned)
    second = times(back, p, turned)
    third = times(turned, p, back)
    outside = e.pointwise(ARG(0) - ARG(1), second, times(a, p, second))
    inside = e.pointwise(ARG(0) - ARG(1), third, times(third, p, a))
    return [e.pointwise(ARG(1) + ARG(2) - ARG(0), first, outside, inside)]


def _exactly(m: Any) -> Any:
    """By the normal equations, for full rank."""
    rows, columns = m.shape
    if not rows or not columns:
        return m.T
    return exact_inverse(m.T.dot(m)).dot(m.T) if rows >= columns else m.T.dot(exact_inverse(m.dot(m.T)))


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    return Whole(lambda a: each_matrix(a, _exactly, (a.shape[-1], a.shape[-2])))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    # ‖dP‖ ≤ √2 ‖P‖² ‖dA‖: Wedin (1973), Perturbation theory for pseudo-inverses, theorem 4.1
    inverse = np.abs(np.asarray(out))
    norms = (inverse**2).sum(axis=(-2, -1)) * args[0].size.sum(axis=(-2, -1))
    return inverse + 2 * norms[..., None, None]


def _grows(args: Sequence[Magnitude], attrs: Attrs) -> Any:
    import numpy as np

    inverse = np.abs(np.linalg.pinv(args[0].value))
    return inverse.sum(axis=(-2, -1)) * args[0].size.sum(axis=(-2, -1))


PINV = Op(
    name="pinv",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.linalg.pinv({args[0]})",
    notation=lambda style, args, attrs: style.call("pinv", args[0]),
    magnitude=_magnitude,
    condition=Condition("the squared norm of the pseudo-inverse", _grows),
    roundings=lambda shapes, attrs: 3 * (shapes[0][-1] + shapes[0][-2]),
    rule="P = A⁺  ⇒  Ā = −PᵀP̄Pᵀ + (I − AP) P̄ᵀPPᵀ + PᵀPP̄ᵀ (I − PA)",
    why=(
        "of a matrix that keeps its rank, A⁺ changes as an inverse, and by what turns its range and kernel",
    ),
    source="Golub and Pereyra (1973), The differentiation of pseudo-inverses and nonlinear least squares problems "
    "whose variables separate; Magnus and Neudecker (2019), ch. 8, section 5",
    examples=(
        Example((("n", "d"),)),
        Example((("n", "n"),)),
        Example((("d", "n", 1),)),
    ),
    stack=same_on_stack("pinv"),
)
