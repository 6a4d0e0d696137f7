"""Everything elementwise: one scalar function applied to broadcast entries.

``fn`` is a SymPy expression in ``ARG(0), ARG(1), …``; sizes may occur in it as dimension symbols.  The
derivative is SymPy's, so a new elementwise function needs no rule here, only a row in ``scalars/table.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from symgrad.ops.dims import broadcast
from symgrad.ops.record import (
    ARG,
    INDEX,
    OUT,
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
from symgrad.ops.scalars.functions import Absolute, Maximum, Minimum, Relu, Select, Sign, Truth
from symgrad.ops.scalars.magnitude import count_roundings, magnitude
from symgrad.ops.scalars.numpy_code import numpy_text
from symgrad.ops.scalars.rounding import FloorDivide, Remainder
from symgrad.ops.scalars.special import LessOne, XLogY


@lru_cache(maxsize=4096)
def partial(fn: sympy.Expr, position: int) -> sympy.Expr:
    """∂fn/∂argument, written with ``OUT`` where the function's own value occurs in it."""
    if isinstance(fn, sympy.Pow) and not fn.base.is_number and not fn.exp.is_number:
        return _power(fn, position)
    derivative = sympy.diff(fn, ARG(position))
    if (fn.is_Function or fn.is_Pow) and not fn.is_Symbol and fn.args:
        reused = derivative.subs(fn, OUT)
        if reused.count_ops() < derivative.count_ops():
            return reused
    return derivative


def _power(fn: sympy.Pow, position: int) -> sympy.Expr:
    """The slope of b^e, finite also where b = 0; SymPy's b^e·e/b and b^e·log b are 0/0 and 0·∞ there."""
    base, exponent = fn.base, fn.exp
    by_base = exponent * base ** LessOne(exponent) * sympy.diff(base, ARG(position))
    return by_base + XLogY(OUT, base) * sympy.diff(exponent, ARG(position))


def scale(g: sympy.Expr, derivative: sympy.Expr) -> sympy.Expr:
    """g times a derivative; a choice between branches keeps g out of the branch that is not taken."""
    if isinstance(derivative, Select):
        condition, yes, no = derivative.args
        return Select(condition, g * yes, g * no)
    return g * derivative


_WHOLE = (FloorDivide, Remainder, Absolute, Maximum, Minimum, Relu, Sign, Select, Truth)
"""Functions that make whole numbers of whole numbers."""


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    shape = broadcast([a.shape for a in args], attrs.get("label") or str(attrs["fn"]))
    fn = attrs["fn"]
    if isinstance(fn, Truth):
        return Type(shape, "bool")
    if fn.is_Symbol:
        return Type(shape, args[0].kind)
    kinds = {a.kind for a in args}
    if "int" in kinds and "real" not in kinds and not fn.has(sympy.Pow):
        entire = all(isinstance(f, _WHOLE) for f in fn.atoms(sympy.Function))
        if entire and all(n.is_Integer for n in fn.atoms(sympy.Number)):
            return Type(shape, "int")
    return Type(shape)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    fn = node.attrs["fn"]
    out: list[str | None] = []
    for position, arg in enumerate(node.args):
        derivative = partial(fn, position)
        if derivative == 0 or e.type(arg).kind != "real":
            out.append(None)
            continue
        # The adjoint comes first, so that it stands first in what is printed: δWᵀ ⊙ (1 − h²).
        names = (g, *node.args, node.name)
        moved = {ARG(i): ARG(i + 1) for i in range(len(node.args))} | {OUT: ARG(len(node.args) + 1)}
        body = scale(ARG(0), derivative.xreplace(moved))
        used = [i for i in range(len(names)) if body.has(ARG(i))]
        renamed = body.xreplace({ARG(i): ARG(j) for j, i in enumerate(used)})
        flowing = e.pointwise(renamed, *(names[i] for i in used))
        out.append(e.sum_to(flowing, node.shape, e.type(arg).shape))
    return out


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    rank = len(out.shape)
    access = []
    for i, a in enumerate(args):
        shift = rank - len(a.shape)
        access.append(Access(i, tuple(0 if d == 1 else INDEX(shift + k) for k, d in enumerate(a.shape))))
    return Definition(rank, tuple(access), attrs["fn"])


