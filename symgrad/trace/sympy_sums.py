"""Entries of matrices, and sums over their indices, as operations on whole arrays.

``Sum((X[i, 0] - y[i, 0])**2, (i, 0, n - 1))`` becomes ``((x - y)**2).sum()``: every index in force is an axis, an
entry is its array with the axes in that order, and the sum is over the last of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Dim, as_dim, format_shape, same
from symgrad.trace import moves, reductions
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.dispatch import call_numpy

if TYPE_CHECKING:
    from symgrad.trace.sympy_expr import Index, Reader


def total(reader: Reader, e: sympy.Sum | sympy.Product) -> Traced:
    """A sum or a product over one index or several.

    Raises:
        UnsupportedError: bounds that depend on another index, or a start that is no number.
    """
    from symgrad.trace.sympy_expr import Index

    outer = reader.indices
    inner: list[Index] = []
    for symbol, low, high in (_limit(limit) for limit in reversed(e.limits)):  # the outermost comes last
        used = {i.symbol for i in (*outer, *inner)}
        if used & (low.free_symbols | high.free_symbols):
            raise UnsupportedError(
                "The bounds of a sum depend on another index.", got=f"{symbol} from {low} to {high}"
            )
        if symbol in used:
            raise UnsupportedError("Two sums in each other use one index.", got=str(symbol))
        start = reader.dim(low) if low.is_nonnegative is not False else -1
        if not isinstance(start, int) or start < 0:
            raise UnsupportedError("A sum starts at a whole number.", got=f"{symbol} from {low}")
        inner.append(Index(symbol, start, reader.dim(high - low + 1)))
    indices = (*outer, *inner)
    terms_reader = type(reader)(reader.builder, reader.names, indices, reader.lead)
    linked = isinstance(e, sympy.Sum) and not reader.lead
    product = chain(terms_reader, e.function, len(outer)) if linked else None
    if product is not None:
        return product
    terms = terms_reader.read(e.function)
    lead = terms.dims[: len(outer)] if terms.dims else (1,) * len(outer)
    terms = moves.broadcast_to(terms, (*lead, *(i.size for i in inner)))
    axes = tuple(range(len(outer), len(indices)))
    return (
        ops.total(terms, axes) if isinstance(e, sympy.Sum) else reductions.prod(reader.builder, terms, axes)
    )


@dataclass(frozen=True)
class _Link:
    """A factor of a sum's terms, with one axis for each index that it depends on."""

    value: Traced
    labels: tuple[int, ...]

    def led_by(self, label: int) -> _Link:
        """The link with this label in front."""
        if self.labels[0] == label:
            return self
        return _Link(moves.transpose(self.value), self.labels[::-1])


def chain(reader: Reader, term: Any, outer: int) -> Traced | None:
    """The sum of a product in which the summed indices link one factor to the next: a product of matrices.

    SymPy writes ``(x.T*A*x)[0, 0]`` as such a sum.  None if the term is nothing of the kind.

    Args:
        reader: has all indices in force.
        term: what is summed.
        outer: how many of the indices, the first ones, are not summed.
    """
    if not getattr(term, "is_Mul", False):
        return None
    symbols = [i.symbol for i in reader.indices]
    factors = [f for f in term.args if f.free_symbols & set(symbols)]
    labels = [tuple(k for k, s in enumerate(symbols) if s in f.free_symbols) for f in factors]
    summed = range(outer, len(symbols))
    counts = Counter(k for own in labels for k in own)
    if len(factors) < 2 or any(len(own) > 2 for own in labels) or any(counts[k] != 2 for k in summed):
        return None
    if any(counts[k] > 1 for k in range(outer)) or len(factors) != len(summed) + 1:
        return None
    order = _order(labels, outer)
    if order is None:
        return None
    links = []
    for i in order:
        value = reader.read(factors[i])
        dims = tuple(value.dims[k] for k in labels[i]) if value.dims else ()
        if (
            any(not same(d, reader.indices[k].size) for k, d in zip(labels[i], dims, strict=False))
            or not dims
        ):
            return None
        links.append(_Link(moves.reshape_dims(value, dims), labels[i]))
    whole = _multiplied(reader, links)
    result = _placed(reader, whole.value, list(whole.labels), outer)
    others = [f for f in term.args if f not in factors]
    if not others:
        return result
    scalar = sympy.Mul(*others)
    if scalar == -1:
        return -result
    return ops.lift(reader.builder, type(reader)(reader.builder, reader.names).read(scalar)) * result


def _order(labels: list[tuple[int, ...]], outer: int) -> list[int] | None:
    """The factors from one end of the chain to the other; None if they are not one chain."""
    free = [i for i, own in enumerate(labels) if len(own) == 1 or min(own) < outer]
    if len(free) != 2:
        return None
    # From an index that stays, so that a vector comes last.
    start = min(free, key=lambda i: (min(labels[i]) >= outer, i))
    order, used = [start], {start}
    link = [k for k in labels[start] if k >= outer]
    while link:
        following = [i for i, own in enumerate(labels) if i not in used and link[0] in own]
        if not following:
            return None
        order.append(following[0])
        used.add(following[0])
        link = [k for k in labels[following[0]] if k >= outer and k != link[0]]
    return order if len(order) == len(labels) else None


