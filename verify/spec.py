"""The question of a check: a loss, differentiated, and what may be handed to the candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.calculus import differentiate
from symgrad.errors import SpecError
from symgrad.ops.dims import bind_dims, shape_of
from symgrad.program import Builder, Input, Program, numpy_callable
from symgrad.trace import Traced, trace_loss
from symgrad.trace.function import arguments_for, call, parameters
from symgrad.trace.operations import lift
from symgrad.trace.text import names_in, read_text


@dataclass(frozen=True)
class Spec:
    """A loss with its derived gradient.

    Attributes:
        program: outputs ``loss`` and one for each name in ``wrt``.
        wrt: the parameters, in the order of the candidate's results.
        single: whether ``wrt`` was one name, not a sequence.
        given: for each intermediate value the function or text that computes it.
        warnings: what the derivation warns of.
    """

    program: Program
    wrt: tuple[str, ...]
    single: bool
    given: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.program.inputs

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a candidate's argument may stand for."""
        return (*(i.name for i in self.inputs), *self.given)

    def sizes(self, arrays: Mapping[str, Any]) -> dict[str, int]:
        """The value of each dimension symbol."""
        shapes = {i.name: i.shape for i in self.inputs}
        return bind_dims(shapes, {n: arrays[n].shape for n in shapes})

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        return shape_of(self.program.type(name).shape, sizes)


def make_spec(
    of: Any,
    shapes: Mapping[str, object],
    wrt: str | Sequence[str],
    given: Mapping[str, Any] | None = None,
    domains: Mapping[str, str] | None = None,
    criterion: Any = None,
) -> Spec:
    """Trace and differentiate the loss.

    Raises:
        SpecError: the call itself is off; other errors of symgrad: the loss cannot be derived.
    """
    single = isinstance(wrt, str)
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    if not names or len(set(names)) < len(names):
        raise SpecError("wrt names each parameter once.", where="wrt", expected="one name or more", got=names)
    needed = _needed_by(of, given or {})
    traced = trace_loss(of, shapes, given=needed or None, domains=domains, criterion=criterion)
    program = differentiate(traced.program, names).program
    return Spec(program, names, single, dict(given or {}), traced.warnings)


def _needed_by(of: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values that the loss reads, directly or through others; the rest are the candidate's alone."""
    found: dict[str, Any] = {}
    waiting = [of]
    while waiting:
        source = waiting.pop()
        if isinstance(source, str):
            names: Sequence[str] = names_in(source)
        elif callable(source) and not hasattr(source, "named_parameters"):
            names = list(parameters(source))
        else:
            continue
        for name in names:
            if name in given and name not in found:
                found[name] = given[name]
                waiting.append(given[name])
    return found


class Values:
    """Inputs and the given values that are computed from them, each when first asked for.

    Args:
        known: the inputs, as arrays or as traced arrays.
        given: the functions or texts of the given values.
        evaluate: runs one of them; is handed its source and a look-up by name.
    """

    def __init__(
        self,
        known: Mapping[str, Any],
        given: Mapping[str, Any],
        evaluate: Callable[[Any, Callable[[str], Any]], Any],
    ) -> None:
        self._known = dict(known)
        self._given = given
        self._evaluate = evaluate

    def __call__(self, name: str) -> Any:
        """The value, or None for a name that stands for nothing."""
        if name not in self._known:
            if name not in self._given:
                return None
            self._known[name] = self._evaluate(self._given[name], self)
        return self._known[name]


def traced_values(builder: Builder, inputs: Sequence[Input], given: Mapping[str, Any]) -> Values:
    """Inputs and given values as values of a program under construction."""

    def evaluate(source: Any, look_up: Callable[[str], Any]) -> Traced:
        if isinstance(source, str):
            return lift(builder, read_text(source, builder, {n: look_up(n) for n in names_in(source)}))
        arguments = arguments_for(source, {}, look_up, getattr(source, "__name__", "given"))
        return lift(builder, call(source, arguments))

    return Values(
        {i.name: Traced(builder, i.name, owner=f"the argument {i.name}") for i in inputs}, given, evaluate
    )


def computed_values(spec: Spec, arrays: Mapping[str, Any]) -> Values:
    """Inputs and given values as arrays; a function runs as it stands, a text as its program."""

    def evaluate(source: Any, look_up: Callable[[str], Any]) -> Any:
        if isinstance(source, str):
            program = _given_program(spec, source)
            return numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
        arguments = arguments_for(source, {}, look_up, getattr(source, "__name__", "given"))
        return source(**arguments)

    return Values(arrays, spec.given, evaluate)


def _given_program(spec: Spec, source: str) -> Program:
    builder = Builder(spec.inputs)
    values = traced_values(builder, spec.inputs, spec.given)
    result = lift(builder, read_text(source, builder, {n: values(n) for n in names_in(source)}))
    return builder.finish([("value", result.name)])
