"""An update rule: what one step of an optimizer does to one parameter, element by element.

The expressions are SymPy's over real symbols: `w` the parameter, `g` its gradient, `t` the number of the
step from 1, the hyperparameters, the state arrays, and temporaries by the name they were assigned to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

from symgrad.errors import SpecError

PARAMETER = sympy.Symbol("w", real=True)
GRADIENT = sympy.Symbol("g", real=True)
STEP = sympy.Symbol("t", integer=True, positive=True)


def hyper_symbol(name: str) -> sympy.Symbol:
    """The symbol of a hyperparameter, a state array or a temporary."""
    return sympy.Symbol(name, real=True)


@dataclass(frozen=True)
class Assignment:
    """`target ← value`; the target is a state array, a temporary, or "w".

    Raises:
        SpecError: the value holds a SymPy Float, whose digits depend on its precision.
    """

    target: str
    value: sympy.Expr

    def __post_init__(self) -> None:
        floats = self.value.atoms(sympy.Float)
        if floats:
            raise SpecError(
                "an update rule holds exact numbers only",
                where=f"{self.target} ← {self.value}",
                expected="hyperparameters, integers and sympy.Rational",
                got=f"Float {min(floats)}",
                fix="make it a hyperparameter, or write sympy.Rational(1, 2) for 0.5",
            )


@dataclass(frozen=True)
class UpdateRule:
    """A straight-line program, run once per step and parameter.

    Args:
        name: "SGD", "Adam", ….
        hyper: hyperparameters that stay symbols, and their values.
        state: arrays of the parameter's shape that live from step to step, zero at first.
        steps: the assignments in order; each sees the new values of those before it.
        source: author and equation.
        initial: first values of state arrays that do not start at zero.
    """

    name: str
    hyper: tuple[tuple[str, float], ...]
    state: tuple[str, ...]
    steps: tuple[Assignment, ...]
    source: str
    initial: tuple[tuple[str, float], ...] = ()

    @cached_property
    def scalar_targets(self) -> frozenset[str]:
        """Targets computed from hyperparameters and `t` alone: one number for all elements and parameters."""
        return scalar_targets(self.steps, self.state)

    @property
    def temporaries(self) -> tuple[str, ...]:
        """Targets that do not outlive the step, in order."""
        kept = {*self.state, "w"}
        return tuple(dict.fromkeys(step.target for step in self.steps if step.target not in kept))

    def formula(self, style: str = "unicode") -> str:
        """The rule as a paper prints it; `style` is "unicode", "ascii" or "latex"."""
        from symgrad.updates.formula import rule_text

        return rule_text(self, style)

    def __str__(self) -> str:
        return self.formula()


def scalar_targets(steps: tuple[Assignment, ...], state: tuple[str, ...]) -> frozenset[str]:
    """Which targets depend, directly or through temporaries, on no array."""
    arrays = {"w", "g", *state}
    scalars: set[str] = set()
    for step in steps:
        names = {symbol.name for symbol in step.value.free_symbols}
        if names & arrays or step.target in arrays:
            arrays.add(step.target)
        else:
            scalars.add(step.target)
    return frozenset(scalars - arrays)
