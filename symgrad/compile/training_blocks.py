"""Training whose steps go through blocks of rows: each is an evaluation on threads, and a call that updates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.compile.block_source import block_plan
from symgrad.compile.blocks import BlockPlan
from symgrad.compile.cache import kind_of
from symgrad.compile.compiled import Compiled
from symgrad.compile.names import Namer
from symgrad.compile.nests import loop_index, loops
from symgrad.compile.rows import separate
from symgrad.compile.source import Function
from symgrad.compile.sweeping import Evaluation
from symgrad.compile.threads import one_blas_thread
from symgrad.compile.training_source import TrainingPlan
from symgrad.compile.update import UpdateWriter
from symgrad.program import FAILURES, explained

UPDATE = "update"
_WORDS = ("lr", "hyper", "first", "step")


@dataclass
class BlockTraining:
    """The loop of one plan; it stands where the ``Compiled`` of another plan does."""

    plan: TrainingPlan
    where: str = ""
    _met: set[tuple[bool, ...]] = field(default_factory=set)

    @cached_property
    def _texts(self) -> tuple[BlockPlan, str]:
        plan = self.plan
        assert plan.rows is not None
        found = separate(plan.program, plan.rows)
        assert found is not None
        namer = Namer(plan.program)
        update = namer.fresh(UPDATE)
        blocks = block_plan(plan.program, plan.dtype, found, namer, plan.reuse)
        helpers: set[str] = set()
        function = _update(plan, update, namer, helpers)
        return blocks, blocks.source([function], frozenset(helpers))

    @property
    def source(self) -> str:
        """The text of the kernel file."""
        return self._texts[1]

    @cached_property
    def _compiled(self) -> dict[str, Compiled]:
        blocks, source = self._texts
        names = [step.function for step in blocks.steps]
        return {name: Compiled(source, name) for name in [*names, UPDATE]}

    def _evaluation(self, arguments: tuple[Any, ...]) -> tuple[Evaluation, tuple[Any, ...]]:
        """The evaluation of a step, and the arguments of the update but for the step."""
        plan = self.plan
        data, parameters = len(plan.data), len(plan.parameters)
        given = dict(zip((*plan.data, *plan.parameters), arguments, strict=False))
        state = arguments[data + parameters : -4]
        rate, hyper, first, _ = arguments[-4:]
        gradients = {n: np.empty_like(given[n]) for n in plan.parameters}
        functions = {name: c.function for name, c in self._compiled.items()}
        inputs = [given[i.name] for i in plan.program.inputs]
        own = [given[n] for n in plan.parameters]
        made = Evaluation(self._texts[0], functions, inputs, gradients)
        return made, (*own, *gradients.values(), *state, rate, hyper, first)

    def prepare(self, arguments: tuple[Any, ...]) -> float:
        """Compile for arrays of this kind, or take compiled code from disk; the seconds that it took.

        Args:
            arguments: as ``training_source`` lists them.
        """
        kind = kind_of(arguments)
        if kind in self._met:
            return 0.0
        made, update = self._evaluation(arguments)
        spent = sum(self._compiled[name].prepare(given) for name, given in made.signatures())
        spent += self._compiled[UPDATE].prepare((*update, 0))
        self._met.add(kind)
        return spent

    def run(self, arguments: tuple[Any, ...]) -> int:
        """Train; returns how many steps had a finite loss.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        made, update = self._evaluation(arguments)
        losses = arguments[-1]
        change = self._compiled[UPDATE].function
        try:
            with one_blas_thread(made.plan.multiplies):
                for step in range(losses.size):
                    losses[step] = made.run()
                    if not math.isfinite(losses[step]):
                        return step
                    change(*update, step)
        except FAILURES as error:
            raise explained(error, self.where) from error
        return int(losses.size)


def _update(plan: TrainingPlan, name: str, namer: Namer, helpers: set[str]) -> Function:
    """The function that changes parameters and state: parameters, gradients, state, lr, hyper, first, step."""
    words = {word: namer.fresh(word) for word in _WORDS}
    own = namer.values
    gradient = {n: namer.fresh(f"gradient_{own[n]}") for n in plan.parameters}
    state = {(n, s): namer.fresh(f"{s}_{own[n]}") for n in plan.parameters for s in plan.rule.state}
    rule = UpdateWriter(plan.rule, plan.scheduled, helpers, namer, words)
    body = [*rule.before, *rule.at_step]
    for n in plan.parameters:
        shape = plan.shape(n)
        at = f"[{loop_index(len(shape))}]"
        entries = {s: f"{state[n, s]}{at}" for s in plan.rule.state}
        update = rule.entry(f"{own[n]}{at}", f"{gradient[n]}{at}", entries)
        body += loops(tuple(f"{own[n]}.shape[{k}]" for k in range(len(shape))), update)
    arguments = (
        *(own[n] for n in plan.parameters), *gradient.values(), *state.values(),
        words["lr"], words["hyper"], words["first"], words["step"],
    )  # fmt: skip
    return Function(name, arguments, tuple(body))
