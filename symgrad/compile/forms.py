"""How each operation is computed in a kernel: by loops from its definition, or by a call on whole arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sympy

from symgrad.errors import DataError, UnsupportedError
from symgrad.ops.dims import Dim, Shape, product, size_of
from symgrad.ops.record import ARG, INDEX, Definition, Whole
from symgrad.program import Binding, Program

SMALL_PRODUCT = 64
"""Matrix products with two fixed sizes whose product is at most this are loops; BLAS takes the others."""


@dataclass(frozen=True)
class Call:
    """A function of the kernel file (or ``dot``), called for each matrix of a stack or each line along an axis.

    Attributes:
        function: its name.
        on: ``matrix`` (the last axes of each argument) or ``line`` (along ``axis``).
        takes, gives: for matrices how many axes of each argument, and of the result, one call covers.
        fills: whether it writes to a line that it is given, and returns nothing.
        extra: texts of further arguments.
    """

    function: str
    on: Literal["matrix", "line"]
    takes: tuple[int, ...] = ()
    gives: int = 2
    axis: int = 0
    fills: bool = False
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Literals:
    """An array of numbers that stands in the file."""


Form: TypeAlias = Definition | Call | Literals

_MATRIX = {
    "inverse": (2,), "cofactor": (2,), "cholesky": (2,), "pinv": (2,), "svd_sum": (2, 1), "eigh_sum": (2, 1),
    "det": (2,), "logdet": (2,), "det_sign": (2,), "eigvalsh": (2,), "svdvals": (2,),
}  # fmt: skip
"""For each operation on matrices how many axes one call takes of each argument."""

_NUMBER, _VECTOR = ("det", "logdet", "det_sign"), ("eigvalsh", "svdvals")


def form_of(program: Program, b: Binding) -> Form:
    """The form of one binding.

    Raises:
        UnsupportedError: the operation is known as a whole only, and no call is.
    """
    attrs = b.attrs
    if b.op == "array":
        return Literals()
    if b.op in _MATRIX:
        return Call(b.op, "matrix", _MATRIX[b.op], 0 if b.op in _NUMBER else 1 if b.op in _VECTOR else 2)
    if b.op == "over_gaps":
        return Call(b.op, "matrix", (2, 1), extra=(str(attrs["checked"] != "never"),))
    if b.op == "eigh_vectors":
        return Call("upright_eigenvectors" if attrs["upright"] else "eigenvectors", "matrix", (2,))
    if b.op == "matrix_power":
        return Call(b.op, "matrix", (2,), extra=(str(attrs["p"]),))
    if b.op == "solve":
        right = min(len(program.type(b.args[1]).shape), 2)
        return Call(b.op, "matrix", (2, right), right)
    if b.op == "cumsum":
        function = "cumsum_from_the_end" if attrs["reverse"] else "cumsum"
        return Call(function, "line", axis=attrs["axis"], fills=True)
    if b.op in ("prod_others", "argsort"):
        return Call(b.op, "line", axis=attrs["axis"], fills=True)
    if b.op in ("argmax", "argmin"):
        return Call(b.op, "line", axis=attrs["axes"][0])
    found = b.record.define([program.type(a) for a in b.args], attrs, b.type)
    if isinstance(found, Whole):
        raise UnsupportedError(
            f"{b.op} has no compiled form.",
            where=f"compile, {b.name} = {b.op}({', '.join(b.args)})",
            fix="call the derivation itself: d(x=…) computes it in NumPy",
        )
    if b.op == "matmul" and _for_blas(program, b, found):
        takes = tuple(min(len(program.type(a).shape), 2) for a in b.args)
        return Call("dot", "matrix", takes, sum(takes) - 2, fills=True)
    return _copied(b.shape, found)


def _copied(shape: Shape, found: Definition) -> Definition:
    """Its one part as the definition itself, where that gives every entry of the result in order."""
    if len(found.parts) != 1 or found.parts[0].adds:
        return found
    (part,) = found.parts
    if part.target != tuple(INDEX(i) for i in range(found.rank)) or part.sizes != shape:
        return found
    return Definition(found.rank, part.access, part.fn)


def _for_blas(program: Program, b: Binding, definition: Definition) -> bool:
    """Whether a product is large, or may be; the axes of a stack do not count."""
    if any(program.type(a).kind != "real" for a in b.args):
        return False
    matrix = b.shape[len(b.shape) - sum(min(len(program.type(a).shape), 2) - 1 for a in b.args) :]
    loops = (*matrix, *definition.reduce)
    sizes = [d for d in loops if isinstance(d, int)]
    fixed = 1
    for d in sizes:
        fixed *= d
    return not (len(sizes) >= len(loops) - 1 and fixed <= SMALL_PRODUCT)


def reads_at_values(definition: Definition) -> bool:
    """Whether an index is the value of another argument."""
    places = [i for a in definition.access for i in a.index]
    for p in definition.parts:
        places += [*p.target, *(i for a in p.access for i in a.index)]
    arguments = {ARG(k) for k in range(len(definition.access) + 1)}
    return any(sympy.sympify(i).free_symbols & arguments for i in places)


def is_log_sum_exp(definition: Definition) -> bool:
    """Whether it is log Σ exp, which loops compute relative to the largest exponent."""
    return (
        definition.combine == "sum"
        and isinstance(definition.fn, sympy.exp)
        and definition.after == sympy.log(ARG(0))
    )


def must_not_be_empty(program: Program) -> Iterator[tuple[str, Dim]]:
    """The operations that have no result of no entries, with the number of entries that each one takes."""
    for b in program.bindings:
        if b.op in ("max", "min", "argmax", "argmin"):
            shape = program.type(b.args[0]).shape
            count = product(shape[i] for i in b.attrs["axes"])
            if not isinstance(count, int) or count == 0:
                yield b.op, count


def check_not_empty(needed: tuple[tuple[str, Dim], ...], sizes: Mapping[str, int]) -> None:
    """Refuse sizes of 0 where something has to be chosen.

    Raises:
        DataError: there is nothing to choose from.
    """
    for op, count in needed:
        if size_of(count, sizes) == 0:
            raise DataError(
                f"{op} of no entries has no value.",
                where=op,
                expected=f"{count} > 0",
                got=", ".join(f"{n} = {s}" for n, s in sizes.items() if s == 0),
            )
