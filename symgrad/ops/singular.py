"""Singular values, and the sum Σ gᵢ uᵢvᵢᵀ that is their derivative.

The singular values of A are the eigenvalues above 0 of [[0, A], [Aᵀ, 0]], whose eigenvectors are (u, ±v)/√2
(Jordan and Wielandt); second derivatives are taken there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Shape, format_shape, same
from symgrad.ops.eigh import sum_adjoints
from symgrad.ops.gaps import together
from symgrad.ops.record import ARG, Attrs, Condition, Emitter, Example, Magnitude, Node, Op, Type, Whole
from symgrad.ops.squares import each_matrix, same_on_stack, swapped

_SOURCE = (
    "Lewis (1995), The convex analysis of unitarily invariant matrix functions; Giles (2008), An "
    "extended collection of matrix derivative results (singular values)"
)


def _count(shape: Shape, where: str) -> Any:
    """The smaller size of a matrix.

    Raises:
        ShapeError: it is no matrix, or the sizes are symbols that cannot be compared.
    """
    if len(shape) < 2:
        raise ShapeError(f"{where} takes a matrix.", where=where, expected="(n, m)", got=format_shape(shape))
    rows, columns = shape[-2:]
    if same(rows, columns):
        return rows
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise ShapeError(
            "How many singular values there are depends on the sizes.", where=where, got=format_shape(shape)
        )
    return min(rows, columns)


def _bordered(e: Emitter, a: str) -> str:
    """[[0, A], [Aᵀ, 0]]."""
    shape = e.type(a).shape
    lead, (rows, columns) = shape[:-2], shape[-2:]
    zero = e.constant(0)
    corner = e.emit("broadcast_to", zero, shape=(*lead, rows, rows))
    other = e.emit("broadcast_to", zero, shape=(*lead, columns, columns))
    axis = len(shape) - 1
    upper = e.emit("concatenate", corner, a, axis=axis)
    lower = e.emit("concatenate", swapped(e, a), other, axis=axis)
    return e.emit("concatenate", upper, lower, axis=axis - 1)


def _part(e: Emitter, a: str, axis: int, start: Any, size: Any, step: int = 1) -> str:
    shape = e.type(a).shape
    starts = tuple(start if i == axis else 0 for i in range(len(shape)))
    steps = tuple(step if i == axis else 1 for i in range(len(shape)))
    sizes = tuple(size if i == axis else d for i, d in enumerate(shape))
    return e.emit("slice", a, start=starts, step=steps, size=sizes, drop=(), shape=shape)


# Values -------------------------------------------------------------------------------------------------------


def _exact_values(m: Any) -> Any:
    """The roots of the eigenvalues of AᵀA, from their sum and product."""
    import numpy as np

    if m.shape[0] < m.shape[1]:
        m = m.T
    if m.shape[1] == 0:
        return np.empty(0, dtype=object)
    gram = m.T.dot(m)
    if m.shape[1] == 1:
        return np.array([sympy.sqrt(gram[0, 0])], dtype=object)
    if m.shape[1] > 2:
        raise UnsupportedError("Three singular values or more have no closed formula.", where="svdvals")
    mean = (gram[0, 0] + gram[1, 1]) / 2
    radius = sympy.sqrt(((gram[0, 0] - gram[1, 1]) / 2) ** 2 + gram[0, 1] ** 2)
    return np.array([sympy.sqrt(mean + radius), sympy.sqrt(mean - radius)], dtype=object)


def _values_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.emit("svd_sum", node.args[0], e.full(g, node.shape))]


def _values_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    total = args[0].size.sum(axis=(-2, -1))[..., None]  # Weyl, as for eigenvalues
    return np.broadcast_to(total, np.shape(out)) + np.abs(np.asarray(out))


def _roundings(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> int:
    return 3 * (shapes[0][-1] + shapes[0][-2])


SVDVALS = Op(
    name="svdvals",
    infer=lambda args, attrs: Type((*args[0].shape[:-2], _count(args[0].shape, "svdvals"))),
    vjp=_values_vjp,
    define=lambda args, attrs, out: Whole(lambda a: each_matrix(a, _exact_values, (min(a.shape[-2:]),))),
    numpy=lambda args, attrs, dim: f"np.linalg.svd({args[0]}, compute_uv=False)",
    notation=lambda style, args, attrs: style.call("singvals", args[0]),
    magnitude=_values_magnitude,
    roundings=_roundings,
    rule="σ = singvals(A)  ⇒  Ā = Σᵢ σ̄ᵢ uᵢvᵢᵀ",
    why=("a simple singular value moves by uᵀ dA v, u and v its unit vectors",),
    source=_SOURCE,
    examples=(Example(((2, 2),)), Example(((3, 1),)), Example(((2, 3),)), Example((("d", 1, 2),))),
    stack=same_on_stack("svdvals"),
)


# The sum of the projections -----------------------------------------------------------------------------------

_SUM = '''def svd_sum(a, g):
    """Σ gᵢ uᵢvᵢᵀ over the singular vectors, the singular values in falling order."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return (u * g[..., None, :]) @ vh
