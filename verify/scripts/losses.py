"""Which function is the loss: told from the data flow, by its name only where a metric stands beside it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.errors import ParseError
from verify.scripts.flow import Flow, Site
from verify.scripts.kinds import axes_of
from verify.scripts.roles import Gradient, check_function
from verify.scripts.shapes import Shapes
from verify.scripts.values import (
    Apply,
    Call,
    Constant,
    Items,
    Part,
    Table,
    Unknown,
    Value,
    depends,
    reachable,
)

_LOSS_WORDS = ("loss", "cost", "error", "err", "mse", "objective", "entropy", "nll", "criterion", "energy")
_METRIC_WORDS = ("acc", "score", "r2", "metric", "precision", "recall", "f1", "rmse", "mae")


@dataclass(frozen=True)
class Loss:
    """The loss and the call that was taken.

    Args:
        function: its name, None where the loss is written out in the script.
        value: the call, or the value that is written out; None where it is never called.
        why: what decided, in words.
    """

    function: str | None
    value: Value | None
    why: str


def find_loss(flow: Flow, shapes: Shapes, gradient: Gradient, loss: str | None) -> Loss:
    """The function whose result the script shows, computed from what the gradient gets, and not used in the update.

    Args:
        flow: the followed script.
        shapes: the forms of its values.
        gradient: the gradient.
        loss: the function's name, where an option says it.

    Raises:
        ParseError: when there is none, or more than one.
        SpecError: when the option names no function of the file.
    """
    source = flow.source
    call = gradient.site.call if gradient.site is not None else None
    parameters = [found.update.parameter for found in gradient.updates]
    if loss is not None:
        check_function(loss, source, flow.definitions, f"--of FILE.py::{loss}")
        sites = [site for site in flow.calls if site.call.function == loss]
        best = max(sites, key=lambda site: _shared(site.call, call), default=None)
        return Loss(loss, None if best is None else best.call, "an option names it")
    if call is None:
        raise ParseError(
            f"The script never calls {gradient.function}, so nothing tells which loss it belongs to.",
            where=str(source.path),
            expected="a loop that calls the loss and the gradient",
            got=f"functions {', '.join(flow.definitions.functions)}",
            fix=f"name the loss: --of {source.path.name}::NAME",
        )
    training = _training(flow, gradient)
    feeding = {v.function for v in reachable(call.arguments.values()) if isinstance(v, Call)}
    candidates = [
        site
        for site in flow.calls
        if site.call.function not in training | feeding | {gradient.function}
        and set(site.inside) <= training
        and _may_be_loss(site.call, call, parameters, shapes)
    ]
    chosen, why = _choose(candidates, flow, gradient)
    if len(chosen) == 1:
        site = max(
            (s for s in candidates if s.call.function == chosen[0]), key=lambda s: _shared(s.call, call)
        )
        return Loss(chosen[0], site.call, why)
    if not chosen:
        written = _written_out(flow, shapes, call, parameters)
        if written is not None:
            return Loss(None, written, "it is shown and not used in the update")
    raise _no_loss(flow, chosen, candidates, gradient, call)


def _training(flow: Flow, gradient: Gradient) -> set[str]:
    """The functions that train: they call the gradient or make the updates."""
    inside = set(gradient.site.inside if gradient.site is not None else ())
    for found in flow.updates:
        if found.update.gradient is not None:
            inside |= set(found.inside)
    return inside


def _leaves(call: Call | None) -> set[Value]:
    """The arrays that enter a call."""
    if call is None:
        return set()
    return {
        v
        for v in reachable(call.arguments.values(), shapes_count=False)
        if (isinstance(v, Apply) and v.op not in ("slice", "neg")) or isinstance(v, Unknown | Part)
    }


def _shared(call: Call, gradient: Call | None) -> int:
    return len(_leaves(call) & _leaves(gradient))


def _may_be_loss(call: Call, gradient: Call, parameters: Sequence[Value], shapes: Shapes) -> bool:
    if call.result is None or isinstance(call.result, Items | Table | Constant):
        return False
    axes = axes_of(shapes.read(call))
    if axes is not None and any(axis != 1 for axis in axes):
        return False
    data = _leaves(gradient) - set(parameters)
    return depends(call, parameters) and (not data or bool(_leaves(call) & data))


def _choose(candidates: Sequence[Site], flow: Flow, gradient: Gradient) -> tuple[list[str], str]:
    """The functions that remain, and what decided between them: the loop, the output, and at last the name."""
    names = list(dict.fromkeys(site.call.function for site in candidates))
    if len(names) <= 1:
        return names, "it gets what the gradient gets, and its result is not used in the update"
    loops = [found.loops for found in gradient.updates] or [gradient.site.loops if gradient.site else ()]
    for why, kept in (
        ("it is computed in the loop of the update", [s for s in candidates if s.loops in loops]),
        ("its result is shown", [s for s in candidates if s.call in flow.reported]),
    ):
        left = list(dict.fromkeys(site.call.function for site in kept))
        if len(left) == 1:
            return left, why
        candidates = kept or candidates
    names = list(dict.fromkeys(site.call.function for site in candidates))
    losses = [name for name in names if _named(name, _LOSS_WORDS) and not _named(name, _METRIC_WORDS)]
    if len(losses) == 1 and all(_named(name, _METRIC_WORDS) for name in names if name not in losses):
        others = ", ".join(name for name in names if name not in losses)
        return losses, f"it is chosen by its name, as {others} is named as a metric"
    return names, ""


def _named(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower() for word in words)


def _written_out(flow: Flow, shapes: Shapes, gradient: Call, parameters: Sequence[Value]) -> Value | None:
    """A loss that the script computes without a function, where there is just one such value."""
    used = set(
        reachable([found.update.gradient for found in flow.updates if found.update.gradient is not None])
    )
    found = [
        value
        for value, origin in flow.origins.items()
        if isinstance(value, Apply)
        and value in flow.names
        and value in flow.reported
        and value not in used
        and isinstance(origin.node, ast.BinOp | ast.Call | ast.UnaryOp)
        and axes_of(shapes.read(value)) == ()
        and depends(value, parameters)
        and bool(set(reachable([value], shapes_count=False)) & (_leaves(gradient) - set(parameters)))
    ]
    return found[0] if len(found) == 1 else None


def _no_loss(
    flow: Flow, names: Sequence[str], candidates: Sequence[Site], gradient: Gradient, call: Call
) -> ParseError:
    source = flow.source
    if names:
        return ParseError(
            "Several functions may be the loss: " + ", ".join(names) + ".",
            where=source.where(call.line),
            expected="one function whose result is shown and not used in the update",
            got="; ".join(
                f"line {site.call.line}: {site.call.text}"
                for site in {s.call.function: s for s in candidates}.values()
                if site.call.function in names
            ),
            fix=" or ".join(f"--of {source.option(name)}" for name in names),
        )
    others = [name for name in flow.definitions.functions if name != gradient.function]
    return ParseError(
        f"No function computes a loss from what {gradient.function} is given.",
        where=source.where(call.line),
        expected="a call such as loss(y_pred, y) whose result is one number, shown and not used in the update",
        got=f"other functions of the file: {', '.join(others) or 'none'}",
        fix=f"name the loss: --of {source.option(others[-1] if others else 'NAME')}",
    )
