"""The sign that is taken out of a product: the value stays, also where one factor contains another."""

from __future__ import annotations

from itertools import product

import pytest
import sympy

from symgrad.render.scalar_rules import content

A, B, X, Y, S = SYMBOLS = sympy.symbols("core:5", real=True)
DIFFERENCES = (X - Y, Y - X, X + Y, 1 - Y, Y - 1)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=str)
def test_the_factor_and_the_rest_are_the_whole(difference):
    for sign, weight, rest in product((1, -1), (A, 1, -A), (B, -B, B / S)):
        fn = sign * difference * (weight * difference + rest) * S
        coefficient, core = content(fn, SYMBOLS)
        assert sympy.expand(coefficient * core - fn) == 0
        assert not coefficient.has(*SYMBOLS)
