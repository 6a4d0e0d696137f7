"""Norms of vectors along axes: (Σ |x|^p)^(1/p), the usual one with p = 2.

At 0 a norm has a kink; its derivative there is taken to be 0, which is one of its subgradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symgrad.ops import sympy_forms
from symgrad.ops.dims import Shape
from symgrad.ops.record import (
    ARG,
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
from symgrad.ops.reduction import options, stacking
from symgrad.ops.scalars.functions import Absolute, Ratio, Sign
from symgrad.ops.sum import SUM, sum_attrs


def norm_attrs(rank: int, axes: Sequence[int], p: object = 2, keepdims: bool = False) -> dict[str, Any]:
    """The attributes of the p-norm over these axes of an array of this rank."""
    return {**sum_attrs(rank, axes, keepdims), "p": sympy.sympify(p)}


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    x, axes, p = node.args[0], node.attrs["axes"], node.attrs["p"]
    shape = e.type(x).shape
    norm = node.name
    if not node.attrs["keepdims"] and len(axes) < len(shape):
        kept = tuple(1 if i in axes else d for i, d in enumerate(shape))
        g, norm = (e.emit("reshape", n, shape=kept) for n in (e.full(g, node.shape), norm))
    if p == 2:
        return [e.pointwise(ARG(0) * Ratio(ARG(1), ARG(2)), g, x, norm)]
    slope = Sign(ARG(1)) * Ratio(Absolute(ARG(1)), ARG(2)) ** (p - 1)
    return [e.pointwise(ARG(0) * slope, g, x, norm)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    total = SUM.define(args, attrs, out)
    assert isinstance(total, Definition)
    p = attrs["p"]
    fn = ARG(0) ** 2 if p == 2 else Absolute(ARG(0)) ** p
    return replace(total, fn=fn, after=ARG(0) ** (1 / p))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[..., str]) -> str:
    axes, p = attrs["axes"], attrs["p"]
    inner = f"{args[0]}**2" if p == 2 else f"np.abs({args[0]})**{_number(p)}"
    if p == 2 and (len(axes) == 1 or attrs["total"]):
        return f"np.linalg.norm({args[0]}{options(attrs)})"
    total = f"np.sum({inner}{options(attrs)})"
    return f"np.sqrt({total})" if p == 2 else f"{total}**(1/{_number(p)})"


def _number(p: sympy.Expr) -> str:
    return str(int(p)) if p.is_Integer else repr(float(p))


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    p = attrs["p"]
    if attrs["total"] and p == 2:
        return style.norm(args[0])
    more = [] if p == 2 else [Piece(f"p={_number(p)}", args[0].strength)]
    if not attrs["total"]:
        axes = ", ".join(str(i) for i in attrs["axes"])
        more.append(Piece(f"axis={axes}", args[0].strength))
    return style.call("norm", args[0], *more)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    p = float(attrs["p"])
    total = (args[0].size ** p).sum(axis=tuple(attrs["axes"]), keepdims=attrs["keepdims"])
    return total ** (1 / p) * (1 + 1e-15)  # may round below the value, which NumPy computes otherwise


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if attrs["p"] != 2 or not 0 < len(shapes[0]) <= 2:
        return None
    a, keepdims = args[0], attrs["keepdims"]
    if attrs["total"]:
        whole = sympy.sqrt(sympy.Trace(sympy_forms.times(sympy_forms.transposed(a), a)))
        return whole * sympy.OneMatrix(1, 1) if keepdims else whole
    squares = sympy.HadamardPower(a, 2)
    if attrs["axes"] == (1,):
        sums = sympy_forms.times(squares, sympy.OneMatrix(a.shape[1], 1))
    else:
        sums = sympy_forms.times(sympy.OneMatrix(1, a.shape[0]), squares)
        sums = sums if keepdims else sympy_forms.transposed(sums)
    return sympy.HadamardPower(sums, sympy.S.Half)


NORM = Op(
    name="norm",
    infer=lambda args, attrs: SUM.infer(args, attrs),
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: SUM.roundings(shapes, attrs) + 8,
    rule="c = ‖a‖  ⇒  ā = c̄ a/‖a‖, and 0 where a = 0",
    why=("the norm grows fastest along a itself, with slope 1; at 0 the subgradient 0 is taken",),
    source="Petersen and Pedersen (2012), The Matrix Cookbook, eq. 129, 131, 132; Rockafellar (1970), "
    "Convex Analysis, sec. 23 (0 is a subgradient at the kink)",
    examples=(
        Example((("n",),), norm_attrs(1, (0,))),
        Example((("n", "d"),), norm_attrs(2, (0, 1))),
        Example((("n", "d"),), norm_attrs(2, (0,))),
        Example((("n", "d"),), norm_attrs(2, (1,), keepdims=True)),
        Example((("n", "d"),), norm_attrs(2, (1,), 3)),
        Example((("n",),), norm_attrs(1, (0,), sympy.Rational(3, 2))),
        Example((("n", "d", "k"),), norm_attrs(3, (0, 2))),
    ),
    stack=stacking("norm"),
    sympy=_sympy,
)
