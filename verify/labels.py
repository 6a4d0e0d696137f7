"""Which whole numbers an index may hold: those below the size of the axis that it names entries of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symgrad.ops.dims import Dim, dim_symbol
from symgrad.ops.record import ARG, Access, Definition
from symgrad.program import Binding, Input, Program


def limited(program: Program, inputs: Sequence[Input], pinned: Mapping[str, int]) -> tuple[Input, ...]:
    """The inputs, with ``labels k`` where whole numbers are used as indices below k and nothing was said.

    ``pinned`` are sizes that stand in the program as numbers, all of them different.
    """
    symbols = {size: dim_symbol(n) for n, size in pinned.items()}
    found = {n: symbols.get(size, size) for n, size in _limits(program).items()}
    return tuple(
        replace(i, domain=f"labels {found[i.name]}")
        if i.domain == "int" and isinstance(found.get(i.name), (int, sympy.Symbol))
        else i
        for i in inputs
    )


def _limits(program: Program) -> dict[str, Dim]:
    """For each value that serves as an index, directly or moved, the size of the axis; the smaller of two numbers."""
    found: dict[str, Dim] = {}

    def note(name: str, size: Dim) -> None:
        old = found.get(name)
        if old is None or (isinstance(size, int) and isinstance(old, int) and size < old):
            found[name] = size

    for b in reversed(program.bindings):
        types = [program.type(a) for a in b.args]
        if not any(t.kind == "int" for t in types):
            continue
        definition = b.record.define(types, b.attrs, b.type)
        if not isinstance(definition, Definition):
            continue
        for arg, size in _named(b, definition, [t.shape for t in types]):
            note(b.args[arg], size)
        if b.name in found and _moves(definition):
            note(b.args[definition.access[0].arg], found[b.name])
    return found


def _moves(definition: Definition) -> bool:
    """Whether each entry of the result is an entry of one argument."""
    return definition.plain and definition.fn == ARG(0) and len(definition.access) == 1


def _named(b: Binding, definition: Definition, shapes: Sequence[tuple[Dim, ...]]) -> list[tuple[int, Dim]]:
    """Arguments that are read as indices, with the sizes of the axes that they index."""
    found = []
    for part in definition.parts:
        for size, index in zip(b.shape, part.target, strict=True):
            found += _reads(part.access, index, size)
        for access in part.access:
            for size, index in zip(shapes[access.arg], access.index, strict=True):
                found += _reads(part.access, index, size)
    return found


def _reads(access: Sequence[Access], index: object, size: Dim) -> list[tuple[int, Dim]]:
    return [(a.arg, size) for j, a in enumerate(access) if index == ARG(j)]
