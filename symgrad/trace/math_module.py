"""The functions of ``math`` as a traced function sees them: a traced scalar goes to NumPy's of the same meaning."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.program import Builder
from symgrad.trace import operations as ops

Function = Callable[..., Any]


def _math() -> dict[str, Function]:
    """The functions of ``math`` that NumPy has too: a traced scalar goes to NumPy's."""
    same = "exp log log2 log10 log1p expm1 sqrt sin cos tan sinh cosh tanh floor ceil fabs hypot"
    other = {"atan": "arctan", "asin": "arcsin", "acos": "arccos", "pow": "power", "atan2": "arctan2"}
    table: dict[str, Function] = {}
    for name, ufunc in {**{n: n for n in same.split()}, **other}.items():
        table[name] = _math_function(getattr(math, name), getattr(np, ufunc))
    table["erf"] = lambda b, x: ops.elementary(b, "erf", x) if isinstance(x, ops.Array) else math.erf(x)
    table["prod"] = lambda b, x, *, start=1: _product(x, start)
    table["fsum"] = lambda b, x: sum(x)
    return table


def _math_function(plain: Function, ufunc: Function) -> Function:
    def call(builder: Builder, *args: Any) -> Any:
        return ufunc(*args) if any(isinstance(a, ops.Array) for a in args) else plain(*args)

    return call


def _product(values: Any, start: Any) -> Any:
    out = start
    for v in values:
        out = out * v
    return out


MATH = _math()
