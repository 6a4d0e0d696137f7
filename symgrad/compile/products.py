"""Matrix products as statements: BLAS multiplies two matrices, short loops multiply by a vector.

A product with a vector takes as long as reading the matrix.  The loops stream through it row by row, as fast as BLAS
does, in a tenth of its time to compile; and two of them in turn read a block of rows from the first-level cache.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from symgrad.compile.forms import Call, Form
from symgrad.compile.placement import is_view
from symgrad.ops.dims import same
from symgrad.program import Binding, Program

Side: TypeAlias = Literal["", "left", "right", "both"]


def vector_side(program: Program, b: Binding, call: Call) -> Side:
    """Which factor of a product is a vector, or a matrix of one column or row."""
    left, right = (program.type(a).shape for a in b.args)
    if call.takes == (1, 1):
        return "both"
    if call.takes[1] == 1 or same(right[-1], 1):
        return "right"
    return "left" if call.takes[0] == 1 or same(left[-2], 1) else ""


def adds_rows(program: Program, b: Binding, form: Form) -> bool:
    """Whether it is one product of a vector and a matrix that adds up the matrix's rows as they lie in memory."""
    if not isinstance(form, Call) or form.function != "dot" or form.gives != len(b.shape):
        return False
    side = vector_side(program, b, form)
    if side not in ("left", "right"):
        return False
    matrix = program.by_name[b.args[side == "left"]]
    return (side == "right") == (isinstance(matrix, Binding) and is_view(matrix))


def product_text(
    helpers: set[str], side: Side, operands: tuple[str, str], target: str, flat: bool, adds: bool = False
) -> str:
    """The statement that fills ``target``, or adds to it; a transposed operand ends in ``.T``.

    Args:
        flat: whether the vector and the target have one axis.
        adds: whether the product is added to the target, for those that ``adds_rows`` finds.
    """
    left, right = operands
    if not side:
        return f"np.dot({left}, {right}, {target})"
    matrix, vector = (left, right) if side == "right" else (right, left)
    by_rows = (side == "right") != matrix.endswith(".T")  # whether each entry is one row times the vector
    name = "matvec" if by_rows else "add_vecmat" if adds else "vecmat"
    helpers.add(name)
    matrix = matrix.removesuffix(".T")
    if not flat:
        vector, target = _flat(vector), _flat(target)
    return f"{name}({matrix}, {vector}, {target})" if by_rows else f"{name}({vector}, {matrix}, {target})"


def _flat(text: str) -> str:
    text = text.removesuffix(".T")
    return f"{text}.reshape({text}.size)"
