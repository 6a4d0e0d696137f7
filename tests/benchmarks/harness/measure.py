"""Verification, then timing: contenders take turns, one at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter, sleep

import numpy as np

from harness.results import Result
from harness.workload import Call, Contender, Data, Values, Workload

PAUSE = 0.06
"""Seconds before each measurement: idle threads of the contender before still spin for a while."""
LONG = 0.2
"""A call of so many seconds needs none before it to warm the caches."""
SPAN = 5e-3
"""Short calls are repeated until they take so many seconds together."""
FEWEST = 3


class WrongError(Exception):
    """A contender's values are not those of the reference."""


def check(contender: Contender, got: Values, expected: Values) -> None:
    """Refuse to time what computes something else.

    Raises:
        WrongError: another set of values, another shape, or an error beyond the contender's ``close``.
    """
    if set(got) != set(contender.close):
        raise WrongError(f"returns {', '.join(sorted(got))} instead of {', '.join(sorted(contender.close))}")
    for name, close in contender.close.items():
        value, right = np.asarray(got[name], np.float64), np.asarray(expected[name], np.float64)
        if value.shape != right.shape:
            raise WrongError(f"{name} has the shape {value.shape} instead of {right.shape}")
        error, size = np.abs(value - right), np.abs(right)
        allowed = close.relative * (size if close.entrywise else size.max())
        if not (error <= allowed).all():
            scale = np.maximum(size if close.entrywise else size.max(), np.finfo(np.float64).tiny)
            raise WrongError(f"{name} is off by {np.max(error / scale):.2g}, allowed is {close.relative:g}")


def missing(contender: Contender) -> str | None:
    """Why a contender cannot run here, or None."""
    for module in contender.needs:
        if find_spec(module) is None:
            return f"{module} is not installed"
    if contender.tools and not any(map(shutil.which, contender.tools)):
        return f"none of {', '.join(contender.tools)} is on the path"
    return None


@dataclass(frozen=True)
class Verified:
    """Who may be timed.

    Attributes:
        calls: of those contenders that gave the right values.
        left_out: why others cannot run.
        wrong: how others were off.
    """

    calls: Mapping[str, Call]
    left_out: Mapping[str, str]
    wrong: Mapping[str, str]


def verified(workload: Workload, data: Data, without: Sequence[str] = ()) -> Verified:
    """Let each contender do the work once, and hold it against the reference.

    Args:
        workload, data: what is done, and on what.
        without: names of contenders that are not wanted.
    """
    expected = workload.reference(data)
    calls, left_out, wrong = {}, {}, {}
    for contender in workload.contenders:
        name = contender.name
        reason = "not wanted" if name in without else missing(contender)
        if reason is not None:
            left_out[name] = reason
            continue
        call = contender.make(data)
        try:
            check(contender, call(), expected)
        except WrongError as error:
            wrong[name] = str(error)
        else:
            calls[name] = call
    return Verified(calls, left_out, wrong)


def timed(
    calls: Mapping[str, Call],
    turns: int,
    budget: float = float("inf"),
    clock: Callable[[], float] = perf_counter,
    rest: Callable[[float], None] = sleep,
) -> dict[str, tuple[float, ...]]:
    """Seconds of a call, for each contender once a turn.

    Args:
        calls: of the contenders.
        turns: how many; fewer, but at least three, where they would not fit into the budget.
        budget: seconds that all turns may take together.
        clock, rest: what tells the time, and what waits.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    lasts: dict[str, float] = {}
    for name, call in calls.items():
        begin = clock()
        call()
        lasts[name] = clock() - begin
    whole = sum(PAUSE + max(t, SPAN) + (t if t < LONG else 0.0) for t in lasts.values())
    if whole * turns > budget:
        turns = max(min(FEWEST, turns), int(budget / whole))
    for _ in range(turns):
        for name, call in calls.items():
            rest(PAUSE)
            if lasts[name] < LONG:
                call()
            often = max(1, int(SPAN / max(lasts[name], 1e-7)))
            begin = clock()
            for _ in range(often):
                call()
            lasts[name] = (clock() - begin) / often
            times[name].append(lasts[name])
    return {name: tuple(found) for name, found in times.items()}


def measured(
    workload: Workload, turns: int, budget: float = float("inf"), without: Sequence[str] = ()
) -> Result:
    """Verify and time a workload."""
    found = verified(workload, workload.data(), without)
    times = timed(found.calls, turns, budget)
    units = {name: tuple(t / workload.per for t in seconds) for name, seconds in times.items()}
    return Result(workload, units, found.left_out, found.wrong)
