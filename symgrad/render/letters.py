"""Letters for values that the user gave no name: none of them reads as a part of a name that the page has."""

from __future__ import annotations

from collections.abc import Collection

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


def letter(stem: str, taken: Collection[str]) -> str:
    """The letter, or another one where the page has it already, also with a number: z₁ beside a z reads as its part.

    Args:
        stem: the letter of first choice.
        taken: the names on the page, as they are shown.
    """
    stems = {unicode_name(name).rstrip(MARKS) for name in taken}
    return next((s for s in OTHERS.get(stem, (stem,)) if s not in stems), stem)
