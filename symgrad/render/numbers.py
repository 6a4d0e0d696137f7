"""Numbers as a person writes them: ½, 2/3, 0.1, also after 0.1 and 0.2 were added exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy

from symgrad.ops.scalars.printer import shortest_decimal

LARGEST_DENOMINATOR = 64
"""Up to here a fraction is read more easily than a decimal."""


def decimal(value: sympy.Rational) -> str | None:
    """The decimal that was meant; None where the number is better written as a fraction.

    A float is a fraction whose denominator is a power of two. The shortest decimal that reads back as it is what
    the user wrote. Sums and products of floats are exact, so they need not be floats themselves; then the decimal
    of 15 digits is the one that was meant if it is as near as float arithmetic would have come.
    """
    if value.q & (value.q - 1) or value.q <= LARGEST_DENOMINATOR:
        return None
    exact = Fraction(int(value.p), int(value.q))
    try:
        near = f"{float(exact):.15g}"
    except OverflowError:
        return None
    if math.isfinite(float(near)) and abs(Fraction(near) - exact) <= abs(exact) * Fraction(1, 2**51):
        return near
    return shortest_decimal(value)


def parts(value: sympy.Rational) -> tuple[sympy.Rational, sympy.Rational]:
    """A positive number as top and bottom of a fraction: 2/3, or 0.1/3 where a float was divided."""
    odd = value.q
    while odd % 2 == 0:
        odd //= 2
    top = sympy.Rational(value.p * odd, value.q)
    if odd == 1 or top.q <= LARGEST_DENOMINATOR:
        return sympy.Integer(value.p), sympy.Integer(value.q)
    return top, sympy.Integer(odd)


def under_root(value: sympy.Expr) -> sympy.Expr | None:
    """The square of a number that is a root of a fraction or of a multiple of π: 1/2 for √2/2; None for others."""
    if not value.is_number or value.is_Rational or value.is_NumberSymbol:
        return None
    square = sympy.powsimp(value**2)
    plain = square.is_Rational or (square / sympy.pi).is_Rational or (square * sympy.pi).is_Rational
    return square if plain and value.is_positive else None
