"""Memory that several values of a kernel share: a value takes that of an earlier one which nobody reads any more.

Both have the same shape and kind.  The last to read the earlier value computes before the later one does, or computes
the later one itself, entry by entry: then it overwrites what it has just read, as tanh of a product does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from symgrad.compile.placement import Placement
from symgrad.ops.dims import Shape, same
from symgrad.ops.record import INDEX, Definition
from symgrad.program import Binding, Program


def shared_memory(program: Program, placement: Placement, own: Collection[str]) -> dict[str, str]:
    """For each value that takes another one's memory the first value that lived there.

    Loops that could be joined stay so: a value takes no memory that the same loops read at other entries.

    Args:
        own: values whose memory is nobody else's: results, sums that go on.
    """
    finder = _Finder(program, placement)
    outputs = {name for _, name in program.outputs}
    living: dict[str, str] = {}  # for each memory, named by its first value, the one that lives there
    found: dict[str, str] = {}
    for b in program.bindings:
        if placement.place[b.name] != "buffer" or b.name in own or b.name in outputs:
            continue
        first = next((f for f, last in reversed(living.items()) if finder.may_take(b, last)), b.name)
        living[first] = b.name
        if first != b.name:
            found[b.name] = first
    return found


def told(shared: Mapping[str, str]) -> list[str]:
    """Lines for the heading of a kernel file, in which such a value goes by the other one's name."""
    return [f"{name} in the array of {first}" for name, first in shared.items()]


class _Finder:
    """Knows where each value is read, and which loops may be joined."""

    def __init__(self, program: Program, placement: Placement) -> None:
        self.program, self.placement = program, placement
        self.position = {b.name: k for k, b in enumerate(program.bindings)}
        self.readers = _readers(program, placement, self.position)
        self.group = _groups(program, placement)

    def may_take(self, b: Binding, last: str) -> bool:
        """Whether ``b`` may live where ``last`` does: nobody reads it later, and the same loops only entry by entry."""
        program, placement = self.program, self.placement
        if program.type(last) != b.type:
            return False
        here, group = self.position[b.name], self.group[b.name]
        readers = self.readers[last]
        if max(readers, default=-1) > here:
            return False
        together = [r for r in readers if self.group[program.bindings[r].name] == group]
        together += [self.position[last]] if self.group[last] == group else []
        if not together:
            return True
        form = placement.forms[b.name]
        if not isinstance(form, Definition) or form.reduce or form.parts:
            return False
        return all(_entry_by_entry(program, placement, program.bindings[r], last) for r in together)


def _groups(program: Program, placement: Placement) -> dict[str, int]:
    """A number for each value that loops or a call compute; neighbours whose loops may be joined have the same."""
    found: dict[str, int] = {}
    before: set[Shape] = set()
    group = 0
    for b in program.bindings:
        form = placement.forms[b.name]
        if placement.place[b.name] not in ("buffer", "scalar"):
            continue
        sizes: set[Shape] = set()
        if isinstance(form, Definition):
            ranges = [p.sizes for p in form.parts] or [(*b.shape, *form.reduce)]
            loops = [[d for d in r if not same(d, 1)] for r in (*ranges, b.shape)]
            sizes = {tuple(sorted(r, key=str)) for r in loops if r}
        group += not before & sizes
        found[b.name] = group
        before = sizes
    return found


def _readers(program: Program, placement: Placement, order: Mapping[str, int]) -> dict[str, set[int]]:
    """For each value where the loops and calls stand that read it, also through what is written into them."""
    end = len(order)
    found: dict[str, set[int]] = {name: set() for name in program.by_name}
    for _, name in program.outputs:
        found[name].add(end)
    for b in reversed(program.bindings):
        inside = placement.place[b.name] in ("inline", "number")
        for a in b.args:
            found[a] |= found[b.name] if inside else {order[b.name]}
    return found


def _entry_by_entry(program: Program, placement: Placement, b: Binding, name: str) -> bool:
    """Whether the loops of ``b`` read of a value just the entry where they are, if they read any.

    Those of a reduction with one argument run over it as it lies in memory.
    """
    form = placement.forms[b.name]
    if not isinstance(form, Definition) or form.parts or len(b.shape) != form.rank:
        return False
    own = tuple(INDEX(k) for k in range(form.rank + len(form.reduce)))
    sizes: Shape = (*b.shape, *form.reduce)
    if form.reduce:
        if len(form.access) != 1:
            return False
        own = tuple(form.access[0].index)
        sizes = program.type(b.args[form.access[0].arg]).shape
        loops = {INDEX(k) for k, d in enumerate((*b.shape, *form.reduce)) if not same(d, 1)}
        if {i for i, d in zip(own, sizes, strict=True) if not same(d, 1)} != loops:
            return False
    for a in form.access:
        value = b.args[a.arg]
        shape = program.type(value).shape
        here = len(shape) == len(own) and all(
            i == k or same(d, 1) for i, k, d in zip(a.index, own, sizes, strict=True)
        )
        if value == name and not here:
            return False
        if value != name and placement.place.get(value) in ("inline", "number"):
            inner = program.by_name[value]
            assert isinstance(inner, Binding)
            if name in _reads(program, placement, inner) and not (
                here and _entry_by_entry(program, placement, inner, name)
            ):
                return False
    return True


def _reads(program: Program, placement: Placement, b: Binding) -> set[str]:
    found: set[str] = set()
    for a in b.args:
        found.add(a)
        inner = program.by_name[a]
        if isinstance(inner, Binding) and placement.place[a] in ("inline", "number"):
            found |= _reads(program, placement, inner)
    return found
