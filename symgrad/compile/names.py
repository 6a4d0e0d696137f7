"""Names in a kernel: each is given out once, and none hides what the kernel file itself uses."""

from __future__ import annotations

import builtins
import keyword

from symgrad.compile.array_helpers import ARRAY_HELPERS, PRODUCT_HELPERS
from symgrad.compile.scalar_code import HELPERS
from symgrad.compile.vector_math import VECTOR_MATH
from symgrad.program import Program, identifiers

KEPT = "="
"""Begins the label of an output that is handed on to another part of the kernel."""

_FILE = ("np", "math", "njit", "F", "FLAGS", "HELPER", "PRODUCT", "VECTOR", "train", "loss_and_gradient")
_LOOPS = tuple(f"i{k}" for k in range(32))


class Namer:
    """Gives out names; the names of a program's values come first, so that they stay as the user wrote them."""

    def __init__(self, program: Program) -> None:
        self._taken = {
            *keyword.kwlist,
            *dir(builtins),
            *_FILE,
            *_LOOPS,
            *HELPERS,
            *ARRAY_HELPERS,
            *PRODUCT_HELPERS,
            *VECTOR_MATH,
        }
        self.values = {name: self.fresh(text) for name, text in identifiers(program).items()}

    def fresh(self, base: str) -> str:
        """``base``, or ``base_2``, ``base_3``, … where it is taken."""
        candidate, i = base, 2
        while candidate in self._taken:
            candidate, i = f"{base}_{i}", i + 1
        self._taken.add(candidate)
        return candidate
