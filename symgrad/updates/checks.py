"""The ranges of the options of update rules."""

from __future__ import annotations

import math
from typing import Any

from symgrad.errors import SpecError


def number(rule: str, option: str, value: Any, low: float, high: float = math.inf, why: str = "") -> float:
    """An option as a Python float, `low` ≤ value < `high`.

    Raises:
        SpecError: it is no number, not finite, or outside the range.
    """
    wanted = f"a number ≥ {low:g}" if high == math.inf else f"a number from {low:g}, below {high:g}"
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        got: Any = f"{value!r} ({type(value).__name__})"
        raise SpecError(f"{rule} needs a number here", where=f"{rule}, {option}", expected=wanted, got=got)
    plain = float(value)
    if not (math.isfinite(plain) and low <= plain < high):
        raise SpecError(
            f"{rule} cannot work with this {option}",
            where=f"{rule}, {option}",
            expected=wanted,
            got=plain,
            fix=why or None,
        )
    return plain


def learning_rate(rule: str, value: Any) -> float:
    """A learning rate ≥ 0."""
    return number(rule, "lr", value, 0.0, why="to go uphill use maximize=True, not a negative lr")


def decay_rate(rule: str, option: str, value: Any) -> float:
    """The share that a running mean keeps, 0 ≤ value < 1."""
    return number(rule, option, value, 0.0, 1.0, why="1 would never take in a gradient")


def pair(rule: str, betas: Any) -> tuple[float, float]:
    """The two decay rates of Adam."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise SpecError(
            f"{rule} needs two decay rates",
            where=f"{rule}, betas",
            expected="(beta1, beta2)",
            got=repr(betas),
        )
    return decay_rate(rule, "beta1", betas[0]), decay_rate(rule, "beta2", betas[1])
