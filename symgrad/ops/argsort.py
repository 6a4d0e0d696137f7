"""The order of the entries along an axis, as whole numbers: the index that sorts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.ops.record import Attrs, Emitter, Example, Magnitude, Node, Notation, Op, Piece, Type, Whole
from symgrad.ops.scalars.functions import Equal, Less, LessEqual
from symgrad.ops.scalars.printer import ATOM


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    def fn(a: Any) -> Any:
        import numpy as np

        moved = np.moveaxis(a, attrs["axis"], -1)
        result = np.empty(moved.shape, dtype=object)
        for at in np.ndindex(*moved.shape[:-1]):
            line = list(moved[at])
            places = [_place(line, j) for j in range(len(line))]
            for i in range(len(line)):
                result[(*at, i)] = sympy.Add(*(j * Equal(p, i) for j, p in enumerate(places)))
        return np.moveaxis(result, -1, attrs["axis"])

    return Whole(fn)


def _place(line: Sequence[Any], j: int) -> Any:
    """How many entries come before entry j; of equal ones the earlier comes first."""
    before = (
        LessEqual(line[k], line[j]) if k < j else Less(line[k], line[j]) for k in range(len(line)) if k != j
    )
    return sympy.Add(*before)


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    return f"np.argsort({args[0]}, axis={attrs['axis']}, kind='stable')"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    if args[0].rank == 1:
        return style.call("argsort", args[0])
    return style.call("argsort", args[0], Piece(f"axis={attrs['axis']}", ATOM))


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return np.abs(out)


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("argsort", args[0], axis=node.attrs["axis"] + 1)


ARGSORT = Op(
    name="argsort",
    infer=lambda args, attrs: Type(args[0].shape, "int"),
    vjp=lambda e, node, g: [None],
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="an order of entries is piecewise constant  ⇒  nothing flows back",
    why=("the order does not move while the entries move a little, so its derivative is 0",),
    source="definition; of equal entries the earlier comes first",
    examples=(
        Example((("n",),), {"axis": 0}),
        Example((("n", "d"),), {"axis": 1}),
    ),
    stack=_stack,
)
