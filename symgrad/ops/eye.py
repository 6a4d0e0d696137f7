"""The identity matrix, and ones on another diagonal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.ops.dims import Dim, Shape, same
from symgrad.ops.record import INDEX, Attrs, Definition, Example, Notation, Op, Piece, Type
from symgrad.ops.scalars.functions import Equal


def eye_attrs(rows: Dim, columns: Dim | None = None, k: int = 0) -> dict[str, Any]:
    """The attributes of the matrix with ones where column − row = k."""
    return {"shape": (rows, rows if columns is None else columns), "k": k}


def is_identity(op: str, attrs: Attrs) -> bool:
    """Whether a binding is the identity matrix."""
    return op == "eye" and attrs["k"] == 0 and same(*attrs["shape"])


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Dim], str]) -> str:
    rows, columns = attrs["shape"]
    k = attrs["k"]
    if k == 0 and same(rows, columns):
        return f"np.eye({dim(rows)})"
    return f"np.eye({dim(rows)}, {dim(columns)}{f', k={k}' if k else ''})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    if is_identity("eye", attrs):
        return style.identity()
    sizes = [style.scalar(sympy.sympify(d), ()) for d in attrs["shape"]]
    k = [Piece(f"k={attrs['k']}", sizes[0].strength)] if attrs["k"] else []
    return style.call("eye", *sizes, *k)


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if is_identity("eye", attrs):
        return sympy.Identity(out[0])
    i, j = sympy.symbols("i j", integer=True)
    return sympy.FunctionMatrix(*out, sympy.Lambda((i, j), sympy.KroneckerDelta(i + attrs["k"], j)))


EYE = Op(
    name="eye",
    infer=lambda args, attrs: Type(tuple(attrs["shape"])),
    vjp=lambda e, node, g: [],
    define=lambda args, attrs, out: Definition(2, (), Equal(INDEX(1) - INDEX(0), attrs["k"])),
    numpy=_numpy,
    notation=_notation,
    magnitude=lambda args, attrs, out: out,
    roundings=lambda shapes, attrs: 0,
    rule="C = I  ⇒  nothing flows back",
    why=("the identity matrix depends on nothing",),
    source="definition",
    examples=(
        Example((), {"shape": ("n", "n"), "k": 0}),
        Example((), {"shape": ("n", "d"), "k": 0}),
        Example((), {"shape": ("n", "n"), "k": 1}),
        Example((), {"shape": ("n", "d"), "k": -1}),
    ),
    sympy=_sympy,
)
