"""Sums, products and extrema in loops: where they gather, and how the result comes out."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symgrad.compile.forms import Form
from symgrad.compile.scalar_code import kernel_text
from symgrad.ops.record import ARG, Definition

_FIRST = {"sum": "0.0", "prod": "1.0", "max": "-np.inf", "min": "np.inf"}
_HELPER = {"max": "maximum", "min": "minimum"}


@dataclass(frozen=True)
class Gathering:
    """One reduction; ``combine`` as in a definition, ``after`` what is done to the result.

    It gathers in double, and a NaN stays one, as in NumPy.
    """

    combine: str
    after: sympy.Expr

    @classmethod
    def of(cls, definition: Definition) -> Gathering:
        return cls(definition.combine, definition.after)

    @property
    def first(self) -> str:
        """The value of no terms."""
        return _FIRST[self.combine]

    def take(self, total: str, value: str, helpers: set[str]) -> str:
        """The statement that takes one term in."""
        if self.combine in _HELPER:
            helpers.add(_HELPER[self.combine])
            return f"{total} = {_HELPER[self.combine]}({total}, {value})"
        return f"{total} {'+' if self.combine == 'sum' else '*'}= {value}"

    def result(self, total: str, helpers: set[str]) -> str:
        """The text of the result, in double."""
        if self.after == ARG(0):
            return total
        return kernel_text(self.after, {ARG(0): total}, helpers, "np.float64")


def gathers(form: Form) -> str:
    """What a form gathers while its loops run, in a word; nothing for one that does not."""
    if not isinstance(form, Definition):
        return ""
    if form.parts:
        return "sum" if any(p.adds for p in form.parts) else ""
    return form.combine if form.reduce else ""
