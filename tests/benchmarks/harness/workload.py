"""What is compared: contenders that compute the same values, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Data = Mapping[str, np.ndarray]
Values = Mapping[str, Any]
Call = Callable[[], Values]


@dataclass(frozen=True)
class Closeness:
    """How near to the reference a value has to be.

    Attributes:
        relative: the largest error, as a part of the value's largest entry.
        entrywise: the error of each entry is a part of that entry instead.
    """

    relative: float
    entrywise: bool = False


@dataclass(frozen=True)
class Contender:
    """One way of doing the work.

    Attributes:
        name: its column in the report.
        make: from the data to a function without arguments that does the work once, start to end.
        close: for each value that it returns, how near to the reference it has to be.
        needs: modules without which it is left out.
        tools: programs, one of which has to be on the path.
        compiles: whether its first call differs from later ones.
    """

    name: str
    make: Callable[[Data], Call]
    close: Mapping[str, Closeness]
    needs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    compiles: bool = False


@dataclass(frozen=True)
class Ratio:
    """A contender takes at least so many times as long as the first one."""

    contender: str
    at_least: float


@dataclass(frozen=True)
class Added:
    """A contender takes at most so many seconds longer than the first one."""

    contender: str
    at_most: float


Target = Ratio | Added


@dataclass(frozen=True)
class Workload:
    """A piece of work, and who does it.

    Attributes:
        name: what the command line calls it.
        title: what the report calls it.
        shapes: ``issue``, or ``other`` for shapes that nothing was tuned on.
        data: draws the arrays.
        reference: the right values, in double precision.
        contenders: the first is symgrad's, the others are compared with it.
        targets: what is wanted.
        limit: the contender that does only the part that cannot be left out, or None.
        per: how many units a call does; times are given for one.
        unit: what a unit is.
    """

    name: str
    title: str
    shapes: str
    data: Callable[[], Data]
    reference: Callable[[Data], Values]
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...] = ()
    limit: str | None = None
    per: int = 1
    unit: str = "call"

    @property
    def own(self) -> str:
        """The name of symgrad's contender."""
        return self.contenders[0].name
