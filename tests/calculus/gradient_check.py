"""Whether the matrix gradient of a program is the scalar derivative of the written-out loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from calculus.entrywise import (
    DIGITS,
    Key,
    KinkError,
    all_positions,
    as_numbers,
    compute,
    differentiated,
    number,
    pieces,
)
from calculus.random_programs import Case
from calculus.witness import positions

from symgrad.calculus import differentiate
from symgrad.errors import UnsupportedError
from symgrad.ops.dims import shape_of
from symgrad.program import Program, numpy_callable

AGREE = 30
ZERO = mpmath.mpf(10) ** -20
"""Slopes that are 0 by cancellation are so to 60 digits, which is far below this to 30."""
FLOATS = 1e-9


class WrongGradientError(AssertionError):
    """The gradient is not the derivative."""


@dataclass(frozen=True)
class Outcome:
    """How a program was compared: exactly, to 30 digits, as floats only, or not at all (``kink``)."""

    how: str


def derivative(case: Case, exact: bool) -> tuple[Any, dict[str, dict[tuple[int, ...], Any]]]:
    """The loss and its derivatives by every entry of ``wrt``."""
    known = as_numbers(case.values, exact)
    slopes: dict[Key, Any] = {k: {k: number(1, exact)} for k in known if k[0] in case.wrt}
    for p in pieces(case.program, case.sizes):
        differentiated(p, known, slopes, exact)
    loss = case.program.output["loss"], ()
    flow = slopes.get(loss, {})
    grads = {
        n: {at: flow.get((n, at), number(0, exact)) for at in all_positions(case.program, n, case.sizes)}
        for n in case.wrt
    }
    return known[loss], grads


def check(case: Case, rewritten: Callable[[Program], Program] = lambda program: program) -> Outcome:
    """Compare the gradient program, entry by entry and as NumPy runs it, with the written-out derivative.

    Args:
        case: a program at sizes and entries.
        rewritten: what is done to the gradient program first, as for printing.

    Raises:
        WrongGradientError: they differ.
    """
    made = rewritten(differentiate(case.program, case.wrt).program)
    with mpmath.workdps(DIGITS):
        forward = pieces(case.program, case.sizes)
        try:
            whole = pieces(made, case.sizes)
        except UnsupportedError:  # an operation of the gradient has no formula at this size: NumPy has to do
            whole = []
        exact = all(p.rational for p in [*whole, *forward])
        try:
            loss, expected = derivative(case, exact)
        except KinkError:
            return Outcome("kink")
        known = as_numbers(case.values, exact)
        try:
            for p in whole:
                compute(p, known, exact)
        except KinkError as error:
            raise WrongGradientError(f"the gradient is not defined: {error}") from error
        if whole:
            _compare(case, made, known, loss, expected, exact)
        _compare_floats(case, made, known, loss, expected)
    return Outcome("floats" if not whole else "exact" if exact else "digits")


def _near(got: Any, want: Any, largest: Any, exact: bool) -> bool:
    return got == want if exact else abs(got - want) <= mpmath.mpf(10) ** -AGREE * max(largest, ZERO)


def _compare(
    case: Case, made: Program, known: Mapping[Key, Any], loss: Any, expected: Mapping[str, Any], exact: bool
) -> None:
    if not _near(known[made.output["loss"], ()], loss, abs(loss), exact):
        raise WrongGradientError("another loss")
    for name in case.wrt:
        got = {at: known.get((made.output[name], at)) for at in expected[name]}
        if None in got.values():
            raise WrongGradientError(f"the gradient by {name} has another shape")
        largest = max((abs(v) for v in expected[name].values()), default=0)
        for at, want in expected[name].items():
            if not _near(got[at], want, largest, exact):
                raise WrongGradientError(
                    f"by {name}{list(at)}: {float(got[at])!r} instead of {float(want)!r}"
                )


def _compare_floats(
    case: Case, made: Program, known: Mapping[Key, Any], loss: Any, expected: Mapping[str, Any]
) -> None:
    with np.errstate(all="ignore"):
        value, grads = numpy_callable(made)(*case.arrays().values())
    size = 1 + max((abs(float(v)) for v in known.values()), default=0.0)
    if not abs(float(value) - float(loss)) <= FLOATS * size:
        raise WrongGradientError(f"NumPy's loss {value!r} instead of {float(loss)!r}")
    for name in case.wrt:
        shape = shape_of(case.program.type(name).shape, case.sizes)
        if np.shape(grads[name]) != shape:
            raise WrongGradientError(f"NumPy's gradient by {name} has the shape {np.shape(grads[name])}")
        for at in positions(shape):
            if not abs(float(np.asarray(grads[name])[at]) - float(expected[name][at])) <= FLOATS * size:
                raise WrongGradientError(
                    f"NumPy's gradient by {name}{list(at)}: {np.asarray(grads[name])[at]!r} instead of {float(expected[name][at])!r}"
                )
