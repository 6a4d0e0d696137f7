"""The question of a check: a loss, differentiated, and what may be handed to the candidate.

A loss may need sizes as numbers (a loop over rows), or hold only where sizes differ.  Its gradient is then derived
anew for each case whose sizes do not fit: ``Spec.at``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symgrad.calculus import differentiate
from symgrad.errors import SpecError, SymgradError
from symgrad.ops.dims import Shape, as_dim, bind_dims, dim_symbol, parse_shape, shape_of
from symgrad.program import Builder, Input, Program, at_sizes, numpy_callable
from symgrad.trace import Traced, TracedLoss, trace_loss
from symgrad.trace.function import arguments_for, call, parameters
from symgrad.trace.operations import lift
from symgrad.trace.text import names_in, read_text
from verify.drawing import symbols_of
from verify.labels import limited
from verify.sizes import Plan, equations_of, multiples_of


@dataclass(frozen=True)
class Question:
    """A loss as it was given; it can be traced again with numbers for its sizes."""

    of: Any
    shapes: Mapping[str, object]
    wrt: tuple[str, ...]
    given: Mapping[str, Any]
    domains: Mapping[str, str]
    criterion: Any

    def trace(self, sizes: Mapping[str, int], kinds: Mapping[str, str]) -> TracedLoss:
        """The loss at these sizes; where the mapping is empty, for as many sizes as can be."""
        shapes: Mapping[str, object] = self.shapes
        domains = {**self.domains, **kinds}
        if sizes:
            values = {dim_symbol(n): sympy.Integer(s) for n, s in sizes.items()}
            shapes = {n: _at(parse_shape(s), values) for n, s in self.shapes.items()}
            domains = {n: at_sizes(d, sizes) for n, d in domains.items()}
        given = _needed_by(self.of, self.given)
        return trace_loss(
            self.of, shapes, given=given or None, domains=domains, criterion=self.criterion, pin=True
        )


def _at(shape: Shape, values: Mapping[sympy.Symbol, sympy.Integer]) -> Shape:
    return tuple(as_dim(sympy.sympify(d).xreplace(values)) for d in shape)


@dataclass(frozen=True)
class Spec:
    """A loss with its derived gradient.

    Attributes:
        program: outputs ``loss`` and one for each name in ``wrt``.
        wrt: the parameters, in the order of the candidate's results.
        single: whether ``wrt`` was one name, not a sequence.
        given: for each intermediate value the function or text that computes it.
        warnings: what the derivation warns of.
        inputs: what is drawn: the program's inputs with the shapes that were given.
        plan: which sizes may be drawn.
        assumptions: relations between sizes without which the program is not the loss's.
        found: inputs that were taken to hold whole numbers or truth values, though nothing was said of them.
        question: how the loss was given; None where it is not traced again.
    """

    program: Program
    wrt: tuple[str, ...]
    single: bool
    given: Mapping[str, Any]
    warnings: tuple[str, ...]
    inputs: tuple[Input, ...]
    plan: Plan = field(default_factory=Plan)
    assumptions: tuple[sympy.Basic, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)
    question: Question | None = None
    _others: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a candidate's argument may stand for."""
        return (*(i.name for i in self.inputs), *self.given)

    @property
    def general(self) -> bool:
        """Whether the program is the loss's for all sizes."""
        return not self.plan.pinned and not self.assumptions

    def sizes(self, arrays: Mapping[str, Any]) -> dict[str, int]:
        """The value of each dimension symbol."""
        shapes = {i.name: i.shape for i in self.inputs}
        return bind_dims(shapes, {n: arrays[n].shape for n in shapes})

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        return shape_of(next(i.shape for i in self.inputs if i.name == name), sizes)

    def at(self, sizes: Mapping[str, int]) -> Spec | None:
        """The question at these sizes: this one where it holds, else one derived anew.

        Returns:
            None where the loss cannot be derived at these sizes.
        """
        if self.question is None or self.general or self._holds(sizes):
            return self
        key = tuple(sorted(sizes.items()))
        if key not in self._others:
            self._others[key] = self._derived(sizes)
        return self._others[key]

    def _holds(self, sizes: Mapping[str, int]) -> bool:
        if any(sizes.get(n, value) != value for n, value in self.plan.pinned.items()):
            return False
        values = {dim_symbol(n): s for n, s in sizes.items()}
        return all(a.subs(values) == sympy.true for a in self.assumptions)

    def _derived(self, sizes: Mapping[str, int]) -> Spec | None:
        assert self.question is not None
        try:
            traced = self.question.trace(sizes, self.found)
            program = differentiate(traced.program, self.wrt).program
        except SymgradError:
            return None
        return Spec(program, self.wrt, self.single, self.given, self.warnings, program.inputs)


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
    question = Question(of, shapes, names, dict(given or {}), dict(domains or {}), criterion)
    traced = question.trace({}, {})
    program = differentiate(traced.program, names).program
    module = hasattr(of, "named_parameters")
    inputs = limited(
        program,
        [
            i
            if module or i.name not in shapes
            else Input(i.name, parse_shape(shapes[i.name]), i.kind, i.domain)
            for i in program.inputs
        ],
        traced.pinned,
    )
    spec = Spec(
        program,
        names,
        single,
        dict(given or {}),
        traced.warnings,
        inputs,
        Plan(dict(traced.pinned), equations_of(traced.assumptions)),
        traced.assumptions,
        {n: kind for n, kind in traced.found.items() if kind != "real"},
        question,
    )
    multiples = {
        n: step for n, step in multiples_of(traced.assumptions).items() if not _between(spec, n, step)
    }
    return replace(spec, plan=replace(spec.plan, multiples=multiples)) if multiples else spec


def _between(spec: Spec, name: str, step: int) -> bool:
    """Whether the loss can be had where a size is no multiple: n // 2 of an odd n, but not two halves of it."""
    wanted = dict.fromkeys(symbols_of(spec.inputs), 2 * step) | {name: 2 * step + 1}
    return spec.at(spec.plan.fit(wanted, spec.inputs)) is not None


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
    builder = Builder(spec.program.inputs)
    values = traced_values(builder, spec.program.inputs, spec.given)
    result = lift(builder, read_text(source, builder, {n: values(n) for n in names_in(source)}))
    return builder.finish([("value", result.name)])
