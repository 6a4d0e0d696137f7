"""Eigenvalues and eigenvectors of symmetric matrices, and the sum Σ gᵢ vᵢvᵢᵀ that is the derivative of the values.

NumPy reads the lower triangle only, so the gradient is by the entries of that triangle: an entry below the
diagonal counts for its mirror image too, and those above get 0.  Where eigenvalues meet, the derivative of the values
is taken along the eigenvectors that NumPy finds; that of the vectors is an error there (``over_gaps``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import format_shape, same
from symgrad.ops.gaps import together
from symgrad.ops.record import (
    ARG,
    Attrs,
    Condition,
    Emitter,
    Example,
    Magnitude,
    Node,
    Notation,
    Op,
    Piece,
    Type,
    Whole,
)
from symgrad.ops.squares import each_matrix, same_on_stack, square, square_roundings, swapped

_SOURCE = (
    "Petersen and Pedersen (2012), The Matrix Cookbook, eq. 67–68; Magnus and Neudecker (2019), ch. 8, section 9; "
    "Giles (2008), An extended collection of matrix derivative results (eigenvalues and eigenvectors)"
)
_EXAMPLES = (Example(((2, 2),)), Example(((1, 1),)), Example((("d", 2, 2),)))
LARGEST = 2
"""Up to this size there is a closed formula."""


def between(e: Emitter, left: str, middle: str, right: str) -> str:
    """left · middle · rightᵀ."""
    return e.emit("matmul", e.emit("matmul", left, middle), swapped(e, right))


def on_lower(e: Emitter, s: str) -> str:
    """The adjoint of a symmetric matrix as one by the entries of its lower triangle."""
    return e.emit("half_triangle", e.pointwise(ARG(0) + ARG(1), s, swapped(e, s)))


def _no_formula(n: int, name: str) -> None:
    if n > LARGEST:
        raise UnsupportedError(
            f"{name} of matrices larger than {LARGEST} × {LARGEST} has no closed formula.",
            where=name,
            got=f"{n} × {n}",
        )


def _middle_and_radius(m: Any) -> tuple[Any, Any]:
    mean = (m[0, 0] + m[1, 1]) / 2
    return mean, sympy.sqrt(((m[0, 0] - m[1, 1]) / 2) ** 2 + m[1, 0] ** 2)


# Values -------------------------------------------------------------------------------------------------------


def _exact_values(m: Any) -> Any:
    """From the characteristic polynomial."""
    import numpy as np

    n = m.shape[0]
    _no_formula(n, "eigvalsh")
    if n < 2:
        return np.array([m[i, i] for i in range(n)], dtype=object)
    mean, radius = _middle_and_radius(m)
    return np.array([mean - radius, mean + radius], dtype=object)


def _values_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [on_lower(e, e.emit("eigh_sum", node.args[0], e.full(g, node.shape)))]


def lower_size(size: Any) -> Any:
    """The sum of the sizes that both triangles stand for, for every matrix."""
    import numpy as np

    both = np.tril(size) + np.swapaxes(np.tril(size, -1), -1, -2)
    return both.sum(axis=(-2, -1))


def _values_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    # Weyl: an eigenvalue moves by no more than the norm of the change of the matrix.
    return np.broadcast_to(lower_size(args[0].size)[..., None], np.shape(out)) + np.abs(np.asarray(out))


EIGVALSH = Op(
    name="eigvalsh",
    infer=lambda args, attrs: Type(square(args[0].shape, "eigvalsh")[:-1]),
    vjp=_values_vjp,
    define=lambda args, attrs, out: Whole(lambda a: each_matrix(a, _exact_values, a.shape[-1:])),
    numpy=lambda args, attrs, dim: f"np.linalg.eigvalsh({args[0]})",
    notation=lambda style, args, attrs: style.call("eigvals", args[0]),
    magnitude=_values_magnitude,
    roundings=square_roundings,
    rule="λ = eigvals(A)  ⇒  Ā = Σᵢ λ̄ᵢ vᵢvᵢᵀ, by the entries of the lower triangle",
    why=("a simple eigenvalue moves by vᵀ dA v, v its unit vector, and only A's lower triangle is read",),
    source=_SOURCE,
    examples=_EXAMPLES,
    stack=same_on_stack("eigvalsh"),
)


# Vectors ------------------------------------------------------------------------------------------------------
# Their signs are LAPACK's choice, or (``upright``) such that the last entry is not negative.


def _vectors_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    (a,), v = node.args, node.name
    inner = e.emit("matmul", swapped(e, v), e.full(g, node.shape))
    # Upright vectors are those of a sum, in whose derivatives repeated eigenvalues drop out.
    checked = "never" if node.attrs["upright"] else "always"
    s = between(e, v, e.emit("over_gaps", inner, e.emit("eigvalsh", a), checked=checked), v)
    half = e.pointwise(ARG(0) / 2, s)
    return [on_lower(e, e.pointwise(ARG(0) + ARG(1), half, swapped(e, half)))]


def _exact_vectors(m: Any) -> Any:
    """(b, λ − a) for each λ of [[a, b], [b, c]], scaled to length 1 and turned so that the last entry is positive."""
    import numpy as np

    n = m.shape[0]
    _no_formula(n, "eigh")
    if n < 2:
        return np.full(m.shape, sympy.S.One, dtype=object)
    a, b = m[0, 0], m[1, 0]
    low, high = _exact_values(m)
    # Where b = 0 the formula is 0/0; the vectors are the axes, in the order of the values.
    diagonal = sympy.Piecewise((1, sympy.Eq(b, 0)), (0, True))
    first = sympy.Piecewise((1, a <= m[1, 1]), (0, True))
    columns = []
    for (x, y), axis in (((-b, a - low), (first, 1 - first)), ((b, high - a), (1 - first, first))):
        length = sympy.sqrt((1 - diagonal) * (x**2 + y**2) + diagonal)
        columns.append(
            [((1 - diagonal) * v + diagonal * e) / length for v, e in zip((x, y), axis, strict=True)]
        )
    return np.array([[column[i] for column in columns] for i in range(2)], dtype=object)


_VECTORS = '''def upright_eigenvectors(a):
    """Unit eigenvectors of symmetric matrices, each with a last entry that is not negative."""
    v = np.linalg.eigh(a)[1]
    return v * np.where(v[..., -1:, :] < 0, -1, 1)
'''
"""A function that the NumPy source calls."""


def _vectors_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    values = np.linalg.eigvalsh(np.asarray(args[0].value))
    gaps = np.abs(values[..., None, :] - values[..., :, None]) + np.where(
        np.eye(values.shape[-1]) == 1, np.inf, 0
    )
    least = gaps.min(axis=(-2, -1), initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(np.isfinite(least), lower_size(args[0].size) / least, 0)
    return np.broadcast_to(1 + moved[..., None, None], np.shape(out))


def _turned(args: Sequence[Magnitude], attrs: Attrs) -> Any:
    """How far the eigenvectors turn: the size of the matrix over the least gap of its eigenvalues."""
    return _vectors_magnitude(args[:1], attrs, args[0].value)


_CONDITION = Condition("the size of the matrix over the least gap of its eigenvalues", _turned)


def _vectors_numpy(args: Sequence[str], attrs: Attrs, dim: object) -> str:
    return f"upright_eigenvectors({args[0]})" if attrs["upright"] else f"np.linalg.eigh({args[0]})[1]"


EIGH_VECTORS = Op(
    name="eigh_vectors",
    infer=lambda args, attrs: Type(square(args[0].shape, "eigh")),
    vjp=_vectors_vjp,
    define=lambda args, attrs, out: Whole(lambda a: each_matrix(a, _exact_vectors, a.shape[-2:])),
    numpy=_vectors_numpy,
    notation=lambda style, args, attrs: style.call("eigvecs", args[0]),
    magnitude=_vectors_magnitude,
    condition=_CONDITION,
    roundings=square_roundings,
    rule="V = eigvecs(A)  ⇒  Ā = V (F ⊙ VᵀV̄) Vᵀ with Fᵢⱼ = 1/(λⱼ − λᵢ) and 0 where they agree",
    why=("V stays orthogonal and turns by F ⊙ VᵀdAV, and only A's lower triangle is read",),
    source=_SOURCE,
    examples=tuple(Example(e.shapes, {"upright": True}) for e in _EXAMPLES),
    stack=same_on_stack("eigh_vectors"),
    imports=(_VECTORS,),
)


# The sum of the projections -----------------------------------------------------------------------------------

_SUM = '''def eigh_sum(a, g):
    """Σ gᵢ vᵢvᵢᵀ over the eigenvectors of symmetric matrices, the eigenvalues in rising order."""
    v = np.linalg.eigh(a)[1]
    return (v * g[..., None, :]) @ np.swapaxes(v, -1, -2)
'''
"""A function that the NumPy source calls."""


def _sum_infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = square(args[0].shape, "eigh_sum")
    if len(args[1].shape) != len(shape) - 1 or not all(
        same(x, y) for x, y in zip(args[1].shape, shape, strict=False)
    ):
        raise ShapeError(
            "eigh_sum takes one number for each eigenvalue.",
            where="eigh_sum",
            expected=format_shape(shape[:-1]),
            got=format_shape(args[1].shape),
        )
    return Type(shape)


def sum_adjoints(e: Emitter, a: str, g: str, adjoint: str) -> tuple[str, str]:
    """The adjoints of a and g for S = Σ gᵢ vᵢvᵢᵀ, given that of S.

    Between vectors of different values S changes by the divided difference of g (Daleckii and Krein).
    """
    v = e.emit("eigh_vectors", a, upright=True)
    shape = e.type(g).shape
    inner = between(e, swapped(e, v), adjoint, swapped(e, v))
    columns = e.emit("reshape", g, shape=(*shape[:-1], shape[-1], 1))
    rows = e.emit("reshape", g, shape=(*shape[:-1], 1, shape[-1]))
    # Between equal weights there is nothing to turn, and 0 is left.
    weighed = e.full(e.pointwise(ARG(0) * (ARG(1) - ARG(2)), inner, rows, columns), e.type(inner).shape)
    s = between(e, v, e.emit("over_gaps", weighed, e.emit("eigvalsh", a), checked="once"), v)
    half = e.pointwise(ARG(0) / 2, s)
    symmetric = e.pointwise(ARG(0) + ARG(1), half, swapped(e, half))
    return on_lower(e, symmetric), e.emit("diagonal", inner, k=0)


def _sum_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return list(sum_adjoints(e, node.args[0], node.args[1], e.full(g, node.shape)))


def _exact_sum(m: Any, g: Any) -> Any:
    """From the projections ½ I ± (A − mean)/(2 radius)."""
    import numpy as np

    n = m.shape[0]
    _no_formula(n, "eigh_sum")
    if n < 2:
        return np.array([[g[0]]] if n else np.empty((0, 0)), dtype=object)
    mean, radius = _middle_and_radius(m)
    turned = np.array([[m[0, 0] - mean, m[1, 0]], [m[1, 0], m[1, 1] - mean]], dtype=object) / radius
    one = np.array([[1, 0], [0, 1]], dtype=object)
    return (g[0] + g[1]) * one / 2 + (g[1] - g[0]) * turned / 2


def _sum_stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("eigh_sum", *(together(e, args, stacked)))


def _sum_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    weights = args[1].size.sum(axis=-1)[..., None, None]
    turned = _vectors_magnitude(args[:1], attrs, np.empty(np.shape(out)))
    return 2 * weights * turned


def _sum_notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.call("eigsum", *args)


EIGH_SUM = Op(
    name="eigh_sum",
    infer=_sum_infer,
    vjp=_sum_vjp,
    define=lambda args, attrs, out: Whole(lambda a, g: each_matrix(a, _exact_sum, a.shape[-2:], g)),
    numpy=lambda args, attrs, dim: f"eigh_sum({args[0]}, {args[1]})",
    notation=_sum_notation,
    magnitude=_sum_magnitude,
    condition=_CONDITION,
    roundings=square_roundings,
    rule="S = Σᵢ gᵢ vᵢvᵢᵀ  ⇒  ḡᵢ = vᵢᵀ S̄ vᵢ and Ā = V (D ⊙ VᵀS̄V) Vᵀ with Dᵢⱼ = (gⱼ − gᵢ)/(λⱼ − λᵢ)",
    why=(
        "the projections turn with the eigenvectors, by the differences of g over those of the eigenvalues",
        "the sum is linear in g, and the factor of gᵢ is the projection vᵢvᵢᵀ",
    ),
    source="Daleckii and Krein (1965), Integration and differentiation of functions of Hermitian operators; "
    "Lewis (1996), Derivatives of spectral functions",
    examples=(
        Example(((2, 2), (2,))),
        Example(((1, 1), (1,))),
        Example((("d", 2, 2), ("d", 2))),
    ),
    stack=_sum_stack,
    imports=(_SUM,),
)
