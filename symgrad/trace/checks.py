"""Checks of the data inside a loss: assertions, and branches that do nothing but raise.

They say nothing about the formula and are taken to pass.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType


def passing() -> bool | None:
    """The truth with which a check of the code that is being traced passes; None where none is being made."""
    frame = sys._getframe(1)
    while (frame.f_globals.get("__name__") or "").partition(".")[0] in ("symgrad", "numpy"):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return _checks(frame.f_code).get(frame.f_lasti)


@lru_cache(maxsize=1024)
def _checks(code: CodeType) -> Mapping[int, bool]:
    """For each jump on a truth value with a side that only raises: the truth that leads to the other side."""
    instructions = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "EXTENDED_ARG")]
    place = {i.offset: n for n, i in enumerate(instructions)}
    found = {}
    for n, test in enumerate(instructions):
        jumps_if = test.opname.startswith("POP_JUMP") and test.opname.rpartition("_")[2]
        if jumps_if not in ("TRUE", "FALSE") or test.argval not in place:
            continue
        jump, through = _raises(instructions, place[test.argval]), _raises(instructions, n + 1)
        if jump != through:
            found[test.offset] = (jumps_if == "TRUE") == through
    return found


def _raises(instructions: Sequence[dis.Instruction], start: int) -> bool:
    """Whether the code from here on raises before it does anything else."""
    for i in instructions[start:]:
        if i.opname == "RAISE_VARARGS":
            return True
        if "JUMP" in i.opname or i.opname.startswith(("RETURN", "STORE", "FOR_ITER", "YIELD")):
            return False
    return False


_SHOWING = {"print", "debug", "info", "warning", "log", "warn"}


def printing() -> bool:
    """Whether the line of the user's code that is running shows something, or raises: its texts have no effect."""
    frame = sys._getframe(1)
    while (frame.f_globals.get("__name__") or "").partition(".")[0] in ("symgrad", "numpy"):
        if frame.f_back is None:
            return True
        frame = frame.f_back
    return frame.f_lineno in _showing(frame.f_code)


@lru_cache(maxsize=1024)
def _showing(code: CodeType) -> frozenset[int]:
    """The lines on which a function that shows text is called, or an error is raised."""
    lines, line = set(), None
    for i in dis.get_instructions(code):
        line = i.starts_line if i.starts_line is not None else line
        named = i.opname.startswith("LOAD_") and i.argval in _SHOWING
        if line is not None and (named or i.opname == "RAISE_VARARGS"):
            lines.add(line)
    return frozenset(lines)
