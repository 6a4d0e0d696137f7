"""A program taken apart into what has no rows and what each sweep over the rows computes, as programs again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symgrad.compile.names import KEPT
from symgrad.compile.rows import Separation, everywhere
from symgrad.program import Input, Program

BLOCK = sympy.Symbol("rows", integer=True, nonnegative=True)
"""The number of rows of a block, in the shapes of what a sweep computes."""


@dataclass(frozen=True)
class Parts:
    """A separated program as several: each takes as inputs what it reads of the others.

    The order is section 0, sweep 1, section 1, sweep 2, …  Outputs are those of the whole, under their labels, and
    what other parts read, labelled ``=name``.

    Attributes:
        sections: what has no rows, one more than sweeps; some may have nothing to do.
        sweeps: rows, and the sums over one block of them.
    """

    sections: tuple[Program, ...]
    sweeps: tuple[Program, ...]


def parts_of(program: Program, found: Separation) -> Parts:
    """The programs of the parts."""
    last = found.sweeps
    home = {
        b.name: (found.role[b.name] != "free", found.stage[b.name])
        for b in program.bindings
        if not everywhere(program, b.name)
    }
    outputs: dict[tuple[bool, int], list[tuple[str, str]]] = {}
    for label, value in program.outputs:
        rows = found.role[value] == "row"
        outputs.setdefault(home.get(value, (True, 1)) if rows else (False, last), []).append((label, value))
    read = {(part, v) for part, found_there in outputs.items() for _, v in found_there}
    read |= {(home[b.name], a) for b in program.bindings if b.name in home for a in b.args}
    kept = {v for part, v in read if home.get(v, part) != part}

    def part(rows: bool, stage: int) -> Program:
        own = [n for n, at in home.items() if at == (rows, stage)]
        handed_on = [(KEPT + n, n) for n in own if n in kept]
        return _part(program, own, [*handed_on, *outputs.get((rows, stage), ())])

    return Parts(
        tuple(part(False, s) for s in range(last + 1)),
        tuple(_in_blocks(part(True, s), found.symbol) for s in range(1, last + 1)),
    )


def _part(program: Program, names: Sequence[str], outputs: Sequence[tuple[str, str]]) -> Program:
    """The part that computes these bindings; all else that it reads is an input."""
    chosen = set(names)
    read = [a for b in program.bindings if b.name in chosen for a in b.args] + [v for _, v in outputs]
    chosen |= {n for n in read if everywhere(program, n)}
    read = [a for b in program.bindings if b.name in chosen for a in b.args] + [v for _, v in outputs]
    given = [n for n in dict.fromkeys(read) if n not in chosen]
    inputs = [Input(n, program.type(n).shape, program.type(n).kind) for n in given]
    return Program(tuple(inputs), tuple(b for b in program.bindings if b.name in chosen), tuple(outputs))


def without(part: Program, values: Sequence[str]) -> Program:
    """The part without these outputs, and without inputs that only they read."""
    outputs = tuple((label, v) for label, v in part.outputs if v not in values)
    read = {a for b in part.bindings for a in b.args} | {v for _, v in outputs}
    return Program(tuple(i for i in part.inputs if i.name in read), part.bindings, outputs)


def _in_blocks(part: Program, symbol: sympy.Symbol) -> Program:
    """The part with a block's rows in its shapes; a number of rows in a formula stays that of all rows."""
    inputs = tuple(replace(i, shape=_renamed(i.shape, symbol)) for i in part.inputs)
    bindings = tuple(
        replace(
            b,
            shape=_renamed(b.shape, symbol),
            items=b.items
            if b.op in ("pointwise", "constant")
            else tuple((k, _renamed(v, symbol)) for k, v in b.items),
        )
        for b in part.bindings
    )
    return Program(inputs, bindings, part.outputs)


def _renamed(value: Any, symbol: sympy.Symbol) -> Any:
    if isinstance(value, tuple):
        return tuple(_renamed(v, symbol) for v in value)
    return value.xreplace({symbol: BLOCK}) if isinstance(value, sympy.Basic) else value
