"""Index notation as the operations that a textbook writes: products, transposes, sums.

A specification is read as NumPy reads it, and each step becomes a matrix product, an entrywise product, a
trace, a sum or a transpose where it is one; what is none of these stays an ``einsum``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symgrad.errors import ShapeError, SpecError, UnsupportedError
from symgrad.ops.dims import same
from symgrad.ops.einsum import LETTERS, sizes_of
from symgrad.program import Builder
from symgrad.trace import layout, moves, views
from symgrad.trace import operations as ops

if TYPE_CHECKING:
    from symgrad.trace.array import Traced


@dataclass(frozen=True)
class Labelled:
    """An array with one label for each axis."""

    value: Traced
    labels: str


def einsum(builder: Builder, *operands: Any, optimize: Any = False) -> Traced:
    """``np.einsum``: a specification and arrays, or arrays each followed by a list of numbers for its axes.

    Raises:
        SpecError: the specification cannot be read; ShapeError: it does not fit the arrays.
    """
    terms, out, arrays = _read(operands)
    values = [ops.lift(builder, a) for a in arrays]
    if len(terms) != len(values):
        raise SpecError(
            "einsum needs one array for each term.", where="einsum", expected=len(terms), got=len(values)
        )
    named, target = _without_ellipsis(terms, out, values)
    if len(values) == 1 and set(named[0]) == set(target):  # nothing is summed: NumPy returns a view
        return views.read_only(values[0], lambda base: contract(builder, [Labelled(base, named[0])], target))
    found = contract(builder, [Labelled(v, t) for v, t in zip(values, named, strict=True)], target)
    layout.note(builder, found.name)  # NumPy lays it out as the loops over its operands run
    return found


def contract(builder: Builder, operands: Sequence[Labelled], out: str) -> Traced:
    """The sum over all labels that are not in ``out`` of the product of the operands.

    Raises:
        ShapeError: a label has two sizes.
    """
    if all(o.value.kind == "bool" for o in operands):
        raise UnsupportedError(
            "einsum of truth values alone is no sum.", where="einsum", fix="multiply one of them by 1.0"
        )
    sizes = sizes_of([o.labels for o in operands], [o.value.dims for o in operands], "einsum")
    broadcast = any(
        not same(d, sizes[c]) for o in operands for c, d in zip(o.labels, o.value.dims, strict=True)
    )
    found = None if broadcast else _pairwise(builder, operands, out)
    if found is not None:
        return found
    spec = f"{','.join(o.labels for o in operands)}->{out}"
    return ops.Array(builder, builder.emit("einsum", *(o.value.name for o in operands), spec=spec))


# Reading ------------------------------------------------------------------------------------------------------


def _read(operands: Sequence[Any]) -> tuple[list[str], str | None, Sequence[Any]]:
    if operands and isinstance(operands[0], str):
        text = operands[0].replace(" ", "")
        left, arrow, right = text.partition("->")
        allowed = set(LETTERS) | {"."}
        if not set(left) <= allowed | {","} or not set(right) <= allowed:
            raise SpecError("This specification cannot be read.", where="einsum", got=operands[0])
        return left.split(","), (right if arrow else None), operands[1:]
    if len(operands) < 2:
        raise SpecError("einsum starts with a specification.", where="einsum", expected="such as 'ij,jk->ik'")
    last = len(operands) % 2 == 1
    pairs = operands[:-1] if last else operands
    terms = [_letters(t) for t in pairs[1::2]]
    return terms, (_letters(operands[-1]) if last else None), pairs[::2]


def _letters(numbers: Any) -> str:
    return "".join("..." if n is Ellipsis else LETTERS[int(n)] for n in numbers)


def _without_ellipsis(
    terms: Sequence[str], out: str | None, values: Sequence[Traced]
) -> tuple[list[str], str]:
    """Letters for the axes that an ellipsis stands for, and the output written out."""
    used = set("".join(terms)) | set(out or "")
    free = [c for c in LETTERS if c not in used]
    most = 0
    named = []
    for term, value in zip(terms, values, strict=True):
        plain = term.replace("...", "")
        covered = value.ndim - len(plain) if "..." in term else 0
        if "." in plain or term.count("...") > 1 or covered < 0:
            raise ShapeError(
                "The labels do not fit the array.",
                where="einsum",
                expected=f"one label for each of {value.ndim} axes",
                got=term,
            )
        most = max(most, covered)
        named.append((term, covered))
    axes = "".join(free[:most])
    full = [t.replace("...", axes[most - n :]) for t, n in named]
    letters = "".join(full)
    if out is None:  # what occurs once, in alphabetical order, behind the axes of the ellipsis
        return full, axes + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1 and c not in axes)
        )
    target = out.replace("...", axes)
    if "." in target or len(set(target)) < len(target) or not set(target) <= set(letters):
        raise SpecError("The output of einsum does not fit its terms.", where="einsum", got=out)
    if most and "..." not in out:
        raise SpecError("The output of einsum leaves the ellipsis out.", where="einsum", got=out)
    return full, target


# Writing ------------------------------------------------------------------------------------------------------


def _pairwise(builder: Builder, operands: Sequence[Labelled], out: str) -> Traced | None:
    """The operands two at a time, the pair with the smallest result first; None where a step is no product."""
    rest = []
    for i, o in enumerate(operands):
        needed = set(out).union(*(p.labels for j, p in enumerate(operands) if j != i))
        single = _alone(builder, o, needed)
        if single is None:
            return None
        rest.append(single)
    while len(rest) > 1:
        choices = []
        for j in range(1, len(rest)):
            for i in range(j):
                others = set(out).union(*(p.labels for k, p in enumerate(rest) if k not in (i, j)))
                kept = [c for c in dict.fromkeys(rest[i].labels + rest[j].labels) if c in others]
                choices.append((len(kept), i, j, kept))
        _, i, j, kept = min(choices)
        target = out if len(rest) == 2 else "".join(kept)
        pair = _product(builder, rest[i], rest[j], target)
        if pair is None:
            return None
        rest = [pair, *(o for k, o in enumerate(rest) if k not in (i, j))]
    return _ordered(rest[0], out)


def _alone(builder: Builder, o: Labelled, needed: set[str]) -> Labelled | None:
    """Diagonals taken, and labels summed that nothing else has."""
    repeated = [c for c in dict.fromkeys(o.labels) if o.labels.count(c) > 1]
    if repeated:
        if len(o.labels) != 2:
            return None
        if repeated[0] in needed:
            return Labelled(ops.Array(builder, builder.emit("diagonal", o.value.name, k=0)), repeated[0])
        return Labelled(ops.Array(builder, builder.emit("trace", o.value.name, stack=False)), "")
    alone = tuple(i for i, c in enumerate(o.labels) if c not in needed)
    if not alone:
        return o
    return Labelled(ops.total(o.value, alone), "".join(c for c in o.labels if c in needed))


def _ordered(o: Labelled, out: str) -> Traced:
    return moves.transpose(o.value, tuple(o.labels.index(c) for c in out))


def _product(builder: Builder, a: Labelled, b: Labelled, out: str) -> Labelled | None:
    """The product of two operands whose labels are all in the other one or in ``out``."""
    shared = [c for c in a.labels if c in b.labels]
    summed = [c for c in shared if c not in out]
    batch = [c for c in out if c in shared]
    left = [c for c in out if c in a.labels and c not in b.labels]
    right = [c for c in out if c in b.labels and c not in a.labels]
    if not summed:
        return Labelled(_entrywise(builder, a, b, out), out)
    if not left and not right and (batch or len(summed) > 1):
        order = "".join(batch + summed) if a.labels[: len(batch)] != "".join(batch) else a.labels
        both = Labelled(_entrywise(builder, a, b, order), order)
        axes = tuple(i for i, c in enumerate(order) if c in summed)
        return Labelled(ops.total(both.value, axes), "".join(c for c in order if c not in summed))
    if len(summed) > 1:
        return None
    if len(left) > 1 and len(right) > 1:
        return None
    first, second = (a, b), (b, a)
    if len(right) > 1 or (len(left) <= 1 and left and right and out.index(right[0]) < out.index(left[0])):
        first, left, right = second, right, left
    return _matmul(builder, *first, "".join(batch), left, right, summed[0])


def _matmul(
    builder: Builder, a: Labelled, b: Labelled, batch: str, left: list[str], right: list[str], c: str
) -> Labelled:
    """A matrix product over ``c``; further labels on the left are rows of a stack."""
    if not batch and len(left) <= 1:
        if not left and right and b.labels[-1] == c:
            a, b, left, right = b, a, right, left
        rows = _ordered(a, "".join(left) + c)
        columns = _ordered(b, c + "".join(right))
        return Labelled(ops.matmul(builder, rows, columns), "".join(left + right))
    more, last = left[:-1], left[-1:]
    rows = _ordered(a, batch + "".join(more + last) + c)
    columns = _ordered(b, batch + c + "".join(right))
    if not last:  # a row vector in each stack
        rows = moves.reshape_dims(rows, (*rows.dims[:-1], 1, rows.dims[-1]))
    if not right and batch:
        columns = moves.reshape_dims(columns, (*columns.dims, 1))
    if batch and more:
        at = len(batch)
        columns = moves.reshape_dims(columns, (*columns.dims[:at], *(1,) * len(more), *columns.dims[at:]))
    found = ops.matmul(builder, rows, columns)
    labels = batch + "".join(more + last + right)
    shape = {
        **dict(zip(a.labels, a.value.dims, strict=True)),
        **dict(zip(b.labels, b.value.dims, strict=True)),
    }
    return Labelled(moves.reshape_dims(found, tuple(shape[x] for x in labels)), labels)


def _entrywise(builder: Builder, a: Labelled, b: Labelled, out: str) -> Traced:
    """The product with each operand spread over the axes of ``out`` that it lacks."""
    if len(a.labels) == len(b.labels) == 1 and len(out) == 2:
        if out[0] != a.labels:
            a, b = b, a
        return ops.Array(builder, builder.emit("outer", a.value.name, b.value.name))
    return ops.elementary(builder, "mul", _spread(a, out), _spread(b, out))


def _spread(o: Labelled, out: str) -> Traced:
    own = [c for c in out if c in o.labels]
    value = _ordered(o, "".join(own))
    if not own or out.endswith("".join(own)):
        return value  # broadcasting adds leading axes
    size = dict(zip(own, value.dims, strict=True))
    return moves.reshape_dims(value, tuple(size.get(c, 1) for c in out[out.index(own[0]) :]))


__all__ = ["Labelled", "contract", "einsum"]
