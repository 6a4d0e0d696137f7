"""The same entries in C order under another shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, format_shape, product, same
from symgrad.ops.record import (
    ARG,
    INDEX,
    Access,
    Attrs,
    Definition,
    Emitter,
    Example,
    Node,
    Notation,
    Op,
    Piece,
    Type,
)


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = tuple(attrs["shape"])
    if not same(product(args[0].shape), product(shape)):
        error = ShapeError(
            "reshape has to keep the number of entries.",
            where="reshape",
            expected=f"{product(args[0].shape)} entries, as in {format_shape(args[0].shape)}",
            got=f"{format_shape(shape)} with {product(shape)} entries",
        )
        error.clash = (product(args[0].shape), product(shape))
        raise error
    return Type(shape, args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    return [e.emit("reshape", e.full(g, node.shape), shape=e.type(node.args[0]).shape)]


def _index(shape: Sequence[Dim], out: Sequence[Dim]) -> tuple[object, ...]:
    """The index in ``shape`` of entry ``INDEX(0), INDEX(1), …`` of ``out``."""
    moving = [(INDEX(i), d) for i, d in enumerate(out) if d != 1]
    if [d for d in shape if d != 1] == [d for _, d in moving]:
        symbols = iter([s for s, _ in moving])
        return tuple(0 if d == 1 else next(symbols) for d in shape)
    if 0 in shape:  # no entry is ever asked for
        return (0,) * len(shape)
    flat: sympy.Expr = sympy.S.Zero
    for i, d in enumerate(out):
        flat = flat * d + INDEX(i)
    index: list[object] = []
    for d in reversed(shape):
        index.insert(0, sympy.Mod(flat, d))
        flat = sympy.floor(flat / d)
    return tuple(index)


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    return Definition(len(out.shape), (Access(0, _index(args[0].shape, out.shape)),), ARG(0))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    inner = ", ".join(dim(d) for d in attrs["shape"])
    return f"np.reshape({args[0]}, ({inner}{',' if len(attrs['shape']) == 1 else ''}))"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.reshape(args[0], attrs["shape"])


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    return e.emit("reshape", args[0], shape=(e.type(args[0]).shape[0], *node.shape))


RESHAPE = Op(
    name="reshape",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=lambda args, attrs, out: args[0].size.reshape(out.shape),
    roundings=lambda shapes, attrs: 0,
    rule="C = A reshaped  ⇒  Ā = C̄ in the shape of A",
    why=("the entries keep their order, and so do their adjoints",),
    stack=_stack,
    source="linearity (a permutation's transpose is its inverse)",
    examples=(
        Example((("n",),), {"shape": ("n", 1)}),
        Example((("n", 1),), {"shape": ("n",)}),
        Example((("n", 6),), {"shape": ("n", 2, 3)}),
        Example((("n", "d"),), {"shape": ("n*d",)}),
    ),
)
