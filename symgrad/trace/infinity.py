"""Infinite constants: −∞ at masked scores, ∞ where a running minimum begins.

They may be chosen (``np.where``), stored, joined, compared, and be the argument of one function that has a value
there, such as exp(−∞) = 0.  Arithmetic with one is refused: it would say nothing of the other operand, or be NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import TraceError
from symgrad.ops.dims import broadcast
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Comparison, Maximum, Minimum, Select, Sigmoid
from symgrad.ops.scalars.logic import IsFinite, IsInf, IsNan
from symgrad.ops.scalars.special import FMax, FMin
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

INFINITE = (sympy.oo, -sympy.oo)
_CHOICES = (Select, Comparison, IsNan, IsInf, IsFinite)
_AT_INFINITY = {Sigmoid: lambda x: sympy.S.One if x == sympy.oo else sympy.S.Zero}


def as_number(value: Any) -> Any:
    """The exact ±∞ for an infinite float; any other value as it is."""
    if isinstance(value, (float, np.floating)) and np.isinf(value):
        return sympy.oo if value > 0 else -sympy.oo
    return value


def applied(builder: Builder, fn: sympy.Expr, values: list[Traced]) -> Traced | None:
    """The elementwise function where an operand is an infinite constant; None where none is.

    Raises:
        TraceError: it is arithmetic.
    """
    constants = [builder.constant_value(v.name) for v in values]
    if not any(c in INFINITE for c in constants):
        return None
    shape = broadcast([v.dims for v in values], str(fn))
    if isinstance(fn, (Maximum, FMax, Minimum, FMin)) and fn.args == (ARG(0), ARG(1)):
        return _extreme(builder, isinstance(fn, (Maximum, FMax)), values, constants, shape)
    if isinstance(fn, _CHOICES) and all(a in (ARG(i) for i in range(len(values))) for a in fn.args):
        return ops.Array(builder, builder.emit("pointwise", *(v.name for v in values), fn=fn))
    if len(values) == 1:
        (c,) = constants
        found = _AT_INFINITY[type(fn)](c) if type(fn) in _AT_INFINITY else fn.xreplace({ARG(0): c})
        if found in INFINITE or (found.is_Rational and not found.has(sympy.nan)):
            return ops.ones(builder, shape, found)
    raise builder.refuse(
        TraceError(
            "Arithmetic with an infinite constant is not traced. It is no finite real number.",
            where=str(fn),
            expected="np.where(mask, x, -np.inf), np.maximum, a comparison",
            fix="choose the infinite value last: np.where(mask, x + y, -np.inf)",
        )
    )


def _extreme(
    builder: Builder, largest: bool, values: list[Traced], constants: list[Any], shape: tuple[Any, ...]
) -> Traced:
    """max(x, −∞) is x, and max(x, ∞) is ∞."""
    position = next(i for i, c in enumerate(constants) if c in INFINITE)
    wins = (constants[position] == sympy.oo) == largest
    return moves.broadcast_to(values[position if wins else 1 - position], shape)
