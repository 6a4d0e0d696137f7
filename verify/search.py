"""Many cases, and the smallest one that fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.program import Input
from verify.drawing import Case, Seeded, draw_case
from verify.judge import Judgement
from verify.sizes import Plan

SHRINKING = 100
"""How many cases are tried on the way to a smaller counterexample."""


class _Enough(BaseException):
    """Leaves hypothesis at once; it takes every ``Exception`` for a failure of the test to be shrunk."""


@dataclass(frozen=True)
class Finds:
    """All judgements of a search, and the first failure among them, with its case."""

    judgements: tuple[Judgement, ...]
    failure: tuple[Case, Judgement] | None


def search(
    judge: Callable[[Case], Judgement],
    inputs: Sequence[Input],
    dtype: Any,
    count: int,
    seed: int,
    plan: Plan | None = None,
) -> Finds:
    """Draw up to ``count`` cases and stop judging at the first failure."""
    seen: list[Judgement] = []
    failure: list[tuple[Case, Judgement]] = []

    def look(case: Case) -> None:
        if failure or len(seen) >= count:
            raise _Enough
        judged = judge(case)
        seen.append(judged)
        if judged.counterexample is not None:
            failure.append((case, judged))

    if inside_a_test():
        with suppress(_Enough):
            for i in range(count):
                look(draw_case(Seeded(seed + i), inputs, dtype, plan=plan))
    else:
        _with_hypothesis(look, inputs, dtype, count, seed, plan)
    return Finds(tuple(seen), failure[0] if failure else None)


def shrink(
    judge: Callable[[Case], Judgement],
    inputs: Sequence[Input],
    dtype: Any,
    failure: tuple[Case, Judgement],
    seed: int,
    plan: Plan | None = None,
) -> tuple[Case, Judgement]:
    """A smaller case with the same kind of finding: few entries, small integers."""
    first = failure[1].counterexample
    assert first is not None
    best = [failure]
    tried = [0]

    def fails(case: Case) -> bool:
        if tried[0] >= SHRINKING:
            raise _Enough
        tried[0] += 1
        judged = judge(case)
        example = judged.counterexample
        if example is None or (example.kind, example.parameter) != (first.kind, first.parameter):
            return False
        if _effort(case) < _effort(best[0][0]):
            best[0] = (case, judged)
        return True

    if inside_a_test():
        for i in range(SHRINKING):
            fails(draw_case(Seeded(seed + i), inputs, dtype, simple=True, plan=plan))
        return best[0]
    _find_with_hypothesis(fails, inputs, dtype, plan)
    return best[0]


def _effort(case: Case) -> tuple[bool, int, int, float]:
    """How hard a case is to work out by hand; empty arrays show nothing and come last."""
    flat = [np.asarray(a, dtype=np.float64).ravel() for a in case.arrays.values()]
    values = np.concatenate(flat) if flat else np.zeros(0)
    fractions = int(np.count_nonzero(values != np.round(values)))
    return any(not a.size for a in flat), fractions, values.size, float(np.abs(values).sum())


def inside_a_test() -> bool:
    """Whether a hypothesis test of the caller's is running; hypothesis cannot be nested in it."""
    import sys

    control = sys.modules.get("hypothesis.control")
    return control is not None and bool(control.currently_in_test_context())


@contextmanager
def _nothing_written() -> Iterator[None]:
    """Hypothesis keeps its files in a folder that goes away, not in the user's."""
    from hypothesis import configuration

    before = vars(configuration).get("__hypothesis_home_directory")
    with tempfile.TemporaryDirectory(prefix="symgrad-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


def _settings(count: int, shrinking: bool, derandomize: bool) -> Any:
    from hypothesis import HealthCheck, Phase, Verbosity, settings

    phases = [Phase.generate, Phase.shrink] if shrinking else [Phase.generate]
    return settings(
        max_examples=count,
        phases=phases,
        derandomize=derandomize,
        database=None,
        deadline=None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )


def _with_hypothesis(
    look: Callable[[Case], None],
    inputs: Sequence[Input],
    dtype: Any,
    count: int,
    seed: int,
    plan: Plan | None,
) -> None:
    import hypothesis

    from verify import strategies

    def body(case: Case) -> None:
        look(case)

    body = hypothesis.given(strategies.cases(inputs, dtype, False, plan))(body)
    test = hypothesis.seed(seed)(_settings(count, False, False)(body))
    with _nothing_written(), suppress(_Enough):
        test()


def _find_with_hypothesis(
    fails: Callable[[Case], bool], inputs: Sequence[Input], dtype: Any, plan: Plan | None
) -> None:
    from random import Random

    import hypothesis
    from hypothesis.errors import HypothesisException

    from verify import strategies

    with _nothing_written(), suppress(_Enough):
        try:
            hypothesis.find(
                strategies.cases(inputs, dtype, True, plan),
                fails,
                settings=_settings(SHRINKING, True, False),
                random=Random(0),
            )
        except HypothesisException:
            # Nothing smaller fails, or the candidate is not deterministic: what was met was remembered.
            return
