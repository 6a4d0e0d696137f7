"""Entries over the distance of two eigenvalues: kᵢⱼ / (wⱼ − wᵢ), and 0 on the diagonal.

It is how eigenvectors turn.  Vectors of one repeated eigenvalue have no derivative, so that a loss that asks for it
is an error while it runs; entries that are 0, but for rounding, ask for nothing.  ``checked`` says how far that goes:
``always``, in derivatives too; ``once``, not in derivatives, as in sums over eigenvectors, which have them where equal
eigenvalues have equal weights; ``never``, where the value at a repeated eigenvalue is multiplied by 0 afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape, same
from symgrad.ops.record import (
    ARG,
    INDEX,
    Access,
    Attrs,
    Definition,
    Emitter,
    Example,
    Magnitude,
    Node,
    Op,
    Type,
)
from symgrad.ops.scalars.functions import Equal
from symgrad.ops.squares import square
from symgrad.ops.sum import sum_attrs

_GAPS = '''def over_gaps(k, w, checked=True):
    """k[i, j] / (w[j] - w[i]), and 0 on the diagonal, for eigenvalues w in rising order."""
    gaps = w[..., None, :] - w[..., :, None]
    small = 16 * w.shape[-1] * np.finfo(w.dtype).eps
    equal = np.abs(gaps) <= small * np.abs(w).max(axis=-1, initial=0)[..., None, None]
    asked = np.abs(k) > small * np.abs(k).max(axis=(-2, -1), keepdims=True, initial=0)
    if checked and np.any(equal & (np.eye(w.shape[-1]) == 0) & asked):
        raise np.linalg.LinAlgError("Eigenvectors of a repeated eigenvalue have no derivative.")
    return np.where(equal, 0, k / np.where(equal, 1, gaps))
'''
"""A function that the NumPy source calls."""


def unchecked(attrs: Attrs) -> str:
    """The argument that lets repeated eigenvalues pass."""
    return ", False" if attrs["checked"] == "never" else ""


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape, values = square(args[0].shape, "over_gaps"), args[1].shape
    if len(values) != len(shape) - 1 or not all(same(x, y) for x, y in zip(values, shape, strict=False)):
        raise ShapeError(
            "over_gaps takes one eigenvalue for each row.",
            where="over_gaps",
            expected=format_shape(shape[:-1]),
            got=format_shape(values),
        )
    return Type(shape)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    g = e.full(g, node.shape)
    checked = "always" if node.attrs["checked"] == "always" else "never"
    weighed = e.pointwise(ARG(0) * ARG(1), g, node.name)
    moved = e.emit("over_gaps", weighed, node.args[1], checked=checked)
    rank = len(node.shape)
    rows = e.emit("sum", moved, **sum_attrs(rank, (rank - 1,)))
    columns = e.emit("sum", moved, **sum_attrs(rank, (rank - 2,)))
    return [
        e.emit("over_gaps", g, node.args[1], checked=checked),
        e.pointwise(ARG(0) - ARG(1), rows, columns),
    ]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    lead = tuple(INDEX(i) for i in range(rank - 2))
    i, j = INDEX(rank - 2), INDEX(rank - 1)
    access = (Access(0, (*lead, i, j)), Access(1, (*lead, j)), Access(1, (*lead, i)))
    same_place = Equal(i, j)
    return Definition(rank, access, ARG(0) * (1 - same_place) / (ARG(1) - ARG(2) + same_place))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    w, k = np.asarray(args[1].value), args[0].size
    gaps = np.abs(w[..., None, :] - w[..., :, None])
    both = args[1].size[..., None, :] + args[1].size[..., :, None]
    apart = gaps > 0
    safe = np.where(apart, gaps, 1)
    return np.where(apart, k / safe + k * both / safe**2, 0) + np.abs(np.asarray(out))


def together(e: Emitter, args: Sequence[str], stacked: Sequence[bool]) -> list[str]:
    """The arguments with one axis more in front, those that have none repeated along it."""
    (count,) = {e.type(a).shape[0] for a, s in zip(args, stacked, strict=True) if s}
    return [
        a if s else e.emit("broadcast_to", a, shape=(count, *e.type(a).shape))
        for a, s in zip(args, stacked, strict=True)
    ]


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("over_gaps", *together(e, args, stacked), **node.attrs)


OVER_GAPS = Op(
    name="over_gaps",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=lambda args, attrs, dim: f"over_gaps({', '.join(args)}{unchecked(attrs)})",
    notation=lambda style, args, attrs: style.call("overgaps", *args),
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 2,
    rule="C = K / (wⱼ − wᵢ)  ⇒  K̄ = C̄ / (wⱼ − wᵢ) and w̄ = rows minus columns of C̄ ⊙ C / (wⱼ − wᵢ)",
    why=(
        "each entry is divided by its own gap, and its adjoint too",
        "a gap grows with the later eigenvalue and shrinks with the earlier one",
    ),
    source="derived from the quotient rule, for the eigenvectors of Magnus and Neudecker (2019), ch. 8, section 9",
    examples=(
        Example((("n", "n"), ("n",)), {"checked": "always"}),
        Example((("d", "n", "n"), ("d", "n")), {"checked": "once"}),
    ),
    stack=_stack,
    imports=(_GAPS,),
)
