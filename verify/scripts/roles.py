"""Which function is the gradient, and which variables are the parameters: told from the data flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.errors import ParseError, SpecError
from verify.scripts.definitions import Definitions
from verify.scripts.flow import Flow, Found, Site
from verify.scripts.kinds import axes_of
from verify.scripts.refusals import no_update, other_results, partly_in_update, unreadable_call
from verify.scripts.shapes import Shapes
from verify.scripts.source import Source
from verify.scripts.updates import Update, coefficient
from verify.scripts.values import (
    Call,
    Items,
    Part,
    Table,
    Value,
    call_of,
    reachable,
    resolved,
)


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
    if site is not None and site.call.problem is not None:
        raise unreadable_call(site.call, source)
    if wrt is not None and len(wrt) > 0:
        return Gradient(name, site, tuple(usable), _keys(usable))
    ordered = _ordered(name, _distinct(usable, source), source)
    return Gradient(name, site, tuple(ordered), _keys(ordered))


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
