"""What every operation over axes shares: shapes, indices, options in source, and stacking.

The attributes are those of ``sum_attrs``: ``axes`` (sorted), ``keepdims``, and ``total`` where all are named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.ops.dims import Dim, Shape
from symgrad.ops.record import INDEX, Attrs, Emitter, Node, Notation, Piece
from symgrad.ops.scalars.printer import ATOM


def reduced_shape(shape: Shape, attrs: Attrs) -> Shape:
    """The shape of the result."""
    axes = attrs["axes"]
    if attrs["keepdims"]:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def reduced_sizes(shape: Shape, attrs: Attrs) -> tuple[Dim, ...]:
    """The sizes of the axes that go away."""
    return tuple(shape[i] for i in attrs["axes"])


def entry_index(rank: int, attrs: Attrs) -> tuple[object, ...]:
    """The index of an argument's entry, of this rank, in output indices and reduced ones (numbered after them)."""
    axes, keepdims = attrs["axes"], attrs["keepdims"]
    out_rank = rank if keepdims else rank - len(axes)
    index: list[object] = []
    reduced = kept = 0
    for i in range(rank):
        if i in axes:
            index.append(INDEX(out_rank + reduced))
            reduced += 1
            kept += bool(keepdims)
        else:
            index.append(INDEX(kept))
            kept += 1
    return tuple(index)


def spread(e: Emitter, value: str, shape: Shape, attrs: Attrs) -> str:
    """A value in the result's shape, or an adjoint of it, so that it broadcasts against the argument."""
    axes = attrs["axes"]
    if attrs["keepdims"] or axes == tuple(range(len(axes))):
        return value
    kept = reduced_shape(shape, {**attrs, "keepdims": True})
    return e.emit("reshape", e.full(value, reduced_shape(shape, attrs)), shape=kept)


def options(attrs: Attrs) -> str:
    """``, axis=1, keepdims=True`` as NumPy's source has it."""
    axes = attrs["axes"]
    text = "" if attrs["total"] else f", axis={axes[0] if len(axes) == 1 else tuple(axes)}"
    return text + (", keepdims=True" if attrs["keepdims"] else "")


def called(style: Notation, name: str, a: Piece, attrs: Attrs) -> Piece:
    """``name(A)``, or ``name(A, axis=1)`` where not all axes go away."""
    if attrs["total"]:
        return style.call(name, a)
    return style.call(name, a, Piece(f"axis={', '.join(str(i) for i in attrs['axes'])}", ATOM))


def stacking(op: str) -> Callable[[Emitter, Node, Sequence[str], Sequence[bool]], str]:
    """The ``stack`` of a reduction: the same one, over axes that moved by one."""

    def stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
        axes = tuple(i + 1 for i in node.attrs["axes"])
        return e.emit(op, args[0], **{**node.attrs, "axes": axes, "total": False})

    return stack
