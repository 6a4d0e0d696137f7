"""The mistakes that are recognised: one record each, by what they turn the right gradient into.

The numbers are the rows of the list of mistakes in ``docs``.  A record decides on one case; a mistake is
named only if it explains every case that was drawn, and no other record does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Observation:
    """One case: what came for a parameter and what was expected.

    Attributes:
        got: the candidate's gradient.
        expected: the right one.
        bound: how far rounding may take a right candidate from ``expected``.
        value: the parameter's own value.
        decay: the right gradient where all data are 0: what a regulariser contributes.
        sizes: of all dimension symbols.
        rows: the number of rows of the data, 1 where there is none.
        others_right: whether the gradients by all other parameters are right, None where there is no other.
        rank: the number of the parameter's axes that are longer than 1 in general.
    """

    got: Any
    expected: Any
    bound: Any
    value: Any
    decay: Any
    sizes: Mapping[str, int]
    rows: int
    others_right: bool | None
    rank: int

    def is_(self, hypothesis: Any, scale: float = 1.0) -> bool:
        """Whether the candidate's gradient is this array, up to rounding."""
        hypothesis = np.asarray(hypothesis)
        if self.got.shape != hypothesis.shape or not np.all(np.isfinite(self.got)):
            return False
        room = 4 * (1 + abs(scale)) * (float(np.max(self.bound, initial=0.0)))
        return bool(np.all(np.abs(self.got - hypothesis) <= room))

    def times(self, ratio: float) -> bool:
        """Whether the candidate's gradient is this multiple of the right one."""
        return self.is_(ratio * self.expected, ratio)


@dataclass(frozen=True)
class Mistake:
    """A known mistake.

    Attributes:
        row: its number.
        text: the mistake in a sentence; ``{p}`` is the parameter.
        where: how much of the gradient it concerns.
        explains: whether it explains an observation.
    """

    row: int
    text: str
    where: str
    explains: Callable[[Observation], bool]


def _per_size(o: Observation, exponent: int) -> bool:
    """A multiple by one of the sizes that is not the number of rows."""
    return any(o.times(float(s) ** exponent) for s in set(o.sizes.values()) - {o.rows, 1})


def _whole(o: Observation) -> list[int]:
    return [o.rows * s for s in set(o.sizes.values()) - {1}]


def _summed_over_rows(o: Observation) -> bool:
    if o.got.ndim != o.expected.ndim + 1 and o.got.ndim != o.expected.ndim:
        return False
    if o.got.shape == o.expected.shape or not o.got.ndim or o.got.shape[0] != o.rows:
        return False
    total = np.sum(o.got, axis=0).reshape(-1)
    if total.size != o.expected.size:
        return False
    room = 4 * o.rows * float(np.max(o.bound, initial=0.0))
    return bool(np.all(np.abs(total - o.expected.reshape(-1)) <= room))


def _without_decay(o: Observation, share: float) -> bool:
    return bool(np.any(np.abs(o.decay) > 4 * o.bound)) and o.is_(o.expected - share * o.decay)


def _all_alike(o: Observation) -> bool:
    if o.expected.size < 2:
        return False
    return o.is_(np.full(o.expected.shape, np.sum(o.expected)), float(o.expected.size))


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        1,
        "the sign is wrong: the gradient points the other way, as with y − ŷ in place of ŷ − y",
        "every entry of {p}, ratio −1",
        lambda o: o.times(-1),
    ),
    Mistake(
        9,
        "the gradient by {p} is averaged over the rows once more, on top of an averaged residual",
        "every entry of {p} and no other parameter, ratio 1/rows",
        lambda o: o.others_right is True and o.rank <= 1 and o.times(1 / o.rows),
    ),
    Mistake(
        2,
        "the gradient is averaged over the rows, but the loss sums them",
        "every entry of {p}, ratio 1/rows",
        lambda o: not (o.others_right is True and o.rank <= 1) and o.times(1 / o.rows),
    ),
    Mistake(
        2,
        "the gradient is a sum over the rows, but the loss is their mean",
        "every entry of {p}, ratio rows",
        lambda o: o.times(o.rows),
    ),
    Mistake(
        2,
        "the gradient is an average over all entries, but the loss sums them",
        "every entry of {p}, ratio 1/entries",
        lambda o: any(o.times(1 / w) for w in _whole(o)),
    ),
    Mistake(
        2,
        "the gradient is a sum over all entries, but the loss is their mean",
        "every entry of {p}, ratio entries",
        lambda o: any(o.times(w) for w in _whole(o)),
    ),
    Mistake(
        3,
        "a factor 2 too much: the loss has half squares (½Σr²), this is the gradient of Σr²",
        "every entry of {p}, ratio 2",
        lambda o: o.times(2),
    ),
    Mistake(
        3,
        "a factor 2 is missing: the loss has full squares (Σr²), this is the gradient of ½Σr²",
        "every entry of {p}, ratio ½",
        lambda o: o.times(0.5),
    ),
    Mistake(
        4,
        "the gradient is a mean over rows and columns, but the loss divides by the rows alone",
        "every entry of {p}, ratio 1/columns",
        lambda o: _per_size(o, -1),
    ),
    Mistake(
        4,
        "the gradient divides by the rows alone, but the loss is a mean over rows and columns",
        "every entry of {p}, ratio columns",
        lambda o: _per_size(o, 1),
    ),
    Mistake(
        7,
        "the whole gradient by {p} is transposed: row and column layout are mixed up",
        "all of {p}",
        lambda o: o.expected.ndim == 2 and min(o.expected.shape) > 1 and o.is_(o.expected.T),
    ),
    Mistake(
        8,
        "the gradient by {p} is not summed over the rows, one row for each is left",
        "all of {p}",
        _summed_over_rows,
    ),
    Mistake(
        10,
        "the gradient by {p} is summed over all axes, so that its entries are all alike",
        "all of {p}",
        _all_alike,
    ),
    Mistake(
        16,
        "the gradient of the regulariser is missing",
        "{p}: the difference is the regulariser's part exactly",
        lambda o: _without_decay(o, 1.0),
    ),
    Mistake(
        17,
        "the regulariser's gradient lacks a factor 2: of λ‖w‖² it is 2λw",
        "{p}: the difference is half the regulariser's part exactly",
        lambda o: _without_decay(o, 0.5),
    ),
    Mistake(
        17,
        "the regulariser's gradient has a factor 2 too much: of ½λ‖w‖² it is λw",
        "{p}: the difference is the regulariser's part exactly",
        lambda o: _without_decay(o, -1.0),
    ),
)
