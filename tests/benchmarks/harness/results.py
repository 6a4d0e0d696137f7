"""What was measured: medians, ratios and their spread, and whether the targets are reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median, quantiles

from harness.workload import Added, Ratio, Target, Workload


@dataclass(frozen=True)
class Spread:
    """A middle and what half of the values lie between."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median and the quartiles."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)


@dataclass(frozen=True)
class FirstCall:
    """Seconds that a first call takes longer than a second one: with an empty cache folder, and in the next process."""

    cold: float
    warm: float


@dataclass(frozen=True)
class Verdict:
    """A target and what came out; ``found`` is None where the contender was not measured."""

    target: Target
    found: float | None

    @property
    def reached(self) -> bool:
        """Whether it is reached."""
        if self.found is None:
            return False
        if isinstance(self.target, Ratio):
            return self.found >= self.target.at_least
        return self.found <= self.target.at_most


@dataclass(frozen=True)
class Result:
    """The times of one workload.

    Attributes:
        workload: what was done.
        times: for each contender the seconds of a unit, turn by turn.
        left_out: why others could not run.
        wrong: how others were off, which are not timed either.
        first: first calls, where they were measured.
    """

    workload: Workload
    times: Mapping[str, Sequence[float]]
    left_out: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    first: Mapping[str, FirstCall] = field(default_factory=dict)

    def with_first(self, first: Mapping[str, FirstCall]) -> Result:
        """The same with first calls."""
        return replace(self, first=first)

    def spread(self, name: str) -> Spread:
        """The seconds of a unit."""
        return Spread.of(self.times[name])

    def ratio(self, name: str) -> Spread | None:
        """How many times as long as the first contender: the ratio of the medians, the quartiles of the turns' ratios.

        None where one of the two was not measured.
        """
        own = self.times.get(self.workload.own)
        other = self.times.get(name)
        if own is None or other is None:
            return None
        turns = Spread.of([b / a for a, b in zip(own, other, strict=True)])
        return Spread(median(other) / median(own), turns.low, turns.high)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Each target with what came out."""
        return tuple(Verdict(target, self._found(target)) for target in self.workload.targets)

    def _found(self, target: Target) -> float | None:
        ratio = self.ratio(target.contender)
        if ratio is None:
            return None
        if isinstance(target, Added):
            return self.spread(target.contender).middle - self.spread(self.workload.own).middle
        return ratio.middle


@dataclass(frozen=True)
class Duration:
    """Something measured in processes of its own, in seconds.

    Attributes:
        title: what the report calls it.
        seconds: one for each process.
        at_most: what is wanted, or None.
    """

    title: str
    seconds: tuple[float, ...]
    at_most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the median is small enough."""
        return self.at_most is None or median(self.seconds) <= self.at_most
