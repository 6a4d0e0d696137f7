"""What is known of a matrix: that it is an identity, another's inverse, or symmetric."""

from __future__ import annotations

from symgrad.ops.eye import eye_attrs, is_identity
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder
from symgrad.render.scaled import elementwise


def transposed(builder: Builder, core: str) -> str:
    """A transpose that is left out where the matrix is known to be symmetric."""
    return core if symmetric(builder, core) else builder.emit("transpose", core, axes=(1, 0))


def symmetric(builder: Builder, core: str, depth: int = 6) -> bool:
    """Whether a matrix is known to be its own transpose, from the last few operations that made it."""
    if depth == 0:
        return False
    b = builder.binding(core)
    if b is None:
        return any(i.name == core and i.domain == "spd" for i in builder.inputs)
    shape = b.shape
    if b.op == "inverse":
        return symmetric(builder, b.args[0], depth - 1)
    if b.op == "pointwise" and len(shape) == 2 and shape[0] == shape[1]:
        others = [a for a in b.args if builder.type(a).shape != ()]
        return all(builder.type(a).shape == shape and symmetric(builder, a, depth - 1) for a in others)
    if b.op == "matmul" and len(shape) == 2:
        return _mirrored(builder, b.args[0], b.args[1], depth - 1)
    return is_identity(b.op, b.attrs)


def _mirrored(builder: Builder, left: str, right: str, depth: int) -> bool:
    """Whether one factor is the transpose of the other, or so around a symmetric matrix: AᵀA, AᵀSA."""
    one, other = builder.binding(left), builder.binding(right)
    if one is not None and one.op == "transpose" and one.args[0] == right:
        return True
    if other is not None and other.op == "transpose" and other.args[0] == left:
        return True
    for product, outer, first in ((one, right, True), (other, left, False)):
        if product is None or product.op != "matmul" or len(product.shape) != 2:
            continue
        edge, middle = product.args if first else product.args[::-1]
        ends = (edge, outer) if first else (outer, edge)
        if depth and symmetric(builder, middle, depth - 1) and _mirrored(builder, *ends, depth - 1):
            return True
    return False


def product(builder: Builder, left: str, right: str) -> str:
    """A matrix product in which identities, and inverses beside their matrices, vanish."""
    lefts, rights = builder.type(left).shape, builder.type(right).shape
    if len(lefts) == 2 and _is_identity(builder, left):
        return right
    if len(rights) == 2 and _is_identity(builder, right):
        return left
    if len(lefts) == 2 and len(rights) == 2 and _inverse_of(builder, left, right):
        return builder.emit("eye", **eye_attrs(lefts[0]))
    inner = builder.binding(left)
    if inner is not None and inner.op == "matmul" and len(lefts) == len(rights) == 2:
        last = inner.args[1]
        if len(builder.type(last).shape) == 2 and _inverse_of(builder, last, right):  # (AB)B⁻¹ = A
            return inner.args[0]
    inner = builder.binding(right)
    if inner is not None and inner.op == "matmul" and len(lefts) == 2:
        first = inner.args[0]
        if len(builder.type(first).shape) == 2 and _inverse_of(builder, left, first):  # B⁻¹(BA) = A
            return inner.args[1]
    return builder.emit("matmul", left, right)


def _is_identity(builder: Builder, name: str) -> bool:
    b = builder.binding(name)
    return b is not None and is_identity(b.op, b.attrs)


def _inverse_of(builder: Builder, a: str, b: str) -> bool:
    """Whether the two are inverse to each other, also both transposed."""
    one, other = builder.binding(a), builder.binding(b)
    if one is not None and other is not None and one.op == other.op == "transpose":
        return _inverse_of(builder, one.args[0], other.args[0])
    return (one is not None and one.op == "inverse" and one.args[0] == b) or (
        other is not None and other.op == "inverse" and other.args[0] == a
    )


def traced(builder: Builder, inner: Binding) -> str | None:
    """The matrix whose trace Σ I ⊙ A is; None where no factor is an identity."""
    if not inner.attrs["fn"].is_Mul or len(inner.shape) != 2:
        return None
    for i, a in enumerate(inner.args):
        rest = inner.attrs["fn"] / ARG(i)
        if _is_identity(builder, a) and not rest.has(ARG(i)):
            return elementwise(builder, rest, inner.args, inner.shape)
    return None


__all__ = ["product", "symmetric", "traced", "transposed"]
