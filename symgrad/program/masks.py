"""Adjoints that a condition switches off, and slopes that are not finite where it does.

The derivative of ``where(x > 0, log x, 0)`` is 0 where x = 0, but 0 · 1/x is NaN there.  So a product with an
adjoint of the form ``where(c, g, 0)`` is written ``where(c, g · slope, 0)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Select

if TYPE_CHECKING:
    from symgrad.program.builder import Builder


def inside_selection(builder: Builder, fn: sympy.Expr, args: Sequence[str]) -> str | None:
    """The product with its first argument's selection outermost; None where that argument is no such thing."""
    if not fn.is_Mul or ARG(0) not in fn.args:
        return None
    found = builder.binding(args[0])
    if found is None or found.op != "pointwise" or not isinstance(found.attrs["fn"], Select):
        return None
    slope = fn / ARG(0)
    if slope.has(ARG(0)) or not any(slope.has(ARG(i)) for i in range(1, len(args))):
        return None
    condition, yes, no = found.attrs["fn"].args
    if 0 not in (yes, no):
        return None
    on = builder.pointwise(no if yes == 0 else yes, *found.args)
    product = builder.pointwise(fn, on, *args[1:])
    last = ARG(len(found.args))
    chosen = Select(condition, 0, last) if yes == 0 else Select(condition, last, 0)
    return builder.pointwise(chosen, *found.args, product)
