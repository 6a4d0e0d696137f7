"""Functions whose value or slope at one point, or in a tail, a plain formula gets wrong."""

from __future__ import annotations

import sympy
from sympy import S

from symgrad.ops.scalars.functions import Above, Equal, Log1p, Ratio, Sign, _Real


class XLogY(_Real):
    """x log y, and 0 where x = 0."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x, y = self.args
        return sympy.log(y) if argindex == 1 else x / y


class XLog1pY(_Real):
    """x log(1 + y), and 0 where x = 0."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x, y = self.args
        return Log1p(y) if argindex == 1 else x / (1 + y)


class LessOne(_Real):
    """e − 1, the exponent in the slope e·b^(e − 1); 1 where e = 0, so that the slope is 0 there for b = 0 too."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.One


class LogNdtr(_Real):
    """log Φ(x), Φ the normal distribution function, without underflow for small x."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = self.args[0]
        return sympy.exp(-(x**2) / 2 - self) / sympy.sqrt(2 * sympy.pi)


class Hypot(_Real):
    """√(a² + b²) without overflow; its slope at the origin is 0, in the middle of the unit disc of slopes."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Ratio(self.args[argindex - 1], self)


class Cbrt(_Real):
    """The real cube root."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (3 * self**2)


class Sinc(_Real):
    """sin(πx)/(πx), and 1 at 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = self.args[0]
        return Ratio(sympy.cos(sympy.pi * x) - self, x)


class CopySign(_Real):
    """|a| with the sign of b."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Sign(a) * CopySign(S.One, b) if argindex == 1 else S.Zero


class StepAt(_Real):
    """0 where x < 0, 1 where x > 0, and h at 0."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero if argindex == 1 else Equal(self.args[0], 0)


class FMax(_Real):
    """The larger of two numbers, or the one that is a number; a tie shares the derivative equally."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Above(a, b) if argindex == 1 else Above(b, a)


class FMin(_Real):
    """The smaller of two numbers, or the one that is a number; a tie shares the derivative equally."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Above(b, a) if argindex == 1 else Above(a, b)


__all__ = [
    "Cbrt",
    "CopySign",
    "FMax",
    "FMin",
    "Hypot",
    "LessOne",
    "LogNdtr",
    "Sinc",
    "StepAt",
    "XLog1pY",
    "XLogY",
]
