"""Tracing a ``Module`` with a criterion: its ``forward``, run with traced arrays in place of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgrad.errors import ShapeError, SpecError
from symgrad.ops.dims import Shape
from symgrad.program import Builder, Input, kind_of
from symgrad.trace.array import Traced
from symgrad.trace.function import arguments_for, call, parameters

if TYPE_CHECKING:
    from symgrad.nn import Module


def module_inputs(module: Module, shapes: Mapping[str, Shape], domains: Mapping[str, str]) -> list[Input]:
    """The data named in ``shapes``, then the module's parameters; a name in both takes the given shape."""
    own = {name: tuple(int(d) for d in p.shape) for name, p in module.named_parameters()}
    for name, shape in shapes.items():
        if name in own and len(shape) != len(own[name]):
            raise ShapeError("The parameter has another rank.", where=name, expected=own[name], got=shape)
    data = [
        Input(n, s, kind_of(domains.get(n, "real")), domains.get(n, "real"))
        for n, s in shapes.items()
        if n not in own
    ]
    return data + [Input(n, shapes.get(n, s)) for n, s in own.items()]


def trace_module(module: Module, criterion: Any, builder: Builder, values: Mapping[str, Traced]) -> Traced:
    """Write ``criterion(module(x…), y…)``.

    ``forward`` takes the data whose names are its parameters; the others go, in order, to the criterion.

    Raises:
        SpecError: data is missing for ``forward`` or for the criterion.
    """
    from symgrad.nn import swap_parameters

    own = {name for name, _ in module.named_parameters()}
    data = {n: v for n, v in values.items() if n not in own}
    wanted = parameters(module.forward)
    arguments = arguments_for(module.forward, data, lambda name: None, f"{type(module).__name__}.forward")
    rest = [v for n, v in data.items() if n not in wanted]
    with swap_parameters(module, {n: v for n, v in values.items() if n in own}):
        result = call(module.forward, arguments)
        if criterion is None:
            return result
        forward = getattr(criterion, "forward", criterion)
        names = [n for n, p in parameters(forward).items() if p.default is p.empty]
        if len(names) != 1 + len(rest):
            raise SpecError(
                "The criterion's arguments do not match the data.",
                where=type(criterion).__name__,
                expected=f"{', '.join(names)}, the first being the module's result",
                got=f"shapes for {', '.join(n for n in data if n not in wanted) or 'nothing'} besides forward's",
            )
        return call(forward, dict(zip(names, [result, *rest], strict=True)))
