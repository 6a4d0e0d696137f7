"""What the values of an input are restricted to.

``real``, ``positive``, ``onehot`` and so on say what verification draws; ``labels k`` are the whole numbers
0 … k − 1, and ``labels k or m`` those and the mark m, which are also checked when arrays come: NumPy would take a
label of −1 for the last class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from symgrad.errors import DataError
from symgrad.program.program import Program

DOMAINS = ("real", "positive", "prob", "binary", "onehot", "spd", "nonzero", "int", "bool")
_LABELS = re.compile(r"labels (?P<limit>\w+)(?: or (?P<mark>-?\d+))?")


@dataclass(frozen=True)
class Labels:
    """Whole numbers from 0 to ``limit`` − 1; ``mark`` is one more that is allowed.

    Attributes:
        limit: a number, or the name of a size.
        mark: a whole number that stands for no class.
    """

    limit: int | str
    mark: int | None = None

    def __str__(self) -> str:
        return f"labels {self.limit}" + ("" if self.mark is None else f" or {self.mark}")

    def at(self, sizes: Mapping[str, int]) -> Labels:
        """With a number for the limit, where ``sizes`` has one."""
        return Labels(sizes.get(str(self.limit), self.limit), self.mark)


@lru_cache(maxsize=256)
def labels_of(domain: str) -> Labels | None:
    """The labels that a domain stands for; None where it is another one."""
    found = _LABELS.fullmatch(domain)
    if found is None:
        return None
    limit, mark = found["limit"], found["mark"]
    return Labels(int(limit) if limit.isdecimal() else limit, None if mark is None else int(mark))


def at_sizes(domain: str, sizes: Mapping[str, int]) -> str:
    """The domain with a number in place of the size that it names."""
    labels = labels_of(domain)
    return domain if labels is None else str(labels.at(sizes))


def kind_of(domain: str) -> str:
    """The kind of values of a domain: whole numbers, truth values, or real numbers."""
    if domain == "int" or labels_of(domain) is not None:
        return "int"
    return "bool" if domain == "bool" else "real"


def check_labels(program: Program, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> None:
    """See that labels are labels.

    Raises:
        DataError: one is no class.
    """
    for i in program.inputs:
        labels = labels_of(i.domain)
        if labels is None:
            continue
        limit = labels.at(sizes).limit
        given = arrays[i.name]
        if not isinstance(limit, int) or not given.size:
            continue
        if given.min() >= 0 and given.max() < limit:
            continue
        bad = (given < 0) | (given >= limit)
        if labels.mark is not None:
            bad &= given != labels.mark
        if bad.any():
            where = [int(n) for n in np.argwhere(bad)[0]]
            mark = "" if labels.mark is None else f", or {labels.mark}"
            raise DataError(
                "A label is no class.",
                where=f"{i.name}[{', '.join(map(str, where))}]" if where else i.name,
                expected=f"0 … {limit - 1}{mark}",
                got=int(given[tuple(where)]),
            )
