"""Checks of the data inside a loss: assertions, and branches that do nothing but raise.

They say nothing about the formula and are taken to pass.
"""

from __future__ import annotations

import dis
import sys
import traceback
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


_BETWEEN = (sys.stdlib_module_names | {"symgrad", "numpy"}) - {"__main__"}
"""Whose code may run between the user's and a text."""
_TRACERS = {"symgrad.trace.function", "symgrad.trace.module"}
"""Who calls the user's code."""
_SHOWING_MODULES = {"logging", "bdb", "pdb"}
_SHOWING = {"print", "debug", "info", "warning", "log", "warn"}


def printing() -> bool:
    """Whether the user's code is showing something, or raising, just now: its texts have no effect."""
    users = None
    for frame, _ in traceback.walk_stack(sys._getframe(1)):
        module = frame.f_globals.get("__name__") or ""
        if module in _TRACERS or module.partition(".")[0] in _SHOWING_MODULES:
            break
        if users is None and module.partition(".")[0] not in _BETWEEN:
            users = frame
    else:
        return True  # no function is being traced
    if users is None or module not in _TRACERS:
        return True
    here = _positions(users.f_code)[users.f_lasti // 2]
    return any(first <= here[0] and here[1] <= last for first, last in _showing(users.f_code))


def of_symgrad() -> bool:
    """Whether the caller of the caller is symgrad itself, as where an error names a value."""
    return (sys._getframe(2).f_globals.get("__name__") or "").partition(".")[0] == "symgrad"


_Place = tuple[int, int]


@lru_cache(maxsize=1024)
def _positions(code: CodeType) -> tuple[tuple[_Place, _Place], ...]:
    """Line and column where the source of each instruction begins and ends."""
    return tuple(((a or 0, c or 0), (b or 0, d or 0)) for a, b, c, d in code.co_positions())


@lru_cache(maxsize=1024)
def _showing(code: CodeType) -> tuple[tuple[_Place, _Place], ...]:
    """Where the calls of functions that show text begin and end, and the statements that raise."""
    instructions = list(dis.get_instructions(code))
    places = _positions(code)
    # A call begins where the name does that it calls.
    named = {
        places[i.offset // 2][0]
        for i in instructions
        if i.opname.startswith("LOAD_") and i.argval in _SHOWING
    }
    return tuple(
        places[i.offset // 2]
        for i in instructions
        if i.opname == "RAISE_VARARGS" or (i.opname.startswith("CALL") and places[i.offset // 2][0] in named)
    )
