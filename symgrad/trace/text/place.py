"""Where in a text something is: the line with a caret below it."""

from __future__ import annotations

from symgrad.errors import SymgradError

WIDTH = 90


def pointer(text: str, line: int, column: int) -> str:
    """One line of the text and a caret under a column; of a long line the part around it.

    Args:
        text: the formula.
        line: the line's number, from 0.
        column: the column in characters, from 0.
    """
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines) - 1)]
    column = max(0, min(column, len(shown)))
    if len(shown) > WIDTH:
        start = max(0, column - WIDTH // 2)
        end = start + WIDTH
        dots = "…" if start else ""
        shown, column = (
            dots + shown[start:end] + ("…" if end < len(shown) else ""),
            column - start + len(dots),
        )
    return f"{shown}\n            {' ' * column}^"


def at(error: SymgradError, place: str) -> SymgradError:
    """The error with its place, unless a part of the formula further inside has one already."""
    if error.where is None or "^" not in error.where:
        error.where = place if error.where is None else f"{error.where} in\n            {place}"
    return error
