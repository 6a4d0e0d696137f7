"""Memory that several values of a kernel share: a value takes that of an earlier one which nobody reads any more.

Both have the same shape and kind.  The last to read the earlier value computes before the later one does, or computes
the later one itself, entry by entry: then it overwrites what it has just read, as tanh of a product does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from symgrad.compile.placement import Placement
from symgrad.ops.record import INDEX, Definition
from symgrad.program import Binding, Program


def shared_memory(program: Program, placement: Placement, own: Collection[str]) -> dict[str, str]:
    """For each value that takes another one's memory the first value that lived there.

    Args:
        own: values whose memory is nobody else's: results, sums that go on.
    """
    order = {b.name: k for k, b in enumerate(program.bindings)}
    readers = _readers(program, placement, order)
    outputs = {name for _, name in program.outputs}
    free: dict[object, list[str]] = {}
    living: dict[str, str] = {}  # each value with memory and the first one that lived there
    found: dict[str, str] = {}
    for k, b in enumerate(program.bindings):
        if placement.place[b.name] != "buffer" or b.name in own or b.name in outputs:
            continue
        sort = (b.shape, b.kind)
        for name in list(living):
            if max(readers[name], default=-1) < k or _in_place(program, placement, b, name, readers[name], k):
                like = program.by_name[name]
                free.setdefault((like.shape, like.kind), []).append(living.pop(name))
        spaces = free.get(sort, [])
        living[b.name] = spaces.pop() if spaces else b.name
        if living[b.name] != b.name:
            found[b.name] = living[b.name]
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


def _in_place(
    program: Program, placement: Placement, b: Binding, name: str, readers: Collection[int], position: int
) -> bool:
    """Whether the last to read ``name`` is ``b``, which reads of it just the entry that it computes."""
    like = program.by_name[name]
    if max(readers, default=-1) != position or (like.shape, like.kind) != (b.shape, b.kind):
        return False
    return _entry_by_entry(program, placement, b, name)


def _entry_by_entry(program: Program, placement: Placement, b: Binding, name: str) -> bool:
    form = placement.forms[b.name]
    if not isinstance(form, Definition) or form.reduce or form.parts or len(b.shape) != form.rank:
        return False
    same = tuple(INDEX(k) for k in range(form.rank))
    for a in form.access:
        value = b.args[a.arg]
        if value == name:
            if tuple(a.index) != same:
                return False
        elif placement.place.get(value) in ("inline", "number"):
            inner = program.by_name[value]
            assert isinstance(inner, Binding)
            reads = _reads(program, placement, inner)
            if name in reads and (
                tuple(a.index) != same or not _entry_by_entry(program, placement, inner, name)
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
