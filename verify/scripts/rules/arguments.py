"""Arguments of an operation, found by name or position."""

from __future__ import annotations

from collections.abc import Callable

from verify.scripts.kinds import Kind
from verify.scripts.shapes import Shapes
from verify.scripts.values import Apply, Value

Rule = Callable[[Shapes, Apply], Kind | None]


def keyword(value: Apply, name: str, position: int | None = None) -> Value | None:
    """An argument by its name, or by its position."""
    if name in value.keywords:
        return value.keywords[name]
    if position is not None and position < len(value.operands):
        return value.operands[position]
    return None
