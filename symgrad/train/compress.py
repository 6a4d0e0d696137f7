"""Full-batch runs whose data never changes, on a few rows that stand for all of them.

A step of least squares on n rows of d columns costs about 4nd operations; on the rows of a triangular factor, of which
there are as many as columns, 4d².  Loss, gradient, ridge, update and schedule stay what they are: only the arrays that
the loss reads are others.  The run computes in float64, whatever the dtype of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.calculus import differentiate
from symgrad.compile import bind
from symgrad.compile.factor import shorter
from symgrad.compile.fewer_rows import LOSS, FewerRows, fewer_rows
from symgrad.errors import DivergedError
from symgrad.ops.dims import bind_dims, shape_of
from symgrad.ops.record import Definition
from symgrad.program import Input, Program, numpy_callable

if TYPE_CHECKING:
    from symgrad.train.loop import Job, Outcome

SAVES = 2**26
"""Operations that have to be saved, about 10 ms: recognising the loss takes as long as that, once."""


@dataclass(frozen=True)
class Compressed:
    """A run on fewer rows.

    Attributes:
        job: what is run.
        original: what was asked for.
        note: what was done, and why it pays.
        seconds: what it took.
        validation: filled while the job runs.
    """

    job: Job
    original: Job
    note: str
    seconds: float
    validation: list[tuple[int, float]]

    def whole(self, outcome: Outcome) -> Outcome:
        """The outcome of the run that was asked for."""
        return replace(
            outcome,
            params=_in_dtype(outcome.params, self.original, outcome.losses),
            validation=self.validation,
            timings={"compress": self.seconds, **outcome.timings},
            notes=(self.note,),
        )


def compressed(job: Job) -> Compressed | None:
    """The same run on fewer rows; None where the loss does not allow it, or where it does not pay."""
    if not job.compress or job.batch_size is not None:
        return None
    entries = sum([a.size if isinstance(a, np.ndarray) else np.size(a) for a in job.data.values()])
    if 8 * job.steps * entries < SAVES:
        return None
    start = perf_counter()
    given = {**job.data, **job.params}
    wanted = {i.name: i.shape for i in job.program.inputs}
    if given.keys() != wanted.keys():
        return None  # an error that is told where arrays are bound
    sizes = bind_dims(wanted, {n: np.shape(a) for n, a in given.items()})
    symbol = _rows(job.program, job.params, sizes)
    if symbol is None:
        return None
    found = _program(job.program, tuple(job.params), symbol) if sizes[symbol.name] else None
    if found is None:
        return None
    short, program = found
    rows, columns = sizes[symbol.name], _columns(short, sizes)
    direct = job.steps * operations(job.program, tuple(sizes.items()))
    once = rows * columns * (16 + columns // 4)  # a product adds up 8 times faster than a step does
    after = once + job.steps * operations(program, tuple({**sizes, symbol.name: columns}.items()))
    if direct - after < SAVES:
        return None
    arrays, _ = bind(job.program, given, job.dtype)
    made = short_data(job.program, short, symbol, arrays)
    if made is None:
        return None
    values, readings = made
    validation: list[tuple[int, float]] = []
    watching = _watching(job, validation)
    inner = replace(
        job,
        program=program,
        data={n: a for n, a in values.items() if n not in job.params},
        params={n: arrays[n].astype(np.float64) for n in job.params},
        dtype="float64",
        callbacks=watching,
        validation=None,
        compress=False,
    )
    note = (
        f"{rows} rows of data compressed to {columns}, which give the same loss and gradients; read "
        f"{'once' if readings == 1 else f'{readings} times'}, computed in float64; about "
        f"{direct / after:.0f} times fewer operations"
    )
    return Compressed(inner, job, note, perf_counter() - start, validation)


@lru_cache(maxsize=64)
def _program(
    program: Program, parameters: tuple[str, ...], symbol: sympy.Symbol
) -> tuple[FewerRows, Program] | None:
    """The loss on fewer rows, without and with gradients."""
    found = fewer_rows(program, parameters, symbol)
    return None if found is None else (found, differentiate(found.program, parameters).program)


def _rows(program: Program, params: Mapping[str, Any], sizes: Mapping[str, int]) -> sympy.Symbol | None:
    """The largest size that the data has and the parameters do not have."""
    of = {kind: [i for i in program.inputs if (i.name in params) == kind] for kind in (False, True)}
    free = {kind: {d for i in of[kind] for d in i.shape if isinstance(d, sympy.Symbol)} for kind in of}
    return max(free[False] - free[True], key=lambda s: (sizes[s.name], s.name), default=None)


def _columns(short: FewerRows, sizes: Mapping[str, int]) -> int:
    """How many numbers one row of the data has, and so how many rows are left."""
    return sum(
        prod(d for k, d in enumerate(shape_of(short.program.type(n).shape, sizes)) if k != axis)
        for n, axis in short.axis.items()
    )


@lru_cache(maxsize=64)
def operations(program: Program, sizes: tuple[tuple[str, int], ...]) -> int:
    """Terms that are added up and entries that are computed, in one evaluation."""
    values = dict(sizes)
    count = 0
    for b in program.bindings:
        form = b.record.define([program.type(a) for a in b.args], b.attrs, b.type)
        reduced = form.reduce if isinstance(form, Definition) else ()
        count += prod(shape_of((*b.shape, *reduced), values))
    return count


def short_data(
    program: Program, short: FewerRows, symbol: sympy.Symbol, arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], int] | None:
    """The data that the loss on fewer rows takes, in float64, and how often the rows were read.

    Args:
        program: the original one.
        arrays: all its inputs.

    Returns:
        None where the data holds NaN or infinity, or numbers whose squares overflow.
    """
    rows = next(arrays[i.name].shape[i.shape.index(symbol)] for i in program.inputs if symbol in i.shape)
    values = _computed(short, arrays)
    if short.count is not None:
        values[short.count] = np.array(float(rows))
    if not all(np.isfinite(values[n]).all() for n in short.once):
        return None
    found = shorter([np.moveaxis(values[n], axis, 0) for n, axis in short.axis.items()])
    if found is None:
        return None
    for (n, axis), array in zip(short.axis.items(), found[0], strict=True):
        values[n] = np.moveaxis(array, 0, axis)
    return {i.name: {**arrays, **values}[i.name] for i in short.program.inputs}, found[1]


def _computed(short: FewerRows, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inputs of the short program: the data as it is, and what is computed of it, in float64."""
    names = [n for n in (*short.axis, *short.once) if n not in short.data.output]
    values = {n: arrays[n] for n in names}
    if not short.data.outputs:
        return values
    read = {a for b in short.data.bindings for a in b.args}
    part = replace(
        short.data, inputs=tuple(i for i in short.data.inputs if i.name in read or _gives_sizes(i))
    )
    wide = [arrays[i.name].astype(np.float64) if i.kind == "real" else arrays[i.name] for i in part.inputs]
    with np.errstate(all="ignore"):
        found = numpy_callable(part)(*wide)
    first, *others = part.output
    return values | ({first: found[0], **found[1]} if others else {first: found})


