"""A whole power, two or higher, of each matrix of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from symgrad.ops.record import ARG, Attrs, Emitter, Example, Magnitude, Node, Op, Type, Whole
from symgrad.ops.squares import same_on_stack, square, swapped


def _power(e: Emitter, a: str, p: int) -> str:
    return a if p == 1 else e.emit("matrix_power", a, p=p)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, p = node.args[0], node.attrs["p"]
    g = e.full(g, node.shape)
    turned = swapped(e, a)
    terms = []
    for before in range(p):
        term = g
        if before:
            term = e.emit("matmul", _power(e, turned, before), term)
        if p - 1 - before:
            term = e.emit("matmul", term, _power(e, turned, p - 1 - before))
        terms.append(term)
    return [reduce(lambda x, y: e.pointwise(ARG(0) + ARG(1), x, y), terms)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    # One factor after the other; NumPy squares.
    return Whole(lambda a: reduce(lambda x, y: x @ y, [a] * attrs["p"]))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return np.linalg.matrix_power(args[0].size, attrs["p"])


MATRIX_POWER = Op(
    name="matrix_power",
    infer=lambda args, attrs: Type(square(args[0].shape, "matrix_power")),
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.linalg.matrix_power({args[0]}, {attrs['p']})",
    notation=lambda style, args, attrs: style.matrix_power(args[0], attrs["p"]),
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: attrs["p"] * shapes[0][-1],
    rule="C = A^p  ⇒  Ā = Σ (Aᵀ)^r C̄ (Aᵀ)^(p−1−r) over r = 0 … p − 1",
    why=("the product rule: each of the p factors is varied in turn, with the powers beside it transposed",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 90–91; Giles (2008), An extended "
    "collection of matrix derivative results (matrix polynomials)",
    examples=(
        Example((("n", "n"),), {"p": 2}),
        Example((("n", "n"),), {"p": 3}),
        Example((("d", "n", "n"),), {"p": 4}),
    ),
    stack=same_on_stack("matrix_power"),
    sympy=lambda args, shapes, attrs, out: args[0] ** attrs["p"],
)