def _multiplied(reader: Reader, links: list[_Link]) -> _Link:
    """The product along a chain; between two vectors from the end from which fewer matrices are transposed."""

    def oriented(along: list[_Link]) -> list[_Link]:
        out = [along[0]]
        for before, link in pairwise(along):
            (shared,) = set(before.labels) & set(link.labels)
            out.append(link.led_by(shared))
        return out

    def turned(along: list[_Link]) -> int:
        bindings = [reader.builder.binding(link.value.name) for link in along]
        return sum(b is not None and b.op == "transpose" for b in bindings)

    first = links[0]
    if len(first.labels) == 2:
        (shared,) = set(first.labels) & set(links[1].labels)
        links = [first.led_by(next(k for k in first.labels if k != shared)), *links[1:]]
    along = oriented(links)
    if len(links[0].labels) == len(links[-1].labels) == 1:
        along = min(along, oriented(links[::-1]), key=turned)
    outside = (*along[0].labels[:-1], *along[-1].labels[1:])
    values = [link.value for link in along]
    while len(values) > 1:
        if along[-1].labels[1:] or not along[0].labels[1:]:
            values[:2] = [ops.matmul(reader.builder, *values[:2])]
        else:  # A(Bx): no product of matrices is needed
            values[-2:] = [ops.matmul(reader.builder, *values[-2:])]
    return _Link(values[0], outside)


def _limit(limit: Any) -> tuple[Any, Any, Any]:
    if len(limit) != 3:
        raise UnsupportedError("A sum needs bounds.", got=str(limit), fix="write (i, 0, n - 1)")
    return limit[0], limit[1], limit[2]


def values_of(reader: Reader, index: Index) -> Traced:
    """The index itself as a number: 0, 1, 2, … along its axis."""
    ones = ops.ones(reader.builder, (index.size,))
    counted = ops.lift(reader.builder, call_numpy(reader.builder, np.cumsum, (ones,), {})) - 1 + index.start
    return _placed(reader, counted, [reader.indices.index(index)])


def _placed(reader: Reader, value: Traced, axes: list[int], rank: int | None = None) -> Traced:
    """Each axis of the value moved to the axis of its index; the others, of the first ``rank``, have size 1."""
    order = sorted(range(len(axes)), key=lambda k: axes[k])
    if order != list(range(len(axes))):
        value = moves.transpose(value, order)
    dims: list[Dim] = [1] * (len(reader.indices) if rank is None else rank)
    for axis, size in zip(sorted(axes), value.dims, strict=True):
        dims[axis] = size
    return moves.reshape_dims(value, tuple(dims))


def entry(reader: Reader, e: Any) -> Traced:
    """``X[i, j]`` for numbers, sizes and summation indices.

    Raises:
        ShapeError: an index that runs beyond the axis.
        UnsupportedError: an index that depends on data.
    """
    if isinstance(e, sympy.Indexed):
        array, places = reader.array(str(e.base.label)), e.indices
        if array.ndim != len(places):
            raise ShapeError(
                "An array has one index for each axis.", expected=format_shape(array.dims), got=str(e)
            )
    else:
        array, places = reader.outside(e.parent).read(e.parent), e.args[1:]
    if not reader.indices and all(same(d, 1) for d in array.dims):
        return moves.reshape_dims(array, ())
    keys: list[Any] = []
    axes: list[int] = []
    for place, size in zip(places, array.dims, strict=True):
        key, axis = _key(reader, place, size)
        keys.append(key)
        if axis is not None:
            axes.append(axis)
    if not all(isinstance(k, slice) and k == slice(None) for k in keys):
        array = ops.lift(reader.builder, array[tuple(keys)])
    if len(set(axes)) < len(axes):  # X[i, i]
        if len(axes) != 2:
            raise UnsupportedError("One index stands more than twice.")
        array = ops.lift(reader.builder, call_numpy(reader.builder, np.diagonal, (array,), {}))
        axes = axes[:1]
    return _placed(reader, array, axes) if axes else array


def _key(reader: Reader, place: Any, size: Dim) -> tuple[Any, int | None]:
    """What NumPy is indexed with, and the position of the summation index if there is one."""
    for position, index in enumerate(reader.indices):
        if index.symbol not in place.free_symbols:
            continue
        shift = sympy.expand(place - index.symbol)
        if not shift.is_Integer:
            raise UnsupportedError(
                "An entry's index is an index of the sum, or one plus a number.", got=str(place)
            )
        start = index.start + int(shift)
        left = as_dim_or_negative(size - start - index.size)
        if start < 0 or left is None:
            raise ShapeError(
                "An index runs beyond its axis, or not provably inside it.",
                expected=f"0 to {as_dim(size)} − 1",
                got=f"{start} to {sympy.sympify(start) + index.size - 1}",
                fix="indices count from 0: (i, 0, n - 1)",
            )
        if start == 0 and left == 0:
            return slice(None), position
        return slice(start, None if left == 0 else -left), position
    dim = reader.dim(place) if not place.is_negative else int(place)
    known = {s for i in reader.builder.inputs for d in i.shape for s in sympy.sympify(d).free_symbols}
    if not isinstance(dim, int) and not dim.free_symbols <= known:
        raise UnsupportedError(
            "An index of an entry is a whole number, a size, or an index of a sum.", got=str(place)
        )
    return ops.size_value(reader.builder, dim), None


def as_dim_or_negative(left: Any) -> int | None:
    """How many entries remain after the last one; None where it is not a known number from 0 on."""
    found = sympy.expand(left)
    return int(found) if found.is_Integer and found >= 0 else None
