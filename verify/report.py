"""What a check hands back, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["proved", "passed", "refuted", "unsupported"]

MAX_LINES = 25
"""A report is read at a glance."""


@dataclass(frozen=True)
class Counterexample:
    """Inputs on which the candidate is wrong.

    Attributes:
        inputs: the arrays that the loss takes, by name.
        expected: the derived gradient of ``parameter``, None where the finding is not about values.
        got: what the candidate returned for it, None where it returned nothing usable.
        parameter: the parameter concerned, None where the whole call is.
        finding: what is wrong, in a sentence.
        kind: ``value``, ``shape``, ``dtype``, ``nonfinite``, ``type``, ``raises``, ``inputs``, ``repeat``.
    """

    inputs: Mapping[str, Any]
    expected: Any
    got: Any
    parameter: str | None
    finding: str
    kind: str


@dataclass(frozen=True)
class Diagnosis:
    """A known mistake that explains what was found.

    Attributes:
        mistake: its row in the table of mistakes.
        text: the mistake in a sentence.
        parameter: the parameter concerned.
        where: how much of the gradient it concerns.
        fix: what to write instead.
    """

    mistake: int
    text: str
    parameter: str
    where: str
    fix: str


@dataclass(frozen=True)
class Report:
    """The verdict on one gradient.

    Attributes:
        verdict: ``proved``, ``passed``, ``refuted`` or ``unsupported``.
        reason: why this verdict, in a sentence.
        wrt: the parameters whose gradients were checked.
        counterexample: where it fails; None unless refuted.
        diagnosis: the mistake, where it is a known one.
        cases: how many cases were compared.
        skipped: how many were drawn but say nothing, with the causes.
        largest_error: the largest error met, in units of the bound.
        bound: where the tolerance came from.
        notes: what else is worth knowing (warnings of the derivation, kinks, constants).
        parameters: one report for each parameter, where several were checked one by one.
    """

    verdict: Verdict
    reason: str
    wrt: tuple[str, ...] = ()
    counterexample: Counterexample | None = None
    diagnosis: Diagnosis | None = None
    cases: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    largest_error: float = 0.0
    bound: str = ""
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Report] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.verdict in ("proved", "passed")

    def __str__(self) -> str:
        return "\n".join(_shortened(list(_lines(self))))


def _lines(report: Report) -> list[str]:
    names = ", ".join(report.wrt) or "nothing"
    lines = [f"gradient by {names}: {report.verdict}", f"  {report.reason}"]
    if len(report.parameters) > 1:
        lines += [f"  {name}: {r.verdict}  {r.reason}" for name, r in report.parameters.items()]
    example = report.counterexample
    if example is not None:
        if example.finding != report.reason:
            lines.append(f"  {example.finding}")
        lines += _diagnosis(report.diagnosis)
        lines += [_array(name, value) for name, value in example.inputs.items()]
        if example.expected is not None:
            lines.append(_array("expected", example.expected))
        if example.got is not None:
            lines.append(_array("got", example.got))
    counted = [f"{report.cases} case{'s' * (report.cases != 1)}"]
    counted += [f"{n} skipped ({cause})" for cause, n in report.skipped.items() if n]
    if report.verdict in ("proved", "passed"):
        counted.append(f"largest error {report.largest_error:.2g} of the bound")
    if report.cases or report.skipped:
        lines.append(f"  {', '.join(counted)}")
    if report.bound and report.cases and report.verdict != "refuted":
        lines.append(f"  bound: {report.bound}")
    return lines + [f"  note: {note}" for note in report.notes]


def _diagnosis(diagnosis: Diagnosis | None) -> list[str]:
    if diagnosis is None:
        return []
    return [
        f"  likely cause (mistake {diagnosis.mistake}): {diagnosis.text}",
        f"    where: {diagnosis.where}",
        f"    write: {diagnosis.fix}",
    ]


def _array(name: str, value: Any) -> str:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        return f"    {name} = {value!r}"
    text = np.array2string(array, threshold=40, edgeitems=2, max_line_width=90, separator=", ")
    text = text if array.size else f"empty, shape {array.shape}"
    return f"    {name} = " + text.replace("\n", "\n" + " " * (len(name) + 7))


def _shortened(parts: list[str]) -> list[str]:
    lines = [line for part in parts for line in part.split("\n")]
    if len(lines) <= MAX_LINES:
        return lines
    return [*lines[: MAX_LINES - 1], f"  … {len(lines) - MAX_LINES + 1} more lines; see the report's fields"]
