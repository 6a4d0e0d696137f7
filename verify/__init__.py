"""verify: a verdict on any gradient, with evidence.

    import verify
    report = verify.check(gradient, of=loss, shapes={"x": "n d", "w": "d 1", "y": "n 1"}, wrt="w")

How the files play together, in the order in which a check runs through them:

    spec.py         the question: the loss traced and differentiated, what may be given to the candidate
    candidate.py    the boundary to foreign code: arguments by name, one call, results by parameter
    trace.py        the candidate as a program, where it can be followed
    sizes.py        which sizes go together
    drawing.py      drawing sizes, values and memory layouts, from hypothesis or from a seeded generator
    labels.py       which whole numbers an index may hold
    cases.py        the fixed cases that every check runs
    strategies.py   the same draws as hypothesis strategies, public
    tolerance.py    a program evaluated with its rounding-error bound
    kinks.py        what values are beside the points where derivatives jump
    judge.py        one case: reference, bound, call, comparison, findings
    search.py       many cases, and the smallest one that fails
    polynomial.py   sums of products in index notation, in one canonical form
    normal_form.py  a program in that form
    proof.py        equal normal forms of candidate and derived gradient
    diagnosis.py    which known mistake it is; mistakes.py holds the table
    report.py       what is handed back and printed
    checking.py     check and assert_gradient; tape.py: check_autograd; marks.py: gradient_of
    witness.py      the derived gradient itself against SymPy's scalar derivative
    script_check.py a script that was read (scripts/) handed to check

Nothing in symgrad imports this package; it imports symgrad, and heavy libraries only when a check runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify import strategies
    from verify.checking import assert_gradient, check
    from verify.marks import gradient_of
    from verify.report import Counterexample, Diagnosis, Report, Verdict
    from verify.script_check import check_script
    from verify.tape import check_autograd
    from verify.witness import check_derivation

SYMGRAD_VERIFY = True
"""Marks this package as symgrad's, so that a user's own ``verify.py`` in front of it can be told apart."""

_HOME = {
    "Counterexample": "verify.report",
    "Diagnosis": "verify.report",
    "Report": "verify.report",
    "Verdict": "verify.report",
    "assert_gradient": "verify.checking",
    "check": "verify.checking",
    "check_autograd": "verify.tape",
    "check_derivation": "verify.witness",
    "check_script": "verify.script_check",
    "gradient_of": "verify.marks",
}
"""Where each public name lives; it is imported when first used."""

__all__ = [
    "SYMGRAD_VERIFY",
    "Counterexample",
    "Diagnosis",
    "Report",
    "Verdict",
    "assert_gradient",
    "check",
    "check_autograd",
    "check_derivation",
    "check_script",
    "gradient_of",
    "strategies",
]


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module("verify.strategies")
    if name not in _HOME:
        raise AttributeError(f"module 'verify' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
