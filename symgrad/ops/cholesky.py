"""The Cholesky factor of each matrix of a stack.

NumPy reads the lower triangle only, so the gradient is by the entries of that triangle: an entry below the
diagonal counts for its mirror image too, and those above get 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.ops.record import ARG, Attrs, Condition, Emitter, Example, Magnitude, Node, Op, Type, Whole
from symgrad.ops.squares import each_matrix, inverse_grows, same_on_stack, square, square_roundings, swapped


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    # S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹ through two solves with Lᵀ, then both triangles of S on the lower one.
    upper = swapped(e, node.name)
    inner = e.emit("half_triangle", e.emit("matmul", upper, e.full(g, node.shape)))
    left = e.emit("solve", upper, inner)
    s = swapped(e, e.emit("solve", upper, swapped(e, left)))
    return [e.emit("half_triangle", e.pointwise(ARG(0) + ARG(1), s, swapped(e, s)))]


def _exactly(m: Any) -> Any:
    """Entry by entry from A = LLᵀ."""
    import numpy as np

    n = m.shape[0]
    out = np.full((n, n), sympy.Integer(0), dtype=object)
    for j in range(n):
        out[j, j] = sympy.sqrt(m[j, j] - sum(out[j, k] ** 2 for k in range(j)))
        for i in range(j + 1, n):
            out[i, j] = (m[i, j] - sum(out[i, k] * out[j, k] for k in range(j))) / out[j, j]
    return out


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    return Whole(lambda a: each_matrix(a, _exactly, a.shape[-2:]))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    factor = np.asarray(out)  # |dL| ≤ |L| tril(|L⁻¹| |dA| |L⁻ᵀ|): Higham (2002), section 10.2
    inverse = np.abs(np.linalg.inv(factor))
    lower = np.tril(args[0].size)
    both = lower + np.swapaxes(np.tril(args[0].size, -1), -1, -2)
    moved = np.tril(inverse @ both @ np.swapaxes(inverse, -1, -2))
    return np.abs(factor) @ moved + np.abs(factor)


CHOLESKY = Op(
    name="cholesky",
    infer=lambda args, attrs: Type(square(args[0].shape, "cholesky")),
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"np.linalg.cholesky({args[0]})",
    notation=lambda style, args, attrs: style.call("chol", args[0]),
    magnitude=_magnitude,
    roundings=square_roundings,
    condition=Condition("its condition number, by Higham (2002), section 10.2", inverse_grows),
    rule="A = LLᵀ  ⇒  Ā = Φ(S + Sᵀ) with S = L⁻ᵀ Φ(LᵀL̄) L⁻¹, where Φ keeps the lower triangle, half the diagonal",
    why=("L stays lower triangular, so dL = L Φ(L⁻¹ dA L⁻ᵀ), and only A's lower triangle is read",),
    source="Murray (2016), Differentiation of the Cholesky decomposition (reverse mode); "
    "Smith (1995), Differentiation of the Cholesky algorithm",
    examples=(
        Example((("n", "n"),), domains=("spd",)),
        Example((("d", "n", "n"),), domains=("spd",)),
    ),
    stack=same_on_stack("cholesky"),
)
