"""``minimize``: train a loss with one compiled loop."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np

from symgrad.api.derivation import Derivation
from symgrad.api.derive import derive
from symgrad.api.fingerprint import fingerprint
from symgrad.api.run import Run
from symgrad.compile import check_dtype, chosen, real_array
from symgrad.errors import DataError, ShapeError, SpecError, SymgradWarning, TraceError
from symgrad.program import Recent
from symgrad.train import Job, run
from symgrad.updates import UpdateRule

ROWS = "n"


@dataclass(frozen=True, eq=False)
class Layout:
    """What the arrays of a run have in common, whatever their entries: one object for each layout.

    Attributes:
        shapes: of the data, then of the parameters.
        params: the names of the parameters.
        dtype: of the run.
        batched: data whose rows belong together.
    """

    shapes: Mapping[str, tuple[int, ...]]
    params: tuple[str, ...]
    dtype: str
    batched: tuple[str, ...]

    def with_rows(self) -> dict[str, tuple[Any, ...]]:
        """The shapes with ``n`` for the rows of the data."""
        return {n: (ROWS, *s[1:]) if n in self.batched else s for n, s in self.shapes.items()}


@dataclass(frozen=True)
class Problem:
    """The arrays of a run, and their layout."""

    params: Mapping[str, np.ndarray]
    data: Mapping[str, np.ndarray]
    layout: Layout


def minimize(
    loss: Any,
    params: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    optimizer: Any = None,
    steps: int = 1000,
    *,
    given: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    batched: Sequence[str] | None = None,
    schedule: Callable[[int], float] | Any = None,
    callbacks: Sequence[Callable[[int, float, Mapping[str, np.ndarray]], Any]] = (),
    validation: Mapping[str, Any] | None = None,
    every: int | None = None,
    seed: int = 0,
    dtype: Any = None,
    passes: Sequence[str] | None = None,
    compress: bool = True,
) -> Run:
    """Minimize a loss: derivation, gradient, update and loss history become one compiled function.

    Args:
        loss: a NumPy function, a text or a SymPy expression with a scalar value.
        params: for each parameter its first value; the arrays are not changed.
        data: the other arguments of the loss.
        optimizer: such as ``sg.optim.SGD(lr=0.01)``; plain SGD with its default rate if None.
        steps: number of updates.
        given: functions that compute arguments of the loss, as in ``derive``.
        batch_size: rows drawn for each step, without replacement within an epoch; None takes all rows.
        batched: the data whose rows are drawn; by default all with as many rows as the first.
        schedule: the learning rate of step 0, 1, …, as a function or an ``lr_scheduler``.
        callbacks: functions called after every ``every`` steps with (step, loss, params); True ends the run.
        validation: data of the same names, whose loss is recorded at the same times.
        every: steps between callbacks; a tenth of the run if None.
        seed: of the order of the rows.
        dtype: ``float32`` or ``float64``; NumPy's promotion of all arrays if None.
        passes: names of the planner's passes that may rewrite the program; all but ``scale`` if None.
        compress: whether a least-squares problem on all rows may be trained on fewer rows with the same loss and
            gradients, where that pays; ``Run.notes`` says whether it was.

    Raises:
        DataError: integer parameters, object arrays, NaN in the data.
        DivergedError: the loss left the finite numbers; the message names the step.
        SymgradError: what ``derive`` raises.
    """
    rule = rule_of(optimizer)
    problem = make_problem(params, data or {}, dtype, batched)
    start = perf_counter()
    derivation = _derivation(loss, problem, given, batch_size is not None)
    derived = perf_counter() - start
    return train(
        derivation, problem, rule, steps, batch_size, rate_schedule(schedule, rule), callbacks, validation, every,
        seed, derived, passes, compress,
    )  # fmt: skip


def train(
    derivation: Derivation,
    problem: Problem,
    rule: UpdateRule,
    steps: int,
    batch_size: int | None,
    schedule: Callable[[int], float] | None,
    callbacks: Sequence[Any],
    validation: Mapping[str, Any] | None,
    every: int | None,
    seed: int,
    derived: float,
    passes: Sequence[str] | None,
    compress: bool,
) -> Run:
    """Run a derivation on a problem's arrays."""
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise SpecError(
            "callbacks is a sequence of functions.",
            where="callbacks",
            expected="such as [on_step], each taking (step, loss, params)",
            got=type(callbacks).__name__,
        )
    for name, value, least in (("steps", steps, 0), ("every", every, 1), ("seed", seed, 0)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise SpecError(f"{name} is an int of at least {least}.", where=name, got=repr(value))
    job = Job(
        program=derivation.program,
        params=problem.params,
        data=problem.data,
        rule=rule,
        dtype=problem.layout.dtype,
        steps=steps,
        batched=problem.layout.batched,
        batch_size=batch_size,
        schedule=schedule,
        callbacks=tuple(callbacks),
        validation=validation,
        every=every,
        seed=seed,
        compress=compress,
        passes=None if passes is None else chosen(passes),
    )
    outcome = run(job)
    return Run(
        params=outcome.params,
        losses=outcome.losses,
        validation=tuple(outcome.validation),
        timings={"derive": derived, **outcome.timings},
        derivation=derivation,
        source=outcome.source,
        described=outcome.described,
        notes=outcome.notes,
    )


def rule_of(optimizer: Any) -> UpdateRule:
    """The update rule of an optimizer, bound or not.

    Raises:
        SpecError: it is no optimizer.
    """
    if optimizer is None:
        from symgrad.updates import sgd

        return sgd()
    if isinstance(optimizer, UpdateRule):
        return optimizer
    rule = getattr(optimizer, "rule", None)
    if isinstance(rule, UpdateRule):
        return rule
    raise SpecError(
        "This is no optimizer.",
        where="optimizer",
        expected="such as sg.optim.SGD(lr=0.01)",
        got=type(optimizer).__name__,
    )


def rate_schedule(schedule: Any, rule: UpdateRule) -> Callable[[int], float] | None:
    """A function of the step, from a function or an ``lr_scheduler``."""
    if schedule is None:
        return None
    if hasattr(schedule, "get_lr"):
        # the optimizer's own rate is already the schedule's first one; base_lrs has what it was made with
        bases = getattr(schedule, "base_lrs", None) or [dict(rule.hyper)["lr"]]
        taken = int(getattr(schedule, "last_step", 0))
        return lambda step: float(schedule.get_lr(float(bases[0]), taken + step))
    if callable(schedule):
        return schedule
    raise SpecError(
        "A schedule is a function of the step.",
        where="schedule",
        expected="schedule(step) -> rate, or an lr_scheduler",
        got=type(schedule).__name__,
    )


def make_problem(
    params: Mapping[str, Any], data: Mapping[str, Any], dtype: Any, batched: Sequence[str] | None
) -> Problem:
    """Check and describe the arrays of a run.

    Raises:
        DataError: integer parameters, or arrays that hold no real numbers.
        SpecError: a name twice, no parameters, an unknown name in ``batched``.
    """
    for what, arrays in (("params", params), ("data", data)):
        if not isinstance(arrays, Mapping):
            raise SpecError(
                f"{what} is a mapping from names to arrays.",
                where=what,
                expected='such as {"w": w0}' if what == "params" else 'such as {"x": x, "y": y}',
                got=type(arrays).__name__,
            )
    if "loss" in params:
        raise SpecError(
            "No parameter can be called 'loss': that is the result.", where="params", fix="rename it"
        )
    if not params:
        raise SpecError("There is nothing to train.", where="params", expected='such as {"w": w0}')
    if not params.keys().isdisjoint(data):
        twice = set(params) & set(data)
        raise SpecError(f"{min(twice)!r} is both a parameter and data.", where="params, data")
    own = {n: real_array(n, v) for n, v in params.items()}
    other = {n: real_array(n, v) for n, v in data.items()}
    layout = _layout(
        tuple((n, a.shape, a.dtype) for n, a in own.items()),
        tuple((n, a.shape, a.dtype) for n, a in other.items()),
        None if dtype is None else check_dtype(dtype),
        None if batched is None else tuple(batched),
    )
    return Problem(own, other, layout)


_Described = tuple[tuple[str, tuple[int, ...], np.dtype[Any]], ...]


@lru_cache(maxsize=64)
def _layout(
    params: _Described, data: _Described, dtype: str | None, batched: tuple[str, ...] | None
) -> Layout:
    """Check what can be checked without looking at entries."""
    for name, _, own in params:
        if own.kind != "f":
            raise DataError(
                f"The parameter {name!r} holds {own} numbers, which cannot change by small amounts.",
                where=f"params[{name!r}]",
                expected="floating point",
                got=f"dtype {own}",
                fix=f"{name}.astype(np.float64)",
            )
    floats = [own for _, _, own in (*params, *data) if own.kind == "f"]
    chosen = dtype if dtype is not None else check_dtype(np.result_type(*floats, np.float32))
    known = {name: shape for name, shape, _ in data}
    if batched is None:
        first = next((shape[0] for shape in known.values() if shape), None)
        batched = tuple(n for n, shape in known.items() if shape and shape[0] == first)
    for name in batched:
        if name not in known:
            raise SpecError(f"{name!r} is no data.", where="batched", expected=", ".join(known))
    shapes = known | {name: shape for name, shape, _ in params}
    return Layout(shapes, tuple(name for name, _, _ in params), chosen, batched)


_known: Recent[Derivation] = Recent()


def _derivation(loss: Any, problem: Problem, given: Mapping[str, Any] | None, must_batch: bool) -> Derivation:
    """The derivation for a problem's shapes; remembered for functions whose meaning has not changed."""
    given = {} if given is None else given
    whole = isinstance(given, Mapping)  # anything else is refused when it is derived
    meaning = fingerprint(loss, *given, *given.values()) if whole else None
    key = (meaning, problem.layout, must_batch)
    known = _known.get(key) if meaning is not None else None
    if known is not None:
        return known
    made = derive_for(loss, problem, must_batch, given=given)
    return made if meaning is None else _known.put(key, made)


def derive_for(loss: Any, problem: Problem, must_batch: bool, **options: Any) -> Derivation:
    """Derive with ``n`` for the rows of the data; with plain sizes where a function needs to count them."""
    names, layout = problem.layout.params, problem.layout
    try:
        with python_warnings.catch_warnings(record=True) as caught:
            python_warnings.simplefilter("always", SymgradWarning)
            made = derive(loss, layout.with_rows(), names, **options)
    except (ShapeError, TraceError):
        if must_batch:
            raise
        return derive(loss, layout.shapes, names, **options)
    if made.sizes is not None and (made.sizes.pinned or made.sizes.assumptions):
        if must_batch and made.sizes.pinned:
            raise TraceError(
                "The loss needs the number of rows as a number, so that batches of several sizes cannot share it.",
                where="batch_size",
                fix="write the loop over rows as an array expression, or leave batch_size away",
            )
        return derive(loss, layout.shapes, names, **options)
    for w in caught:
        python_warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return made
