"""Which part of a program works row by row, so that blocks of rows can stay in cache and run on threads.

For one size, the number of rows, every value is one of

    row      has one axis of rows, and its row i depends on row i of other values only
    total    a sum over the rows, or their largest entries
    free     no rows: parameters, ½, WᵀW, or what is computed from totals

A sweep over blocks of rows computes rows and totals.  A row that needs a total (batch normalisation, a softmax over
the samples) waits for the next sweep: stage 0 is what comes before the first sweep, stage s the s-th sweep and what
is free right after it.

The records' definitions say all that is needed: through which index a row of the result reads a row of an
argument.  Nothing here knows any operation by its name, the products that BLAS takes excepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Literal

import sympy

from symgrad.compile.forms import Call, form_of, is_log_sum_exp
from symgrad.compile.placement import is_view
from symgrad.ops.dims import has_size, only_axis, shape_of
from symgrad.ops.record import ARG, INDEX, Access, Definition, Part
from symgrad.program import Binding, Program

Role = Literal["row", "total", "free"]

SWEEPS = 6
"""Programs that need more are computed whole: each sweep reads the data again, and takes a second to compile."""


@dataclass(frozen=True)
class Separation:
    """A program taken apart along one size.

    Attributes:
        symbol: the number of rows.
        role: of every input and binding.
        stage: of every input and binding; that of an input is 0.
        axis: for every value with rows, which of its axes they are.
    """

    symbol: sympy.Symbol
    role: Mapping[str, Role]
    stage: Mapping[str, int]
    axis: Mapping[str, int]

    @property
    def sweeps(self) -> int:
        """How often the rows are gone through."""
        return max(s for n, s in self.stage.items() if self.role[n] != "free")


@lru_cache(maxsize=64)
def separations(program: Program) -> tuple[Separation, ...]:
    """Along every size for which that can be, those with fewest sweeps first."""
    symbols = {
        d: None for value in program.by_name.values() for d in value.shape if isinstance(d, sympy.Symbol)
    }
    found = [made for made in (separate(program, symbol) for symbol in symbols) if made is not None]
    return tuple(sorted(found, key=lambda made: made.sweeps))


def separate(program: Program, symbol: sympy.Symbol) -> Separation | None:
    """Along this size; None where that cannot be, or where there is nothing to sum."""
    role: dict[str, Role] = {}
    stage: dict[str, int] = {}
    axis: dict[str, int] = {}
    counting: set[str] = set()
    for i in program.inputs:
        role[i.name], stage[i.name] = "free", 0
        if has_size(i.shape, symbol):
            at = only_axis(i.shape, symbol)
            if at is None:
                return None
            role[i.name], axis[i.name] = "row", at
    for b in program.bindings:
        if not any(a in axis for a in b.args) and not has_size(b.shape, symbol):
            role[b.name], stage[b.name] = "free", max((stage[a] for a in b.args), default=0)
            continue
        form = _definition(program, b)
        found = None if form is None else _row_index(b, form, axis, counting, symbol)
        if form is None or found is None:
            return None
        role[b.name] = found[0]
        stage[b.name] = max((stage[a] + (role[a] != "row") for a in b.args), default=1) or 1
        if found[0] == "row":
            axis[b.name] = found[1]
            if not b.args and form.fn == INDEX(0) and b.kind == "int" and len(b.shape) == 1:
                counting.add(b.name)
    if "total" not in role.values():
        return None
    if any(axis.get(v, 0) for _, v in program.outputs):
        return None  # a gradient that would be written in columns
    _wait(program, role, stage)
    made = Separation(symbol, role, stage, axis)
    if made.sweeps > SWEEPS or any(axis[n] for n in kept_rows(program, made)):
        return None
    return made


def _wait(program: Program, role: Mapping[str, Role], stage: dict[str, int]) -> None:
    """Compute rows in the sweep that first reads them, so that they need not be kept until then."""
    readers: dict[str, list[int]] = {}
    for b in reversed(program.bindings):
        if role[b.name] == "row" and b.name in readers:
            stage[b.name] = max(stage[b.name], min(readers[b.name]))
        if role[b.name] != "free":
            for a in b.args:
                readers.setdefault(a, []).append(stage[b.name])


def kept_rows(program: Program, found: Separation) -> list[str]:
    """The bindings with rows that a later sweep reads again, in order."""
    later = {
        a
        for b in program.bindings
        for a in b.args
        if found.role[a] == "row" and found.role[b.name] != "free" and found.stage[b.name] > found.stage[a]
    }
    return [b.name for b in program.bindings if b.name in later and not everywhere(program, b.name)]


def everywhere(program: Program, name: str) -> bool:
    """A number, an array of numbers, or a transposed input: each part that reads it has its own."""
    value = program.by_name[name]
    if not isinstance(value, Binding):
        return False
    return not value.args or (is_view(value) and program.is_input(value.args[0]))


LARGE = 2**19
"""Entries with rows from which on a run saves more than the longer compilation costs."""


def best(program: Program, found: Sequence[Separation], sizes: Mapping[str, int]) -> Separation | None:
    """The separation with most rows; None where its inputs with rows are too small for blocks and threads to pay."""
    made = max(found, key=lambda s: sizes[s.symbol.name], default=None)
    if made is None:
        return None
    return made if entries_with_rows(program, made, sizes) >= LARGE else None


def entries_with_rows(program: Program, found: Separation, sizes: Mapping[str, int]) -> int:
    """The entries of all inputs that have rows."""
    return sum(prod(shape_of(i.shape, sizes)) for i in program.inputs if i.name in found.axis)


def _definition(program: Program, b: Binding) -> Definition | None:
    """What the operation is, entry by entry; None for a call on whole arrays."""
    form = form_of(program, b)
    if isinstance(form, Call) and form.function == "dot":
        found = b.record.define([program.type(a) for a in b.args], b.attrs, b.type)
        return found if isinstance(found, Definition) else None
    return form if isinstance(form, Definition) else None


def _row_index(
    b: Binding, form: Definition, axis: Mapping[str, int], counting: set[str], symbol: sympy.Symbol
) -> tuple[Role, int] | None:
    """Whether rows stay rows, and on which axis, or are summed; None where rows mix."""
    if form.parts:
        found = {_through_part(b, p, axis, counting, symbol) for p in form.parts}
        if len(found) != 1 or None in found:
            return None
        (place,) = found
        assert place is not None
        if place < 0:
            return ("total", -1) if not has_size(b.shape, symbol) else None
        return ("row", place) if only_axis(b.shape, symbol) == place else None
    row = _shared(b, form.access, axis, counting, form.fn)
    place = only_axis(b.shape, symbol)
    if row == ():
        # No argument has rows: every row of the result is the same, or counts.
        if place is None or any(_mentions(a.index, INDEX(place)) for a in form.access):
            return None
        counts = not b.args and form.fn == INDEX(0) and len(b.shape) == 1
        return ("row", place) if counts or not sympy.sympify(form.fn).has(INDEX(place)) else None
    if row is None:
        return None
    (index,) = row
    if index in [INDEX(j) for j in range(form.rank)]:
        return ("row", place) if place is not None and INDEX(place) == index else None
    return None if is_log_sum_exp(form) or has_size(b.shape, symbol) else ("total", -1)


def _through_part(
    b: Binding, part: Part, axis: Mapping[str, int], counting: set[str], symbol: sympy.Symbol
) -> int | None:
    """The axis of the result that the rows are written to, −1 where they are added up; None where they mix."""
    row = _shared(b, part.access, axis, counting, part.fn)
    if not row:
        return None
    (index,) = row
    counted = _counted(b, part.access, counting)
    target = [counted.get(t, t) for t in part.target]
    places = [k for k, t in enumerate(target) if t == index]
    if any(sympy.sympify(t).has(index) for t in target if t != index):
        return None
    if len(places) == 1:
        return places[0]
    return -1 if not places and part.adds else None


def _counted(b: Binding, access: Sequence[Access], counting: Iterable[str]) -> dict[sympy.Expr, sympy.Expr]:
    """Values of ``arange(n)`` that serve as an index, and the index that each one is."""
    return {ARG(k): a.index[0] for k, a in enumerate(access) if b.args[a.arg] in counting}


def _shared(
    b: Binding, access: Sequence[Access], axis: Mapping[str, int], counting: set[str], fn: sympy.Expr
) -> tuple[sympy.Expr, ...] | None:
    """The one index through which all rows are read, () where none is; None where they are read otherwise."""
    counted = _counted(b, access, counting)
    found: set[sympy.Expr] = set()
    others: list[sympy.Expr] = [sympy.sympify(fn)]
    for a in access:
        index = [counted.get(i, i) for i in a.index]
        name = b.args[a.arg]
        if name in axis:
            found.add(index.pop(axis[name]))
        others += [sympy.sympify(i) for i in index]
    if not found:
        return ()
    if len(found) > 1:
        return None
    (row,) = found
    if not _is_index(row) or any(o.has(row) for o in others):
        return None
    if any(o.has(value) for o in others for value in counted):
        return None
    return (row,)


def _is_index(expr: sympy.Expr) -> bool:
    return isinstance(expr, sympy.Symbol) and expr.name.startswith("#")


def _mentions(index: Sequence[object], symbol: sympy.Symbol) -> bool:
    return any(sympy.sympify(i).has(symbol) for i in index)