def _gives_sizes(i: Input) -> bool:
    return any(isinstance(d, sympy.Symbol) for d in i.shape)


def _watching(job: Job, validation: list[tuple[int, float]]) -> tuple[Any, ...]:
    """The callbacks, given parameters of their dtype, after one that takes the loss of the validation data."""

    def in_dtype(callback: Any) -> Any:
        return lambda step, loss, params: callback(step, loss, _in_dtype(params, job, [loss], step))

    watching = tuple(map(in_dtype, job.callbacks))
    if job.validation is None:
        return watching
    evaluate, given = numpy_callable(job.program.only(LOSS)), job.validation

    def validate(step: int, loss: float, params: Mapping[str, np.ndarray]) -> None:
        values, _ = bind(job.program, {**given, **params}, job.dtype)
        validation.append((step, float(evaluate(*values.values()))))

    return (in_dtype(validate), *watching)


def _in_dtype(
    params: Mapping[str, np.ndarray], job: Job, losses: Sequence[float] | np.ndarray, step: int | None = None
) -> dict[str, np.ndarray]:
    """Parameters in the dtype that was asked for.

    Raises:
        DivergedError: they are too large for it; since when, the last losses tell.
    """
    with np.errstate(over="ignore"):
        made = {n: p.astype(job.dtype) for n, p in params.items()}
    if not all(np.isfinite(p).all() for p in made.values()):
        large = np.flatnonzero(np.asarray(losses) > np.finfo(job.dtype).max)
        first = int(large[0]) + 1 if large.size and step is None else step or len(losses)
        raise DivergedError(
            f"The run diverged: by step {first} a parameter is too large for {job.dtype}.",
            where=f"{job.rule.name}(lr={dict(job.rule.hyper).get('lr')})",
            fix="take a smaller learning rate, or scale the data",
        )
    return made
