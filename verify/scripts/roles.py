"""Which function is the gradient, which the loss, which variables are the parameters: told from the data flow."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.errors import ParseError, SpecError
from verify.scripts.definitions import Definitions
from verify.scripts.flow import Flow, Found, Site
from verify.scripts.kinds import axes_of
from verify.scripts.refusals import no_update, other_results, partly_in_update
from verify.scripts.shapes import Shapes
from verify.scripts.source import Source
from verify.scripts.updates import Update, coefficient
from verify.scripts.values import (
    Apply,
    Call,
    Constant,
    Items,
    Part,
    Table,
    Unknown,
    Value,
    call_of,
    depends,
    reachable,
    resolved,
)

_LOSS_WORDS = ("loss", "cost", "error", "err", "mse", "objective", "entropy", "nll", "criterion", "energy")
_METRIC_WORDS = ("acc", "score", "r2", "metric", "precision", "recall", "f1", "rmse", "mae")


@dataclass(frozen=True)
class Gradient:
    """The gradient function and what is done with its results.

    Args:
        function: its name.
        site: the call whose results are used, None where it is never called.
        updates: the updates that use it, in the order of its results.
        keys: the name of an updated variable -> key, where the results are a dict.
    """

    function: str
    site: Site | None
    updates: tuple[Found, ...]
    keys: Mapping[str, str]


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


def find_gradient(flow: Flow, shapes: Shapes, gradient: str | None, wrt: Sequence[str] | None) -> Gradient:
    """The function along whose result the script moves its parameters.

    Args:
        flow: the followed script.
        shapes: the forms of its values.
        gradient: the function's name, where an option says it.
        wrt: the parameters, where an option says them.

    Raises:
        ParseError: when the script does not tell.
        SpecError: when the option names no function of the file.
    """
    source, definitions = flow.source, flow.definitions
    if gradient is not None:
        check_function(gradient, source, definitions, f"FILE.py::{gradient}")
    usable = [found for found in flow.updates if _usable(found.update, shapes)]
    usable = [found for found in usable if found.loops] or usable
    if gradient is not None:
        usable = [found for found in usable if _call(found).function == gradient]
    elif not usable:
        raise no_update(flow)
    functions = list(dict.fromkeys(_call(found).function for found in usable))
    if len(functions) > 1:
        names = ", ".join(dict.fromkeys(found.update.name for found in usable))
        raise ParseError(
            f"The updates of {names} use the results of several functions: {', '.join(functions)}.",
            where=source.where(usable[0].update.line),
            expected="one function that returns the gradients of all parameters",
            got="; ".join(f"line {found.update.line}: {found.update.text}" for found in usable[:4]),
            fix=f"name the one to check: {source.option(functions[0])} (and --wrt {usable[0].update.name})",
        )
    if gradient is None:
        for found in usable:
            rate, factor = coefficient(found.update, flow.names)
            if found.update.sign > 0 or factor is not None:
                raise partly_in_update(found.update, functions[0], factor, rate, source)
    name = gradient if gradient is not None else functions[0]
    site = _site(flow, name, usable)
    if wrt is not None and len(wrt) > 0:
        return Gradient(name, site, tuple(usable), _keys(usable))
    ordered = _ordered(name, _distinct(usable, source), source)
    return Gradient(name, site, tuple(ordered), _keys(ordered))


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


def check_function(name: str, source: Source, definitions: Definitions, option: str) -> None:
    """Refuse a name that is no function of the file."""
    if name in definitions.functions:
        return
    functions = ", ".join(definitions.functions) or "none"
    what = "is a class, not a function" if name in definitions.classes else "is no function of this file"
    raise SpecError(
        f"{name} {what}.",
        where=str(source.path),
        expected=f"one of the functions of the file: {functions}",
        got=option,
        fix=f"write {source.path.name}::NAME with one of these names",
    )


# -- gradient ----------------------------------------------------------------------------------------------------


def _call(found: Found) -> Call:
    gradient = found.update.gradient
    call = None if gradient is None else call_of(gradient)
    if call is None:
        raise ParseError("An update without a gradient was taken for one.", where=f"line {found.update.line}")
    return call


def _usable(update: Update, shapes: Shapes) -> bool:
    if update.gradient is None or not update.whole or call_of(update.gradient) is None:
        return False
    own = call_of(update.gradient)
    for factor in update.factors:  # an array as a factor belongs to the gradient, a rate is a number
        axes = axes_of(shapes.read(factor.value))
        if axes and not any(found is own for found in reachable([factor.value])):
            return False
    return True


def _site(flow: Flow, name: str, usable: Sequence[Found]) -> Site | None:
    used = {_call(found) for found in usable}
    sites = [site for site in flow.calls if site.call.function == name]
    return next((site for site in sites if site.call in used), sites[0] if sites else None)


def _distinct(usable: Sequence[Found], source: Source) -> list[Found]:
    """One update for each parameter."""
    kept: dict[Value, Found] = {}
    for found in usable:
        kept.setdefault(found.update.parameter, found)
    wholes = [found for found in kept.values() if isinstance(found.update.gradient, Call)]
    if len(wholes) > 1:
        names = " and ".join(found.update.name for found in wholes)
        raise ParseError(
            f"{names} are updated with the results of different calls of {_call(wholes[0]).function}.",
            where=source.where(wholes[0].update.line),
            expected="one call that returns the gradients of all parameters",
            got="; ".join(f"line {found.update.line}: {found.update.text}" for found in wholes[:4]),
            fix=f"name one parameter: --wrt {wholes[0].update.name}",
        )
    return list(kept.values())


def _ordered(function: str, usable: Sequence[Found], source: Source) -> list[Found]:
    """The updates in the order of the results, all of which must be used."""
    parts = [found for found in usable if isinstance(found.update.gradient, Part)]
    if not parts:
        return list(usable)
    result = resolved(_call(parts[0]))
    keys = [found.update.gradient.key for found in parts if isinstance(found.update.gradient, Part)]
    if all(isinstance(key, int) for key in keys):
        count = len(result.items) if isinstance(result, Items) else len(keys)
        positions = [key % count if isinstance(key, int) and count else -1 for key in keys]
        if sorted(positions) != list(range(count)):
            raise other_results(function, count, parts, source)
        return [found for _, found in sorted(zip(positions, parts), key=lambda pair: pair[0])]
    order = list(result.entries) if isinstance(result, Table) else []
    return sorted(parts, key=lambda found: _place(found.update.gradient, order))


def _place(part: Value | None, order: Sequence[str]) -> int:
    key = part.key if isinstance(part, Part) else None
    return order.index(key) if isinstance(key, str) and key in order else len(order)


def _keys(usable: Iterable[Found]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in usable:
        part = one.update.gradient
        if isinstance(part, Part) and isinstance(part.key, str):
            found[one.update.name] = part.key
    return found


# -- loss --------------------------------------------------------------------------------------------------------


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
    return depends(call, parameters) and bool((_leaves(call) & _leaves(gradient)) - set(parameters))


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
        return losses, f"by its name, among {names[0]} and the like: {others} is named as a metric"
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
