"""Compiled training loops."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter
from typing import Any

from symgrad.compile.cache import compile_for, kind_of, load
from symgrad.compile.threads import one_blas_thread
from symgrad.compile.training_source import NAME, TrainingPlan, training_source
from symgrad.program import FAILURES, explained


@dataclass
class TrainingKernel:
    """The loop of one plan, compiled for the arrays it first meets.

    Attributes:
        plan: what it was generated from.
        source: the text of the kernel file.
        compile_time: seconds spent on compiling or on loading compiled code.
    """

    plan: TrainingPlan
    source: str
    compile_time: float = 0.0
    _function: Any = None
    _met: set[tuple[bool, ...]] = field(default_factory=set)

    def run(self, arguments: tuple[Any, ...]) -> int:
        """Train; returns how many steps had a finite loss.

        Args:
            arguments: as ``training_source`` lists them, of a kind that ``prepare`` has seen.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        try:
            with one_blas_thread() if self.plan.threads else nullcontext():
                return int(self._function(*arguments))
        except FAILURES as error:
            raise explained(error, "the training run") from error

    def prepare(self, arguments: tuple[Any, ...]) -> None:
        """Compile, or find compiled code on disk, for arrays of this kind."""
        kind = kind_of(arguments)
        if kind in self._met:
            return
        start = perf_counter()
        function, path = load(self.source, NAME)
        compile_for(function, arguments, path)
        self._function = function
        self._met.add(kind)
        self.compile_time = perf_counter() - start


@lru_cache(maxsize=256)
def training_kernel(plan: TrainingPlan) -> TrainingKernel:
    """The kernel of a plan; the same object for an equal plan."""
    return TrainingKernel(plan, training_source(plan))
