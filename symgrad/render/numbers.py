"""Numbers as a person writes them: ½, 2/3, 0.1, also after 0.1 and 0.2 were added exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy

from symgrad.ops.scalars.printer import shortest_decimal

LARGEST_DENOMINATOR = 64
"""Up to here a fraction is read more easily than a decimal."""

LONGEST_TOP = 10**6
"""Beyond that the top or the bottom of a fraction is a float's: 3602879701896397 of 0.1, not a number of the user's."""


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
    """A positive number as top and bottom of a fraction: 2/3, 0.1/1, 0.1/3 and 1/0.07 where floats took part."""
    if decimal(value) is not None:
        return value, sympy.S.One
    if (meant := _small(value)) is not None:
        return meant
    above, below = _twos(value.p), _twos(value.q)
    top, bottom = sympy.Rational(value.p, below), sympy.Integer(value.q // below)
    if value.p > LONGEST_TOP and top.q > LARGEST_DENOMINATOR and decimal(top) is not None:
        return top, bottom
    top, bottom = sympy.Integer(value.p // above), sympy.Rational(value.q, above)
    if value.q > LONGEST_TOP and bottom.q > LARGEST_DENOMINATOR and decimal(bottom) is not None:
        return top, bottom
    if rounded(value) is not None:
        return value, sympy.S.One
    return sympy.Integer(value.p), sympy.Integer(value.q)


def _small(value: sympy.Rational) -> tuple[sympy.Integer, sympy.Integer] | None:
    """The fraction that a quotient of floats is but for their rounding: ½ for 1/√2²."""
    if min(value.p, value.q) <= LONGEST_TOP:
        return None
    whole = Fraction(int(value.p), int(value.q))
    near = whole.limit_denominator(4)
    if abs(near - whole) > whole * Fraction(1, 2**51):
        return None
    return sympy.Integer(near.numerator), sympy.Integer(near.denominator)


def _twos(number: int) -> int:
    """The largest power of 2 that divides a number."""
    return int(number & -number)


def rounded(value: sympy.Rational) -> str | None:
    """The first digits of a fraction that no person wrote: of 0.1/0.07; None for others."""
    if min(value.p, value.q) <= LONGEST_TOP:
        return None
    try:
        near = f"{float(Fraction(int(value.p), int(value.q))):.15g}"
    except OverflowError:
        return None
    return near if float(near) else None


def under_root(value: sympy.Expr) -> sympy.Expr | None:
    """The square of a number that is a root of a fraction or of a multiple of π: 1/2 for √2/2; None for others."""
    if not value.is_number or value.is_Rational or value.is_NumberSymbol:
        return None
    square = sympy.powsimp(value**2)
    plain = square.is_Rational or (square / sympy.pi).is_Rational or (square * sympy.pi).is_Rational
    return square if plain and value.is_positive else None
