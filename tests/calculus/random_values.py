"""What random programs compute with: entries of every domain, and elementwise functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from calculus.patterns import as_dim_text
from ops.record_checks import draw

from symgrad.ops.dims import shape_of, size_of
from symgrad.ops.record import ARG
from symgrad.ops.scalars import ELEMENTARY
from symgrad.program import Input, Program

_A, _B = ARG(0), ARG(1)
POSITIVE = (sympy.exp(_A / 2), 1 + _A**2, sympy.Rational(1, 2) + _A**2)
SMALLER = (sympy.tanh(_A), _A / (1 + _A**2), _A / 16)
INTO: dict[str, tuple[Callable[[Any], bool], tuple[sympy.Expr, ...]]] = {
    "real": (lambda v: True, ()),
    "fraction": (lambda v: True, ()),
    "positive": (lambda v: v > 0.1, POSITIVE),
    "nonzero": (lambda v: abs(v) > 0.1, POSITIVE),
    "above-minus-one": (lambda v: v > -0.9, POSITIVE),
    "above-one": (lambda v: v > 1.1, tuple(1 + p for p in POSITIVE)),
    "unit": (lambda v: abs(v) < 0.9, (_A / (1 + _A**2), sympy.tanh(_A / 2))),
}
"""Which entries lie in a domain, and functions that bring any number into it."""
FUNCTIONS: tuple[tuple[sympy.Expr, tuple[str, ...]], ...] = (
    *((e.expr, e.domain) for e in ELEMENTARY),
    *(((_A * _B, ("real", "real")), (_A + _B, ("real", "real"))) * 6),
    (_A**3 - 2 * _A / 3, ("real",)),
    (_A * _B + ARG(2), ("real",) * 3),
    (_A / (1 + _B**2), ("real", "real")),
    ((1 - _A) * sympy.log(_B), ("real", "positive")),
    (_A ** sympy.Rational(5, 2), ("positive",)),
)
BY_SIGN = {e.name: e.expr for e in ELEMENTARY if e.name in ("greater", "less", "greater_equal", "less_equal")}


def drawn_entries(i: Input, sizes: Mapping[str, int], rng: np.random.Generator) -> Any:
    """An array of fractions of the input's domain."""
    shape = shape_of(i.shape, sizes)

    def numbers(low: int, high: int, under: int = 37) -> Any:
        drawn = rng.integers(low, high, shape, endpoint=True)
        return np.array([Fraction(int(v), under) for v in drawn.flat], dtype=object).reshape(shape)

    if i.kind == "int":
        return numbers(0, max(size_of(as_dim_text(i.domain), sizes), 1) - 1, 1)
    if i.domain == "real":
        return numbers(-60, 60)
    if i.domain == "positive":
        return numbers(12, 60)
    if i.domain == "invertible":
        return numbers(-18, 18) + np.diag([Fraction(7, 4)] * shape[-1])
    if i.domain == "spd":
        root = numbers(-37, 37)
        product = np.matmul(root, np.swapaxes(root, -1, -2)) if root.size else root
        return product + np.diag([Fraction(1, 2)] * shape[-1])
    floats = draw(Program((i,), (), ()), sizes, int(rng.integers(2**31)))[i.name]
    return np.array([Fraction(float(v)) for v in np.ravel(floats)], dtype=object).reshape(shape)
