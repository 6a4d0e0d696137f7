"""The passes, and running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from symgrad.compile.passes.cse import CSE
from symgrad.compile.passes.drop import DROP
from symgrad.compile.passes.fold import FOLD
from symgrad.compile.passes.hoist import HOIST
from symgrad.compile.passes.hoist import WHY as WHY_HOIST
from symgrad.compile.passes.record import Pass
from symgrad.compile.passes.scale import SCALE
from symgrad.errors import SpecError
from symgrad.program import Program

PASSES: Mapping[str, Pass] = MappingProxyType({p.name: p for p in (FOLD, SCALE, CSE, DROP)})
"""In the order in which they run."""

REUSE = "reuse"

WHY: Mapping[str, str] = MappingProxyType(
    {
        **{p.name: p.why for p in PASSES.values()},
        HOIST: WHY_HOIST,
        REUSE: "A value takes the memory of an earlier one that nobody reads any more; no value changes.",
    }
)
"""For each name what it does and why it may."""

NAMES = (*PASSES, HOIST, REUSE)
"""All that can be chosen: ``hoist`` splits a training run's program in two, ``reuse`` is about the memory of values."""

DEFAULT = tuple(name for name in NAMES if name != SCALE.name)
"""Without ``scale``, whose sums can overflow where weighted ones do not."""


@dataclass(frozen=True)
class Change:
    """What one pass made of a program; ``after`` is ``before`` itself where nothing applied."""

    name: str
    before: Program
    after: Program


@dataclass(frozen=True)
class Planned:
    """A program after the passes, and what each of them changed."""

    program: Program
    changes: tuple[Change, ...]


def chosen(passes: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the passes to run; None stands for those of ``DEFAULT``.

    Raises:
        SpecError: a name that is no pass.
    """
    if passes is None:
        return DEFAULT
    names = (passes,) if isinstance(passes, str) else tuple(passes)
    for name in names:
        if name not in NAMES:
            raise SpecError(
                f"{name!r} is no pass.",
                where="passes",
                expected=", ".join(NAMES),
                got=", ".join(map(str, names)),
            )
    return names


def planned(program: Program, passes: Sequence[str] | None = None) -> Planned:
    """Run the chosen passes, those of ``DEFAULT`` where ``passes`` is None.

    Raises:
        SpecError: a name that is no pass.
    """
    return _planned(program, chosen(passes))


@lru_cache(maxsize=256)
def _planned(program: Program, names: tuple[str, ...]) -> Planned:
    changes = []
    for name, p in PASSES.items():
        if name in names:
            after = p.run(program)
            changes.append(Change(name, program, after))
            program = after
    return Planned(program, tuple(changes))
