"""Rewrites that a builder applies to what it is asked to write: exact over the reals, and shorter to compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgrad.ops.dims import Shape
from symgrad.ops.eye import is_identity
from symgrad.ops.record import ARG, Attrs

if TYPE_CHECKING:
    from symgrad.program.builder import Builder


def times_identity(builder: Builder, a: str, b: str) -> str | None:
    """The product with an identity matrix, or with one times a number; None if neither factor is such a matrix."""
    for scaled, other in ((a, b), (b, a)):
        if builder.type(other).kind != "real":
            continue
        found = builder.binding(scaled)
        if found is None:
            continue
        if is_identity(found.op, found.attrs):
            return other
        if found.op != "pointwise" or not found.attrs["fn"].is_Mul:
            continue
        for i, name in enumerate(found.args):
            inner = builder.binding(name)
            if (
                inner is None
                or not is_identity(inner.op, inner.attrs)
                or ARG(i) not in found.attrs["fn"].args
            ):
                continue
            rest = [n for j, n in enumerate(found.args) if j != i]
            if name not in rest and all(builder.type(n).shape == () for n in rest):
                args = [other if j == i else n for j, n in enumerate(found.args)]
                return builder.emit("pointwise", *args, fn=found.attrs["fn"])
    return None


def squared_norm(builder: Builder, name: str) -> str | None:
    """‖x‖² as the sum of squares, which needs no root; None if ``name`` is no such norm."""
    found = builder.binding(name)
    if found is None or found.op != "norm" or found.attrs["p"] != 2:
        return None
    squares = builder.emit("pointwise", found.args[0], fn=ARG(0) ** 2)
    return builder.emit("sum", squares, **{k: found.attrs[k] for k in ("axes", "keepdims", "total")})


def whole_array(shape: Shape, attrs: Attrs) -> bool:
    """Whether a slice takes every entry, such as the [:, 0] of a column and the [0, 0] of a 1×1 matrix."""
    parts = zip(shape, attrs["start"], attrs["step"], attrs["size"], strict=True)
    return all(start == 0 and (size == 1 or step == 1) and size == d for d, start, step, size in parts)
