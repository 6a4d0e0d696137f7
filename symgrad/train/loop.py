"""Driving a training kernel: chunks for callbacks and validation, batches, schedules, failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from symgrad.compile import Plan, TrainingKernel, bind, hyper_values, plan_training, training_kernel
from symgrad.errors import DataError, DivergedError, ShapeError, SpecError
from symgrad.program import Program, Recent, numpy_callable
from symgrad.train.batches import Batches
from symgrad.train.compress import compressed
from symgrad.updates import UpdateRule

Callback = Callable[[int, float, Mapping[str, np.ndarray]], Any]
Schedule = Callable[[int], float]


@dataclass(eq=False)  # not frozen: that takes 4 µs a run
class Job:
    """One training run, all of it.

    Attributes:
        program: outputs ``loss`` and a gradient for each parameter.
        params, data: first values, and the arrays that stay.
        rule: the update rule, with its hyperparameters.
        dtype: ``float32`` or ``float64``.
        steps: number of updates.
        batched: data whose rows are drawn, ``batch_size`` of them a step; no batches if ``batch_size`` is None.
        schedule: the rate of step 0, 1, …; None keeps the rule's.
        callbacks: called after every ``every`` steps with the step, the last loss and the parameters; one that
            returns True ends the run.
        validation: other data of the same names, whose loss is taken at the same times.
        seed: of the order of the rows.
        passes: the passes that may rewrite the program; all but ``scale`` if None.
        compress: whether data that stays the same may be replaced by fewer rows of the same loss.
    """

    program: Program
    params: Mapping[str, Any]
    data: Mapping[str, Any]
    rule: UpdateRule
    dtype: str
    steps: int
    batched: tuple[str, ...] = ()
    batch_size: int | None = None
    schedule: Schedule | None = None
    callbacks: Sequence[Callback] = ()
    validation: Mapping[str, Any] | None = None
    every: int | None = None
    seed: int = 0
    passes: tuple[str, ...] | None = None
    compress: bool = True


@dataclass
class Outcome:
    """What a run left: parameters, the loss before each update (float64), validation losses, seconds, notes."""

    params: dict[str, np.ndarray]
    losses: np.ndarray
    validation: list[tuple[int, float]]
    timings: dict[str, float]
    source: str
    described: Callable[[], Plan]
    notes: tuple[str, ...] = ()


def run(job: Job) -> Outcome:
    """Train.

    Raises:
        DataError: NaN or infinity in the data or in the first parameters, found when the loss is not finite.
        DivergedError: a loss or a parameter left the finite numbers during the run.
    """
    shorter = compressed(job)
    if shorter is not None:
        return shorter.whole(run(shorter.job))
    timings: dict[str, float] = {}
    start = perf_counter()
    arrays, sizes = bind(job.program, {**job.data, **job.params}, job.dtype)
    batches = _batches(job, arrays)
    kernel, hyper = _kernel(job, sizes)
    plan = kernel.plan
    params = {n: arrays[n].copy() for n in plan.parameters}
    state = _state(job.rule, params)
    rates = _rates(job)
    losses = np.empty(job.steps)
    fixed = (*plan.data_from(arrays), *params.values(), *state)

    def arguments(begin: int, end: int) -> tuple[Any, ...]:
        rate = rates if isinstance(rates, float) else rates[begin:end]
        rows = batches.rows(begin, end) if batches is not None else ()
        return (*fixed, rate, hyper, begin, losses[begin:end], *rows)

    timings["plan"] = perf_counter() - start
    described = partial(kernel.described, sizes, None if batches is None else batches.size)
    outcome = Outcome(params, losses, [], timings, kernel.source, described)
    spent = 0.0
    done = 0
    evaluate = numpy_callable(job.program.only("loss")) if job.validation is not None else None
    for begin, end in _chunks(job):
        made = arguments(begin, end)
        kernel.prepare(made)
        start = perf_counter()
        finite = kernel.run(made)
        spent += perf_counter() - start
        done = begin + finite
        if finite < end - begin or not all(map(_is_finite, params.values())):
            _explain(job, arrays, losses, done)
        if evaluate is not None and job.validation is not None:
            values, _ = bind(job.program, {**job.validation, **params}, job.dtype)
            outcome.validation.append((done, float(evaluate(*values.values()))))
        answers = [
            callback(done, float(losses[done - 1]), {n: p.copy() for n, p in params.items()})
            for callback in job.callbacks
        ]
        if any(answer is True for answer in answers):
            break
    timings["compile"] = kernel.compile_time
    timings["run"] = spent
    outcome.losses = losses[:done]
    return outcome


def _is_finite(array: np.ndarray) -> bool:
    return np.count_nonzero(np.isfinite(array)) == array.size  # quicker than .all() on small arrays


_recent: Recent[tuple[Program, UpdateRule, TrainingKernel, np.ndarray]] = Recent()


def _kernel(job: Job, sizes: Mapping[str, int]) -> tuple[TrainingKernel, np.ndarray]:
    """The kernel of a job, and the values of its hyperparameters.

    For the very objects of an earlier job they are found without comparing programs.
    """
    batched = job.batched if job.batch_size is not None else ()
    names = tuple(job.params)
    scheduled = job.schedule is not None
    key = (
        id(job.program),
        id(job.rule),
        names,
        job.dtype,
        tuple(sizes.items()),
        batched,
        scheduled,
        job.passes,
    )
    known = _recent.get(key)
    if known is None:
        plan = plan_training(job.program, names, job.rule, job.dtype, sizes, batched, scheduled, job.passes)
        hyper = np.array(hyper_values(job.rule) or [0.0])
        # The objects are held, so that no other takes their id.
        known = _recent.put(key, (job.program, job.rule, training_kernel(plan), hyper))
    return known[2:]


def _state(rule: UpdateRule, params: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The rule's arrays for each parameter, before the first step."""
    if not rule.state:
        return []
    initial = dict(rule.initial)
    return [np.full_like(p, initial.get(s, 0.0)) for p in params.values() for s in rule.state]


