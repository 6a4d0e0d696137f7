"""The steps from a file to a reading, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symgrad.errors import ParseError
from verify.scripts.binding import Roles, bind
from verify.scripts.definitions import define
from verify.scripts.dims import Dim
from verify.scripts.flow import Flow
from verify.scripts.kinds import axes_of
from verify.scripts.lift import define_lifted
from verify.scripts.losses import find_loss
from verify.scripts.needs import Needs, collect, divisors
from verify.scripts.reading import Fact, Reading, Step
from verify.scripts.roles import find_gradient
from verify.scripts.rules import new_shapes
from verify.scripts.shapes import Shapes
from verify.scripts.source import Source, load
from verify.scripts.symbols import Sized, assume, name_sizes, parse, seed
from verify.scripts.updates import coefficient


def read(
    path: Path,
    gradient: str | None,
    loss: str | None,
    shapes: Mapping[str, object] | None,
    wrt: Sequence[str] | None,
) -> Reading:
    """See `read_script`."""
    source = load(path)
    try:
        return _read(source, gradient, loss, shapes, wrt)
    except RecursionError:
        raise ParseError("The script is nested too deeply to be followed.", where=str(path)) from None


def _read(
    source: Source,
    gradient: str | None,
    loss: str | None,
    given_shapes: Mapping[str, object] | None,
    wrt: Sequence[str] | None,
) -> Reading:
    flow = Flow(source, define(source))
    flow.run()
    drafts = new_shapes(flow.names)
    found = find_gradient(flow, drafts, gradient, wrt)
    roles = bind(flow, drafts, found, find_loss(flow, drafts, found, loss), wrt)
    inputs = roles.inputs
    made = {name: given.value for name, given in inputs.given.items()}
    stated = parse(given_shapes, inputs.inputs, made, source)
    forms, trial = new_shapes(flow.names), new_shapes(flow.names)
    for reader in (forms, trial):
        seed(reader, inputs.inputs, inputs.variants, stated)
    names = [found.function, roles.loss, *(given.function for given in inputs.given.values())]
    needs = collect(names, inputs.functions, inputs.inputs, flow, forms)
    sized, extra = _sizes(forms, trial, flow, roles, needs)
    namespace = flow.definitions.namespace
    namespace.update(needs.numbers)
    define_lifted(inputs.functions, namespace, str(source.path))
    facts = (*_facts(flow, roles), *sized.facts, *needs.facts, *extra)
    given_args = {name: _renamed(given.arguments) for name, given in inputs.given.items()}
    return Reading(
        path=source.path,
        namespace=namespace,
        loss=roles.loss,
        gradient=found.function,
        given={name: given.function for name, given in inputs.given.items()},
        args=_renamed(roles.gradient_args),
        loss_args=_renamed(roles.loss_args),
        given_args={name: renamed for name, renamed in given_args.items() if renamed},
        wrt=roles.wrt,
        shapes=sized.shapes,
        dtypes=sized.dtypes,
        keys=dict(roles.keys),
        steps=_steps(flow, roles),
        facts=tuple(sorted(dict.fromkeys(facts), key=lambda fact: fact.line)),
    )


def _sizes(forms: Shapes, trial: Shapes, flow: Flow, roles: Roles, needs: Needs) -> tuple[Sized, list[Fact]]:
    """The shapes of the inputs: from the bodies of the functions, then from equal sizes, then as symbols.

    The gradient is what is to be checked: it may say which sizes are fixed (told on `trial`), not which are equal.
    """
    inputs = roles.inputs.inputs
    order = [name for name in inputs if name not in roles.wrt] + [
        name for name in inputs if name in roles.wrt
    ]
    data = [inputs[name] for name in order if name not in roles.wrt]
    values = [roles.loss_value, *(given.value for given in roles.inputs.given.values())]
    forms.inside = True
    results = [forms.read(value) for value in values]
    facts: list[Fact] = []
    if forms.gaps or None in results:
        facts += assume(forms, data, [inputs[name] for name in roles.wrt])
    for number, line, text in divisors(needs.functions, flow.definitions.namespace):
        for value in inputs.values():
            for axis in axes_of(forms.read(value)) or ():
                if forms.dims.size(axis) == number and forms.dims.fix(axis):
                    label = axis.label if isinstance(axis, Dim) else None
                    facts.append(
                        Fact(f"{label} is fixed at {number}, by which a function divides", line, text)
                    )
    trial.inside = True
    for value in (*values, roles.gradient_call):
        trial.read(value)
    for name, value in inputs.items():
        for axis, tried in zip(axes_of(forms.read(value)) or (), axes_of(trial.read(value)) or ()):
            if isinstance(tried, Dim) and trial.dims.find(tried).fixed and forms.dims.fix(axis):
                what = f"a size of {name} is fixed at {forms.dims.size(axis)}, as {roles.gradient.function} needs"
                facts.append(Fact(what, roles.gradient_call.line, roles.gradient_call.text))
    return name_sizes(forms, inputs, order, flow.source), facts


def _facts(flow: Flow, roles: Roles) -> list[Fact]:
    found, inputs, call = roles.gradient, roles.inputs, roles.gradient_call
    facts = [
        Fact(
            f"parameter {inputs.ours(one.update.parameter) or one.update.name} is updated"
            + (", with earlier gradients taking part" if one.update.memory else ""),
            one.update.line,
            one.update.text,
        )
        for one in found.updates
    ]
    facts += [
        Fact(
            f"{one.update.name} is updated too, with a gradient that is written out here; it is not checked",
            *at,
        )
        for one in flow.updates
        if one.loops and one.update.problem == "inline"
        for at in [(one.update.line, one.update.text)]
    ]
    parameters = ", ".join(roles.wrt)
    facts.append(Fact(f"{found.function} returns the gradient of {parameters}", call.line, call.text))
    facts.append(Fact(f"the loss is {roles.loss}: {roles.why}", roles.loss_value.line, roles.loss_value.text))
    for function, renamed in ((found.function, roles.gradient_args), (roles.loss, roles.loss_args)):
        words = ", ".join(f"{theirs} is {ours}" for theirs, ours in _renamed(renamed).items())
        if words:
            facts.append(
                Fact(f"in {function}, {words}", flow.line_of(function) or call.line, f"def {function}")
            )
    for name, given in inputs.given.items():
        arguments = ", ".join(given.arguments.values())
        facts.append(
            Fact(f"{name} comes from {given.function}({arguments})", given.value.line, given.value.text)
        )
    return facts


def _steps(flow: Flow, roles: Roles) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for found in roles.gradient.updates:
        rate, factor = coefficient(found.update, flow.names)
        name = roles.inputs.ours(found.update.parameter) or found.update.name
        steps[name] = Step(found.update.sign, rate, factor, found.update.line)
    return steps


def _renamed(arguments: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for theirs, ours in arguments.items() if theirs != ours}
