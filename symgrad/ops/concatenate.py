"""Arrays side by side along one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, dim_symbol, format_shape, product, same
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
    Notation,
    Op,
    Part,
    Piece,
    Type,
)
from symgrad.ops.scalars.functions import Less, Select
from symgrad.ops.scalars.printer import ATOM


def total(sizes: Sequence[Dim]) -> Dim:
    """The sum of sizes in the form that shapes are compared in."""
    return product([sum(map(sympy.sympify, sizes))])


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    axis, first = attrs["axis"], args[0].shape
    for a in args:
        others = zip((*a.shape[:axis], *a.shape[axis + 1 :]), (*first[:axis], *first[axis + 1 :]))
        if len(a.shape) == len(first) and all(same(d, e) for d, e in others):
            continue
        error = ShapeError(
            "These arrays do not fit side by side.",
            where="concatenate",
            expected=f"equal sizes on every axis but axis {axis}",
            got=" and ".join(format_shape(b.shape) for b in args),
        )
        if len(a.shape) == len(first):
            error.clash = next((d, e) for i, (d, e) in enumerate(zip(first, a.shape)) if i != axis and d != e)
        raise error
    kinds = [a.kind for a in args]
    kind = kinds[0] if len(set(kinds)) == 1 else "int" if set(kinds) == {"int", "bool"} else "real"
    return Type((*first[:axis], total([a.shape[axis] for a in args]), *first[axis + 1 :]), kind)


def part(shape: Shape, axis: int, start: Dim, size: Dim) -> dict[str, Any]:
    """The attributes of a slice that cuts one axis only."""
    return {
        "shape": shape,
        "start": tuple(start if i == axis else 0 for i in range(len(shape))),
        "step": (1,) * len(shape),
        "size": tuple(size if i == axis else d for i, d in enumerate(shape)),
        "drop": (),
    }


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    axis = node.attrs["axis"]
    g = e.full(g, node.shape)
    out: list[str | None] = []
    start: Dim = 0
    for a in node.args:
        size = e.type(a).shape[axis]
        out.append(e.emit("slice", g, **part(node.shape, axis, start, size)))
        start = total([start, size])
    return out


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    axis, rank = attrs["axis"], len(out.shape)
    access, starts = [], []
    start: Dim = 0
    parts = []
    own = tuple(INDEX(i) for i in range(rank))
    for position, a in enumerate(args):
        size = a.shape[axis]
        target = tuple(i + start if k == axis else i for k, i in enumerate(own))
        parts.append(Part(a.shape, (Access(position, own),), target))
        if size != 0:
            # Where another argument is read, this one's index stays inside it.
            inside = sympy.Max(0, sympy.Min(INDEX(axis) - start, size - 1))
            index = tuple(inside if i == axis else INDEX(i) for i in range(rank))
            access.append(Access(position, index))
            starts.append(start)
        start = total([start, size])
    if not access:
        return Definition(rank, (), sympy.S.Zero)
    fn: sympy.Expr = ARG(len(access) - 1)
    for k in reversed(range(len(access) - 1)):
        fn = Select(Less(INDEX(axis), sympy.sympify(starts[k + 1])), ARG(k), fn)
    return Definition(rank, tuple(access), fn, parts=tuple(parts))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    axis = f", axis={attrs['axis']}" if attrs["axis"] else ""
    return f"np.concatenate([{', '.join(args)}]{axis})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    sign = "; " if attrs["axis"] == 0 else ", "
    return Piece(f"[{sign.join(a.text for a in args)}]", ATOM, args[0].rank)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return np.concatenate([a.size for a in args], axis=attrs["axis"])


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    count = next(e.type(a).shape[0] for a, s in zip(args, stacked, strict=True) if s)
    full = [
        a if s else e.emit("broadcast_to", a, shape=(count, *e.type(a).shape))
        for a, s in zip(args, stacked, strict=True)
    ]
    return e.emit("concatenate", *full, axis=node.attrs["axis"] + 1)


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if len(out) > 2:
        return None
    axis = attrs["axis"]
    blocks = [
        a for a, shape in zip(args, shapes, strict=True) if shape[axis] != 0
    ]  # SymPy has no empty blocks
    if len(blocks) < 2:
        return blocks[0] if blocks else None
    return sympy.BlockMatrix([[a] for a in blocks] if axis == 0 else [blocks])


_N, _D = dim_symbol("n"), dim_symbol("d")

CONCATENATE = Op(
    name="concatenate",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = [A, B]  ⇒  Ā, B̄ = their parts of C̄",
    why=("each entry stands in one place of the result and takes the adjoint of that place",),
    source="linearity (the transpose of stacking parts is cutting them out)",
    examples=(
        Example(((_N,), (_D,)), {"axis": 0}),
        Example(((_N, _D), (_N, 1), (_N, 2)), {"axis": 1}),
        Example(((_N, _D), (_N, _D)), {"axis": 0}),
        Example(((_N, 2, _D), (_N, 3, _D)), {"axis": 1}),
    ),
    stack=_stack,
    sympy=_sympy,
)
