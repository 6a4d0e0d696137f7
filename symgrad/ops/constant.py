"""A number, exact, or a size: the only operation without arguments."""

from __future__ import annotations

import sympy

from symgrad.ops.record import Attrs, Definition, Example, Magnitude, Notation, Op, Piece, Type


def _notation(style: Notation, args: object, attrs: Attrs) -> Piece:
    return style.scalar(attrs["value"], ())


CONSTANT = Op(
    name="constant",
    infer=lambda args, attrs: Type(()),
    vjp=lambda e, node, g: (),
    define=lambda args, attrs, out: Definition(0, (), attrs["value"]),
    numpy=lambda args, attrs, dim: dim(attrs["value"]),
    notation=_notation,
    magnitude=lambda args, attrs, out: Magnitude(out, abs(out)).size,
    roundings=lambda shapes, attrs: 1,
    rule="a constant has no gradient",
    why=(),
    source="definition",
    stack=lambda e, node, args, stacked: e.constant(node.attrs["value"]),
    examples=(Example((), {"value": sympy.Rational(1, 3)}),),
)
