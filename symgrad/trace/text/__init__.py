"""Formulas written as text.  They are parsed, never evaluated, and never guessed between the syntaxes.

``numpy_syntax`` reads Python's expressions with NumPy's functions; ``math_tokens``, ``math_parser`` and
``math_reader`` read what mathematicians and MATLAB write (``1/2*norm(X*w - y)^2``); ``limits`` keeps any text
from running for ever; ``place`` points at where something is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from symgrad.errors import SpecError, nearest
from symgrad.program import Builder
from symgrad.trace.array import Traced
from symgrad.trace.text import limits
from symgrad.trace.text.calls import FUNCTIONS

_READERS = {"numpy": "numpy_syntax", "math": "math_reader"}
SYNTAXES = tuple(_READERS)


def _reader(syntax: str) -> Any:
    """The module that reads a syntax, loaded when it is first used."""
    return import_module(f"symgrad.trace.text.{_READERS[syntax]}")


def read_text(
    text: str, builder: Builder, names: Mapping[str, Traced | None], syntax: str = "numpy"
) -> Traced:
    """Write the formula's bindings.

    Args:
        text: an expression such as ``(0.5*(x @ w - y)**2).sum()``, or in the syntax ``math``
            ``1/2*norm(x*w - y)^2``.
        builder: where to write.
        names: the arrays that the text may name; None stands for a name that is none of them.
        syntax: ``numpy`` or ``math``.

    Raises:
        ParseError: no expression of the grammar; the message points at the place.
        SpecError: a name that is no array, or no such syntax.
    """
    check_syntax(syntax)
    try:
        value: Traced = _reader(syntax).read(text, builder, {n: v for n, v in names.items() if v is not None})
    except RecursionError:  # the caller's own stack is deep
        raise limits.too_deep() from None
    return value


def names_in(text: str, syntax: str = "numpy") -> list[str]:
    """The names in a formula that are not called, in order of appearance."""
    check_syntax(syntax)
    return list(_reader(syntax).names_in(text))


def check_syntax(syntax: str) -> None:
    """Refuse a syntax that there is not."""
    if syntax not in SYNTAXES:
        raise SpecError(
            "There is no such syntax.", where="syntax", expected=nearest(str(syntax), SYNTAXES), got=syntax
        )


__all__ = ["FUNCTIONS", "SYNTAXES", "check_syntax", "names_in", "read_text"]
