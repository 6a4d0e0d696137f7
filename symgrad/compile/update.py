"""An optimizer's update rule as kernel statements.

What depends on hyperparameters and the step alone (a bias correction, 1 − β) is computed in double, outside the
loops over entries, and rounded once; so the compiled loop sees the numbers that the eager step sees.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.compile.names import Namer
from symgrad.compile.scalar_code import kernel_text
from symgrad.updates import GRADIENT, PARAMETER, STEP, UpdateRule, hyper_symbol

RATE = "lr"


def hyper_values(rule: UpdateRule) -> list[float]:
    """The values of the hyperparameters besides the rate, in the order in which the kernel reads them."""
    return [value for name, value in rule.hyper if name != RATE]


class UpdateWriter:
    """Writes one rule's statements.

    Args:
        rule: the update rule.
        scheduled: whether ``lr`` is an array with one rate for each step, not one number.
        helpers: collects the helper functions that the text needs.
        namer: gives out names.
        words: the names of ``lr``, ``hyper``, ``first`` and ``step`` in the kernel.

    Attributes:
        before: statements in front of the loop over the steps.
        at_step: statements at the start of each update.
    """

    def __init__(
        self, rule: UpdateRule, scheduled: bool, helpers: set[str], namer: Namer, words: Mapping[str, str]
    ) -> None:
        self.rule, self.helpers, self.namer = rule, helpers, namer
        self.before: list[str] = []
        self.at_step: list[str] = []
        self._arrays = {PARAMETER, GRADIENT, *(hyper_symbol(s) for s in rule.state)}
        self._arrays |= {hyper_symbol(a.target) for a in rule.steps if a.target not in rule.scalar_targets}
        self._double: dict[sympy.Symbol, str] = {}
        self._moving: set[sympy.Symbol] = set()  # scalars that change from step to step
        self._rounded: dict[sympy.Expr, sympy.Symbol] = {}
        self._texts: dict[sympy.Symbol, str] = {}
        position = 0
        for name, _ in rule.hyper:
            if name == RATE:
                source = f"{words['lr']}[{words['step']}]" if scheduled else words["lr"]
                self._define(hyper_symbol(name), source, scheduled)
            else:
                self._define(hyper_symbol(name), f"{words['hyper']}[{position}]", False)
                position += 1
        if any(STEP in a.value.free_symbols for a in rule.steps):
            self._define(STEP, f"np.float64({words['first']} + {words['step']} + 1)", True)
        for a in rule.steps:
            if a.target in rule.scalar_targets:
                text = kernel_text(a.value, self._double, helpers, "np.float64")
                self._define(hyper_symbol(a.target), text, bool(a.value.free_symbols & self._moving))
        self._steps = [
            (a.target, self._split(a.value)) for a in rule.steps if a.target not in rule.scalar_targets
        ]

    def _define(self, symbol: sympy.Symbol, text: str, moving: bool) -> None:
        name = self.namer.fresh(symbol.name)
        (self.at_step if moving else self.before).append(f"{name} = {text}")
        self._double[symbol] = name
        if moving:
            self._moving.add(symbol)

    def _split(self, expr: sympy.Expr) -> sympy.Expr:
        """The expression with every part that reads no array replaced by a number of the kernel's dtype."""
        if expr.is_number:
            return expr
        if not expr.free_symbols & self._arrays:
            return self._round(expr)
        if expr.is_Mul or expr.is_Add:
            scalars: list[sympy.Expr] = []
            rest: list[sympy.Expr] = []
            for part in expr.args:
                free = not part.is_number and not part.free_symbols & self._arrays
                divisor = expr.is_Mul and part.is_Pow and part.exp.could_extract_minus_sign()
                (scalars if free and not divisor else rest).append(part)
            parts = [self._split(p) for p in rest]
            return expr.func(*parts, *([self._round(expr.func(*scalars))] if scalars else []))
        if not expr.args:
            return expr
        return expr.func(*(self._split(a) for a in expr.args))

    def _round(self, expr: sympy.Expr) -> sympy.Symbol:
        if expr not in self._rounded:
            base = expr.name if expr.is_Symbol else "_".join(sorted(s.name for s in expr.free_symbols))
            symbol = sympy.Dummy(base, real=True)
            name = self.namer.fresh(f"f_{base}")
            text = kernel_text(expr, self._double, self.helpers, "np.float64")
            (self.at_step if expr.free_symbols & self._moving else self.before).append(f"{name} = F({text})")
            self._rounded[expr] = symbol
            self._texts[symbol] = name
        return self._rounded[expr]

    def entry(self, parameter: str, gradient: str, state: Mapping[str, str]) -> list[str]:
        """The rule's assignments for one entry.

        Args:
            parameter, gradient: texts of the entry and of its gradient.
            state: for each state array the text of its entry.
        """
        texts: dict[sympy.Symbol, str] = {PARAMETER: parameter, GRADIENT: gradient}
        texts |= {hyper_symbol(n): text for n, text in state.items()}
        targets = {PARAMETER.name: parameter, **state}
        out = []
        for target, value in self._steps:
            text = targets.get(target) or self.namer.fresh(target)
            out.append(f"{text} = {kernel_text(value, {**texts, **self._texts}, self.helpers)}")
            texts[hyper_symbol(target)] = text
        return out
