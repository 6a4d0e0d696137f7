"""Reading SymPy expressions that are computed, not derived: each node once, and more of SymPy's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.codegen import cfunctions, numpy_nodes
from sympy.logic.boolalg import ITE, Nand, Nor, Xor

from symgrad.errors import UnsupportedError
from symgrad.ops.record import ARG
from symgrad.ops.scalars import functions, rounding, special
from symgrad.ops.scalars.functions import Select
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.sympy_expr import Reader

_IN_OTHER_WORDS: dict[type, Callable[..., sympy.Basic]] = {
    sympy.Mod: rounding.Remainder,
    sympy.frac: lambda a: a - sympy.floor(a),
    sympy.sinc: lambda a: special.Sinc(a / sympy.pi),
    sympy.acot: lambda a: sympy.atan(1 / a),
    sympy.asec: lambda a: sympy.acos(1 / a),
    sympy.acsc: lambda a: sympy.asin(1 / a),
    sympy.asech: lambda a: sympy.acosh(1 / a),
    sympy.acsch: lambda a: sympy.asinh(1 / a),
    sympy.acoth: lambda a: sympy.atanh(1 / a),
    cfunctions.expm1: functions.Expm1,
    cfunctions.log1p: functions.Log1p,
    cfunctions.exp2: lambda a: 2**a,
    cfunctions.log2: lambda a: sympy.log(a) / sympy.log(2),
    cfunctions.log10: lambda a: sympy.log(a) / sympy.log(10),
    cfunctions.Sqrt: sympy.sqrt,
    cfunctions.Cbrt: special.Cbrt,
    cfunctions.hypot: special.Hypot,
    cfunctions.fma: lambda a, b, c: a * b + c,
    numpy_nodes.logaddexp: functions.LogAddExp,
    Xor: lambda *a: a[0] if len(a) == 1 else sympy.Or(a[0] & ~Xor(*a[1:]), ~a[0] & Xor(*a[1:])),
    Nand: lambda *a: sympy.Not(sympy.And(*a)),
    Nor: lambda *a: sympy.Not(sympy.Or(*a)),
    ITE: lambda c, a, b: sympy.Or(sympy.And(c, a), sympy.And(sympy.Not(c), b)),
}
"""SymPy's functions that the front end's rules say in others."""


class SharingReader(Reader):
    """Reads a node once, however often it stands in the expressions."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[Any, Traced] = {}

    def value(self, e: Any) -> Traced:
        """The value of a whole expression.

        Raises:
            UnsupportedError: a node has no rule, or nodes are nested too deeply.
        """
        try:
            return self.read(e)
        except RecursionError:
            raise UnsupportedError("The expression is nested too deeply.") from None

    def no_rule(self, e: Any) -> UnsupportedError:
        """As for a loss, and what to do where another library has the function."""
        error = super().no_rule(e)
        if error.fix is None:
            error.fix = (
                "give it to a symbol of its own, and pass its values as an argument; sympy.lambdify with "
                'modules="scipy" or "mpmath" knows more functions'
            )
        return error

    def _piecewise(self, e: sympy.Piecewise) -> Traced:
        """Where no condition holds the value is NaN, as in SymPy; a loss has to say what it is."""
        if e.args[-1][1] == sympy.true:
            return super()._piecewise(e)
        *pieces, (last, condition) = e.args
        nowhere_else = Select(ARG(0), ARG(1), sympy.nan)
        names = [ops.lift(self.builder, self.read(a)).name for a in (condition, last)]
        result = ops.Array(self.builder, self.builder.emit("pointwise", *names, fn=nowhere_else))
        for value, holds in reversed(pieces):
            result = ops.elementary(self.builder, "where", self.read(holds), self.read(value), result)
        return result

    def read(self, e: Any) -> Traced:
        rule = _IN_OTHER_WORDS.get(type(e))
        if rule is not None:
            e = rule(*e.args)
        key = (type(e), e)  # 1 and 1.0 are equal, and so are a matrix and its immutable copy
        if key not in self._known:
            self._known[key] = super().read(e)
        return self._known[key]


__all__ = ["SharingReader"]
