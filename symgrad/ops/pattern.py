"""Constant arrays given by a rule: ranges and triangles of ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.ops.dims import Shape, as_dim, dim_symbol
from symgrad.ops.record import (
    INDEX,
    Attrs,
    Definition,
    Example,
    Magnitude,
    Notation,
    Op,
    Piece,
    Type,
)
from symgrad.ops.scalars.functions import LessEqual
from symgrad.ops.scalars.numpy_code import numpy_text
from symgrad.ops.scalars.printer import ATOM

# The rules: "tri", ones where column ≤ row + first; "arange", first + step·i.  Each has the attributes shape, first,
# step, kind.


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    return Type(tuple(as_dim(d) for d in attrs["shape"]), attrs["kind"])


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    first, step = sympy.sympify(attrs["first"]), sympy.sympify(attrs["step"])
    if attrs["rule"] == "arange":
        return Definition(1, (), first + step * INDEX(0))
    return Definition(2, (), LessEqual(INDEX(1), INDEX(0) + first))


def _number(value: sympy.Expr, dim: Callable[[Any], str]) -> str:
    """A number that need not be whole, as a size is: ``dim`` divides sizes without remainder."""
    if not value.free_symbols:
        return numpy_text(value, {})
    top, bottom = sympy.fraction(sympy.together(value))
    return dim(value) if bottom == 1 else f"({dim(sympy.expand(top))})/({dim(bottom)})"


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    shape, first, step = attrs["shape"], sympy.sympify(attrs["first"]), sympy.sympify(attrs["step"])
    if attrs["rule"] == "arange":
        text = f"np.arange({dim(shape[0])})"
        if step != 1:
            factor = _number(step, dim)
            text = f"({factor}) * {text}" if step.could_extract_minus_sign() else f"{factor} * {text}"
        return text if first == 0 else f"{_number(first, dim)} + {text}"
    rows, columns = shape
    parts = [dim(rows)] if rows == columns else [dim(rows), dim(columns)]
    if first != 0:
        parts.append(f"k={dim(first)}")
    if attrs["kind"] != "real":
        parts.append(f"dtype={attrs['kind']}")
    return f"np.tri({', '.join(parts)})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    shape, first, step = attrs["shape"], sympy.sympify(attrs["first"]), sympy.sympify(attrs["step"])
    dims = [style.scalar(sympy.sympify(d), ()) for d in shape]
    if attrs["rule"] == "arange":
        bounds = [style.scalar(v, ()) for v in (first, sympy.expand(first + step * shape[0]), step)]
        shown = bounds if step != 1 else bounds[:2] if first != 0 else bounds[1:2]
        return Piece(style.call("arange", *shown).text, ATOM, 1)
    if first != 0:
        dims.append(Piece(f"k={style.scalar(first, ()).text}", ATOM))
    return Piece(style.call("tri", *dims).text, ATOM, 2)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    reach = abs(float(attrs["first"])) + abs(float(attrs["step"])) * max(np.size(out) - 1, 0)
    return np.abs(out) if attrs["rule"] != "arange" else np.full(np.shape(out), reach)


_N, _D = dim_symbol("n"), dim_symbol("d")


def _example(rule: str, shape: Shape, first: Any = 0, step: Any = 1, kind: str = "real") -> Example:
    return Example((), {"rule": rule, "shape": shape, "first": first, "step": step, "kind": kind})


PATTERN = Op(
    name="pattern",
    infer=_infer,
    vjp=lambda e, node, g: (),
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 2 if attrs["rule"] == "arange" else 0,
    rule="a constant has no gradient  ⇒  nothing flows back",
    why=("the array is the same whatever the arguments are",),
    source="definition",
    examples=(
        _example("tri", (_N, _D)),
        _example("tri", (_N, _N), first=-1, kind="int"),
        _example("tri", (_N, _D), first=1, kind="bool"),
        _example("arange", (_N,), kind="int"),
        _example("arange", (_N,), first=sympy.Rational(1, 2), step=sympy.Rational(-1, 4)),
        _example("arange", (_N,), first=_D, step=2, kind="int"),
    ),
)
