"""Matrix products as a reader would write them: without factors of ones and numbers."""

from __future__ import annotations

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder
from symgrad.render.matrices import product, symmetric, transposed
from symgrad.render.scalar_factors import split, times
from symgrad.render.scaled import ONE, Scaled, elementwise, filling, number


def multiplied(builder: Builder, b: Binding, left: str, right: str) -> Scaled:
    """The product of two cores, by the operation of ``b``."""
    for i, core in enumerate((left, right)):
        found = split(builder, core)
        if found is not None:
            inner = multiplied(builder, b, *((found[1], right) if i == 0 else (left, found[1])))
            whole = times(builder, found[0], inner.core, b.shape)
            return Scaled(inner.coefficient, whole)
    turned = _turned_inverse(builder, b, right)
    if turned is not None:  # a(A⁻¹b)ᵀ as abᵀA⁻ᵀ
        vector, matrix = turned
        dyad = multiplied(builder, b, left, vector)
        return Scaled(dyad.coefficient, builder.emit("matmul", dyad.core, matrix))
    # A number that fills a matrix stands in front of the product.
    factors = [n for n in (filling(builder, left), filling(builder, right)) if n is not None]
    if not factors:
        return _plain(builder, b, left, right)
    left, right = (
        a if filling(builder, a) is None else builder.full(builder.constant(1), builder.type(a).shape)
        for a in (left, right)
    )
    made = _plain(builder, b, left, right)
    fn = sympy.Mul(*(ARG(i) for i in range(len(factors) + 1)))
    return Scaled(made.coefficient, elementwise(builder, fn, [*factors, made.core], b.shape))


def _turned_inverse(builder: Builder, b: Binding, right: str) -> tuple[str, str] | None:
    """For the outer product with A⁻¹b the vector b and A⁻ᵀ."""
    product = builder.binding(right)
    if b.op != "outer" or product is None or product.op != "matmul":
        return None
    matrix, vector = product.args
    found = builder.binding(matrix)
    if len(builder.type(vector).shape) != 1 or found is None or len(found.shape) != 2:
        return None
    if found.op == "inverse":
        return vector, transposed(builder, matrix)
    inner = builder.binding(found.args[0]) if found.op == "transpose" else None
    return (vector, found.args[0]) if inner is not None and inner.op == "inverse" else None


def _plain(builder: Builder, b: Binding, left: str, right: str) -> Scaled:
    lefts, rights = builder.type(left).shape, builder.type(right).shape
    values = [builder.constant_value(left), builder.constant_value(right)]
    if 0 in values:
        return number(builder, 0, b.shape)
    if values == [1, 1]:
        return number(builder, lefts[-1] if b.op == "matmul" else 1, b.shape)
    if b.op == "matmul" and len(lefts) == 2 and len(rights) == 2:
        # A product with a 1×1 one is no product.
        if rights == (1, 1) and values[1] == 1:
            return Scaled(ONE, left)
        if lefts == (1, 1) and values[0] == 1:
            return Scaled(ONE, right)
    if b.op == "matmul" and len(lefts) == 1 and len(rights) == 2 and symmetric(builder, right):
        left, right, lefts, rights = right, left, rights, lefts
    inner = builder.binding(left)
    if b.op == "matmul" and len(lefts) == len(rights) == 1 and inner is not None and inner.op == "matmul":
        first, matrix = inner.args  # (xᵀA)y as xᵀ(Ay), which needs no transpose to be printed
        if symmetric(builder, first):
            first, matrix = matrix, first
        if len(builder.type(first).shape) == 1:
            return Scaled(ONE, builder.emit("matmul", first, builder.emit("matmul", matrix, right)))
    if b.op == "matmul" and len(lefts) <= 2 and len(rights) <= 2:
        return Scaled(ONE, product(builder, left, right))
    return Scaled(ONE, builder.emit(b.op, left, right, **b.attrs))
