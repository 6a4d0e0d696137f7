"""From a loss in any of its spellings to a program with the output ``loss``."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symgrad.errors import ShapeError, SpecError, SymgradError, TraceError
from symgrad.ops.dims import Shape, format_shape, parse_shape
from symgrad.program import DOMAINS, Builder, Input, Program, kind_of, labels_of
from symgrad.trace.advice import warnings_of
from symgrad.trace.array import Traced
from symgrad.trace.function import arguments_for, call, parameters
from symgrad.trace.module import module_inputs, trace_module
from symgrad.trace.operations import lift
from symgrad.trace.sandbox import Sandbox
from symgrad.trace.settle import Settled
from symgrad.trace.sizes import NeedsKind
from symgrad.trace.sympy_expr import names_of, read_sympy, shapes_of
from symgrad.trace.text import check_syntax, names_in, read_text


@dataclass(frozen=True)
class TracedLoss:
    """A traced loss, and what is worth saying about it.

    Attributes:
        program: has the output ``loss``.
        warnings: what is legal but probably not meant.
        pinned: sizes that the function needed as numbers, and the numbers that it was given.
        assumptions: relations between sizes under which the program is the loss.
        found: inputs whose kind matters and that nothing was said of: indices, masks, models for ``zeros_like``.
    """

    program: Program
    warnings: tuple[str, ...]
    pinned: Mapping[str, int] = field(default_factory=dict)
    assumptions: tuple[sympy.Basic, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)


def trace_loss(
    loss: Any,
    shapes: Mapping[str, object] | None = None,
    given: Mapping[str, Any] | None = None,
    criterion: Any = None,
    domains: Mapping[str, str] | None = None,
    syntax: str = "numpy",
    scalar: bool = True,
    pin: bool = False,
) -> TracedLoss:
    """Trace a NumPy function, a text, a SymPy expression, or a module with its criterion.

    Without ``scalar`` the output ``loss`` may have any shape.  With ``pin`` a size that the function needs as a
    number gets a small one, named in ``pinned``; otherwise ``NeedsSize`` is raised.

    Raises:
        SpecError: missing or unknown names; TraceError, ParseError, ShapeError, UnsupportedError: as they say.
    """
    check_syntax(syntax)
    for what, value in (("shapes", shapes), ("given", given), ("domains", domains)):
        if value is not None and not isinstance(value, Mapping):
            raise SpecError(
                f"{what} is a mapping from names.",
                where=what,
                expected="such as {'x': 'n d'}",
                got=repr(value),
            )
    known = {name: parse_shape(s) for name, s in (shapes or {}).items()}
    kinds = _kinds(domains or {}, known)
    if isinstance(loss, sympy.MatrixBase):
        loss = loss.as_immutable()
    if isinstance(loss, sympy.Basic):
        known = {**shapes_of(loss), **known}
    if hasattr(loss, "named_parameters"):
        return _trace_module(loss, criterion, known, kinds)
    if criterion is not None:
        raise SpecError("A criterion belongs to a module.", where="criterion", fix="leave it away")
    return _settle(loss, Settled(known, kinds), given or {}, scalar, pin, syntax)


def _settle(
    loss: Any, settled: Settled, given: Mapping[str, Any], scalar: bool, pin: bool, syntax: str
) -> TracedLoss:
    """Trace; where that needs something to be settled, settle it and start again."""
    first: SymgradError | None = None

    def session() -> _Session:
        return _Session(loss, settled.concrete(), given, settled.domains, syntax, settled.pinned)

    fallback: tuple[TracedLoss, Settled] | None = None
    while True:
        # What the function prints is printed once.
        with nullcontext() if first is None else redirect_stdout(io.StringIO()):
            try:
                traced = session().run(scalar)
            except SymgradError as error:
                first = first or error
                following = settled.after(error)
                if following is None and fallback is not None:
                    traced, settled = fallback
                    break
                if following is None or not (pin or isinstance(error, NeedsKind)):
                    raise first if isinstance(first, ShapeError) else error from None
                settled = following
                continue
        other = settled.next_scheme() if _has_empty(traced.program) else None
        if other is None:
            traced, settled = fallback or (traced, settled)
            break
        # Nothing can be seen of arrays without entries: other numbers show more.
        fallback = fallback or (traced, settled)
        settled = other
    if callable(loss) or any(callable(g) for g in given.values()):
        _refuse_chance(traced, session(), _owner(loss), scalar)
    return replace(
        traced,
        pinned=settled.pinned,
        assumptions=(*traced.assumptions, *settled.assumptions()),
        found={**traced.found, **{n: settled.domains[n] for n in settled.found}},
    )


def _has_empty(program: Program) -> bool:
    return any(d == 0 for name in program.by_name for d in program.type(name).shape)


def _refuse_chance(traced: TracedLoss, again: _Session, owner: str, scalar: bool) -> None:
    """A function whose formula differs from run to run (random numbers, a counter) has no gradient to derive."""
    with redirect_stdout(io.StringIO()):  # what it prints has been printed
        repeated = again.run(scalar)
    if repeated.program != traced.program:
        raise TraceError(
            "The function computes another formula when it is called again.",
            where=owner,
            expected="the same operations on every call",
            fix="pass random numbers and counters in as arguments",
        )


def _kinds(domains: Mapping[str, str], known: Mapping[str, Shape]) -> Mapping[str, str]:
    for name, domain in domains.items():
        if name not in known:
            raise SpecError(
                f"{name!r} has a domain but no shape.", where="domains", expected=", ".join(known)
            )
        if domain not in DOMAINS and labels_of(domain) is None:
            raise SpecError(
                "There is no such domain.",
                where=f"domains[{name!r}]",
                expected=", ".join((*DOMAINS, "labels k")),
                got=domain,
            )
    return domains


class _Session:
    """One run over a loss and the functions in ``given``."""

    def __init__(
        self,
        loss: Any,
        shapes: Mapping[str, Shape],
        given: Mapping[str, Any],
        domains: Mapping[str, str],
        syntax: str,
        pinned: Mapping[str, int],
    ) -> None:
        self.loss, self.shapes, self.given, self.syntax = loss, shapes, given, syntax
        for name in given:
            if name in shapes:
                raise SpecError(
                    f"{name!r} has a shape and is also given by a function.",
                    where="given",
                    fix="leave one of the two away",
                )
        domain = {n: domains.get(n, "real") for n in shapes}
        self.builder = Builder([Input(n, s, kind_of(domain[n]), domain[n]) for n, s in shapes.items()])
        self.values = {n: Traced(self.builder, n, owner=f"the argument {n}") for n in shapes}
        self.sizes = {n: lift(self.builder, size) for n, size in pinned.items()}
        self.sandbox = Sandbox(self.builder, self.values)
        self.computing: list[str] = []
        self.used: set[str] = set()

    def run(self, scalar: bool = True) -> TracedLoss:
        result = self._evaluate(self.loss, "the loss")
        if isinstance(self.loss, (str, sympy.Basic)):
            result = lift(self.builder, result)
        result = _checked_result(result, self.builder, _owner(self.loss), scalar)
        unused = [n for n in self.shapes if n not in self.used]
        if unused:
            expected = ", ".join(sorted(self.used))
            raise SpecError(
                f"{unused[0]!r} is no argument of the loss.",
                where="shapes",
                expected=f"names among {expected}",
                got=", ".join(self.shapes),
                fix="leave it out of shapes, or say in given= which function computes with it",
            )
        for name in self.given:
            if name not in self.used:
                raise SpecError(f"{name!r} is no argument of the loss.", where="given")
        program = self.builder.finish([("loss", result.name)])
        kinds = {i.name: i.kind for i in program.inputs if i.name in self.builder.dtypes_read}
        return TracedLoss(
            program, warnings_of(program), assumptions=tuple(self.builder.assumptions), found=kinds
        )

    def _evaluate(self, source: Any, what: str) -> Any:
        if isinstance(source, str):
            names = {n: self._value(n) for n in names_in(source, self.syntax)}
            known = {n: v for n, v in names.items() if v is not None}
            return read_text(source, self.builder, {**self.sizes, **known}, self.syntax)
        if isinstance(source, (sympy.Basic, sympy.MatrixBase)):
            self.used |= names_of(source) & set(self.shapes) if isinstance(source, sympy.Basic) else set()
            return read_sympy(source, self.builder, {**self.sizes, **self.values})
        if not callable(source):
            raise SpecError(
                f"{what} cannot be traced.",
                expected="a function, a text, a SymPy expression, or a module with a criterion",
                got=type(source).__name__,
            )
        known = {n: v for n, v in self.values.items() if n in parameters(source)}
        self.used |= known.keys()
        result = call(source, arguments_for(source, known, self._value, _owner(source)), self.sandbox)
        self.used |= self.sandbox.taken
        return result

    def _value(self, name: str) -> Any:
        """An input, or the value of a function in ``given``; None for a name that is neither."""
        if name in self.values:
            self.used.add(name)
            return self.values[name]
        if name not in self.given:
            return None
        if name in self.computing:
            circle = " → ".join([*self.computing, name])
            raise SpecError("The functions in given need each other.", where="given", got=circle)
        self.computing.append(name)
        value = lift(self.builder, self._evaluate(self.given[name], f"given[{name!r}]"))
        self.computing.pop()
        self.builder.label(value.name, name)
        self.values[name] = value
        self.used.add(name)
        return value


def _owner(source: Any) -> str:
    return source if isinstance(source, str) else getattr(source, "__name__", type(source).__name__)


def _checked_result(result: Any, builder: Builder, owner: str, scalar: bool = True) -> Traced:
    if isinstance(result, Traced):
        lift(builder, result)  # refuses a value of another trace
    else:
        if isinstance(result, (int, float, sympy.Expr)) and not isinstance(result, bool):
            return lift(builder, result)
        raise TraceError(
            f"The {'loss' if scalar else 'function'} did not return a traced value.",
            where=owner,
            expected=f"{'a scalar' if scalar else 'one array'} computed from the arguments",
            got=type(result).__name__,
            fix="return the loss" if result is None and scalar else None,
        )
    if scalar and result.dims != ():
        raise ShapeError(
            "The loss is not a scalar.",
            where=owner,
            expected="shape ()",
            got=f"shape {format_shape(result.dims)}",
            fix="reduce it with .sum() or .mean()",
        )
    return result


def _trace_module(
    module: Any, criterion: Any, shapes: dict[str, Shape], domains: Mapping[str, str]
) -> TracedLoss:
    found: dict[str, str] = {}
    while True:
        inputs = module_inputs(module, shapes, {**domains, **found})
        builder = Builder(inputs)
        values = {i.name: Traced(builder, i.name, owner=f"the argument {i.name}") for i in inputs}
        try:
            result = trace_module(module, criterion, builder, values)
        except NeedsKind as error:  # labels
            known = found.get(error.name) == error.kind or error.name in domains
            if known or error.name not in shapes:
                raise
            found[error.name] = error.kind
            continue
        except ShapeError as error:
            pinned = _pin(error, shapes)
            if pinned is None:
                raise
            symbol, size = pinned
            shapes = {n: tuple(size if d == symbol else d for d in s) for n, s in shapes.items()}
            continue
        result = _checked_result(result, builder, type(module).__name__)
        program = builder.finish([("loss", result.name)])
        return TracedLoss(program, warnings_of(program), assumptions=tuple(builder.assumptions), found=found)


def _pin(error: ShapeError, shapes: Mapping[str, Shape]) -> tuple[sympy.Symbol, int] | None:
    """A symbol of the data that has to be one of the parameters' sizes, if that is what went wrong."""
    left, right = error.clash if error.clash is not None else (None, None)
    for symbol, size in ((left, right), (right, left)):
        if (
            isinstance(symbol, sympy.Symbol)
            and isinstance(size, int)
            and any(symbol in s for s in shapes.values())
        ):
            return symbol, size
    return None


__all__ = ["TracedLoss", "trace_loss"]
