"""Diagonals: taken out of the last two axes of an array, or put on the diagonal of a zero matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, format_shape, same
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
from symgrad.ops.scalars.functions import Equal
from symgrad.ops.squares import same_on_stack


def diagonal_length(rows: Dim, columns: Dim, k: int) -> Dim:
    """How many entries lie on the diagonal where column − row = k.

    Raises:
        ShapeError: that depends on which of two symbols is smaller.
    """
    if isinstance(rows, int) and isinstance(columns, int):
        return max(0, min(rows, columns - k) if k >= 0 else min(rows + k, columns))
    if same(rows, columns):
        return rows - abs(k)
    raise ShapeError(
        "The length of this diagonal depends on which side is longer.",
        where="diagonal",
        expected="a square matrix, or sizes that are numbers",
        got=format_shape((rows, columns)),
        fix="give both sizes as ints in shapes",
    )


def _starts(k: int) -> tuple[int, int]:
    """Row and column of the first entry."""
    return max(-k, 0), max(k, 0)


# diagonal: matrix to vector ----------------------------------------------------------------------------------


def _diagonal_infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = args[0].shape
    if len(shape) < 2:
        raise ShapeError(
            "A diagonal is taken of a matrix.", where="diagonal", expected="(n, n)", got=format_shape(shape)
        )
    rows, columns = shape[-2:]
    return Type((*shape[:-2], diagonal_length(rows, columns, attrs["k"])), args[0].kind)


def _diagonal_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    shape = e.type(node.args[0]).shape
    return [e.emit("diag", e.full(g, node.shape), **diag_attrs(shape, node.attrs["k"]))]


def _diagonal_define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    row, column = _starts(attrs["k"])
    lead = tuple(INDEX(i) for i in range(rank - 1))
    at = INDEX(rank - 1)
    return Definition(rank, (Access(0, (*lead, at + row, at + column)),), ARG(0))


def _k(attrs: Attrs) -> str:
    return f", {attrs['k']}" if attrs["k"] else ""


def _called(style: Notation, name: str, a: Piece, attrs: Attrs) -> Piece:
    more = [Piece(f"k={attrs['k']}", a.strength)] if attrs["k"] else []
    return style.call(name, a, *more)


def _diagonal_sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if attrs["k"] == 0 and same(*shapes[0]):
        return sympy.matrices.expressions.diagonal.DiagonalOf(args[0])
    i, j = sympy.symbols("i j", integer=True)
    row, column = _starts(attrs["k"])
    return sympy.FunctionMatrix(out[0], 1, sympy.Lambda((i, j), args[0][i + row, i + column]))


DIAGONAL = Op(
    name="diagonal",
    infer=_diagonal_infer,
    vjp=_diagonal_vjp,
    define=_diagonal_define,
    numpy=lambda args, attrs, dim: f"np.diagonal({args[0]}, {attrs['k']}, -2, -1)",
    notation=lambda style, args, attrs: _called(style, "diag", args[0], attrs),
    magnitude=lambda args, attrs, out: args[0].size.diagonal(attrs["k"], -2, -1),
    roundings=lambda shapes, attrs: 0,
    rule="c = diag(A)  ⇒  Ā = diag(c̄)",
    why=("only the diagonal is read, so its adjoint goes back there and the rest gets 0",),
    source="linearity (the transpose of reading a diagonal is writing it into zeros)",
    examples=(
        Example((("n", "n"),), {"k": 0}),
        Example((("d", "n", "n"),), {"k": 0}),
        Example(((3, 2),), {"k": 0}),
        Example(((3, 4),), {"k": 1}),
        Example(((2, 3, 3),), {"k": -1}),
    ),
    stack=same_on_stack("diagonal"),
    sympy=_diagonal_sympy,
)


# diag: vector to matrix ---------------------------------------------------------------------------------------


def diag_attrs(shape: Shape, k: int = 0) -> dict[str, Any]:
    """The attributes of the array of this shape with the argument on a diagonal of its last two axes."""
    return {"shape": tuple(shape[-2:]), "k": k, "stack": len(shape) > 2}


def _diag_infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = args[0].shape
    rows, columns = attrs["shape"]
    if not shape or not same(shape[-1], diagonal_length(rows, columns, attrs["k"])):
        raise ShapeError(
            "The vector does not fit this diagonal.",
            where="diag",
            expected=f"({diagonal_length(rows, columns, attrs['k'])},)",
            got=format_shape(shape),
        )
    return Type((*shape[:-1], rows, columns), args[0].kind)


def _diag_vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.emit("diagonal", e.full(g, node.shape), k=node.attrs["k"])]


def _diag_define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    lead = tuple(INDEX(i) for i in range(rank - 2))
    i, j, at = INDEX(rank - 2), INDEX(rank - 1), INDEX(rank)
    if attrs["k"] == 0 and same(*attrs["shape"]):
        return Definition(rank, (Access(0, (*lead, i)),), ARG(0) * Equal(i, j))
    row, column = _starts(attrs["k"])
    there = Equal(i, at + row) * Equal(j, at + column)
    part = Part(args[0].shape, (Access(0, (*lead, i)),), (*lead, i + row, i + column))
    return Definition(rank, (Access(0, (*lead, at)),), ARG(0) * there, (args[0].shape[-1],), parts=(part,))


def _square_diag(attrs: Attrs) -> bool:
    return same(*attrs["shape"])


def _diag_numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Dim], str]) -> str:
    k, (rows, columns) = attrs["k"], attrs["shape"]
    if not attrs["stack"] and _square_diag(attrs):
        return f"np.diag({args[0]}{_k(attrs)})"
    # np.where, not a product with ones and zeros: 0·inf would be NaN.
    length, (row, column) = diagonal_length(rows, columns, k), _starts(k)
    made = f"np.where(np.eye({dim(length)}) == 1, {args[0]}[..., None], 0)"
    below, right = rows - length - row, columns - length - column
    if k == 0 and _square_diag(attrs):
        return made
    lead = f"[(0, 0)] * (np.ndim({args[0]}) - 1)"
    return f"np.pad({made}, [*{lead}, ({row}, {dim(below)}), ({column}, {dim(right)})])"


def _diag_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    size = np.zeros(np.shape(out))
    length, (row, column) = args[0].size.shape[-1], _starts(attrs["k"])
    at = np.arange(length)
    size[..., at + row, at + column] = args[0].size
    return size


def _diag_sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if attrs["k"] == 0 and _square_diag(attrs):
        return sympy.DiagMatrix(args[0]) if args[0].is_Matrix else args[0]
    i, j = sympy.symbols("i j", integer=True)
    row, column = _starts(attrs["k"])
    entry = args[0][i - row, 0] * sympy.KroneckerDelta(i - row, j - column)
    return sympy.FunctionMatrix(*out, sympy.Lambda((i, j), entry))


def _diag_stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("diag", args[0], **{**node.attrs, "stack": True})


DIAG = Op(
    name="diag",
    infer=_diag_infer,
    vjp=_diag_vjp,
    define=_diag_define,
    numpy=_diag_numpy,
    notation=lambda style, args, attrs: _called(style, "diag", args[0], attrs),
    magnitude=_diag_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = diag(a)  ⇒  ā = diag(C̄)",
    why=("entries off the diagonal stay 0 whatever a is, so only the diagonal of C̄ comes back",),
    source="linearity (the transpose of writing a diagonal is reading it)",
    examples=(
        Example((("n",),), {"shape": ("n", "n"), "k": 0, "stack": False}),
        Example((("d", "n"),), {"shape": ("n", "n"), "k": 0, "stack": True}),
        Example(((2,),), {"shape": (3, 3), "k": 1, "stack": False}),
        Example(((2,),), {"shape": (2, 3), "k": 0, "stack": False}),
        Example((("n", 3),), {"shape": (4, 5), "k": -1, "stack": True}),
    ),
    stack=_diag_stack,
    sympy=_diag_sympy,
)
