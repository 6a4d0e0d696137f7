"""Where the factors of a product may stand side by side: ``xw`` for x times w, but ``δ W₁ᵀ`` beside long names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

MARKS = "ᵀ₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻'"
ONES = "\U0001d7cf"


@dataclass(frozen=True)
class Spacing:
    """What a page's names allow.

    Attributes:
        words: the names of several letters.
        loose: some name reads like a product of others (``xw`` beside x and w), so every product has a gap.
        sums: how a sum begins.
    """

    words: frozenset[str] = frozenset()
    loose: bool = False
    sums: str = "Σ"

    @classmethod
    def of(cls, shown: Iterable[str], sums: str) -> Spacing:
        """The spacing of a page with these names on it."""
        stems = {name.rstrip(MARKS) for name in shown}
        words = frozenset(s for s in stems if len(s) > 1)
        return cls(words, any(_spelled(w, stems) for w in words), sums)

    @cached_property
    def _lengths(self) -> frozenset[int]:
        return frozenset(map(len, self.words))

    def tight(self, left: str, right: str) -> bool:
        """Whether nothing has to stand between the two."""
        stem = left.rstrip(MARKS)
        if stem and stem[-1].isascii() and stem[-1].isdigit():
            return False
        if stem.endswith("^-T") or any(stem[-n:] in self.words for n in self._lengths):
            return False
        if right.startswith("("):
            return True
        if self.loose and not (left.endswith(ONES) or right.startswith(ONES)):
            return False
        if right.startswith(self.sums) or any(right[:n] in self.words for n in self._lengths):
            return False
        if re.match(r"[A-Za-z_]{2,}\(", right):
            return False
        return right[:1].isalpha() or right.startswith(ONES)


def _spelled(word: str, names: set[str]) -> bool:
    """Whether a name is a row of other names."""
    ends = {0}  # where a row of names, begun at the front, may end
    for end in range(1, len(word) + 1):
        if any(word[start:end] in names and end - start < len(word) for start in ends):
            ends.add(end)
    return len(word) in ends
