"""A program at fixed sizes, written out entry by entry from the records' definitions.

The scalar witness differentiates the result with SymPy's ``diff``; the compiler unrolls tiny problems
with it.  Neither asks a vector-Jacobian product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import sympy

from symgrad.ops.dims import dim_symbol, shape_of, size_of
from symgrad.ops.record import ARG, INDEX, Type
from symgrad.program.program import Program

Position = tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """One entry of a binding as the sum of ``terms``.

    Each term applies ``fn``, an expression in ``ARG(0), …``, to entries of earlier values.
    """

    name: str
    position: Position
    fn: sympy.Expr
    terms: tuple[tuple[tuple[str, Position], ...], ...]


def scalarise(program: Program, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """Every entry of every binding, in an order in which they can be computed."""
    values = {dim_symbol(n): s for n, s in sizes.items()}
    for b in program.bindings:
        types = [Type(shape_of(program.type(a).shape, sizes)) for a in b.args]
        out = Type(shape_of(b.shape, sizes))
        attrs = {k: _at_sizes(v, values) for k, v in b.items}
        definition = b.record.define(types, attrs, out)
        fn = sympy.sympify(definition.fn).xreplace(values)
        ranges = [range(size_of(d, sizes)) for d in definition.reduce]
        for position in product(*(range(int(d)) for d in out.shape)):
            terms = []
            for reduced in product(*ranges):
                at = {INDEX(i): sympy.Integer(v) for i, v in enumerate((*position, *reduced))}
                terms.append(
                    tuple(
                        (b.args[access.arg], tuple(_index(i, at) for i in access.index))
                        for access in definition.access
                    )
                )
            yield Entry(b.name, position, fn, tuple(terms))


def _index(index: object, at: Mapping[sympy.Symbol, sympy.Integer]) -> int:
    if isinstance(index, sympy.Symbol):
        return int(at[index])
    if isinstance(index, sympy.Expr):
        return int(index.subs(at))
    return int(index)  # type: ignore[call-overload]


def _at_sizes(value: object, values: Mapping[sympy.Symbol, int]) -> object:
    if isinstance(value, sympy.Expr):
        return value.xreplace(values)
    if isinstance(value, tuple):
        return tuple(_at_sizes(v, values) for v in value)
    return value


def scalar_expressions(
    program: Program, sizes: Mapping[str, int], entries: Mapping[tuple[str, Position], sympy.Expr]
) -> dict[tuple[str, Position], sympy.Expr]:
    """Every entry as one closed SymPy expression of the input entries.

    Args:
        program: what to write out.
        sizes: the value of each dimension symbol.
        entries: for each input entry the symbol or number that stands for it.
    """
    known: dict[tuple[str, Position], sympy.Expr] = dict(entries)
    for e in scalarise(program, sizes):
        total = sympy.S.Zero
        parts = []
        for term in e.terms:
            parts.append(e.fn.xreplace({ARG(j): known[source] for j, source in enumerate(term)}))
        total = sympy.Add(*parts)
        known[e.name, e.position] = total
    return known
