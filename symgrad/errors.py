"""Every refusal of symgrad, one class per kind of cause.

A message has up to five parts, always in this order: what is wrong, where, what was expected, what came,
and what to do.  The parts stay available as attributes, so that a caller need not parse the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SymgradError(Exception):
    """Base class of everything that symgrad raises on purpose.

    Args:
        what: one sentence that states the fact.
        where: the operation, argument, file or line concerned.
        expected: what would have been accepted.
        got: what came instead.
        fix: what to write or do instead.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: object = None,
        got: object = None,
        fix: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        parts = (("where", self.where), ("expected", self.expected), ("got", self.got), ("fix", self.fix))
        lines = [self.what]
        lines += [f"  {label + ':':<10}{text}" for label, text in parts if text is not None]
        return "\n".join(lines)


def nearest(name: str, known: Iterable[str]) -> str:
    """What a misspelt or missing name may have meant, for the ``expected`` part of a message."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=3, cutoff=0.8)
    if close:
        return " or ".join(close) + "?"
    return ", ".join(names) if len(names) <= 12 else "a function of the table in docs/ops.md"


class SpecError(SymgradError, ValueError):
    """The call itself is off: an unknown name, a missing shape, an option that does not exist."""


class ShapeError(SymgradError, ValueError):
    """Shapes that do not fit together; ``clash`` holds the two sizes that differ, where there are two."""

    clash: tuple[object, object] | None = None


class UnsupportedError(SymgradError, NotImplementedError):
    """An operation, or a use of one, that symgrad has no rule for."""


class NoSuchMethodError(UnsupportedError, AttributeError):
    """A method of NumPy's arrays that has no rule; also an AttributeError, so that ``hasattr`` may ask."""


class TraceError(SymgradError, TypeError):
    """A function that cannot be followed symbolically, or that raised while it was."""


class ParseError(SymgradError, ValueError):
    """Text or a file that cannot be read."""


class DataError(SymgradError, ValueError):
    """Arrays of the wrong kind: dtype, object arrays, NaN where numbers are needed."""


class DivergedError(SymgradError, ArithmeticError):
    """A training run whose loss left the finite numbers."""


class GradientError(SymgradError, RuntimeError):
    """Misuse of the tape: backward from a non-scalar, through a freed graph, without a graph."""


class CacheWarning(UserWarning):
    """The kernel cache cannot be used; work goes on without it."""


class SymgradWarning(UserWarning):
    """Something legal that is probably not meant."""
