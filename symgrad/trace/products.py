"""NumPy's products: dot, inner, outer, tensordot, vdot and einsum, for any number of axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.ops.einsum import LETTERS
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.einsum import Labelled, contract, einsum

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def _sum_over(builder: Builder, a: Traced, b: Traced, axes_a: list[int], axes_b: list[int]) -> Traced:
    """The product summed over pairs of axes; the other axes of ``a``, then those of ``b``, remain."""
    letters = iter(LETTERS)
    first = [next(letters) for _ in a.dims]
    second = [next(letters) for _ in b.dims]
    for i, j in zip(axes_a, axes_b, strict=True):
        second[j] = first[i]
    out = [c for i, c in enumerate(first) if i not in axes_a] + [
        c for j, c in enumerate(second) if j not in axes_b
    ]
    return contract(builder, [Labelled(a, "".join(first)), Labelled(b, "".join(second))], "".join(out))


def dot(builder: Builder, a: Any, b: Any) -> Traced:
    """The last axis of ``a`` against the last but one of ``b``; a scalar multiplies."""
    left, right = ops.lift(builder, a), ops.lift(builder, b)
    if not left.dims or not right.dims:
        return ops.elementary(builder, "mul", left, right)
    if left.ndim <= 2 and right.ndim <= 2:
        return ops.matmul(builder, left, right)
    return _checked_sum(builder, left, right, [left.ndim - 1], [max(right.ndim - 2, 0)], "dot")


def inner(builder: Builder, a: Any, b: Any) -> Traced:
    """The last axes against each other; a scalar multiplies."""
    left, right = ops.lift(builder, a), ops.lift(builder, b)
    if not left.dims or not right.dims:
        return ops.elementary(builder, "mul", left, right)
    if left.ndim == 1 and right.ndim == 2:
        return ops.matmul(builder, right, left)
    if left.ndim <= 2 and right.ndim <= 2:
        return ops.matmul(builder, left, moves.transpose(right))
    return _checked_sum(builder, left, right, [left.ndim - 1], [right.ndim - 1], "inner")


def outer(builder: Builder, a: Any, b: Any) -> Traced:
    """Every entry of one times every entry of the other."""
    left, right = (moves.reshape(ops.lift(builder, v), -1) for v in (a, b))
    return ops.Array(builder, builder.emit("outer", left.name, right.name))


def _checked_sum(
    builder: Builder, a: Traced, b: Traced, axes_a: list[int], axes_b: list[int], name: str
) -> Traced:
    """The sum over pairs of axes, whose sizes have to be equal: here 1 does not broadcast."""
    for i, j in zip(axes_a, axes_b, strict=True):
        if a.dims[i] != b.dims[j]:
            error = ShapeError(
                f"The sizes summed over differ: {a.dims[i]} and {b.dims[j]}.",
                where=f"np.{name}",
                got=f"{format_shape(a.dims)} and {format_shape(b.dims)}",
                fix="give equal sizes the same name in shapes",
            )
            error.clash = (a.dims[i], b.dims[j])
            raise error
    return _sum_over(builder, a, b, axes_a, axes_b)


def tensordot(builder: Builder, a: Any, b: Any, axes: Any = 2) -> Traced:
    """The sum over the last ``axes`` axes of ``a`` and the first of ``b``, or over two lists of axes.

    Raises:
        ShapeError: the lists have different lengths, or name axes that are not there.
    """
    left, right = ops.lift(builder, a), ops.lift(builder, b)
    if isinstance(axes, (int, np.integer)):
        first, second = list(range(left.ndim - int(axes), left.ndim)), list(range(int(axes)))
    else:
        first, second = (list(x) if isinstance(x, (tuple, list)) else [x] for x in axes)
    fits = len(first) == len(second)
    fits = fits and all(-left.ndim <= i < left.ndim for i in first)
    fits = fits and all(-right.ndim <= j < right.ndim for j in second)
    if not fits:
        raise ShapeError("These axes do not pair up.", where="np.tensordot", got=f"axes={axes!r}")
    return _checked_sum(
        builder, left, right, [i % left.ndim for i in first], [j % right.ndim for j in second], "tensordot"
    )


def vdot(builder: Builder, a: Any, b: Any) -> Traced:
    """The sum of the products of all entries."""
    return dot(builder, *(moves.reshape(ops.lift(builder, v), -1) for v in (a, b)))


def vecdot(builder: Builder, a: Any, b: Any, axis: int = -1) -> Traced:
    """The inner product along one axis; the others broadcast."""
    left, right = ops.lift(builder, a), ops.lift(builder, b)
    if left.ndim == right.ndim == 1:
        return ops.matmul(builder, left, right)
    return ops.total(ops.elementary(builder, "mul", left, right), axis)


def matvec(builder: Builder, a: Any, x: Any) -> Traced:
    """Each matrix times each vector; the leading axes broadcast."""
    matrix, vector = ops.lift(builder, a), ops.lift(builder, x)
    if vector.ndim <= 1:
        return ops.matmul(builder, matrix, vector)
    found = ops.matmul(builder, matrix, moves.expand_dims(vector, -1))
    return moves.reshape_dims(found, found.dims[:-1])


def vecmat(builder: Builder, x: Any, a: Any) -> Traced:
    """Each vector times each matrix; the leading axes broadcast."""
    vector, matrix = ops.lift(builder, x), ops.lift(builder, a)
    if vector.ndim <= 1:
        return ops.matmul(builder, vector, matrix)
    found = ops.matmul(builder, moves.expand_dims(vector, -2), matrix)
    return moves.reshape_dims(found, (*found.dims[:-2], found.dims[-1]))


NUMPY: dict[Callable[..., Any], Rule] = {
    np.dot: dot,
    np.inner: inner,
    np.vdot: vdot,
    np.tensordot: tensordot,
    np.einsum: einsum,
    np.outer: outer,
}
UFUNCS: dict[str, Rule] = {"vecdot": vecdot, "matvec": matvec, "vecmat": vecmat}
"""By the name of the ufunc."""
