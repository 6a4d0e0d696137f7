"""What the operations on stacks of square matrices share: shapes, adjoints, and exact reference rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from symgrad.errors import ShapeError
from symgrad.ops.dims import Shape, format_shape, same
from symgrad.ops.record import ARG, Attrs, Emitter, Magnitude, Node


def square(shape: Shape, where: str) -> Shape:
    """The shape, if its last two axes are those of a square matrix.

    Raises:
        ShapeError: there are fewer than two axes, or the last two differ.
    """
    if len(shape) < 2:
        raise ShapeError(
            f"{where} takes a square matrix.", where=where, expected="(n, n)", got=format_shape(shape)
        )
    if not same(shape[-2], shape[-1]):
        error = ShapeError(
            f"{where} takes a square matrix.",
            where=where,
            expected="equal sizes on the last two axes",
            got=format_shape(shape),
            fix="give both axes the same name in shapes",
        )
        error.clash = (shape[-2], shape[-1])
        raise error
    return shape


def swapped(e: Emitter, a: str) -> str:
    """The transpose of each matrix of a stack."""
    rank = len(e.type(a).shape)
    return e.emit("transpose", a, axes=(*range(rank - 2), rank - 1, rank - 2))


def over_matrices(e: Emitter, g: str, shape: Shape) -> str:
    """One number for each matrix of a stack, so that it broadcasts over the matrix's entries."""
    if not shape or e.type(g).shape == ():
        return g
    return e.emit("reshape", e.full(g, shape), shape=(*shape, 1, 1))


def times(e: Emitter, g: str, shape: Shape, matrices: str) -> str:
    """Each matrix of a stack times its own number; the numbers have this shape."""
    return e.pointwise(ARG(0) * ARG(1), over_matrices(e, g, shape), matrices)


def same_on_stack(op: str) -> Callable[[Emitter, Node, Sequence[str], Sequence[bool]], str]:
    """The stacking rule of an operation with one argument that works on its last axes only."""

    def stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
        return e.emit(op, args[0], **node.attrs)

    return stack


# Exact reference rules, on object arrays of SymPy expressions ------------------------------------------------


def each_matrix(a: Any, rule: Callable[..., Any], entry_shape: tuple[int, ...], *more: Any) -> Any:
    """``rule`` applied to each matrix of a stack, and to what belongs to it."""
    import numpy as np

    lead = a.shape[:-2]
    out = np.empty((*lead, *entry_shape), dtype=object)
    for at in product(*(range(d) for d in lead)):
        out[at] = rule(a[at], *(m[at] for m in more))
    return out


def exact_det(m: Any) -> Any:
    """The determinant by Laplace's expansion along the first row; 1 for the empty matrix."""
    import numpy as np

    n = m.shape[0]
    if n == 0:
        return 1
    return sum((-1) ** j * m[0, j] * exact_det(np.delete(m[1:], j, axis=1)) for j in range(n))


def exact_cofactors(m: Any) -> Any:
    """The cofactors, each as the determinant of a minor with its sign."""
    import numpy as np

    n = m.shape[0]
    out = np.empty((n, n), dtype=object)
    for i, j in product(range(n), range(n)):
        minor = np.delete(np.delete(m, i, axis=0), j, axis=1)
        out[i, j] = (-1) ** (i + j) * exact_det(minor)
    return out


def exact_inverse(m: Any) -> Any:
    """Cramer's rule."""
    n = m.shape[0]
    return exact_cofactors(m).T / exact_det(m) if n else m


def square_roundings(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> int:
    """Gaussian elimination and substitution: three sums of the matrix's size one after the other."""
    return 3 * shapes[0][-1]


def pivoted(size: Any) -> Any:
    """The sizes that elimination works with: exchanged rows mix, so that a column's largest counts for all of it.

    |L||U| is not bounded by |A| entry by entry: Higham (2002), section 9.3.
    """
    import numpy as np

    return np.broadcast_to(size.max(axis=-2, keepdims=True, initial=0), np.shape(size))


def inverse_grows(args: Sequence[Magnitude], attrs: Attrs) -> Any:
    """|A⁻¹| against the sizes of A's entries, row by row: Higham (2002), sections 7.2 and 14.1."""
    import numpy as np

    return (np.abs(np.linalg.inv(args[0].value)) @ pivoted(args[0].size)).sum(axis=-1)
