"""Matrix products as statements: BLAS multiplies two matrices, short loops multiply by a vector.

A product with a vector takes as long as reading the matrix.  The loops stream through it row by row, as fast as BLAS
does, in a tenth of its time to compile; and two of them in turn read a block of rows from the first-level cache.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from symgrad.compile.entries import Scope
from symgrad.compile.forms import Call
from symgrad.ops.dims import same
from symgrad.program import Binding

Side: TypeAlias = Literal["", "left", "right", "both"]


def vector_side(scope: Scope, b: Binding, call: Call) -> Side:
    """Which factor of a product is a vector, or a matrix of one column or row."""
    left, right = (scope.program.type(a).shape for a in b.args)
    thin_left = call.takes[0] == 1 or same(left[-2], 1)
    thin_right = call.takes[1] == 1 or same(right[-1], 1)
    if call.takes == (1, 1):
        return "both"
    return "right" if thin_right else "left" if thin_left else ""


def product_text(scope: Scope, side: Side, operands: tuple[str, str], target: str, flat: bool) -> str:
    """The statement that fills ``target``; a transposed operand ends in ``.T``.

    Args:
        flat: whether the vector and the target have one axis.
    """
    left, right = operands
    if not side:
        return f"np.dot({left}, {right}, {target})"
    matrix, vector = (left, right) if side == "right" else (right, left)
    turned = matrix.endswith(".T")
    by_rows = (side == "right") != turned  # whether each entry of the result is one row times the vector
    name = "matvec" if by_rows else "vecmat"
    scope.helpers.add(name)
    matrix = matrix.removesuffix(".T")
    if not flat:
        vector, target = _flat(vector), _flat(target)
    return f"matvec({matrix}, {vector}, {target})" if by_rows else f"vecmat({vector}, {matrix}, {target})"


def _flat(text: str) -> str:
    text = text.removesuffix(".T")
    return f"{text}.reshape({text}.size)"