def _batches(job: Job, arrays: Mapping[str, np.ndarray]) -> Batches | None:
    if job.batch_size is None:
        return None
    if isinstance(job.batch_size, bool) or not isinstance(job.batch_size, int) or job.batch_size < 1:
        raise SpecError("The batch size is a positive int.", where="batch_size", got=repr(job.batch_size))
    if not job.batched:
        raise SpecError("No data is batched.", where="batched", expected=f"names among {', '.join(job.data)}")
    lengths = {n: arrays[n].shape[0] if arrays[n].ndim else -1 for n in job.batched}
    if len(set(lengths.values())) > 1 or -1 in lengths.values():
        raise ShapeError("Batched arrays have equally many rows.", where="batched", got=str(lengths))
    rows = next(iter(lengths.values()))
    if rows == 0:
        raise DataError("There are no rows to draw batches from.", where=", ".join(job.batched))
    return Batches(rows, min(job.batch_size, rows), job.seed)


def _rates(job: Job) -> float | np.ndarray:
    if job.schedule is None:
        return float(dict(job.rule.hyper).get("lr", 0.0))
    given = [job.schedule(i) for i in range(job.steps)]
    try:
        rates = np.array(given, dtype=np.float64).reshape(job.steps)
    except (TypeError, ValueError):
        raise SpecError(
            "The schedule gave something that is no number.",
            where="schedule",
            expected="schedule(step) -> float",
            got=type(given[0]).__name__,
        ) from None
    if not np.isfinite(rates).all():
        bad = int(np.argmin(np.isfinite(rates)))
        raise SpecError(
            "The schedule gave a rate that is not finite.", where=f"schedule({bad})", got=str(rates[bad])
        )
    return rates


def _chunks(job: Job) -> list[tuple[int, int]]:
    if job.callbacks or job.validation is not None:
        length = job.every or max(1, job.steps // 10)
    elif job.batch_size is None:
        length = max(1, job.steps)
    else:
        length = 4096  # the rows of the batches are drawn chunk by chunk
    return [(b, min(b + length, job.steps)) for b in range(0, job.steps, length)]


def _explain(job: Job, arrays: Mapping[str, np.ndarray], losses: np.ndarray, step: int) -> None:
    """Say why a run met a number that is not finite."""
    for name, a in arrays.items():
        if not a.size:
            raise DataError(
                f"{name!r} is empty, and the loss of it is no number.",
                where=name,
                expected="at least one entry",
                got=f"shape {a.shape}",
            )
        bad = np.argwhere(~np.isfinite(a))
        if bad.size:
            where = tuple(int(i) for i in bad[0])
            raise DataError(
                f"{name!r} holds a number that is not finite.",
                where=f"{name}[{', '.join(map(str, where))}]",
                got=str(a[where]),
                fix="clean the data before training",
            )
    if step == 0 and job.steps and not np.isfinite(losses[0]):
        raise DivergedError(
            f"The loss is {losses[0]} at the first values of the parameters, before any step.",
            where="step 1",
            expected="a finite loss",
            fix="start where the loss is defined (a logarithm or a root needs positive numbers), or scale the data",
        )
    before = f", after {float(losses[step - 1]):.6g} at step {step}" if step else ""
    rate = dict(job.rule.hyper).get("lr")
    raise DivergedError(
        f"The run diverged: at step {step + 1} the loss or a parameter is not finite{before}.",
        where=f"{job.rule.name}(lr={rate})",
        fix="take a smaller learning rate, or scale the data",
    )
