"""Loss and gradient, bound to the same inputs: whose argument is which of our names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.errors import ParseError, SpecError
from verify.scripts.flow import Flow
from verify.scripts.inputs import Inputs, clash
from verify.scripts.losses import Loss
from verify.scripts.roles import Gradient
from verify.scripts.shapes import Shapes
from verify.scripts.signatures import defaults, every
from verify.scripts.values import Call, Unknown, Value, children, reachable


@dataclass(frozen=True)
class Roles:
    """Loss, gradient, and what they are given.

    Args:
        gradient: the gradient function and its updates.
        gradient_call: a call of it, as the script makes it or with its arguments' own names.
        gradient_args: its arguments -> our names.
        loss: the loss function.
        loss_value: a call of it, or the expression of the script that it was made of.
        loss_args: its arguments -> our names.
        why: what made it the loss, in words.
        inputs: the names.
        wrt: the parameters, our names, in the order of the results.
        keys: parameter -> key, where the results are a dict.
    """

    gradient: Gradient
    gradient_call: Call
    gradient_args: Mapping[str, str]
    loss: str
    loss_value: Value
    loss_args: Mapping[str, str]
    why: str
    inputs: Inputs
    wrt: tuple[str, ...]
    keys: Mapping[str, str]


def bind(flow: Flow, shapes: Shapes, gradient: Gradient, loss: Loss, wrt: Sequence[str] | None) -> Roles:
    """Give the arguments of loss and gradient their names.

    Args:
        flow: the followed script.
        shapes: the forms of its values.
        gradient: the gradient.
        loss: the loss.
        wrt: the parameters, where an option says them.

    Raises:
        ParseError: when an argument cannot be followed, or the gradient gets what the loss does not depend on.
        SpecError: when `wrt` names no input of the loss.
    """
    known: dict[str, Value] = {}
    site = gradient.site.call if gradient.site is not None else None
    for start in (loss.value, site):
        if start is not None:
            for value in _passed([start]):
                known.setdefault(flow.names.get(value, ""), value)
    loss_value = loss.value if loss.value is not None else _stand_in(flow, loss.function or "", known)
    call = site if site is not None else _stand_in(flow, gradient.function, known)
    parameters = [f.update.parameter for f in flow.updates if f.loops or f.update.gradient is not None]
    parameters += [known[name] for name in wrt or () if name in known]
    calls = [v for v in reachable([loss_value, call]) if isinstance(v, Call)]
    inputs = Inputs(flow, shapes, list(dict.fromkeys(parameters)), batches=not clash(calls, flow, shapes))
    if isinstance(loss_value, Call):
        loss_name, loss_args = loss_value.function, inputs.bind(loss_value)
    else:
        made = inputs.make_function(loss_value, flow.names.get(loss_value, "loss"))
        if made is None:
            raise ParseError(
                "The loss is written out in the script in a way that cannot be made a function.",
                where=flow.source.where(loss_value.line),
                got=loss_value.text,
                fix=f"write it as a function and name it: --of {flow.source.option('loss')}",
            )
        loss_name, loss_args = made
    gradient_args = inputs.bind(call)
    names = _parameters(flow, inputs, gradient, wrt)
    used = inputs.leaves(loss_args.values())
    _check(flow, inputs, call, loss_name, used, inputs.leaves(gradient_args.values()), names)
    keys = {
        inputs.ours(found.update.parameter) or found.update.name: gradient.keys[found.update.name]
        for found in gradient.updates
        if found.update.name in gradient.keys
    }
    return Roles(
        gradient, call, gradient_args, loss_name, loss_value, loss_args, loss.why, inputs, names, keys
    )


def _passed(roots: Iterable[Value]) -> list[Value]:
    """What calls are given, and what that was made from, without the insides of functions."""
    stack, seen = list(roots), dict[Value, None]()
    while stack:
        value = stack.pop()
        if value not in seen:
            seen[value] = None
            stack.extend(value.arguments.values() if isinstance(value, Call) else children(value))
    return list(seen)


def _stand_in(flow: Flow, function: str, known: dict[str, Value]) -> Call:
    """A call of a function that the script never calls: its arguments are what has their names."""
    definition = flow.definitions.functions[function]
    optional = defaults(definition.arguments)
    needed = [parameter for parameter in every(definition.arguments) if parameter not in optional]
    arguments = {a: known.setdefault(a, Unknown(definition.line, f"def {function}")) for a in needed}
    value = flow.enter(
        function, arguments, None, ast.copy_location(ast.Name(function, ast.Load()), definition.node)
    )
    if not isinstance(value, Call):
        raise ParseError(
            f"{function} updates parameters itself; it is part of the script.",
            where=flow.source.where(definition.line),
            expected="a function that computes a value from its arguments",
            fix="name the function that computes it",
        )
    return value


def _parameters(flow: Flow, inputs: Inputs, gradient: Gradient, wrt: Sequence[str] | None) -> tuple[str, ...]:
    if wrt:
        unknown = [name for name in wrt if name not in inputs.inputs]
        if unknown:
            raise SpecError(
                f"{unknown[0]} is no input of the loss.",
                where="--wrt",
                expected=f"names among {', '.join(inputs.inputs)}",
                got=", ".join(wrt),
                fix="use the names of the script's variables",
            )
        return tuple(dict.fromkeys(wrt))
    if not gradient.updates:
        raise ParseError(
            f"No line updates a parameter with the result of {gradient.function}.",
            where=str(flow.source.path),
            expected=f"w -= rate * {gradient.function}(...)",
            fix=f"name the parameters: --wrt NAME, of {', '.join(inputs.inputs)}",
        )
    return tuple(inputs.ours(found.update.parameter) or found.update.name for found in gradient.updates)


def _check(
    flow: Flow,
    inputs: Inputs,
    call: Call,
    loss: str,
    used: Sequence[str],
    needed: Sequence[str],
    parameters: Sequence[str],
) -> None:
    source = flow.source
    absent = [name for name in parameters if name not in used]
    if absent:
        raise ParseError(
            f"The parameter {absent[0]} does not enter the loss {loss} through its arguments.",
            where=source.where(call.line),
            expected=f"{loss} and what it is given computed from {absent[0]}",
            got=f"{loss} depends on {', '.join(used)}",
            fix=f"pass {absent[0]} as an argument, or name another loss: --of {source.path.name}::NAME",
        )
    extra = [name for name in needed if name not in used]
    if extra:
        value = inputs.inputs[extra[0]]
        if isinstance(value, Unknown):
            raise ParseError(
                f"Nothing shows how {extra[0]}, which {call.function} is given, is related to the loss {loss}.",
                where=source.where(value.line),
                expected=f"the inputs of {loss}: {', '.join(used)}",
                got=f"{call.function} takes {', '.join(call.arguments)}",
                fix="show it by calls in the script, as y_pred = forward(x, w), or take the same arguments in both",
            )
        raise ParseError(
            f"{call.function} is given {extra[0]}, on which the loss {loss} does not depend.",
            where=source.where(call.line),
            expected=f"the inputs of {loss}: {', '.join(used)}",
            got=f"{call.text}, with {extra[0]} = {value.text}",
            fix=f"pass {extra[0]} to the loss too, or name another loss: --of {source.path.name}::NAME",
        )
