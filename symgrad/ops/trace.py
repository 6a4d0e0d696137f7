"""The trace of each matrix of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import ARG, INDEX, Access, Attrs, Definition, Emitter, Example, Node, Op, Type
from symgrad.ops.squares import square, times


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    size = e.type(node.args[0]).shape[-1]
    return [times(e, g, node.shape, e.emit("eye", **eye_attrs(size)))]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    lead = tuple(INDEX(i) for i in range(rank))
    return Definition(rank, (Access(0, (*lead, INDEX(rank), INDEX(rank))),), ARG(0), (args[0].shape[-1],))


def _numpy(args: Sequence[str], attrs: Attrs, dim: object) -> str:
    return f"np.trace({args[0]}, axis1=-2, axis2=-1)" if attrs["stack"] else f"np.trace({args[0]})"


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("trace", args[0], stack=True)


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    return sympy.Trace(args[0])


TRACE = Op(
    name="trace",
    infer=lambda args, attrs: Type(square(args[0].shape, "trace")[:-2]),
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=lambda style, args, attrs: style.call("tr", args[0]),
    magnitude=lambda args, attrs, out: args[0].size.trace(axis1=-2, axis2=-1),
    roundings=lambda shapes, attrs: shapes[0][-1],
    rule="c = tr(A)  ⇒  Ā = c̄I",
    why=("only the diagonal is summed, so only it receives the adjoint of the sum",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 36, 99; Magnus and Neudecker (2019), "
    "ch. 9, section 10",
    examples=(
        Example((("n", "n"),), {"stack": False}),
        Example((("d", "n", "n"),), {"stack": True}),
    ),
    stack=_stack,
    sympy=_sympy,
)
