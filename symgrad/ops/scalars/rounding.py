"""Rounding to whole numbers, and remainders: constant between the jumps, so that the slope there is 0.

``floor_of`` is the floor in functions that SymPy can differentiate, for the meanings in the table.
"""

from __future__ import annotations

import sympy
from sympy import Piecewise, S

from symgrad.ops.scalars.functions import _Real


class _Rounded(_Real):
    nargs: object = 1
    is_integer = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero


class Floor(_Rounded):
    """The largest whole number that is not above x."""


class Ceil(_Rounded):
    """The smallest whole number that is not below x."""


class Trunc(_Rounded):
    """x without its fraction."""


class Rint(_Rounded):
    """The nearest whole number; a half goes to the even one."""


class FloorDivide(_Rounded):
    """The floor of a/b, without rounding a/b first."""

    nargs = 2


class Remainder(_Real):
    """a − b ⌊a/b⌋, with the sign of b: Python's and NumPy's ``%``."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.One if argindex == 1 else -FloorDivide(*self.args)


class Fmod(_Real):
    """a − b·trunc(a/b), with the sign of a."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.One if argindex == 1 else -Trunc(self.args[0] / self.args[1])


def floor_of(x: sympy.Expr) -> sympy.Expr:
    """⌊x⌋ = x − ½ + arctan(cot πx)/π, of which SymPy finds the derivative 0."""
    between = x - S.Half + sympy.atan(sympy.cot(sympy.pi * x)) / sympy.pi
    return Piecewise((x, sympy.Eq(sympy.sin(sympy.pi * x), 0)), (between, True))


def trunc_of(x: sympy.Expr) -> sympy.Expr:
    """x rounded towards 0."""
    return Piecewise((floor_of(x), x >= 0), (-floor_of(-x), True))


__all__ = ["Ceil", "Floor", "FloorDivide", "Fmod", "Remainder", "Rint", "Trunc", "floor_of", "trunc_of"]
