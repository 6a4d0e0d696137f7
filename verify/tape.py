"""``check_autograd``: the tape's gradients of a module against the symbolic ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.errors import SpecError, SymgradError
from verify.candidate import Candidate
from verify.checking import CASES, run_check, wanted_dtype
from verify.report import Report, Verdict
from verify.spec import Spec, make_spec


def check_autograd(
    model: Any,
    shapes: Mapping[str, object],
    criterion: Any = None,
    domains: Mapping[str, str] | None = None,
    dtype: Any = "float32",
    cases: int = CASES,
    seed: int = 0,
) -> Report:
    """Compare what ``loss.backward()`` leaves in each parameter with the derived gradient.

    Args:
        model: a ``symgrad.nn.Module``; its parameters keep their values.
        shapes: the shapes of its data: first what ``forward`` takes, then what the criterion takes.
        criterion: the loss, applied to the model's result and the data that ``forward`` does not take.
        domains: restrictions on the data.
        dtype: of the data.
        cases: how many cases are drawn.
        seed: another seed draws other cases.

    Returns:
        A report with one report for each parameter in ``parameters``.

    Raises:
        SpecError: the model is no module, or has no parameters.
    """
    wanted = wanted_dtype(dtype)
    if not hasattr(model, "named_parameters"):
        raise SpecError("check_autograd takes a module.", where="model", got=type(model).__name__)
    names = tuple(name for name, _ in model.named_parameters())
    if not names:
        raise SpecError("The module has no parameters.", where=type(model).__name__)
    try:
        spec = make_spec(model, shapes, names, domains=domains, criterion=criterion)
    except SpecError:
        raise
    except SymgradError as error:
        return Report("unsupported", str(error), names)
    reports = {}
    for name in names:
        single = make_spec(model, shapes, name, domains=domains, criterion=criterion)
        candidate = _candidate(model, criterion, spec, name)
        reports[name] = run_check(single, candidate, wanted, cases, seed)
    return _together(names, reports)


def _together(names: tuple[str, ...], reports: Mapping[str, Report]) -> Report:
    order: tuple[Verdict, ...] = ("refuted", "unsupported", "passed", "proved")
    worst = min(reports, key=lambda n: order.index(reports[n].verdict))
    first = reports[worst]
    if first:
        reason = "the tape agrees with the derived gradient on every case, for every parameter"
    else:
        reason = f"{worst}: {first.reason}"
    return replace(
        first,
        reason=reason,
        wrt=names,
        cases=max(r.cases for r in reports.values()),
        largest_error=max(r.largest_error for r in reports.values()),
        parameters=reports,
    )


def _candidate(model: Any, criterion: Any, spec: Spec, name: str) -> Candidate:
    inputs = [i.name for i in spec.inputs]

    def tape_gradient(**arrays: Any) -> Any:
        return _tape(model, criterion, arrays)[name]

    opaque = "the tape computes with numbers, which no proof can follow"
    return Candidate(tape_gradient, {i: i for i in inputs}, {}, opaque)


def _tape(model: Any, criterion: Any, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """One forward and one backward pass with these arrays in place of data and parameters."""
    import symgrad.autograd as tape
    from symgrad.nn import swap_parameters
    from symgrad.trace.function import parameters

    leaves = {}
    for name, _ in model.named_parameters():
        leaf = tape.tensor(np.array(arrays[name]))
        leaf.requires_grad_(True)
        leaves[name] = leaf
    data = {n: tape.tensor(np.array(a)) for n, a in arrays.items() if n not in leaves}
    wanted = parameters(model.forward)
    with swap_parameters(model, leaves):
        result = model(**{n: t for n, t in data.items() if n in wanted})
        if criterion is not None:
            forward: Callable[..., Any] = getattr(criterion, "forward", criterion)
            result = forward(result, *(t for n, t in data.items() if n not in wanted))
        result.backward()
    return {n: np.zeros(np.shape(arrays[n])) if t.grad is None else t.grad.numpy() for n, t in leaves.items()}
