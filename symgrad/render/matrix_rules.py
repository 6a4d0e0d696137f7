"""Inverses, determinants and traces as a book writes them: A⁻¹b for a solve, det(A) A⁻ᵀ for the cofactors."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symgrad.ops.dims import same
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder
from symgrad.render.products import multiplied
from symgrad.render.scaled import ONE, Scaled

LINEAR = ("trace", "diag", "diagonal", "triangle", "half_triangle")
"""Operations of one argument that numbers pass through."""

Transposed = Callable[[str], str]


def matrix_rule(builder: Builder, b: Binding, args: list[Scaled], transposed: Transposed) -> Scaled | None:
    """The value of ``b`` in the book's form; None where the operation has no other form."""
    if b.op in LINEAR:
        return _linear(builder, b, args[0])
    if b.op == "norm":
        return Scaled(sympy.Abs(args[0].coefficient), builder.emit("norm", args[0].core, **b.attrs))
    if b.op == "matrix_power" and b.attrs["p"] == 2 and len(b.shape) == 2:  # XX, as X @ X is written
        squared = builder.emit("matmul", args[0].core, args[0].core)
        return Scaled(args[0].coefficient ** 2, squared)
    if b.op == "matrix_power":
        power = builder.emit("matrix_power", args[0].core, **b.attrs)
        return Scaled(args[0].coefficient ** b.attrs["p"], power)
    if b.op not in ("inverse", "solve", "cofactor") or len(builder.type(args[0].core).shape) != 2:
        return None
    inverse = _inverse(builder, args[0].core, transposed)
    if b.op == "inverse":
        return Scaled(1 / args[0].coefficient, inverse)
    if b.op == "cofactor":
        if args[0].coefficient != 1:
            return None
        det = builder.emit("det", args[0].core)
        return Scaled(ONE, builder.emit("pointwise", det, transposed(inverse), fn=ARG(0) * ARG(1)))
    if len(b.shape) > 2:
        return None
    product = Binding(b.name, "matmul", (inverse, args[1].core), (), b.shape, b.kind)
    made = multiplied(builder, product, inverse, args[1].core)
    return made.times(args[1].coefficient / args[0].coefficient)


def _inverse(builder: Builder, core: str, transposed: Transposed) -> str:
    """The inverse; of a transpose the transpose of the inverse, so that both are seen to be the same."""
    inner = builder.binding(core)
    if inner is not None and inner.op == "inverse":
        return inner.args[0]
    if inner is not None and inner.op == "transpose":
        return transposed(builder.emit("inverse", inner.args[0]))
    return builder.emit("inverse", core)


def _linear(builder: Builder, b: Binding, a: Scaled) -> Scaled:
    inner = builder.binding(a.core)
    core = a.core
    if b.op == "trace" and inner is not None and inner.op == "transpose" and len(inner.shape) == 2:
        core = inner.args[0]
    if b.op == "diag" and builder.constant_value(core) == 1 and not b.attrs["stack"]:
        rows, columns = b.attrs["shape"]
        if b.attrs["k"] == 0 and same(rows, columns):
            return Scaled(a.coefficient, builder.emit("eye", **eye_attrs(rows)))
    return Scaled(a.coefficient, builder.emit(b.op, core, **b.attrs))
