"""Why a factor of a matrix product gets what it gets, told of the very product: vectors, matrices, transposes."""

from __future__ import annotations

from symgrad.ops.record import ARG
from symgrad.program import Binding, Program

SQUARE = (
    "c = aᵀa  ⇒  ā = 2c̄ a",
    "each entry is multiplied by itself, and the slope of its square is twice the entry",
)


def product_reason(program: Program, b: Binding, position: int) -> tuple[str, str] | None:
    """The rule of a ``matmul`` for one factor and one sentence why; None where the general one says it all."""
    ranks = [len(program.type(a).shape) for a in b.args]
    if ranks == [1, 1]:
        return SQUARE if squares(program, b) else _inner(position)
    turned = [_transposed(program, a) for a in b.args]
    if min(ranks) == 1:
        matrix = ranks.index(max(ranks))
        return (
            _matrix_and_vector(turned[matrix] == (matrix == 0), position == matrix)
            if max(ranks) == 2
            else None
        )
    return _matrices(turned[0], turned[1], position) if any(turned) else None


def squares(program: Program, b: Binding) -> bool:
    """Whether a product is aᵀa of a vector a, or a multiple of it."""
    if b.op != "matmul" or b.shape:
        return False
    first, second = (multiples(program, a) for a in b.args)
    return first[-1] == second[-1]


def multiples(program: Program, name: str) -> list[str]:
    """A value, and what it is a multiple of by a number; the last one is no multiple."""
    b = program.by_name[name]
    if not isinstance(b, Binding) or b.op != "pointwise":
        return [name]
    vectors = [i for i, a in enumerate(b.args) if program.type(a).shape]
    if len(vectors) != 1 or (b.attrs["fn"] / ARG(vectors[0])).has(ARG(vectors[0])):
        return [name]
    return [name, *multiples(program, b.args[vectors[0]])]


def _transposed(program: Program, name: str) -> bool:
    """Whether a value is the transpose of a matrix, or of every matrix of a stack."""
    b = program.by_name[name]
    if not isinstance(b, Binding) or b.op != "transpose":
        return False
    axes = tuple(b.attrs["axes"])
    return axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)


def _inner(position: int) -> tuple[str, str]:
    rule = ("c = aᵀb  ⇒  ā = c̄ b", "c = aᵀb  ⇒  b̄ = c̄ a")[position]
    return rule, "each entry is multiplied by the entry of the other vector beside it, and that is its slope"


def _matrix_and_vector(turned: bool, for_matrix: bool) -> tuple[str, str]:
    """Of c = Ab, or of c = Aᵀb."""
    product = "c = Aᵀb" if turned else "c = Ab"
    if for_matrix:
        entry, met = ("(j, i)", "b cᵀ") if turned else ("(i, j)", "c bᵀ")
        adjoint = met.replace("c", "c̄")
        return (
            f"{product}  ⇒  Ā = {adjoint}",
            f"entry {entry} of A multiplies bⱼ and counts in cᵢ only, so c̄ᵢ bⱼ flows back to it: an outer product",
        )
    if turned:
        return (
            "c = Aᵀb  ⇒  b̄ = Ac̄",
            "bⱼ multiplies row j of A, and c̄ times that row, summed, flows back to it: A stands in front",
        )
    return (
        "c = Ab  ⇒  b̄ = Aᵀc̄",
        "bⱼ multiplies column j of A, and c̄ times that column, summed over the rows, flows back to it: Aᵀ stands in "
        "front",
    )


def _matrices(first: bool, second: bool, position: int) -> tuple[str, str]:
    """Of a product of two matrices one or both of which stand transposed."""
    a, b = ("Aᵀ", "A") if first else ("A", "Aᵀ"), ("Bᵀ", "B") if second else ("B", "Bᵀ")
    name = "AB"[position]
    if position == 0 and first:
        adjoint = f"{b[0]}C̄ᵀ"
        why = f"column i of A makes row i of C, so row i of C̄ flows back to it through {b[0]}, as a column"
    elif position == 0:
        adjoint = f"C̄{b[1]}"
        why = (
            f"row i of A makes row i of C, so row i of C̄ flows back to it through {b[1]}, which stands behind"
        )
    elif second:
        adjoint = f"C̄ᵀ{a[0]}"
        why = f"row j of B makes column j of C, so column j of C̄ flows back to it through {a[0]}, as a row"
    else:
        adjoint = f"{a[1]}C̄"
        why = f"column j of B makes column j of C, so column j of C̄ flows back to it through {a[1]} in front"
    return f"C = {a[0]}{b[0]}  ⇒  {name}\u0304 = {adjoint}", why


__all__ = ["multiples", "product_reason", "squares"]
