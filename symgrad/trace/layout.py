"""How traced arrays lie in memory, as far as it is known.

NumPy's ``reshape`` and ``ravel`` return a view where the array lies such that there is one, and a copy elsewhere:
what is written afterwards is seen through the one and not through the other.  Arguments are taken to lie row by
row, as NumPy's new arrays do.  How an array lies is said by its strides, in entries; they are None where they are
not known, as those of a result that NumPy lays out like its operands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import sympy

from symgrad.errors import TraceError
from symgrad.ops.dims import Dim, Shape, product, same
from symgrad.program import Builder
from symgrad.trace.sizes import usual

Strides = tuple[Dim, ...]


def by_rows(dims: Shape) -> Strides:
    """The strides of an array whose last axis runs fastest."""
    return tuple(product(dims[i + 1 :]) for i in range(len(dims)))


def by_columns(dims: Shape) -> Strides:
    """The strides of an array whose first axis runs fastest."""
    return by_rows(dims[::-1])[::-1]


def _long(dims: Shape) -> list[int]:
    """The axes with more than one entry; how the others lie does not matter."""
    return [i for i, d in enumerate(dims) if not same(d, 1)]


def in_order(dims: Shape, axes: Sequence[int]) -> bool:
    """Whether an array that lies row by row still does with its axes permuted."""
    long = [a for a in axes if not same(dims[a], 1)]
    return long == sorted(long)


# Views and copies -----------------------------------------------------------------------------------------


def contiguous(builder: Builder, dims: Shape, strides: Strides | None) -> bool:
    """Whether the entries lie row by row without gaps, so that ``ravel`` returns a view."""
    if same(product(dims), 0):
        return True
    strides = _known(builder, strides)
    expected: Dim = 1
    for i in reversed(_long(dims)):
        if not _equal(builder, strides[i], expected) and not _equal(builder, dims[i], 1):
            return False
        expected = product([expected, dims[i]])
    return True


def reshapes(builder: Builder, dims: Shape, strides: Strides | None, wanted: Shape) -> bool:
    """Whether ``reshape`` returns a view."""
    old, new = ([s[i] for i in _long(s)] for s in (dims, wanted))
    if same(product(dims), 0) or (len(old) == len(new) and all(map(same, old, new))):
        return True
    strides = _known(builder, strides)
    steps = [strides[i] for i in _long(dims)]
    return all(_joined(builder, old[a:b], steps[a:b], new[c:d]) for (a, b), (c, d) in _groups(old, new))


def reshaped(dims: Shape, strides: Strides, wanted: Shape) -> Strides:
    """The strides of the view that ``reshape`` returns."""
    at, to = _long(dims), _long(wanted)
    out: list[Dim] = [1] * len(wanted)
    for (_, b), (c, d) in _groups([dims[i] for i in at], [wanted[i] for i in to]):
        step = strides[at[b - 1]]
        for i in reversed(to[c:d]):
            out[i] = step
            step = product([step, wanted[i]])
    return tuple(out)


def _groups(
    old: Shape | list[Dim], new: Shape | list[Dim]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The shortest runs of axes that become one another: of equal products, whatever the sizes are."""
    i = j = 0
    for b in range(1, len(old) + 1):
        before = product(old[:b])
        match = next((d for d in range(j + 1, len(new) + 1) if same(before, product(new[:d]))), None)
        if match is not None:
            yield (i, b), (j, match)
            i, j = b, match


def _joined(builder: Builder, old: Sequence[Dim], steps: Sequence[Dim], new: Sequence[Dim]) -> bool:
    """Whether axes lie in one another without gaps, so that they can be cut anew."""
    for k in range(len(old) - 1):
        if _equal(builder, steps[k], product([steps[k + 1], old[k + 1]])):
            continue
        # A copy, unless an axis has one entry, or the sizes are such that fewer axes are cut anew.
        ends = [(product(old[:i]), product(new[:j])) for i in range(1, len(old)) for j in range(1, len(new))]
        for a, b in [*((d, 1) for d in (*old, *new)), *ends]:
            _equal(builder, a, b)
        return False
    return True


def _equal(builder: Builder, a: Dim, b: Dim) -> bool:
    """Whether two sizes are equal; sizes for which the answer is another are derived on their own."""
    return same(a, b) or usual(builder, sympy.Eq(a, b), "reshape")


def _known(builder: Builder, strides: Strides | None) -> Strides:
    if strides is not None:
        return strides
    raise builder.refuse(
        TraceError(
            "It is not known whether this is a view or a copy, and what it shares is written to.",
            where="reshape",
            expected="an array that lies row by row, or views of one",
            got="an array whose place in memory follows from others, such as x.T + 1",
            fix="copy it first: x = x.copy() lies row by row",
        )
    )


# Numbers --------------------------------------------------------------------------------------------------


def of_numbers(array: np.ndarray) -> Strides:
    return tuple(s // array.itemsize for s in array.strides)


def numbers_by_rows(array: np.ndarray) -> bool:
    """Whether no axis runs faster than one behind it, so that NumPy's results of it lie row by row."""
    steps = [abs(s) for s, d in zip(array.strides, array.shape, strict=True) if d != 1 and s]
    return steps == sorted(steps, reverse=True)


# Results --------------------------------------------------------------------------------------------------

_LIKE_OPERANDS = {
    *("pointwise", "sum", "max", "min", "prod", "logsumexp", "norm", "argmax", "argmin", "cumsum", "argsort"),
    *("reshape", "broadcast_to", "slice", "place", "scatter", "concatenate", "trace", "diagonal"),
    *("constant", "array", "pattern", "eye", "diag", "triangle", "outer"),
}
"""Operations whose result lies row by row where their operands do."""

_odd: WeakKeyDictionary[Builder, tuple[set[str], dict[str, bool]]] = WeakKeyDictionary()
"""For each builder: values that some array holds that does not lie row by row, and what was found of others."""


def note(builder: Builder, name: str) -> None:
    """Remember that an array with this value does not lie row by row: results of it may lie as it does."""
    if len(builder.type(name).shape) > 1 and follows_rows(builder, name):
        odd, found = _odd.setdefault(builder, (set(), {}))
        odd.add(name)
        found.clear()


def follows_rows(builder: Builder, name: str) -> bool:
    """Whether a new array with this value lies row by row for certain; NumPy's results lie like their operands."""
    odd, found = _odd.setdefault(builder, (set(), {}))
    waiting = [name]
    while waiting:
        top = waiting[-1]
        if top in found:
            waiting.pop()
            continue
        needed = _needed(builder, top) if top not in odd else None
        missing = [a for a in needed or () if a not in found]
        if missing:
            waiting += missing
        else:
            found[top] = needed is not None and all(found[a] for a in needed)
            waiting.pop()
    return found[name]


def _needed(builder: Builder, name: str) -> Sequence[str] | None:
    """The values that have to lie row by row for this one to; None where it does not."""
    b = builder.binding(name)
    if b is None or len(_long(b.shape)) < 2:
        return ()
    if b.op == "matmul" and len(b.shape) == 2:
        return ()  # a product of matrices is a new array
    if b.op == "transpose":
        return b.args if in_order(builder.type(b.args[0]).shape, b.attrs["axes"]) else None
    if b.op == "take":
        first = b.attrs["axes"] == tuple(range(len(b.attrs["axes"])))
        return b.args if first and all(len(builder.type(a).shape) < 2 for a in b.args[1:]) else None
    return b.args if b.op in _LIKE_OPERANDS else None
