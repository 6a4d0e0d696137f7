"""The determinant, its sign, the logarithm of its size, and the cofactors that are its derivative."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sympy

from symgrad.ops import sympy_forms
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
from symgrad.ops.scalars.functions import Sign
from symgrad.ops.squares import (
    each_matrix,
    exact_cofactors,
    exact_det,
    inverse_grows,
    over_matrices,
    pivoted,
    same_on_stack,
    square,
    square_roundings,
    swapped,
    times,
)
from symgrad.ops.sum import sum_attrs

_EXAMPLES = (
    Example((("n", "n"),), domains=("invertible",)),
    Example((("d", "n", "n"),), domains=("invertible",)),
)


def _numbers(args: Sequence[Type], attrs: Attrs) -> Type:
    return Type(square(args[0].shape, "det")[:-2])


def _of_each(rule: Any) -> Any:
    return lambda args, attrs, out: Whole(lambda a: each_matrix(a, rule, ()))


# det ----------------------------------------------------------------------------------------------------------


def _det_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [times(e, g, node.shape, e.emit("cofactor", node.args[0]))]


def _det_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    slope = np.abs(_numpy_cofactors()(np.asarray(args[0].value)))
    return (slope * pivoted(args[0].size)).sum(axis=(-2, -1)) + np.abs(np.asarray(out))


DET = Op(
    name="det",
    infer=_numbers,
    vjp=_det_vjp,
    define=_of_each(exact_det),
    numpy=lambda args, attrs, dim: f"np.linalg.det({args[0]})",
    notation=lambda style, args, attrs: style.call("det", args[0]),
    magnitude=_det_magnitude,
    roundings=square_roundings,
    condition=Condition("the size of its cofactors", inverse_grows),
    rule="c = det(A)  ⇒  Ā = c̄ det(A) A⁻ᵀ",
    why=("expanded along a row, det(A) is linear in each entry, and its factor is the entry's cofactor",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 46, 49; Magnus and Neudecker (2019), "
    "ch. 8, section 3 (Jacobi's formula)",
    examples=_EXAMPLES,
    stack=same_on_stack("det"),
    sympy=lambda args, shapes, attrs, out: sympy.Determinant(args[0]),
)


# cofactors ----------------------------------------------------------------------------------------------------

_COFACTORS = '''def cofactors(a):
    """det(A) A⁻ᵀ from the singular values, which is right where A has no inverse too."""
    u, s, vh = np.linalg.svd(a)
    others = np.prod(np.where(np.eye(s.shape[-1]) == 1, 1, s[..., None, :]), axis=-1)
    return np.linalg.det(u @ vh)[..., None, None] * ((u * others[..., None, :]) @ vh)
'''
"""A function that the NumPy source calls; NumPy has none."""


@cache
def _numpy_cofactors() -> Any:
    import numpy as np

    namespace: dict[str, Any] = {"np": np}
    exec(_COFACTORS, namespace)
    return namespace["cofactors"]


def _cofactor_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    # (⟨C̄, C⟩ C − C C̄ᵀ C) / det(A), the second derivative of the determinant.
    rank = len(node.shape)
    g = e.full(g, node.shape)
    weighted = e.pointwise(ARG(0) * ARG(1), g, node.name)
    weighted = e.emit("sum", weighted, **sum_attrs(rank, (rank - 2, rank - 1)))
    first = times(e, weighted, node.shape[:-2], node.name)
    second = e.emit("matmul", e.emit("matmul", node.name, swapped(e, g)), node.name)
    det = over_matrices(e, e.emit("det", node.args[0]), node.shape[:-2])
    return [e.pointwise((ARG(0) - ARG(1)) / ARG(2), first, second, det)]


def _cofactor_notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    det = style.call("det", args[0])
    turned = style.inverse(style.transpose(args[0]))
    return style.scalar(ARG(0) * ARG(1), (Piece(det.text, det.strength, 0), turned))


def _cofactor_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    values = np.linalg.svd(np.asarray(args[0].value), compute_uv=False)
    n = values.shape[-1]
    if n < 2:
        return np.ones(np.shape(out))
    largest = np.prod(values[..., : n - 2], axis=-1) * np.sqrt((args[0].size ** 2).sum(axis=(-2, -1)))
    return np.broadcast_to(n * n * largest[..., None, None], np.shape(out))


COFACTOR = Op(
    name="cofactor",
    infer=lambda args, attrs: Type(square(args[0].shape, "cofactor")),
    vjp=_cofactor_vjp,
    define=lambda args, attrs, out: Whole(lambda a: each_matrix(a, exact_cofactors, a.shape[-2:])),
    numpy=lambda args, attrs, dim: f"cofactors({args[0]})",
    notation=_cofactor_notation,
    magnitude=_cofactor_magnitude,
    roundings=square_roundings,
    condition=Condition("the size of its singular values", inverse_grows),
    rule="C = det(A) A⁻ᵀ  ⇒  Ā = (⟨C̄, C⟩ C − CC̄ᵀC) / det(A)",
    why=("the product rule: det(A) changes by ⟨C, dA⟩, and A⁻ᵀ by −A⁻ᵀ dAᵀ A⁻ᵀ",),
    source="derived from Magnus and Neudecker (2019), ch. 8, sections 3 and 4; for singular A: section 6 and Stewart "
    "(1998), On the adjugate matrix",
    examples=_EXAMPLES,
    stack=same_on_stack("cofactor"),
    sympy=lambda args, shapes, attrs, out: sympy_forms.times(
        sympy.Determinant(args[0]), sympy_forms.transposed(args[0]).inverse()
    ),
    imports=(_COFACTORS,),
)


# slogdet ------------------------------------------------------------------------------------------------------


def _logdet_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [times(e, g, node.shape, swapped(e, e.emit("inverse", node.args[0])))]


def _logdet_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    slope = np.abs(np.swapaxes(np.linalg.inv(args[0].value), -1, -2))
    return (slope * pivoted(args[0].size)).sum(axis=(-2, -1)) + np.abs(np.asarray(out))


def _logdet_notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    det = style.call("det", args[0])
    return style.scalar(sympy.log(sympy.Abs(ARG(0))), (Piece(det.text, det.strength, 0),))


LOGDET = Op(
    name="logdet",
    infer=_numbers,
    vjp=_logdet_vjp,
    define=_of_each(lambda m: sympy.log(exact_det(m) ** 2) / 2),
    numpy=lambda args, attrs, dim: f"np.linalg.slogdet({args[0]})[1]",
    notation=_logdet_notation,
    magnitude=_logdet_magnitude,
    roundings=square_roundings,
    condition=Condition("its entrywise condition number |A⁻ᵀ| ⊙ |A|", inverse_grows),
    rule="c = log|det(A)|  ⇒  Ā = c̄ A⁻ᵀ",
    why=("the derivative det(A) A⁻ᵀ of the determinant, divided by det(A) as the logarithm asks",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 43, 57; Giles (2008), An extended collection "
    "of matrix derivative results (determinant); Magnus and Neudecker (2019), ch. 8, section 3",
    examples=_EXAMPLES,
    stack=same_on_stack("logdet"),
    sympy=lambda args, shapes, attrs, out: sympy.log(sympy.Abs(sympy.Determinant(args[0]))),
)

DET_SIGN = Op(
    name="det_sign",
    infer=_numbers,
    vjp=lambda e, node, g: [None],
    define=_of_each(lambda m: Sign(exact_det(m))),
    numpy=lambda args, attrs, dim: f"np.linalg.slogdet({args[0]})[0]",
    notation=lambda style, args, attrs: style.call("sign", style.call("det", args[0])),
    magnitude=lambda args, attrs, out: abs(out),
    roundings=lambda shapes, attrs: 0,
    rule="c = sign(det(A))  ⇒  Ā = 0",
    why=("the sign stays the same wherever the determinant is not 0, so nothing flows back",),
    source="a step function; 0 at the step, as for sign",
    examples=_EXAMPLES,
    stack=same_on_stack("det_sign"),
    sympy=lambda args, shapes, attrs, out: sympy.sign(sympy.Determinant(args[0])),
)
