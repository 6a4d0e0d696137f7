"""The candidate as a program of the loss's inputs, where it can be followed."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.ops.dims import dim_symbol
from symgrad.program import Builder, Program
from symgrad.trace.function import call
from symgrad.trace.operations import lift
from verify.candidate import Candidate, Finding, by_parameter
from verify.spec import Spec, traced_values

_LOOKS_AT_ITS_KIND = {
    "isinstance",
    "issubclass",
    "type",
    "hasattr",
    "getattr",
    "callable",
    "globals",
    "locals",
}


@dataclass(frozen=True)
class Followed:
    """The candidate's program, and relations between sizes without which it is not what the candidate computes."""

    program: Program
    assumptions: tuple[sympy.Basic, ...] = ()

    def at(self, sizes: Mapping[str, int]) -> Program | None:
        """The program, if it is the candidate's at these sizes."""
        values = {dim_symbol(n): s for n, s in sizes.items()}
        return self.program if all(a.subs(values) == sympy.true for a in self.assumptions) else None


def trace_candidate(candidate: Candidate, spec: Spec) -> Followed:
    """Run the candidate on traced arrays; the result has one output for each parameter.

    Raises:
        SymgradError: it cannot be followed; why is in the message.
    """
    refuse_kind_tests(candidate.function)
    builder = Builder(spec.program.inputs)
    values = traced_values(builder, spec.program.inputs, spec.given)
    result = call(candidate.function, candidate.arguments(values))
    found = by_parameter(result, candidate, spec)
    if isinstance(found, Finding):
        raise UnsupportedError(found.text, where=candidate.name)
    outputs: Mapping[str, Any] = {name: lift(builder, value) for name, value in found.items()}
    program = builder.finish([(name, value.name) for name, value in outputs.items()])
    return Followed(program, tuple(builder.assumptions))


def try_trace(candidate: Candidate, spec: Spec) -> tuple[Followed | None, str]:
    """The candidate's program, or None and the first line of why not."""
    try:
        return trace_candidate(candidate, spec), ""
    except SymgradError as error:
        return None, error.what


def refuse_kind_tests(function: Any) -> None:
    """Refuse code that may act otherwise on arrays than on traced ones: it asks for types, or catches errors.

    Raises:
        UnsupportedError: there is such code in the function or in a function that it names.
    """
    for code in _codes(function, set()):
        asked = _LOOKS_AT_ITS_KIND & set(code.co_names)
        if asked:
            raise UnsupportedError(f"{code.co_name} calls {min(asked)}, so that tracing proves nothing.")
        if any(i.opname in _STORES for i in dis.get_instructions(code)):
            raise UnsupportedError(f"{code.co_name} writes to variables that outlive it.")
        if code.co_exceptiontable and not code.co_flags & 0x20:
            raise UnsupportedError(f"{code.co_name} catches errors, so that tracing proves nothing.")


_STORES = ("STORE_GLOBAL", "DELETE_GLOBAL")


def _refuse_state(where: str, name: str, value: Any) -> None:
    """A list or dict that a function reads may differ from call to call; one trace says nothing of that."""
    if isinstance(value, (list, dict, set, bytearray)):
        raise UnsupportedError(
            f"{where} reads {name}, a {type(value).__name__} that may change between calls."
        )


def _codes(function: Any, seen: set[int]) -> Iterator[types.CodeType]:
    plain = getattr(function, "py_func", getattr(function, "__func__", function))
    if not isinstance(plain, types.FunctionType) or id(plain) in seen:
        return
    seen.add(id(plain))
    # A wrapper of ours (a sign, other argument names) is passed through; what it wraps is in its closure.
    ours = str(plain.__globals__.get("__name__", "")).split(".")[0] in ("verify", "symgrad")
    stack = [] if ours else [plain.__code__]
    while stack:
        code = stack.pop()
        yield code
        stack += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in code.co_names:
            other = plain.__globals__.get(name)
            _refuse_state(code.co_name, name, other)
            module = (getattr(other, "__module__", None) or "").split(".")[0]
            if isinstance(other, types.FunctionType) and module not in ("numpy", "scipy", "symgrad"):
                yield from _codes(other, seen)
    for default in (*(plain.__defaults__ or ()), *(plain.__kwdefaults__ or {}).values()):
        _refuse_state(plain.__name__, "a default value", default)
    for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True):
        try:
            inner = cell.cell_contents
        except ValueError:  # a cell that is not filled yet
            continue
        if not ours:
            _refuse_state(plain.__name__, name, inner)
        yield from _codes(inner, seen)
