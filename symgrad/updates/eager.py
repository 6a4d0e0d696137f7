"""Executing an update rule on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symgrad.ops.scalars import numpy_function
from symgrad.updates.rule import Assignment, UpdateRule, scalar_targets


def apply_rule(
    rule: UpdateRule,
    w: np.ndarray,
    g: np.ndarray,
    t: int,
    state: Mapping[str, np.ndarray],
    hyper: Mapping[str, float] | None = None,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One step for one parameter.

    Args:
        rule: the rule.
        w: the parameter.
        g: its gradient, of the same shape and dtype.
        t: number of the step, from 1.
        state: the rule's state arrays by name.
        hyper: values in the place of the rule's own, e.g. of a schedule.

    Returns:
        The new parameter and the new state; nothing is changed in place.
    """
    numbers = {name: float(value) for name, value in {**dict(rule.hyper), **(hyper or {})}.items()}
    values: dict[str, Any] = {**numbers, **state, "w": w, "g": g, "t": t}
    with np.errstate(all="ignore"):
        for target, names, function, scalar in _compiled(rule.steps, rule.state):
            (found,) = function(*(values[name] for name in names))
            # a Python float does not decide the dtype of what it meets; NumPy's own would
            values[target] = float(found) if scalar else found
    return values["w"], {name: values[name] for name in rule.state}


@lru_cache
def _compiled(
    steps: tuple[Assignment, ...], state: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...], Callable[..., Any], bool]]:
    scalars = scalar_targets(steps, state)
    program = []
    for step in steps:
        symbols: list[sympy.Symbol] = sorted(step.value.free_symbols, key=lambda symbol: str(symbol.name))
        names = tuple(str(symbol.name) for symbol in symbols)
        program.append((step.target, names, numpy_function(symbols, [step.value]), step.target in scalars))
    return program
