"""Scalar values that multiply a matrix: they travel out of products and transposes."""

from __future__ import annotations

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.render.scaled import elementwise


def split(builder: Builder, core: str) -> tuple[str, str] | None:
    """A matrix times a scalar value as (scalar, matrix); None for other values."""
    b = builder.binding(core)
    if b is None or b.op != "pointwise" or not b.attrs["fn"].is_Mul or not b.shape:
        return None
    arrays = [a for a in b.args if builder.type(a).shape]
    scalars = {
        ARG(i)
        for i, a in enumerate(b.args)
        # Beside several arrays only what has a name travels; the rest belongs to their product.
        if not builder.type(a).shape and (len(arrays) == 1 or builder.binding(a) is None)
    }
    front = sympy.Mul(
        *(f for f in b.attrs["fn"].args if f.free_symbols & scalars and f.free_symbols <= scalars)
    )
    rest = b.attrs["fn"] / front
    read = [builder.type(a).shape for i, a in enumerate(b.args) if rest.has(ARG(i))]
    if front == 1 or b.shape not in read:
        return None
    return elementwise(builder, front, b.args, ()), elementwise(builder, rest, b.args, b.shape)


def times(builder: Builder, scalar: str, core: str, shape: Shape) -> str:
    """A scalar value times an array, the scalar written into the product."""
    b = builder.binding(scalar)
    if b is not None and b.op == "pointwise":
        return elementwise(builder, b.attrs["fn"] * ARG(len(b.args)), [*b.args, core], shape)
    return elementwise(builder, ARG(0) * ARG(1), [scalar, core], shape)
