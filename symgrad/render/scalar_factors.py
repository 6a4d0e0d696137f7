"""Scalar values that multiply a matrix: they travel out of products and transposes."""

from __future__ import annotations

from symgrad.ops.record import ARG
from symgrad.program import Builder


def split(builder: Builder, core: str) -> tuple[str, str] | None:
    """A matrix times a scalar value as (scalar, matrix); None for other values."""
    b = builder.binding(core)
    if b is None or b.op != "pointwise" or not b.attrs["fn"].is_Mul or not b.shape:
        return None
    arrays = [i for i, a in enumerate(b.args) if builder.type(a).shape]
    if len(arrays) != 1 or ARG(arrays[0]) not in b.attrs["fn"].args or len(b.args) < 2:
        return None
    matrix = b.args[arrays[0]]
    if builder.type(matrix).shape != b.shape:
        return None
    rest = b.attrs["fn"] / ARG(arrays[0])
    others = [i for i in range(len(b.args)) if i != arrays[0]]
    renamed = rest.xreplace({ARG(i): ARG(j) for j, i in enumerate(others)})
    names = [b.args[i] for i in others]
    scalar = names[0] if renamed == ARG(0) else builder.emit("pointwise", *names, fn=renamed)
    return scalar, matrix
