"""Assertions about the data: they are taken to hold, as they say nothing about the formula."""

from __future__ import annotations

import dis
import sys
from functools import lru_cache
from types import CodeType


def asserted() -> bool:
    """Whether the truth of a value is asked for by an ``assert`` of the code that is being traced."""
    frame = sys._getframe(1)
    while frame is not None and (frame.f_globals.get("__name__") or "").partition(".")[0] in ("symgrad", "numpy"):
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_lasti in _tests(frame.f_code)


@lru_cache(maxsize=1024)
def _tests(code: CodeType) -> frozenset[int]:
    """Where in a function the truth of an assertion is tested: a jump over ``raise AssertionError``."""
    instructions = list(dis.get_instructions(code))
    found = set()
    for test, following in zip(instructions, instructions[1:], strict=False):
        if test.opname.startswith("POP_JUMP") and following.opname in ("LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT"):
            found.add(test.offset)
    return frozenset(found)
