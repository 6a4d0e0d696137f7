"""Which values of a program get memory of their own, and which are written into the loops that read them.

A value is written into its reader where that costs nothing: it moves entries without arithmetic, or its only
reader asks for each of its entries exactly once.  All else has a buffer, or a variable if it is a scalar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import Dim, Shape, product, same
from symgrad.ops.record import ARG, Definition, Whole
from symgrad.program import Binding, Program

Place = Literal["buffer", "scalar", "inline", "number"]

SMALL_PRODUCT = 64
"""Matrix products with two fixed sizes whose product is at most this are loops; BLAS takes the others."""

_BLAS = "blas"


@dataclass(frozen=True)
class Placement:
    """Where each binding lives, and which matrix products go to BLAS."""

    place: Mapping[str, Place]
    blas: frozenset[str]


def definition_of(program: Program, b: Binding) -> Definition:
    """The record's definition of a binding."""
    found = b.record.define([program.type(a) for a in b.args], b.attrs, b.type)
    if isinstance(found, Whole) or found.combine != "sum" or found.after != ARG(0):
        raise UnsupportedError(
            f"{b.op} has no compiled form yet.", where="compile", fix="call the derivation itself: d(x=…)"
        )
    return found


def place(program: Program) -> Placement:
    """Decide from the last binding to the first, so that every reader is known before what it reads.

    For each value ``roots`` collects the loop nests (or BLAS calls) that end up computing or reading it.
    """
    roots: dict[str, list[str]] = {name: [] for name in program.by_name}
    entries = {b.name: product(_range(program, b)) for b in program.bindings}
    for _, name in program.outputs:
        roots[name].append("output")
    found: dict[str, Place] = {}
    blas = frozenset(b.name for b in program.bindings if _for_blas(program, b))
    for b in reversed(program.bindings):
        found[b.name] = _place(program, b, roots[b.name], entries, blas)
        inside = found[b.name] in ("inline", "number")
        mine = roots[b.name] if inside else [_BLAS if b.name in blas else b.name]
        for a in b.args:
            roots[a] += mine
    return Placement({b.name: found[b.name] for b in program.bindings}, blas)


def _place(
    program: Program, b: Binding, roots: list[str], entries: Mapping[str, Dim], blas: frozenset[str]
) -> Place:
    definition = definition_of(program, b)
    if not b.args and b.shape == ():
        return "number"
    if b.shape == ():
        return "scalar"
    if definition.reduce or "output" in roots:
        return "buffer"
    if _BLAS in roots:
        return "inline" if _is_view(program, b) and set(roots) == {_BLAS} else "buffer"
    if definition.fn == ARG(0) or not b.args:
        return "inline"
    once = len(roots) == 1 and same(product(b.shape), entries[roots[0]])
    return "inline" if once else "buffer"


def _is_view(program: Program, b: Binding) -> bool:
    """A transposed matrix, which BLAS reads without a copy."""
    return b.op == "transpose" and len(b.shape) == 2


def _range(program: Program, b: Binding) -> Shape:
    return (*b.shape, *definition_of(program, b).reduce)


def _for_blas(program: Program, b: Binding) -> bool:
    if b.op != "matmul" or any(len(program.type(a).shape) > 2 for a in b.args):
        return False
    sizes = [d for d in _range(program, b) if isinstance(d, int)]
    loops = len(_range(program, b))
    fixed = 1
    for d in sizes:
        fixed *= d
    return not (len(sizes) >= loops - 1 and fixed <= SMALL_PRODUCT)