'''
"""A function that the NumPy source calls."""


def _sum_infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = args[0].shape
    wanted = (*shape[:-2], _count(shape, "svd_sum"))
    given = args[1].shape
    if len(given) != len(wanted) or not all(same(x, y) for x, y in zip(given, wanted, strict=True)):
        raise ShapeError(
            "svd_sum takes one number for each singular value.",
            where="svd_sum",
            expected=format_shape(wanted),
            got=format_shape(given),
        )
    return Type(shape)


def _sum_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    a, weights = node.args
    shape = e.type(a).shape
    (rows, columns), lead, last = shape[-2:], shape[:-2], len(shape) - 2
    count = e.type(weights).shape[-1]
    both = rows + columns
    # Eigenvalues rise: −σ₁ … −σ_k, zeros, σ_k … σ₁.
    falling = _part(e, weights, last, count - 1, count, -1)
    none = e.emit("broadcast_to", e.constant(0), shape=(*lead, both - 2 * count))
    # Of equal weights, as in the nuclear norm, a number is left of the negative.
    negative = e.full(e.pointwise(-ARG(0), weights), (*lead, count))
    odd = e.emit("concatenate", negative, none, falling, axis=last)
    # S is the block at the upper right.
    g = e.full(g, node.shape)
    left = e.emit("broadcast_to", e.constant(0), shape=(*lead, rows, rows))
    below = e.emit("broadcast_to", e.constant(0), shape=(*lead, columns, both))
    placed = e.emit("concatenate", left, g, axis=last + 1)
    placed = e.emit("concatenate", placed, below, axis=last)
    to_matrix, to_weights = sum_adjoints(e, _bordered(e, a), odd, placed)
    lower = _part(e, _part(e, to_matrix, last, rows, columns), last + 1, 0, rows)
    first = _part(e, to_weights, last, 0, count)
    second = _part(e, to_weights, last, both - 1, count, -1)
    return [swapped(e, lower), e.pointwise(ARG(1) - ARG(0), first, second)]


def _exact_sum(m: Any, g: Any) -> Any:
    """Of two singular values: U diag(g) Vᵀ is a combination of A and A (AᵀA)⁻¹, from the powers of AᵀA."""
    import numpy as np

    if m.shape[0] < m.shape[1]:
        return _exact_sum(m.T, g).T
    n = m.shape[1]
    if n == 0:
        return m
    gram = m.T.dot(m)
    if n == 1:
        return m * (g[0] / sympy.sqrt(gram[0, 0]))
    values = _exact_values(m)
    # p(x) = α + βx with p(σ²) = g/σ at both values, so that A p(AᵀA) = U diag(g) Vᵀ
    slope = (g[0] / values[0] - g[1] / values[1]) / (values[0] ** 2 - values[1] ** 2)
    start = g[0] / values[0] - slope * values[0] ** 2
    one = np.array([[1, 0], [0, 1]], dtype=object)
    return m.dot(start * one + slope * gram)


def _sum_stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("svd_sum", *together(e, args, stacked))


def _turned(args: Sequence[Magnitude], attrs: Attrs) -> Any:
    """How far the singular vectors turn: the size of the matrix over the least gap of its singular values."""
    import numpy as np

    values = np.linalg.svd(np.asarray(args[0].value), compute_uv=False)
    signed = np.concatenate([values, -values], axis=-1)
    gaps = np.abs(signed[..., None, :] - signed[..., :, None]) + np.where(
        np.eye(signed.shape[-1]) == 1, np.inf, 0
    )
    least = gaps.min(axis=(-2, -1), initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(least), args[0].size.sum(axis=(-2, -1)) / least, 0)


def _sum_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    weights = args[1].size.sum(axis=-1)
    return np.broadcast_to((4 * weights * (1 + _turned(args, attrs)))[..., None, None], np.shape(out))


SVD_SUM = Op(
    name="svd_sum",
    infer=_sum_infer,
    vjp=_sum_vjp,
    define=lambda args, attrs, out: Whole(lambda a, g: each_matrix(a, _exact_sum, a.shape[-2:], g)),
    numpy=lambda args, attrs, dim: f"svd_sum({args[0]}, {args[1]})",
    notation=lambda style, args, attrs: style.call("svdsum", *args),
    magnitude=_sum_magnitude,
    condition=Condition("the size of the matrix over the least gap of its singular values", _turned),
    roundings=_roundings,
    rule="S = Σᵢ gᵢ uᵢvᵢᵀ  ⇒  ḡᵢ = uᵢᵀ S̄ vᵢ; Ā by the eigenvectors (u, ±v)/√2 of [[0, A], [Aᵀ, 0]]",
    why=(
        "the products uvᵀ turn with the singular vectors, by the differences of g over those of the singular values",
        "the sum is linear in g, and the factor of gᵢ is uᵢvᵢᵀ",
    ),
    source=f"derived from the rule of eigh_sum for [[0, A], [Aᵀ, 0]]; {_SOURCE}",
    examples=(
        Example(((2, 2), (2,))),
        Example(((3, 1), (1,))),
        Example(((2, 3), (2,))),
        Example((("d", 1, 2), ("d", 1))),
    ),
    stack=_sum_stack,
    imports=(_SUM,),
)
