"""SymPy functions of one entry that SymPy lacks, or whose derivative at a kink it states otherwise.

Each class knows its derivative (``fdiff``) with the convention that PyTorch and JAX use at the kink.
What a function *is*, in SymPy's own terms, stands in the table (``table.py``) and is written independently,
so that a witness can differentiate it without asking these classes.
"""

from __future__ import annotations

import sympy
from sympy import Function, S
from sympy.core.function import ArgumentIndexError


class _Real(Function):
    """A real-valued function of real entries."""

    is_real = True

    def _eval_is_extended_real(self) -> bool:
        return True


class Sigmoid(_Real):
    """1 / (1 + e^(−x)), computed without overflow."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class Softplus(_Real):
    """log(1 + e^x), computed without overflow."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Sigmoid(self.args[0])


class LogAddExp(_Real):
    """log(e^a + e^b), computed without overflow and without losing the smaller result to a larger argument."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Sigmoid(a - b) if argindex == 1 else Sigmoid(b - a)


class Step(_Real):
    """1 where x > 0, else 0: the derivative of relu with relu′(0) = 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero


class Relu(_Real):
    """max(x, 0)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Step(self.args[0])


class Sign(_Real):
    """−1, 0 or 1: the derivative of the absolute value with |·|′(0) = 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero


class Absolute(_Real):
    """|x|."""

    nargs = 1
    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Sign(self.args[0])


class Above(_Real):
    """1 where a > b, ½ where a = b, else 0: the derivative of maximum(a, b) by a."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero


class Maximum(_Real):
    """The larger of two numbers; a tie shares the derivative equally."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Above(a, b) if argindex == 1 else Above(b, a)


class Minimum(_Real):
    """The smaller of two numbers; a tie shares the derivative equally."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Above(b, a) if argindex == 1 else Above(a, b)


class Select(_Real):
    """``np.where(condition, a, b)`` of single entries; the condition is 0 or 1."""

    nargs = 3

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        if argindex == 1:
            return S.Zero
        if argindex not in (2, 3):
            raise ArgumentIndexError(self, argindex)
        first, second = (S.One, S.Zero) if argindex == 2 else (S.Zero, S.One)
        return Select(self.args[0], first, second)


class Elu(_Real):
    """x where x > 0, else e^x − 1."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.exp(Minimum(self.args[0], S.Zero))  # 1 above 0, and no overflow there


class Truth(_Real):
    """A truth value as 0 or 1; its derivative is 0 wherever there is one."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero


class Comparison(Truth):
    """A relation of two numbers."""

    nargs = 2
    sign = ""


class Greater(Comparison):
    """a > b."""

    sign = ">"


class GreaterEqual(Comparison):
    """a >= b."""

    sign = ">="


class Less(Comparison):
    """a < b."""

    sign = "<"


class LessEqual(Comparison):
    """a <= b."""

    sign = "<="


class Equal(Comparison):
    """a == b."""

    sign = "=="


class NotEqual(Comparison):
    """a != b."""

    sign = "!="


class Log1p(_Real):
    """log(1 + x), without losing digits near 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (1 + self.args[0])


class Expm1(_Real):
    """e^x − 1, without losing digits near 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self + 1


class Ratio(_Real):
    """a / b, and 0 where b is 0: the derivative of a norm, with the convention 0 at its kink."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return Ratio(S.One, b) if argindex == 1 else -Ratio(Ratio(a, b), b)
