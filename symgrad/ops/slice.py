"""A regular part of an array: NumPy's basic slicing, and single indices, which drop their axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.ops.dims import Dim, Shape, as_dim, dim_symbol, same
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
from symgrad.ops.scalars.printer import ATOM


def region_text(attrs: Attrs, of: Shape, show: Callable[[Any], str]) -> str:
    """The index that a person would write: ``1:, ::2, 0``; whole axes at the end are left away."""
    parts = []
    for axis, (start, step, size) in enumerate(
        zip(attrs["start"], attrs["step"], attrs["size"], strict=True)
    ):
        if axis in attrs["drop"]:
            parts.append(_bound(start, of[axis], show))
        else:
            parts.append(_range_text(start, int(step), size, of[axis], show))
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _range_text(start: Dim, step: int, size: Dim, of: Dim, show: Callable[[Any], str]) -> str:
    if same(size, 0) and not same(of, 0):
        return "0:0"
    stop = as_expr(start) + step * as_expr(size)
    if step > 0:
        lower = "" if same(start, 0) else _bound(start, of, show)
        beyond = (stop - as_expr(of)).is_nonnegative
        upper = "" if beyond else _bound(stop, of, show)
    else:
        lower = "" if same(as_expr(start), as_expr(of) - 1) else _bound(start, of, show)
        upper = "" if stop.is_negative or same(size, of) else show(stop)
    return f"{lower}:{upper}" + (f":{show(step)}" if step != 1 else "")


def _bound(value: Dim, of: Dim, show: Callable[[Any], str]) -> str:
    """Counted from the end where the size is a symbol and the value follows it."""
    before = as_expr(of) - as_expr(value)
    if isinstance(of, sympy.Expr) and before.is_Integer and before.is_positive and not as_expr(of).is_Integer:
        return show(-int(before))
    return show(value)


def as_expr(value: Any) -> sympy.Expr:
    return sympy.sympify(value)


def access_index(attrs: Attrs, first: int = 0) -> tuple[Any, ...]:
    """The index in the whole array of entry ``INDEX(first), …`` of the part."""
    index: list[Any] = []
    position = first
    for axis, (start, step) in enumerate(zip(attrs["start"], attrs["step"], strict=True)):
        if axis in attrs["drop"]:
            index.append(start)
        else:
            index.append(start + step * INDEX(position))
            position += 1
    return tuple(index)


def part_shape(attrs: Attrs) -> Shape:
    return tuple(as_dim(d) for axis, d in enumerate(attrs["size"]) if axis not in attrs["drop"])


def stacked_attrs(attrs: Attrs, size: Dim) -> dict[str, Any]:
    """The same region of each array of a stack of this many."""
    return {
        "start": (0, *attrs["start"]),
        "step": (1, *attrs["step"]),
        "size": (size, *attrs["size"]),
        "drop": tuple(i + 1 for i in attrs["drop"]),
    }


def shown(style: Notation) -> Callable[[Any], str]:
    return lambda value: style.scalar(as_expr(value), ()).text


def bracketed(a: Piece, index: str, rank: int) -> Piece:
    """``A[index]``."""
    text = a.text if a.strength >= ATOM else f"({a.text})"
    return Piece(f"{text}[{index}]", ATOM, rank)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    attrs = {k: node.attrs[k] for k in ("start", "step", "size", "drop")}
    return [e.emit("place", e.full(g, node.shape), shape=e.type(node.args[0]).shape, **attrs)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    return Definition(len(out.shape), (Access(0, access_index(attrs)),), ARG(0))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    text = args[0] if args[0].isidentifier() else f"({args[0]})"
    return f"{text}[{region_text(attrs, attrs['shape'], dim)}]"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    if all(size == 1 for size in attrs["size"]):  # one entry reads as a number, whatever axes it has
        return bracketed(args[0], ", ".join(map(shown(style), attrs["start"])), 0)
    rank = len(attrs["size"]) - len(attrs["drop"])
    return bracketed(args[0], region_text(attrs, attrs["shape"], shown(style)), rank)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    return args[0].size[key(attrs)]


def key(attrs: Attrs) -> tuple[Any, ...]:
    """NumPy's index for a region whose sizes are numbers."""
    found: list[Any] = []
    for axis, triple in enumerate(zip(attrs["start"], attrs["step"], attrs["size"], strict=True)):
        start, step, size = map(int, triple)
        stop = start + step * size
        if axis in attrs["drop"]:
            found.append(start)
        else:
            found.append(slice(start, stop if stop >= 0 else None, step) if size else slice(0, 0))
    return tuple(found)


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    shape = e.type(args[0]).shape
    return e.emit("slice", args[0], shape=shape, **stacked_attrs(node.attrs, shape[0]))


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if any(step != 1 for step in attrs["step"]) or len(shapes[0]) > 2 or not shapes[0]:
        return None
    if out and 0 in out:  # SymPy has no slices without entries
        return sympy.ZeroMatrix(*(out if len(out) == 2 else (out[0], 1)))
    ranges = [(s, s + n) for s, n in zip(attrs["start"], attrs["size"], strict=True)]
    ranges += [(0, 1)] * (2 - len(ranges))
    part = args[0][slice(*ranges[0]), slice(*ranges[1])]
    if not out:
        return args[0][ranges[0][0], ranges[1][0]]
    return part.T if len(out) == 1 and 0 in attrs["drop"] else part


_N, _D = dim_symbol("n"), dim_symbol("d")


def _example(
    of: Shape, start: Shape, step: tuple[int, ...], size: Shape, drop: tuple[int, ...] = ()
) -> Example:
    attrs = {"shape": of, "start": start, "step": step, "size": size, "drop": drop}
    return Example((of,), attrs, nonempty=True)


SLICE = Op(
    name="slice",
    infer=lambda args, attrs: Type(part_shape(attrs), args[0].kind),
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="C = A[region]  ⇒  Ā = C̄ in the region, 0 elsewhere",
    why=("entries outside the region have no effect, so their adjoints are 0",),
    source="linearity (the transpose of cutting out is padding with zeros)",
    examples=(
        _example((_N,), (1,), (1,), (_N - 1,)),
        _example((_N, _D), (0, _D - 1), (1, -1), (_N, _D)),
        _example((_N, _D), (_N - 1, 0), (1, 1), (1, _D), (0,)),
        _example((_N, _D), (0, 0), (1, 1), (_N, 1), (1,)),
        _example((7, _N), (5, 0), (-2, 1), (3, _N - 1)),
        _example((7,), (3,), (1,), (1,), (0,)),
        _example((5, _N), (1, 0), (2, 1), (0, _N)),
    ),
    stack=_stack,
    sympy=_sympy,
)
