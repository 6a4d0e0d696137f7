"""Tiny problems of fixed size: every entry a scalar in a register, every sum a balanced tree.

The entries come from the records' definitions (``symgrad.program.scalarise``), the same text that the scalar
witness differentiates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symgrad.compile.scalar_code import KernelPrinter, balanced_sum
from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Program, identifiers, scalarise
from symgrad.program.scalarise import Position

LIMIT = 600
"""At most this many scalar operations; beyond it loops win and compiling gets slow."""


def positions(shape: tuple[int, ...]) -> list[Position]:
    """All index tuples of an array, in C order."""
    out: list[Position] = [()]
    for d in shape:
        out = [(*p, i) for p in out for i in range(d)]
    return out


def scalar_name(name: str, position: Position) -> str:
    """``w`` at (1, 0) is ``w_1_0``."""
    return "_".join([name, *map(str, position)])


def cost(program: Program, sizes: Mapping[str, int]) -> int:
    """The number of scalar operations of one evaluation, at most ``LIMIT`` + 1."""
    count = 0
    for i in program.inputs:
        count += len(positions(shape_of(i.shape, sizes))) if _entries(i.shape, sizes) <= LIMIT else LIMIT + 1
    for b in program.bindings:
        if count > LIMIT or _entries(b.shape, sizes) > LIMIT:
            return LIMIT + 1
        definition = b.record.define([program.type(a) for a in b.args], b.attrs, b.type)
        reduced = 1
        for d in shape_of(tuple(definition.reduce), sizes):
            reduced *= d
        count += _entries(b.shape, sizes) * reduced
    return min(count, LIMIT + 1)


def _entries(shape: tuple[object, ...], sizes: Mapping[str, int]) -> int:
    total = 1
    for d in shape_of(shape, sizes):  # type: ignore[arg-type]
        total *= d
    return total


@dataclass(frozen=True)
class Scalars:
    """Statements of one evaluation, and where each entry ended up."""

    statements: tuple[str, ...]
    entry: Mapping[tuple[str, Position], str]


def evaluation(program: Program, sizes: Mapping[str, int], helpers: set[str]) -> Scalars:
    """One evaluation of the program, the input entries being scalars named by ``scalar_name``."""
    names = identifiers(program)
    entry: dict[tuple[str, Position], str] = {}
    for i in program.inputs:
        for p in positions(shape_of(i.shape, sizes)):
            entry[i.name, p] = scalar_name(names[i.name], p)
    dims = {dim_symbol(n): sympy.Integer(v) for n, v in sizes.items()}
    statements: list[str] = []
    for e in scalarise(program, sizes):
        fn = e.fn.xreplace(dims)
        terms = []
        for term in e.terms:
            symbols = {ARG(j): Piece(entry[s], ATOM) for j, s in enumerate(term)}
            terms.append(KernelPrinter(symbols, helpers).text(fn))
        key = (e.name, e.position)
        if len(terms) == 1 and (terms[0].isidentifier() or fn.is_number):
            entry[key] = terms[0]  # a copy or a number needs no statement
            continue
        entry[key] = scalar_name(names[e.name], e.position)
        statements.append(f"{entry[key]} = {balanced_sum(terms)}")
    return Scalars(tuple(statements), entry)


def load_inputs(program: Program, sizes: Mapping[str, int]) -> list[str]:
    """Statements that read every input entry into its scalar."""
    names = identifiers(program)
    out = []
    for i in program.inputs:
        for p in positions(shape_of(i.shape, sizes)):
            out.append(f"{scalar_name(names[i.name], p)} = {names[i.name]}[{', '.join(map(str, p)) or '()'}]")
    return out
