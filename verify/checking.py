"""``check`` and ``assert_gradient``: from a question to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import DataError, SpecError, SymgradError, UnsupportedError
from verify.candidate import Candidate, match
from verify.cases import fixed_cases
from verify.diagnosis import diagnose
from verify.drawing import Case
from verify.judge import Judge, Judgement
from verify.proof import prove
from verify.report import Report, Verdict
from verify.search import Finds, search, shrink
from verify.spec import Spec, make_spec
from verify.tolerance import describe, format_of
from verify.trace import Followed, try_trace
from verify.witness import disagreement

BLUR = 1e-3
"""A relative error that a report warns of if no case would show it."""

CASES = 60
"""How many cases are drawn where nothing is proved."""


def check(
    gradient: Callable[..., Any],
    of: Any,
    shapes: Mapping[str, object],
    wrt: str | Sequence[str],
    given: Mapping[str, Any] | None = None,
    domains: Mapping[str, str] | None = None,
    dtype: Any = "float64",
    args: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    cases: int = CASES,
    seed: int = 0,
    deep: bool = False,
) -> Report:
    """Compare a gradient with the one derived from the loss.

    Args:
        gradient: the candidate.  Its arguments are matched by name with the loss's and those in ``given``.
        of: the loss: a NumPy function, a text, or a SymPy expression.
        shapes: the shape of each argument.
        wrt: the parameter, or several in the order in which the candidate returns their gradients.
        given: intermediate values and the functions that compute them, such as ``{"y_pred": forward}``.
        domains: restrictions on the values of arguments.
        dtype: what the arrays are made of, ``float32`` or ``float64``.
        args: the candidate's argument → our name, where they differ.
        keys: parameter → key, where the candidate returns a dict with other keys.
        cases: how many cases are drawn where nothing is proved.
        seed: another seed draws other cases.
        deep: also compare the derived gradient with SymPy's scalar derivative.

    Raises:
        SpecError: the call itself is off.
    """
    wanted = wanted_dtype(dtype)
    if not callable(gradient):
        raise SpecError("The gradient is no function.", where="gradient", got=type(gradient).__name__)
    if not isinstance(cases, int) or cases < 0:
        raise SpecError("cases is a number.", where="cases", expected="an int, 0 or more", got=repr(cases))
    try:
        spec = make_spec(of, shapes, wrt, given, domains)
        candidate = match(gradient, spec, args, keys)
    except SpecError:
        raise
    except SymgradError as error:
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        return Report("unsupported", str(error), names)
    if deep and (problem := disagreement(spec)) is not None:
        return Report(
            "unsupported", f"the derived gradient does not agree with its witness: {problem}", spec.wrt
        )
    return run_check(spec, candidate, wanted, cases, seed)


def assert_gradient(gradient: Callable[..., Any], of: Any, **question: Any) -> Report:
    """Like :func:`check`, for tests.

    Raises:
        AssertionError: the gradient is refuted; the message is the report.
        UnsupportedError: it cannot be checked.
    """
    report = check(gradient, of=of, **question)
    if report.verdict == "refuted":
        raise AssertionError(f"\n{report}")
    if report.verdict == "unsupported":
        raise UnsupportedError("This gradient cannot be checked.", where="assert_gradient", got=report.reason)
    return report


def wanted_dtype(dtype: Any) -> np.dtype[Any]:
    """float32 or float64 as NumPy dtypes.

    Raises:
        SpecError: another one; DataError: no dtype at all.
    """
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise DataError("There is no such dtype.", where="dtype", got=repr(dtype)) from None
    if wanted not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise SpecError(
            "Gradients are checked in two dtypes.", where="dtype", expected="float32 or float64", got=wanted
        )
    return wanted


def run_check(spec: Spec, candidate: Candidate, dtype: np.dtype[Any], count: int, seed: int) -> Report:
    """Fixed cases, a proof, and where there is none a search."""
    traced, untraced = (None, candidate.opaque) if candidate.opaque else try_trace(candidate, spec)
    judge = Judge(spec, candidate, format_of(dtype), traced)
    judgements: list[Judgement] = []
    for number, case in enumerate(fixed_cases(spec.inputs, dtype, seed, spec.plan)):
        judged = judge(case, repeat=number == 0)
        judgements.append(judged)
        if judged.counterexample is not None:
            return _refuted(judge, judgements, (case, judged), dtype, seed)
    proof = _proof(spec, traced) if traced is not None else untraced
    compared = any(j.says for j in judgements)
    if proof is None and compared:
        reason = "equal to the derived gradient for all shapes and all real inputs (equal normal forms)"
        return _report("proved", reason, judge, judgements)
    found = search(judge, spec.inputs, dtype, count, seed, spec.plan) if count else Finds((), None)
    judgements += found.judgements
    if found.failure is not None:
        return _refuted(judge, judgements, found.failure, dtype, seed)
    if not any(j.says for j in judgements):
        causes = ", ".join(sorted({j.skipped or "nothing to compare where a size is 0" for j in judgements}))
        return _report(
            "unsupported", f"no case could be compared: {causes}; do domains={{...}} help?", judge, judgements
        )
    return _report("passed", f"agrees on every case; not proved: {_first_line(proof)}", judge, judgements)


def _proof(spec: Spec, traced: Followed) -> str | None:
    """None where the candidate is proved, else why it is not."""
    if traced.assumptions:
        return f"the candidate computes another formula unless {traced.assumptions[0]}"
    return prove(spec, traced.program)


def _first_line(text: str | None) -> str:
    return (text or "no case was compared").split("\n")[0]


def _refuted(
    judge: Judge,
    judgements: list[Judgement],
    failure: tuple[Case, Judgement],
    dtype: np.dtype[Any],
    seed: int,
) -> Report:
    original = failure[1].counterexample
    assert original is not None
    if (
        original.kind == "raises"
        and not any(j.skipped is None for j in judgements[:-1])
        and _always_raises(judge, dtype, seed)
    ):
        return _report("unsupported", f"no call returns: {original.finding}", judge, judgements)
    _, judged = shrink(judge, judge.spec.inputs, dtype, failure, seed, judge.spec.plan)
    example = judged.counterexample
    assert example is not None
    report = _report("refuted", example.finding, judge, judgements)
    diagnosis = diagnose(judge, example, dtype, seed)
    return Report(
        "refuted",
        example.finding,
        judge.spec.wrt,
        example,
        diagnosis,
        report.cases,
        report.skipped,
        report.largest_error,
        report.bound,
        report.notes,
    )


def _settled(spec: Spec) -> list[str]:
    """What was assumed of the inputs and the sizes."""
    notes = []
    for name, kind in spec.found.items():
        if kind == "int":
            notes.append(f"{name} was taken to hold indices; for a mask say domains={{{name!r}: 'bool'}}")
    if spec.plan.pinned:
        sizes = ", ".join(f"{n} = {size}" for n, size in spec.plan.pinned.items())
        notes.append(f"the loss needs numbers for sizes, such as {sizes}; it was derived anew for others")
    return notes


def _always_raises(judge: Judge, dtype: np.dtype[Any], seed: int) -> bool:
    def raises(judged: Judgement) -> bool:
        return judged.counterexample is not None and judged.counterexample.kind == "raises"

    judged = [judge(case) for case in fixed_cases(judge.spec.inputs, dtype, seed, judge.spec.plan)]
    return all(raises(j) for j in judged if j.skipped is None)


def _report(verdict: Verdict, reason: str, judge: Judge, judgements: Iterable[Judgement]) -> Report:
    judged = list(judgements)
    compared = [j for j in judged if j.skipped is None]
    skipped = Counter(j.skipped for j in judged if j.skipped is not None)
    kinks = sum(j.kinks > 0 for j in compared)
    notes = [*judge.spec.warnings, *_settled(judge.spec)]
    if kinks:
        notes.append(f"{kinks} cases touch a kink; there every slope between those beside it is accepted")
    blur = min((j.blur for j in judged if j.says), default=0.0)
    if verdict != "refuted" and BLUR < blur < np.inf:
        notes.append(f"rounding may be {blur:.1g} of the gradient or more; smaller mistakes were not seen")
    return Report(
        verdict,
        reason,
        judge.spec.wrt,
        cases=len(compared),
        skipped=dict(skipped),
        largest_error=max((j.error for j in compared), default=0.0),
        bound=describe(
            judge.fmt,
            max((j.roundings for j in compared), default=0),
            judge.traced is not None,
            judge.spec.program,
            min((j.reference for j in compared), key=lambda d: d.itemsize, default=judge.fmt.reference),
        ),
        notes=tuple(notes),
    )
