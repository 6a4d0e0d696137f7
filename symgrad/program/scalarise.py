"""A program at fixed sizes, written out entry by entry from the records' definitions.

The scalar witness differentiates the result with SymPy's ``diff``; the compiler unrolls tiny problems
with it.  Neither asks a vector-Jacobian product.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import dim_symbol, shape_of, size_of
from symgrad.ops.record import ARG, INDEX, Type, Whole
from symgrad.ops.scalars.functions import Comparison
from symgrad.program.program import Program

Position = tuple[int, ...]


ITSELF = ARG(0)
"""Nothing is done to what was combined."""


@dataclass(frozen=True)
class Term:
    """``fn``, an expression in ``ARG(0), …``, of entries of earlier values."""

    fn: sympy.Expr
    sources: tuple[tuple[str, Position], ...]


@dataclass(frozen=True)
class Entry:
    """One entry of a binding: ``after`` of the ``terms``, combined as ``combine`` says (see ``Definition``)."""

    name: str
    position: Position
    terms: tuple[Term, ...]
    combine: str = "sum"
    after: sympy.Expr = ITSELF


def scalarise(program: Program, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """Every entry of every binding, in an order in which they can be computed."""
    values = {dim_symbol(n): s for n, s in sizes.items()}
    for b in program.bindings:
        types = [Type(shape_of(program.type(a).shape, sizes), program.type(a).kind) for a in b.args]
        out = Type(shape_of(b.shape, sizes), b.kind)
        attrs = {k: _at_sizes(v, values) for k, v in b.items}
        definition = b.record.define(types, attrs, out)
        if isinstance(definition, Whole):
            yield from _whole(b.name, b.args, types, out, definition)
            continue
        fn = sympy.sympify(definition.fn).xreplace(values)
        indexed = not definition.plain
        ranges = [range(size_of(d, sizes)) for d in definition.reduce]
        for position in product(*(range(int(d)) for d in out.shape)):
            terms = []
            for reduced in product(*ranges):
                at = {INDEX(i): sympy.Integer(v) for i, v in enumerate((*position, *reduced))}
                sources = tuple(
                    (b.args[access.arg], tuple(_index(i, at) for i in access.index))
                    for access in definition.access
                )
                terms.append(Term(_decided(fn.xreplace(at)) if indexed else fn, sources))
            yield Entry(b.name, position, tuple(terms), definition.combine, definition.after)


RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
"""The comparisons of numbers by their sign."""


def _decided(fn: sympy.Expr) -> sympy.Expr:
    """Comparisons of whole numbers as 0 or 1, so that what is not there is 0 where the entry is infinite too."""
    known = {
        c: sympy.Integer(int(bool(RELATIONS[c.sign](*c.args))))
        for c in fn.atoms(Comparison)
        if all(a.is_Integer for a in c.args)
    }
    return fn.xreplace(known) if known else fn


def _whole(
    name: str, args: Sequence[str], types: Sequence[Type], out: Type, definition: Whole
) -> Iterator[Entry]:
    """The entries of an operation on whole arrays, each a function of all entries of its arguments."""
    sources: list[tuple[str, Position]] = []
    operands = []
    for a, t in zip(args, types, strict=True):
        shape = tuple(int(d) for d in t.shape)
        operand = np.empty(shape, dtype=object)
        for position in np.ndindex(*shape):
            operand[position] = ARG(len(sources))
            sources.append((a, position))
        operands.append(operand)
    result = np.asarray(definition.fn(*operands), dtype=object)
    for position in np.ndindex(*(int(d) for d in out.shape)):
        yield Entry(name, position, (Term(sympy.sympify(result[position]), tuple(sources)),))


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
        parts = [
            t.fn.xreplace({ARG(j): known[source] for j, source in enumerate(t.sources)}) for t in e.terms
        ]
        known[e.name, e.position] = e.after.xreplace({ARG(0): combined(e.combine, parts)})
    return known


def combined(how: str, parts: Sequence[sympy.Expr]) -> sympy.Expr:
    """The sum, product, largest or smallest of expressions; a tie takes the first."""
    if how == "sum":
        return sympy.Add(*parts)
    if how == "prod":
        return sympy.Mul(*parts)
    if not parts:
        raise ShapeError("There is no largest or smallest of no entries.", where=how)
    relation = sympy.Ge if how == "max" else sympy.Le
    cases = []
    for i, p in enumerate(parts[:-1]):
        others = [relation(p, q) for j, q in enumerate(parts) if j != i]
        cases.append((p, sympy.And(*others)))
    return sympy.Piecewise(*cases, (parts[-1], True))
