"""One case: the reference with its bound, the candidate's call, the comparison, and what else is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.program import Program, numpy_callable
from verify.candidate import Answer, Candidate, Finding, run
from verify.drawing import Case
from verify.kinks import explained
from verify.report import Counterexample
from verify.spec import Spec, computed_values
from verify.tolerance import Evaluation, Format, error_bound, evaluate
from verify.trace import Followed, try_trace


@dataclass(frozen=True)
class Judgement:
    """What one case says.

    Attributes:
        counterexample: the failure, None where the candidate is right or the case says nothing.
        skipped: why the case says nothing, None where it was compared.
        error: the largest error in units of the bound.
        kinks: entries on a kink, where every slope between the two sides is accepted.
        roundings: how many roundings the bound allows for.
        reference: what the reference was computed in.
        blur: how large the bound is beside the gradient, at the entry of each parameter that is seen best.
        empty: whether a size was 0, so that there was little to compare.
        gradients: for each parameter what came and what was expected, for the diagnosis.
    """

    counterexample: Counterexample | None = None
    skipped: str | None = None
    error: float = 0.0
    kinks: int = 0
    roundings: int = 0
    gradients: Mapping[str, tuple[Any, Any]] | None = None
    reference: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float64))
    blur: float = 0.0
    empty: bool = False

    @property
    def says(self) -> bool:
        """Whether numbers were compared."""
        return self.skipped is None and not self.empty


@dataclass(frozen=True)
class Judge:
    """Everything that judging a case needs.

    Attributes:
        traced: the candidate's own program, where it could be followed.
    """

    spec: Spec
    candidate: Candidate
    fmt: Format
    traced: Followed | None = None
    _others: dict[Any, Followed | None] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, case: Case, repeat: bool = False) -> Judgement:
        """Judge one case; ``repeat`` calls the candidate twice and looks for a difference."""
        arrays = dict(case.arrays)
        sizes = self.spec.sizes(arrays)
        spec = self.spec.at(sizes)
        if spec is None:
            return Judgement(skipped="the loss cannot be derived at these sizes")
        found = evaluate(spec.program, arrays, sizes, self.fmt)
        if found is None:
            return Judgement(skipped="the formula is not defined here")
        if not self._finite(found):
            return Judgement(skipped="loss or gradient not finite")
        if found.ill:
            return Judgement(skipped=f"too ill-conditioned for a bound on {found.ill}")
        before = {n: a.copy() for n, a in arrays.items()}
        answer = self._run(arrays)
        if answer.finding is not None:
            if answer.finding.kind == "raises" and 0 in sizes.values():
                return Judgement(skipped="raises where a size is 0")
            if answer.finding.kind == "singular":
                return Judgement(skipped="the candidate has no result for a singular matrix")
            return _failure(before, answer.finding)
        wrong = self._shapes(answer, sizes)
        if wrong is not None and spec is not self.spec and 0 in sizes.values():
            return Judgement(skipped="another shape where a size is 0")
        if wrong is not None:
            return _failure(
                before, wrong, _plain(found, wrong.parameter), answer.gradients.get(wrong.parameter or "")
            )
        judged = self._compare(spec, found, answer, before, sizes)
        if repeat and judged.counterexample is None and judged.skipped is None:
            return self._again(judged, arrays, before, answer)
        return judged

    def _run(self, arrays: Mapping[str, Any]) -> Answer:
        return run(self.candidate, self.spec, computed_values(self.spec, arrays))

    def _finite(self, found: Evaluation) -> bool:
        """Whether loss and gradient are finite numbers of the candidate's dtype."""
        limit = float(np.finfo(self.fmt.dtype).max)
        results = [b.value for b in found.outputs.values()]
        return found.peak < limit and all(bool(np.all(np.abs(v) < limit)) for v in results)

    def _shapes(self, answer: Answer, sizes: Mapping[str, int]) -> Finding | None:
        for name, got in answer.gradients.items():
            want = self.spec.shape(name, sizes)
            if got.shape != want:
                text = f"the gradient by {name} has shape {got.shape}, wanted {want} as {name} has"
                return Finding("shape", text, name)
        return None

    def _program(self, spec: Spec, sizes: Mapping[str, int]) -> Program | None:
        """The candidate's program for these sizes."""
        if self.candidate.opaque:
            return None
        if spec is self.spec:
            return self.traced.at(sizes) if self.traced is not None else None
        key = tuple(sorted(sizes.items()))
        if key not in self._others:
            self._others[key] = try_trace(self.candidate, spec)[0]
        followed = self._others[key]
        return followed.at(sizes) if followed is not None else None

    def _compare(
        self,
        spec: Spec,
        found: Evaluation,
        answer: Answer,
        before: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> Judgement:
        traced = self._program(spec, sizes)
        own = evaluate(traced, before, sizes, self.fmt) if traced is not None else None
        if own is not None and own.ill:
            return Judgement(skipped=f"too ill-conditioned for a bound on {own.ill}")
        worst, roundings, vague, blur = 0.0, 0, False, 0.0
        pairs = {n: (answer.gradients[n], found.outputs[n].value) for n in self.spec.wrt}
        for name, (got, expected) in pairs.items():
            reference = found.outputs[name]
            roundings = max(roundings, reference.roundings)
            if not np.all(np.isfinite(got)):
                if found.kinks:
                    return Judgement(skipped="not finite on a kink")
                if not self._calm(spec, found, before):
                    return Judgement(skipped="near overflow")
                text = f"the gradient by {name} is not finite, though the loss and its gradient are"
                return _failure(before, Finding("nonfinite", text, name), expected, got, pairs)
            mine = own.outputs[name] if own else None
            smooth = error_bound(reference, self.fmt, mine)
            bound = smooth + (0 if reference.jump is None else reference.jump)
            difference = got.astype(self.fmt.reference) - expected
            ratio = _largest_ratio(np.abs(difference), bound)
            worst = max(worst, ratio)
            aside = bool(found.kinks) and not explained(
                difference, found.nearby[name], reference, smooth, self.fmt
            )
            if (ratio > 1 or aside) and self._near_overflow(found):
                return Judgement(skipped="near overflow")
            if ratio > 1 or aside:
                text = _where_wrong(name, np.abs(difference), bound if ratio > 1 else smooth)
                return _failure(before, Finding("value", text, name), expected, got, pairs, ratio)
            blur = max(blur, _blur(smooth, expected))
            vague = vague or _says_nothing(smooth, expected, found.largest)
        if vague:
            return Judgement(skipped="rounding may be larger than every value")
        return Judgement(
            error=worst,
            kinks=found.kinks,
            roundings=roundings,
            gradients=pairs,
            reference=found.reference,
            blur=blur,
            empty=0 in sizes.values(),
        )

    def _near_overflow(self, found: Evaluation) -> bool:
        """Whether squares of the values may overflow, as they do within 1/(1 + exp(z))² where z is large."""
        return found.peak > float(np.finfo(self.fmt.dtype).max) ** 0.5

    def _calm(self, spec: Spec, found: Evaluation, arrays: Mapping[str, Any]) -> bool:
        """Whether everything is so far from overflow that even the squares of all values are finite."""
        if self._near_overflow(found):
            return False
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss, gradients = numpy_callable(spec.program)(*(arrays[i.name] for i in spec.program.inputs))
        return all(bool(np.all(np.isfinite(v))) for v in (loss, *gradients.values()))

    def _again(
        self, judged: Judgement, arrays: Mapping[str, Any], before: Mapping[str, Any], answer: Answer
    ) -> Judgement:
        first = {n: np.array(a) for n, a in answer.gradients.items()}
        again = self._run({n: a.copy() for n, a in arrays.items()})
        if again.finding is not None:
            return _failure(before, Finding("repeat", f"on the second call {again.finding.text}"))
        for name, value in first.items():
            second = again.gradients[name]
            if second.shape != value.shape or not np.array_equal(second, value, equal_nan=True):
                text = f"a second call on the same inputs gives another gradient by {name}"
                return _failure(before, Finding("repeat", text, name), value, second)
        self._run({n: _another(a) for n, a in arrays.items()})
        for name, value in first.items():
            if not np.array_equal(answer.gradients[name], value, equal_nan=True):
                text = f"a later call changes the gradient by {name} that an earlier one returned"
                return _failure(before, Finding("repeat", text, name), value, answer.gradients[name])
        return judged


def _another(a: Any) -> Any:
    """Other values of the same kind; labels stay, as there may be no others."""
    return (a + 1).astype(a.dtype) if a.dtype.kind == "f" else a.copy()


def _largest_ratio(error: Any, bound: Any) -> float:
    if not error.size:
        return 0.0
    with np.errstate(all="ignore"):
        ratio = np.where(error == 0, 0.0, error / bound)
    return float(np.max(ratio))


def _blur(bound: Any, expected: Any) -> float:
    """The bound beside the gradient, where it is smallest; infinite where the gradient is 0."""
    with np.errstate(all="ignore"):
        ratio = np.where(expected == 0, np.inf, bound / np.abs(expected))
    return float(np.min(ratio, initial=np.inf))


def _says_nothing(bound: Any, expected: Any, largest: float) -> bool:
    """Whether any result would be within the bound: it exceeds every value of the computation, at every entry."""
    if not bound.size:
        return False
    return bool(np.all(bound > np.abs(expected)) and np.min(bound) > largest)


def _where_wrong(name: str, error: Any, bound: Any) -> str:
    wrong = int(np.count_nonzero(error > bound))
    entries = "1 of 1 entry" if error.size == 1 else f"{wrong} of {error.size} entries"
    return f"the gradient by {name} is wrong in {entries}, by up to {float(np.max(error)):.3g}"


def _plain(found: Evaluation, parameter: str | None) -> Any:
    return found.outputs[parameter].value if parameter is not None else None


def _failure(
    arrays: Mapping[str, Any],
    finding: Finding,
    expected: Any = None,
    got: Any = None,
    pairs: Mapping[str, tuple[Any, Any]] | None = None,
    error: float = float("inf"),
) -> Judgement:
    dtype = next((a.dtype for a in arrays.values() if a.dtype.kind == "f"), np.dtype(np.float64))
    if expected is not None:
        expected = np.asarray(expected).astype(dtype)
    example = Counterexample(arrays, expected, got, finding.parameter, finding.text, finding.kind)
    return Judgement(example, error=error, gradients=pairs)
