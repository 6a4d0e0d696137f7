"""A value as a coefficient times a core, and small questions that the rewriting of values asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.render.scalar_rules import ONE, tidy

MOVES = ("transpose", "reshape", "broadcast_to")
"""Operations that bring entries to other places and nothing else."""


@dataclass(frozen=True)
class Scaled:
    """``coefficient · core``; the coefficient holds numbers and sizes only."""

    coefficient: sympy.Expr
    core: str

    def times(self, factor: sympy.Expr) -> Scaled:
        return Scaled(self.coefficient * factor, self.core)


def number(builder: Builder, value: object, shape: Shape) -> Scaled:
    """An array filled with one number."""
    exact = sympy.sympify(value)
    coefficient, core = (ONE, builder.constant(0)) if exact == 0 else (exact, builder.constant(1))
    return Scaled(coefficient, builder.full(core, shape))


def filling(builder: Builder, core: str) -> str | None:
    """The scalar value that an array is filled with; None for others, and for constants."""
    b = builder.binding(core)
    if b is None or b.op not in ("broadcast_to", "reshape") or builder.constant_value(core) is not None:
        return None
    shape = builder.type(b.args[0]).shape
    if shape == ():
        return b.args[0]
    return filling(builder, b.args[0]) if all(d == 1 for d in shape) else None


def elementwise(builder: Builder, fn: sympy.Expr, args: Sequence[str], shape: Shape) -> str:
    """The function of those arguments that it reads, in this shape."""
    fn = tidy(fn.xreplace({ARG(i): ARG(args.index(a)) for i, a in enumerate(args)}))
    cores = list(dict.fromkeys(a for i, a in enumerate(args) if fn.has(ARG(i))))
    if not cores:
        return builder.full(builder.constant(fn), shape)
    renamed = fn.xreplace({ARG(i): ARG(cores.index(a)) for i, a in enumerate(args) if a in cores})
    made = cores[0] if renamed == ARG(0) else builder.emit("pointwise", *cores, fn=renamed)
    return builder.full(made, shape)
