"""√Σx² is read as a norm, in every spelling: its derivative where all entries are 0 is 0, and not 0/0.

NumPy, text, SymPy and modules all take roots here, whether they write sqrt or the power ½.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from symgrad.ops.dims import Shape, product
from symgrad.ops.norm import norm_attrs
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.trace import operations as ops

if TYPE_CHECKING:
    from symgrad.trace.array import Traced


def norm_of(builder: Builder, squares: Traced) -> Traced | None:
    """The root of a sum of squares, or of such a sum through a number, as a norm; else None."""
    if squares.numbers is not None:
        return None
    found = _root(builder, squares.name)
    return None if found is None else ops.Array(builder, found)


def _root(builder: Builder, name: str) -> str | None:
    b = builder.binding(name)
    if b is None:
        return None
    if b.op == "pointwise" and b.attrs["fn"] == ARG(0) / ARG(1):
        return _over_a_count(builder, *b.args)
    if b.op == "reshape":
        return _reshaped(builder, _root(builder, b.args[0]), b.shape)
    if b.op == "matmul" and product(b.shape) == 1:
        return _of_a_product(builder, *b.args)
    if b.op == "trace" and not b.shape:
        inner = builder.binding(b.args[0])
        column = _mirrored(builder, *inner.args) if inner is not None and inner.op == "matmul" else None
        return None if column is None else builder.emit("norm", column, **norm_attrs(2, (0, 1)))
    if b.op == "sum":
        return _of_a_sum(builder, b.args[0], b.attrs["axes"], b.attrs["keepdims"])
    return None


def _reshaped(builder: Builder, root: str | None, shape: Shape) -> str | None:
    if root is None:
        return None
    b = builder.binding(root)
    if b is not None and b.op == "norm" and b.attrs["total"] and not shape:
        axes = range(len(builder.type(b.args[0]).shape))
        return builder.emit("norm", b.args[0], **norm_attrs(len(axes), axes))
    return builder.emit("reshape", root, shape=shape)


def _over_a_count(builder: Builder, squares: str, divisor: str) -> str | None:
    """√(Σa²/n) = ‖a‖/√n."""
    count = builder.constant_value(divisor)
    if count is None or builder.type(divisor).shape or (count.is_number and not count.is_positive):
        return None
    inner = _root(builder, squares)
    if inner is None:
        return None
    root = ops.Array(builder, builder.constant(sympy.sqrt(count)))
    return ops.apply(builder, ARG(0) / ARG(1), ops.Array(builder, inner), root).name


def _of_a_product(builder: Builder, left: str, right: str) -> str | None:
    """√(x·x), and √(xᵀx) of a column."""
    rank = len(builder.type(right).shape)
    if rank == 1 and left == right:
        return builder.emit("norm", left, **norm_attrs(1, (0,)))
    column = _mirrored(builder, left, right)
    return None if column is None else builder.emit("norm", column, **norm_attrs(2, (0, 1), keepdims=True))


def _mirrored(builder: Builder, left: str, right: str) -> str | None:
    """The matrix A of AᵀA or AAᵀ; None if this is neither."""
    for a, b in ((left, right), (right, left)):
        binding = builder.binding(a)
        if binding is not None and binding.op == "transpose" and binding.args == (b,):
            return b if binding.attrs["axes"] == (1, 0) else None
    return None


def _of_a_sum(builder: Builder, squares: str, axes: tuple[int, ...], keepdims: bool) -> str | None:
    inside = builder.binding(squares)
    if inside is None or inside.op != "pointwise":
        return None
    square = inside.attrs["fn"] == ARG(0) ** 2 or (
        inside.attrs["fn"] == ARG(0) * ARG(1) and inside.args[0] == inside.args[1]
    )
    if not square or builder.type(inside.args[0]).shape != inside.shape:
        return None
    return builder.emit("norm", inside.args[0], **norm_attrs(len(inside.shape), axes, 2, keepdims))
