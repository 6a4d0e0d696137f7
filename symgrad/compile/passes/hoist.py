"""What a training run would compute again in each step, although no parameter takes part: once, before the loop.

A value is computed before the loop where the arithmetic that this saves takes longer than reading the value from
memory in each step (``costs.BALANCE``).  What only moves entries, such as a transposed matrix, stays in the step.  With
mini-batches all that depends on the rows of a batch, or on how many there are, stays there too.  It is computed by the
program's NumPy code in float64 and rounded once, so that no value has a larger error than in the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import sympy

from symgrad.compile.costs import BALANCE, flops, itemsize
from symgrad.compile.forms import form_of
from symgrad.compile.placement import is_view
from symgrad.ops.dims import shape_of
from symgrad.ops.record import ARG, Definition
from symgrad.program import FAILURES, Binding, Input, Program, explained, numpy_callable

HOIST = "hoist"
LEAST = 100
"""Operations a step that are worth another array."""
MOST = 2**25
"""Entries of the largest array that is computed before the loop: whole, and in float64, it takes 256 MiB."""

WHY = "What no parameter takes part in is computed once, before the loop, where reading it costs less."


@dataclass(frozen=True)
class Split:
    """A training run's program in two.

    Attributes:
        before: computes what does not change, each output labelled with its own name; None where nothing is.
        step: the rest, which takes those values as inputs.
    """

    before: Program | None
    step: Program


def hoist(
    program: Program, parameters: Sequence[str], batched: Sequence[str], sizes: Mapping[str, int], dtype: str
) -> Split:
    """Take out what is worth it at these sizes."""
    varying = _varying(program, parameters, batched)
    step = {b.name for b in program.bindings if b.name in varying}
    read = [a for b in program.bindings if b.name in step for a in b.args] + [v for _, v in program.outputs]
    read_anyway = {i for name in read for i in _through_moves(program, name)}
    taken: dict[str, None] = {}
    credited: set[str] = set()
    waiting = list(dict.fromkeys(read))
    while waiting:
        name = waiting.pop(0)
        b = program.by_name[name]
        if not isinstance(b, Binding) or name in step or name in taken:
            continue
        needed = _cone(program, name)
        leaves = {a for n in needed for a in _binding(program, n).args if program.is_input(a)}
        freed = leaves - read_anyway - credited
        more = _bytes(program, [name], sizes, dtype) - _bytes(program, freed, sizes, dtype)
        saved = sum(flops(program, _binding(program, n), sizes=sizes) for n in needed)
        fits = max(_entries(program, n, sizes) for n in (*needed, *leaves)) <= MOST
        if fits and not _moves(program, b) and saved >= LEAST + BALANCE * max(0, more):
            taken[name] = None
            credited |= freed
        else:
            step.add(name)
            waiting += b.args
    if not taken:
        return Split(None, program)
    return Split(_before(program, list(taken)), _step(program, step, list(taken), [*parameters, *batched]))


def evaluate(
    before: Program, arrays: Mapping[str, np.ndarray], dtype: str, where: str = ""
) -> dict[str, Any]:
    """The values that do not change, as arrays of the kernel's dtypes.

    Raises:
        DataError: a matrix without an inverse, an index out of range.
    """
    given = [arrays[i.name] for i in before.inputs]
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in given]
    try:
        with np.errstate(all="ignore"):
            found = numpy_callable(before)(*wide)
    except FAILURES as error:
        raise explained(error, where) from error
    first, others = found if len(before.outputs) > 1 else (found, {})
    values = {before.outputs[0][0]: first, **others}
    kinds = {"int": "int64", "bool": "bool"}
    with np.errstate(all="ignore"):
        return {n: np.array(v, kinds.get(before.type(n).kind, dtype), order="C") for n, v in values.items()}


def _varying(program: Program, parameters: Iterable[str], batched: Sequence[str]) -> set[str]:
    """What changes from step to step."""
    found = {*parameters, *batched}
    counts = {s for n in batched for d in program.type(n).shape[:1] for s in sympy.sympify(d).free_symbols}
    for b in program.bindings:
        if any(a in found for a in b.args) or counts & _symbols([b.shape, b.items]):
            found.add(b.name)
    return found


def _symbols(value: object) -> set[sympy.Symbol]:
    if isinstance(value, (tuple, list)):
        return {s for v in value for s in _symbols(v)}
    return set(value.free_symbols) if isinstance(value, sympy.Basic) else set()


def _binding(program: Program, name: str) -> Binding:
    found = program.by_name[name]
    assert isinstance(found, Binding)
    return found


def _moves(program: Program, b: Binding) -> bool:
    """Whether it does no arithmetic: a number, a copy in another order."""
    if not b.args or is_view(b):
        return True
    form = form_of(program, b)
    return isinstance(form, Definition) and not form.reduce and not form.parts and form.fn == ARG(0)


def _through_moves(program: Program, name: str) -> set[str]:
    """The inputs that are read where a value is, if nothing is computed in between."""
    b = program.by_name[name]
    if not isinstance(b, Binding):
        return {name}
    return {i for a in b.args for i in _through_moves(program, a)} if _moves(program, b) else set()


def _cone(program: Program, *names: str) -> list[str]:
    """The bindings that some values need, in order."""
    needed = set(names)
    for b in reversed(program.bindings):
        if b.name in needed:
            needed.update(b.args)
    return [b.name for b in program.bindings if b.name in needed]


def _entries(program: Program, name: str, sizes: Mapping[str, int]) -> int:
    return prod(shape_of(program.type(name).shape, sizes))


def _bytes(program: Program, names: Iterable[str], sizes: Mapping[str, int], dtype: str) -> int:
    return sum(_entries(program, n, sizes) * itemsize(program.type(n).kind, dtype) for n in names)


def _before(program: Program, taken: Sequence[str]) -> Program:
    cone = set(_cone(program, *taken))
    bindings = tuple(b for b in program.bindings if b.name in cone)
    used = {a for b in bindings for a in b.args}
    symbols = {s for b in bindings for s in _symbols([b.shape, b.items])}
    inputs = _kept(program.inputs, used, symbols)
    return Program(inputs, bindings, tuple((n, n) for n in taken))


def _step(program: Program, step: set[str], taken: Sequence[str], always: Sequence[str]) -> Program:
    bindings = tuple(b for b in program.bindings if b.name in step)
    used = {a for b in bindings for a in b.args} | {v for _, v in program.outputs} | set(always)
    made = tuple(Input(n, program.type(n).shape, program.type(n).kind) for n in taken)
    symbols = {s for b in bindings for s in _symbols([b.shape, b.items])}
    symbols |= {s for _, v in program.outputs for s in _symbols(program.type(v).shape)}
    return Program(_kept((*program.inputs, *made), used | set(taken), symbols), bindings, program.outputs)


def _kept(inputs: Sequence[Input], used: set[str], symbols: set[sympy.Symbol]) -> tuple[Input, ...]:
    """The inputs that are used, and what it takes to know every size."""
    symbols = symbols | {s for i in inputs if i.name in used for s in _symbols(i.shape)}
    symbols -= {d for i in inputs if i.name in used for d in i.shape}
    names = set(used)
    for i in inputs:
        if i.name not in names and symbols & set(i.shape):
            names.add(i.name)
            symbols -= set(i.shape)
    return tuple(i for i in inputs if i.name in names)
