"""The smallest part of a random program that still fails a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
from calculus.entrywise import DIGITS, Key, as_numbers, compute, pieces
from calculus.random_programs import Case

from symgrad.program import Input, Program


def _values(case: Case) -> dict[Key, Any]:
    with mpmath.workdps(DIGITS):
        parts = pieces(case.program, case.sizes)
        exact = all(p.rational for p in parts)
        known = as_numbers(case.values, exact)
        for p in parts:
            compute(p, known, exact)
    return known


def without(case: Case, name: str, known: dict[Key, Any]) -> Case:
    """The program with an input in the place of that binding."""
    (gone,) = (b for b in case.program.bindings if b.name == name)
    new = Input(name, gone.shape, "real" if gone.kind == "real" else "int")
    kept = tuple(b for b in case.program.bindings if b.name != name)
    program = Program((*case.program.inputs, new), kept, case.program.outputs).only("loss")
    inputs = tuple(i for i in program.inputs if program.uses[i.name] or i.name == "sizes")
    entries = {
        k: Fraction(int(v)) if new.kind == "int" else v if isinstance(v, Fraction) else Fraction(float(v))
        for k, v in known.items()
        if k[0] == name
    }
    names = {i.name for i in inputs}
    return replace(
        case,
        program=Program(inputs, program.bindings, program.outputs),
        values={k: v for k, v in {**case.values, **entries}.items() if k[0] in names},
        wrt=tuple(i.name for i in inputs if i.kind == "real" and i.name != "sizes"),
    )


def shrunk(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Cut off as many operations as the failure does not need."""
    for b in case.program.bindings:
        if b.name == case.program.output["loss"] or b.name not in case.program.by_name:
            continue
        smaller = without(case, b.name, _values(case))
        if fails(smaller):
            case = smaller
    return case
