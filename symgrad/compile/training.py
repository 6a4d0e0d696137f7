"""Compiled training loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from symgrad.compile.compiled import Compiled
from symgrad.compile.plan import How, Plan
from symgrad.compile.rows import separations
from symgrad.compile.training_blocks import BlockTraining
from symgrad.compile.training_source import NAME, TrainingPlan, training_source

WHERE = "the training run"


@dataclass
class TrainingKernel:
    """The loop of one plan, compiled for the arrays it first meets.

    Attributes:
        plan: what it was generated from.
        compiled: its source and compiled code.
        compile_time: seconds spent on compiling or on loading compiled code.
    """

    plan: TrainingPlan
    compiled: Compiled | BlockTraining
    compile_time: float = 0.0

    @property
    def source(self) -> str:
        """The text of the kernel file."""
        return self.compiled.source

    def described(self, sizes: Mapping[str, int], batch: int | None = None) -> Plan:
        """What was decided and why; prints as a text.

        Args:
            sizes: of the data.
            batch: rows of a batch, for mini-batches.
        """
        plan = self.plan
        rows = {d.name for n in plan.batched for d in plan.shape(n)[:1] if isinstance(d, sympy.Symbol)}
        known = {n: batch if n in rows and batch is not None else s for n, s in sizes.items()}
        how: How = "scalars" if plan.sizes is not None else "loops" if plan.rows is None else "blocks"
        found = (
            None if plan.rows is None else next(s for s in separations(plan.program) if s.symbol == plan.rows)
        )
        return Plan(
            plan.program,
            plan.dtype,
            plan.changes,
            known,
            how,
            found,
            True,
            bool(plan.batched),
            plan.before,
            plan.reuse,
        )

    def run(self, arguments: tuple[Any, ...]) -> int:
        """Train; returns how many steps had a finite loss.

        Args:
            arguments: as ``training_source`` lists them, of a kind that ``prepare`` has seen.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        return int(self.compiled.run(arguments))

    def prepare(self, arguments: tuple[Any, ...]) -> None:
        """Compile, or find compiled code on disk, for arrays of this kind."""
        spent = self.compiled.prepare(arguments)
        if spent:
            self.compile_time = spent


@lru_cache(maxsize=256)
def training_kernel(plan: TrainingPlan) -> TrainingKernel:
    """The kernel of a plan; the same object for an equal plan."""
    if plan.rows is not None:
        return TrainingKernel(plan, BlockTraining(plan, where=WHERE))
    return TrainingKernel(plan, Compiled(training_source(plan), NAME, where=WHERE))
