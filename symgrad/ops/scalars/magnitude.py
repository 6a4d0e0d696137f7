"""How large the terms are that meet in one scalar expression, and how many roundings they go through.

The size M of a value bounds its computed error to first order: |error| ≤ γ·M.  A sum has the size of its
terms added without cancelling, a product the product of sizes, and a function f(a) the size
|f(a)| + |f′(a)|·M(a): Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sympy

from symgrad.ops.record import Magnitude
from symgrad.ops.scalars.functions import Comparison, Select
from symgrad.ops.scalars.numpy_code import numpy_function


def _constant(expr: sympy.Expr) -> Magnitude:
    number = expr.evalf()  # SymPy knows no value of functions of ours, such as Remainder(4, 3)
    value = float(number if number.is_Number else numpy_function((), [expr])()[0])
    return Magnitude(value, abs(value))


def magnitude(expr: sympy.Expr, leaves: Mapping[sympy.Symbol, Magnitude]) -> Magnitude:
    """Value and size of ``expr`` where the symbols have the given values and sizes (arrays or numbers)."""
    import numpy as np

    if expr in leaves:
        return leaves[expr]
    if expr.is_number:
        return _constant(expr)
    parts = [magnitude(a, leaves) for a in expr.args]
    if expr.is_Add:
        return Magnitude(sum(p.value for p in parts), sum(p.size for p in parts))
    if expr.is_Mul:
        value: Any = 1
        size: Any = 1
        for p in parts:
            value = value * p.value
            size = size * p.size
        return Magnitude(value, size)
    if isinstance(expr, Comparison):
        value = _evaluate(expr, parts)
        return Magnitude(value, np.abs(value))
    if isinstance(expr, Select):
        condition, yes, no = parts
        return Magnitude(
            np.where(condition.value, yes.value, no.value), np.where(condition.value, yes.size, no.size)
        )
    value = _evaluate(expr, parts)
    size = np.abs(value)
    for i, p in enumerate(parts):
        slope = _slope(expr, i, parts)
        if slope is not None:
            size = size + np.abs(slope) * p.size
    return Magnitude(value, size)


def _stand_ins(expr: sympy.Expr) -> list[sympy.Symbol]:
    return [sympy.Symbol(f"m{i}", real=True) for i in range(len(expr.args))]


def _evaluate(expr: sympy.Expr, parts: list[Magnitude]) -> Any:
    symbols = _stand_ins(expr)
    return numpy_function(symbols, [_rebuild(expr, symbols)])(*(p.value for p in parts))[0]


def _rebuild(expr: sympy.Expr, symbols: list[sympy.Symbol]) -> sympy.Expr:
    # Numbers stay numbers: x**2 has another derivative than x**m.
    return expr.func(*(a if a.is_number else s for a, s in zip(expr.args, symbols, strict=True)))


def _slope(expr: sympy.Expr, position: int, parts: list[Magnitude]) -> Any:
    if expr.args[position].is_number:
        return None
    derivative = _derivative(expr, position)
    if derivative == 0:
        return None
    return numpy_function(_stand_ins(expr), [derivative])(*(p.value for p in parts))[0]


@lru_cache(maxsize=4096)
def _derivative(expr: sympy.Expr, position: int) -> sympy.Expr:
    symbols = _stand_ins(expr)
    return sympy.diff(_rebuild(expr, symbols), symbols[position])


def count_roundings(expr: sympy.Expr) -> int:
    """How many roundings one evaluation goes through; a library function counts as four ulp."""
    own = 0
    if expr.is_Add or expr.is_Mul:
        own = len(expr.args) - 1
    elif expr.is_Pow:
        own = 4 if not (expr.exp.is_Integer) else max(1, abs(int(expr.exp)))
    elif expr.is_Function:
        own = 4
    return own + sum(count_roundings(a) for a in expr.args)
