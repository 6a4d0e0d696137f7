"""What is known of an elementwise function: one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import sympy

from symgrad.ops.record import ARG


@dataclass(frozen=True)
class Elementary:
    """An elementwise function.

    Attributes:
        name: its name in the eager side and in text.
        expr: the result in terms of ``ARG`` symbols.
        ufunc: NumPy's name for it, in ``numpy``; None where NumPy has none.
        meaning_of: makes ``meaning``, when it is first asked for.
        domain: for each argument where it is differentiable and real: ``real``, ``positive``, ``unit``
            (|x| < 1), ``nonzero``, ``above-minus-one``, ``above-one``, ``fraction`` (no whole number and no
            half), ``bool``.
        kink: an expression that is 0 where the derivative jumps; None where it never does.
        convention: the derivative used at the kink.
    """

    name: str
    expr: sympy.Expr
    ufunc: str | None = None
    meaning_of: Callable[[], sympy.Expr] | None = None
    domain: tuple[str, ...] = ("real",)
    kink: sympy.Expr | None = None
    convention: str = ""

    @property
    def arity(self) -> int:
        return len(self.domain)

    @cached_property
    def meaning(self) -> sympy.Expr | None:
        """``expr`` in SymPy's own functions; None where it is that already."""
        return None if self.meaning_of is None else self.meaning_of()

    def meaning_at(self, *args: sympy.Expr) -> sympy.Expr:
        """The meaning with these arguments."""
        return sympy.Lambda(tuple(ARG(i) for i in range(self.arity)), self.meaning)(*args)
