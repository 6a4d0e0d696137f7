"""The sizes of a kernel: a name for each, read from the shapes of its arrays."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.compile.names import Namer
from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.program import Program

NO_SIZES: Mapping[sympy.Symbol, str] = {}


def size_names(program: Program, namer: Namer) -> dict[sympy.Symbol, str]:
    """A name for every size that the inputs have."""
    return {s: namer.fresh(f"size_{s.name}") for s in _dim_symbols(program)}


def size_statements(
    program: Program,
    dims: Mapping[sympy.Symbol, str],
    names: Mapping[str, str],
    known: Mapping[sympy.Symbol, str],
) -> list[str]:
    """Assign every dimension, from the shape of an array among ``names`` or as ``known`` says."""
    places = size_places(program)
    out = []
    for s, text in dims.items():
        source = known.get(s)
        if source is None:
            position, axis = places[s]
            source = f"{names[program.inputs[position].name]}.shape[{axis}]"
        out.append(f"{text} = {source}")
    return out


def size_places(program: Program) -> dict[sympy.Symbol, tuple[int, int]]:
    """The first input, and its axis, that has each size."""
    found: dict[sympy.Symbol, tuple[int, int]] = {}
    for position, i in enumerate(program.inputs):
        for axis, d in enumerate(i.shape):
            if isinstance(d, sympy.Symbol):
                found.setdefault(d, (position, axis))
    return found


def _dim_symbols(program: Program) -> list[sympy.Symbol]:
    found = size_places(program)
    for i in program.inputs:
        for d in i.shape:
            unknown = sympy.sympify(d).free_symbols - found.keys()
            if unknown:
                raise ShapeError(
                    f"No array has an axis of size {min(unknown, key=str)}.",
                    where=i.name,
                    got=format_shape(i.shape),
                    fix="give the size of an axis a name of its own",
                )
    return list(found)
