"""Which part of a program works row by row, so that blocks of rows can stay in cache and run on threads.

A loss is often a sum over rows.  For one size, the number of rows, every value is then one of

    before   no rows, and nothing of it was summed over rows: parameters, ½, WᵀW
    row      has one axis of rows, and its row i depends on row i of other values only
    total    a sum over the rows
    after    no rows, but computed from totals

and one sweep over blocks of rows computes all rows and totals.  A value with rows that needs a total (batch
normalisation, a softmax over the samples) would need a second sweep: such programs are not separated.

The records' definitions say all that is needed: through which index a row of the result reads a row of an
argument.  Nothing here knows any operation by its name, the products that BLAS takes excepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import sympy

from symgrad.compile.forms import Call, form_of
from symgrad.compile.placement import is_view
from symgrad.ops.dims import Shape, shape_of
from symgrad.ops.record import ARG, INDEX, Access, Definition, Part
from symgrad.program import Binding, Input, Program

Role = Literal["before", "row", "total", "after"]


@dataclass(frozen=True)
class Separation:
    """A program taken apart along one size.

    Attributes:
        symbol: the number of rows.
        role: of every input and binding.
        axis: for every value with rows, which of its axes they are.
    """

    symbol: sympy.Symbol
    role: Mapping[str, Role]
    axis: Mapping[str, int]

    def names(self, program: Program, *roles: Role) -> list[str]:
        """The bindings that play one of these roles, in order."""
        return [b.name for b in program.bindings if self.role[b.name] in roles]


def separation(program: Program) -> Separation | None:
    """Along the size that most values have an axis of; None where no size separates."""
    counts: dict[sympy.Symbol, int] = {}
    for name, value in program.by_name.items():
        for d in set(value.shape):
            if isinstance(d, sympy.Symbol):
                counts[d] = counts.get(d, 0) + (2 if program.is_input(name) else 1)
    for symbol in sorted(counts, key=lambda s: (-counts[s], s.name)):
        found = separate(program, symbol)
        if found is not None:
            return found
    return None


def separate(program: Program, symbol: sympy.Symbol) -> Separation | None:
    """Along this size; None where that cannot be, or where there is nothing to sum."""
    role: dict[str, Role] = {}
    axis: dict[str, int] = {}
    counting: set[str] = set()
    for i in program.inputs:
        if not _has(i.shape, symbol):
            role[i.name] = "before"
            continue
        at = _only_axis(i.shape, symbol)
        if at is None:
            return None
        role[i.name], axis[i.name] = "row", at
    for b in program.bindings:
        roles = {role[a] for a in b.args}
        late = bool(roles & {"total", "after"})
        if "row" not in roles and not _has(b.shape, symbol):
            role[b.name] = "after" if late else "before"
            continue
        form = _definition(program, b)
        if late or form is None:
            return None
        found = _row_index(b, form, axis, counting, symbol)
        if found is None:
            return None
        role[b.name] = found[0]
        if found[0] == "row":
            axis[b.name] = found[1]
            if not b.args and form.fn == INDEX(0) and b.kind == "int" and len(b.shape) == 1:
                counting.add(b.name)
    if "total" not in role.values():
        return None
    if any(axis.get(v, 0) for _, v in program.outputs):
        return None  # a gradient that would be written in columns
    return Separation(symbol, role, axis)


LARGE = 2**18
"""Entries with rows from which on a run saves more than the longer compilation costs."""


def pays(program: Program, found: Separation, sizes: Mapping[str, int]) -> bool:
    """Whether the inputs with rows are so large that blocks and threads are faster."""
    shapes = [shape_of(i.shape, sizes) for i in program.inputs if i.name in found.axis]
    return sum(prod(s) for s in shapes) >= LARGE


def _has(shape: Shape, symbol: sympy.Symbol) -> bool:
    return any(symbol in sympy.sympify(d).free_symbols for d in shape)


def _only_axis(shape: Shape, symbol: sympy.Symbol) -> int | None:
    """The one axis of that size; None where the symbol occurs otherwise, too."""
    if sum(symbol in sympy.sympify(d).free_symbols for d in shape) != 1 or symbol not in shape:
        return None
    return shape.index(symbol)


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
            return ("total", -1) if not _has(b.shape, symbol) else None
        return ("row", place) if _only_axis(b.shape, symbol) == place else None
    row = _shared(b, form.access, axis, counting, form.fn)
    place = _only_axis(b.shape, symbol)
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
    if form.combine != "sum" or form.after != ARG(0) or _has(b.shape, symbol):
        return None
    return "total", -1


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


# The parts as programs ---------------------------------------------------------------------------------------

BLOCK = sympy.Symbol("rows", integer=True, nonnegative=True)
"""The number of rows of a block, in the shapes of what a sweep computes."""


@dataclass(frozen=True)
class Parts:
    """A separated program as three: each takes as inputs what it reads of the others.

    Attributes:
        before: its outputs are what the others read of it, labelled ``=name``, and outputs of the whole.
        block: rows and the sums over one block of them.
        after: what is computed from the sums, and the outputs that are sums.
    """

    before: Program
    block: Program
    after: Program


def parts_of(program: Program, found: Separation) -> Parts:
    """The three programs."""
    groups = [found.names(program, *roles) for roles in (("before",), ("row", "total"), ("after",))]
    before, block, after = groups
    own = {b.name for b in program.bindings}
    read = [a for b in program.bindings if b.name not in before for a in b.args]
    exported = [
        n for n in dict.fromkeys(read) if found.role[n] == "before" and n in own and not _free(program, n)
    ]
    late = {a for b in program.bindings if b.name in after for a in b.args} | {v for _, v in program.outputs}
    sums = [n for n in block if found.role[n] == "total" and n in late]

    def outputs(*roles: Role) -> list[tuple[str, str]]:
        return [(label, v) for label, v in program.outputs if found.role[v] in roles]

    whole = _part(program, block, [*((f"={n}", n) for n in sums), *outputs("row")])
    return Parts(
        _part(program, before, [*((f"={n}", n) for n in exported), *outputs("before")]),
        _in_blocks(whole, found.symbol),
        _part(program, after, outputs("total", "after")),
    )


def _free(program: Program, name: str) -> bool:
    """A number, an array of numbers, or a transposed input: each part that reads it has its own."""
    value = program.by_name[name]
    if not isinstance(value, Binding):
        return False
    return not value.args or (is_view(value) and program.is_input(value.args[0]))


def _part(program: Program, names: Sequence[str], outputs: Sequence[tuple[str, str]]) -> Program:
    """The part that computes these bindings; all else that it reads is an input."""
    chosen = set(names)
    read = [a for b in program.bindings if b.name in chosen for a in b.args] + [v for _, v in outputs]
    chosen |= {n for n in read if _free(program, n)}
    read = [a for b in program.bindings if b.name in chosen for a in b.args] + [v for _, v in outputs]
    given = [n for n in dict.fromkeys(read) if n not in chosen]
    inputs = [Input(n, program.type(n).shape, program.type(n).kind) for n in given]
    return Program(tuple(inputs), tuple(b for b in program.bindings if b.name in chosen), tuple(outputs))


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
