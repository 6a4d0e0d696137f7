"""One triangle of each matrix of a stack, the rest set to 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Shape, format_shape
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
    Piece,
    Type,
)
from symgrad.ops.scalars.functions import Equal, Greater, GreaterEqual, LessEqual
from symgrad.ops.squares import same_on_stack


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = args[0].shape
    if len(shape) < 2:
        raise ShapeError(
            "A triangle is taken of a matrix.", where="triangle", expected="(n, n)", got=format_shape(shape)
        )
    return Type(shape, args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.emit("triangle", e.full(g, node.shape), **node.attrs)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    distance = INDEX(rank - 1) - INDEX(rank - 2)
    kept = GreaterEqual(distance, attrs["k"]) if attrs["upper"] else LessEqual(distance, attrs["k"])
    return Definition(rank, (Access(0, tuple(INDEX(i) for i in range(rank))),), ARG(0) * kept)


def _name(attrs: Attrs) -> str:
    return "triu" if attrs["upper"] else "tril"


def _numpy(args: Sequence[str], attrs: Attrs, dim: object) -> str:
    k = f", {attrs['k']}" if attrs["k"] else ""
    return f"np.{_name(attrs)}({args[0]}{k})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    more = [Piece(f"k={attrs['k']}", args[0].strength)] if attrs["k"] else []
    return style.call(_name(attrs), args[0], *more)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return (np.triu if attrs["upper"] else np.tril)(args[0].size, attrs["k"])


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    i, j = sympy.symbols("i j", integer=True)
    inside = j - i >= attrs["k"] if attrs["upper"] else j - i <= attrs["k"]
    return sympy.FunctionMatrix(
        *out, sympy.Lambda((i, j), sympy.Piecewise((args[0][i, j], inside), (0, True)))
    )


TRIANGLE = Op(
    name="triangle",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = tril(A)  ⇒  Ā = tril(C̄)",
    why=("entries outside the triangle are not read, so nothing comes back to them",),
    source="linearity (a mask is its own transpose)",
    examples=(
        Example((("n", "d"),), {"upper": False, "k": 0}),
        Example((("n", "n"),), {"upper": True, "k": 0}),
        Example((("n", "n"),), {"upper": False, "k": -1}),
        Example((("k", "n", "d"),), {"upper": True, "k": 1}),
    ),
    stack=same_on_stack("triangle"),
    sympy=_sympy,
)


def _half_define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    i, j = INDEX(rank - 2), INDEX(rank - 1)
    weight = Greater(i, j) + Equal(i, j) / sympy.Integer(2)
    return Definition(rank, (Access(0, tuple(INDEX(a) for a in range(rank))),), ARG(0) * weight)


def _half_magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return (np.tril(args[0].size) + np.tril(args[0].size, -1)) / 2


def _half_sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    i, j = sympy.symbols("i j", integer=True)
    entry = sympy.Piecewise((args[0][i, j], i > j), (args[0][i, j] / 2, sympy.Eq(i, j)), (0, True))
    return sympy.FunctionMatrix(*out, sympy.Lambda((i, j), entry))


HALF_TRIANGLE = Op(
    name="half_triangle",
    infer=_infer,
    vjp=lambda e, node, g: [e.emit("half_triangle", e.full(g, node.shape))],
    define=_half_define,
    numpy=lambda args, attrs, dim: f"0.5 * (np.tril({args[0]}) + np.tril({args[0]}, -1))",
    notation=lambda style, args, attrs: style.call("Φ", args[0]),
    magnitude=_half_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = Φ(A), the lower triangle with half the diagonal  ⇒  Ā = Φ(C̄)",
    why=("each entry is scaled on its own, by 1, ½ or 0, and so is its adjoint",),
    source="Murray (2016), Differentiation of the Cholesky decomposition (the function Φ)",
    examples=(Example((("n", "n"),)), Example((("k", "n", "n"),))),
    stack=same_on_stack("half_triangle"),
    sympy=_half_sympy,
)
