"""The inverse of each matrix of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.ops.record import ARG, Attrs, Condition, Emitter, Example, Magnitude, Node, Op, Type, Whole
from symgrad.ops.squares import (
    each_matrix,
    exact_inverse,
    inverse_grows,
    pivoted,
    same_on_stack,
    square,
    square_roundings,
    swapped,
)


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    return Type(square(args[0].shape, "inverse"))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    turned = swapped(e, node.name)
    inner = e.emit("matmul", turned, e.full(g, node.shape))
    return [e.pointwise(-ARG(0), e.emit("matmul", inner, turned))]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    return Whole(lambda a: each_matrix(a, exact_inverse, a.shape[-2:]))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    inverse = np.abs(np.asarray(out))  # a condition number entry by entry: Higham (2002), section 14.1
    return inverse @ pivoted(args[0].size) @ inverse + inverse


def _sympy(args: Sequence[Any], shapes: Sequence[Any], attrs: Attrs, out: Any) -> Any:
    return args[0].inverse() if hasattr(args[0], "inverse") else args[0] ** -1


INVERSE = Op(
    name="inverse",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.linalg.inv({args[0]})",
    notation=lambda style, args, attrs: style.inverse(args[0]),
    magnitude=_magnitude,
    roundings=square_roundings,
    condition=Condition("its entrywise condition number |A⁻¹||A||A⁻¹|", inverse_grows),
    rule="C = A⁻¹  ⇒  Ā = −CᵀC̄Cᵀ",
    why=("AC = I stays so, hence dC = −C dA C, and C̄ goes back between the transposes of both C",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 59 and the rule after eq. 64; Giles (2008), An "
    "extended collection of matrix derivative results (inverse); Magnus and Neudecker (2019), ch. 8, section 4",
    examples=(
        Example((("n", "n"),), domains=("invertible",)),
        Example((("d", "n", "n"),), domains=("invertible",)),
    ),
    stack=same_on_stack("inverse"),
    sympy=_sympy,
)
