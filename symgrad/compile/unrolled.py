"""Tiny problems of fixed size: every entry a scalar in a register, every sum a balanced tree.

The entries come from the records' definitions (``symgrad.program.scalarise``), the same text that the scalar
witness differentiates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import sympy

from symgrad.compile.names import Namer
from symgrad.compile.placement import definition_of
from symgrad.compile.scalar_code import KernelPrinter, balanced_sum
from symgrad.ops.dims import Shape, shape_of
from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Program, scalarise
from symgrad.program.scalarise import Position

LIMIT = 600
"""At most this many scalar operations; beyond it loops win and compiling gets slow."""


def positions(shape: Sequence[int]) -> list[Position]:
    """All index tuples of an array, in C order."""
    return list(product(*map(range, shape)))


def place_in(array: str, position: Position) -> str:
    """``w[1, 0]``."""
    return f"{array}[{', '.join(map(str, position)) or '()'}]"


def cost(program: Program, sizes: Mapping[str, int]) -> int:
    """The number of scalar operations of one evaluation, inputs included, at most ``LIMIT`` + 1."""
    count = sum(prod(shape_of(i.shape, sizes)) for i in program.inputs)
    for b in program.bindings:
        if count > LIMIT:
            break
        reduced: Shape = tuple(definition_of(program, b).reduce)
        count += prod(shape_of(b.shape, sizes)) * prod(shape_of(reduced, sizes))
    return min(count, LIMIT + 1)


@dataclass(frozen=True)
class Scalars:
    """One evaluation.

    Attributes:
        loads: statements that read the inputs' entries.
        statements: the evaluation.
        entry: for each entry of each value the variable or number that it is.
    """

    loads: tuple[str, ...]
    statements: tuple[str, ...]
    entry: Mapping[tuple[str, Position], str]


def evaluation(program: Program, sizes: Mapping[str, int], helpers: set[str], namer: Namer) -> Scalars:
    """One evaluation of the program with every entry a variable."""
    entry: dict[tuple[str, Position], str] = {}
    loads: list[str] = []
    for i in program.inputs:
        array = namer.values[i.name]
        for p in positions(shape_of(i.shape, sizes)):
            entry[i.name, p] = _variable(namer, array, p)
            loads.append(f"{entry[i.name, p]} = {place_in(array, p)}")
    statements: list[str] = []
    for e in scalarise(program, sizes):
        terms = [_term(t.fn, [entry[source] for source in t.sources], helpers) for t in e.terms]
        key = (e.name, e.position)
        if len(terms) == 1 and (terms[0].isidentifier() or e.terms[0].fn.is_number):
            entry[key] = terms[0]  # a copy or a number needs no statement
            continue
        entry[key] = _variable(namer, namer.values[e.name], e.position)
        statements.append(f"{entry[key]} = {balanced_sum(terms)}")
    return Scalars(tuple(loads), tuple(statements), entry)


def _variable(namer: Namer, array: str, position: Position) -> str:
    if not position:
        return namer.fresh(f"{array}_now")
    return namer.fresh("_".join([array, *map(str, position)]))


def _term(fn: sympy.Expr, arguments: list[str], helpers: set[str]) -> str:
    symbols = {ARG(j): Piece(text, ATOM) for j, text in enumerate(arguments)}
    text = KernelPrinter(symbols, helpers).text(fn)
    return f"({text})" if fn.is_number and text.startswith("-") else text
