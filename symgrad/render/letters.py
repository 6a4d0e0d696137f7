"""Letters for values that the user gave no name: none of them reads as a part of a name that the page has."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.render.names import unicode_name
from symgrad.render.spacing import MARKS

OTHERS = {
    "z": ("z", "u", "s", "v", "q"),
    "h": ("h", "a", "g", "f"),
    "p": ("p", "q", "π"),
    "r": ("r", "e", "t"),
    "δ": ("δ", "ε", "η"),
}
"""For each letter that a course uses those that stand in for it."""


class Letters:
    """Chooses letters beside the names that a page has already.

    Args:
        taken: these names, as they are shown.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.stems = {unicode_name(name).rstrip(MARKS) for name in taken}

    def letter(self, stem: str) -> str:
        """The letter of first choice, or another one where the page has it: z₁ beside a z reads as its part."""
        return next((s for s in OTHERS.get(stem, (stem,)) if s not in self.stems), stem)
