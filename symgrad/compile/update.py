"""An optimizer's update rule as kernel statements, for one entry of one parameter.

What depends on hyperparameters and the step alone (a bias correction) is computed once per step, in double.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.compile.scalar_code import kernel_text
from symgrad.updates import GRADIENT, PARAMETER, STEP, UpdateRule, hyper_symbol

RATE = "lr"


def step_scalars(rule: UpdateRule, helpers: set[str]) -> list[str]:
    """Statements at the start of a step: the rate, hyperparameters, and what follows from them alone.

    They read ``lr``, ``hyper``, ``first`` and ``step``, and define ``u_name`` for each name.
    """
    out = []
    position = 0
    for name, _ in rule.hyper:
        if name == RATE:
            out.append(f"d_{name} = lr[step] if lr.size > 1 else lr[0]")
        else:
            out.append(f"d_{name} = hyper[{position}]")
            position += 1
    names = {hyper_symbol(n): f"d_{n}" for n, _ in rule.hyper}
    names[STEP] = "d_t"
    out.append("d_t = np.float64(first + step + 1)")
    for a in rule.steps:
        if a.target in rule.scalar_targets:
            out.append(f"d_{a.target} = {kernel_text(a.value, names, helpers, 'np.float64')}")
            names[hyper_symbol(a.target)] = f"d_{a.target}"
    known = [n for n, _ in rule.hyper] + sorted(rule.scalar_targets)
    out += [f"u_{n} = F(d_{n})" for n in known if _read_by_entries(rule, n)]
    if _read_by_entries(rule, STEP.name):
        out.append("u_t = F(d_t)")
    return out


def hyper_values(rule: UpdateRule) -> list[float]:
    """The values of the hyperparameters besides the rate, in the order in which the kernel reads them."""
    return [value for name, value in rule.hyper if name != RATE]


def _read_by_entries(rule: UpdateRule, name: str) -> bool:
    return any(
        name in {s.name for s in a.value.free_symbols} for a in rule.steps if a.target not in rule.scalar_targets
    )


def entry_statements(
    rule: UpdateRule, parameter: str, gradient: str, state: Mapping[str, str], helpers: set[str], mark: str
) -> list[str]:
    """The rule's assignments for one entry.

    Args:
        rule: the update rule.
        parameter, gradient: texts of the entry and of its gradient.
        state: for each state array the text of its entry.
        helpers: collects the helpers used.
        mark: makes the temporaries' names differ between parameters.
    """
    names: dict[sympy.Symbol, str] = {PARAMETER: parameter, GRADIENT: gradient, STEP: "u_t"}
    names |= {hyper_symbol(n): f"u_{n}" for n, _ in rule.hyper}
    names |= {hyper_symbol(n): f"u_{n}" for n in rule.scalar_targets}
    names |= {hyper_symbol(n): text for n, text in state.items()}
    targets = {PARAMETER.name: parameter, **state}
    out = []
    for a in rule.steps:
        if a.target in rule.scalar_targets:
            continue
        target = targets.get(a.target) or f"{a.target}_{mark}"
        out.append(f"{target} = {kernel_text(a.value, names, helpers)}")
        names[hyper_symbol(a.target)] = target
    return out