def _numpy(args: Sequence[str], attrs: Attrs, dim: object) -> str:
    fn = attrs["fn"]
    names: dict[sympy.Symbol, str] = {ARG(i): a for i, a in enumerate(args)}
    for s in fn.free_symbols - set(names):
        names[s] = dim(s)  # type: ignore[operator]
    return numpy_text(fn, names)


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.scalar(attrs["fn"], args)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: object) -> object:
    return magnitude(attrs["fn"], {ARG(i): a for i, a in enumerate(args)}).size


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    rank = len(node.shape)
    return e.emit(
        "pointwise",
        *(aligned(e, a, rank) if s else a for a, s in zip(args, stacked, strict=True)),
        **node.attrs,
    )


def aligned(e: Emitter, a: str, rank: int) -> str:
    """A stacked array whose further axes broadcast against arrays of this rank: axes of size 1 in between."""
    first, *own = e.type(a).shape
    if len(own) >= rank:
        return a
    return e.emit("reshape", a, shape=(first, *(1,) * (rank - len(own)), *own))


def _explain(attrs: Attrs, position: int, broadcast_arg: bool) -> tuple[str, str]:
    fn = attrs["fn"]
    slope = partial(fn, position)
    if slope == 1:
        rule, why = "C = A + B  ⇒  Ā = C̄", "a sum passes its adjoint on to every term"
    elif slope == -1:
        rule, why = "C = A − B  ⇒  B̄ = −C̄", "what is subtracted gets the adjoint with the other sign"
    elif fn.is_Mul and not slope.has(ARG(position)) and all(e.is_Symbol for e in fn.args):
        rule, why = (
            "C = A ⊙ B  ⇒  Ā = C̄ ⊙ B",
            "a change of one factor is multiplied by the other, and so is its adjoint",
        )
    elif fn.is_Pow and fn.exp.is_number and fn.base == ARG(0):
        rule, why = (
            "C = A^p  ⇒  Ā = C̄ ⊙ p A^(p − 1)",
            "the power rule: each entry acts on its own power, with the slope p a^(p − 1)",
        )
    else:
        rule, why = (
            "C = f(A)  ⇒  Ā = C̄ ⊙ f′(A)",
            "each entry acts on its own result only, so what flows back is scaled by the slope at that entry",
        )
        if slope.has(OUT):
            why += "; the slope is read off the value C that the forward pass has computed"
    if broadcast_arg:
        why += "; the argument was repeated by broadcasting, so its adjoint is summed over the repetitions"
    return rule, why


_A, _B = ARG(0), ARG(1)

POINTWISE = Op(
    name="pointwise",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: count_roundings(attrs["fn"]),
    rule="C = f(A, B, …)  ⇒  Ā = C̄ ⊙ ∂f/∂A, summed over the axes along which A was broadcast",
    why=("each entry has an effect on its own result only, so the chain rule holds entry by entry",),
    source="chain rule; for products Petersen and Pedersen (2012), The Matrix Cookbook, eq. 38",
    explain=_explain,
    stack=_stack,
    examples=(
        Example((("n", "d"), ("n", "d")), {"fn": _A * _B}),
        Example((("n", "d"), ("d",)), {"fn": _A + _B}),
        Example((("n", 1), ("n", "d")), {"fn": _A * _B}),
        Example((("n", "d"), ()), {"fn": _A * _B}),
        Example((("n",), ("n", 1)), {"fn": _A - _B}),
        Example((("n", "d"),), {"fn": sympy.tanh(_A)}),
        Example((("n",),), {"fn": _A**2}),
        Example(((),), {"fn": sympy.exp(_A)}),
    ),
)

__all__ = ["POINTWISE", "aligned", "partial", "scale"]
