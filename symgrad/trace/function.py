"""Tracing a plain Python function: the user's own code, run once on traced arrays."""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from symgrad.errors import SpecError, SymgradError, TraceError
from symgrad.trace.array import Traced
from symgrad.trace.sandbox import Sandbox, is_users


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a function by name.

    Raises:
        TraceError: it has no signature, or takes ``*args`` or ``**kwargs``.
    """
    name = getattr(function, "__name__", repr(function))
    try:
        found = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise TraceError(
            "The arguments of this callable are not known.",
            where=name,
            fix="wrap it in a def with named arguments",
        ) from None
    for p in found.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise TraceError(f"{name} takes *{p.name}.", where=name, fix="name each argument")
    return found


def call(function: Callable[..., Any], arguments: Mapping[str, Any], sandbox: Sandbox | None = None) -> Any:
    """Run a copy of a function on traced arrays; ``sandbox`` says what stands around it.

    Raises:
        TraceError: the function raised; the message has its line.
    """
    by_position = {n: p.default for n, p in parameters(function).items() if p.kind is p.POSITIONAL_ONLY}
    named = {n: v for n, v in arguments.items() if n not in by_position}
    builder = next((v.builder for v in arguments.values() if isinstance(v, Traced)), None)
    if sandbox is None and builder is not None:
        sandbox = Sandbox(builder, {})
    if sandbox is not None:
        by_position = {n: sandbox.value(default) for n, default in by_position.items()}
    positional = [arguments.get(n, default) for n, default in by_position.items()]
    runnable = function if sandbox is None else sandbox.function(function)
    try:
        with _local_names():
            result = runnable(*positional, **named)
    except SymgradError as error:
        raise _located(_first(sandbox, error), function) from None
    except RecursionError:
        raise TraceError("The function never ends.", where=_line(function, sys.exc_info()[2])) from None
    except (Exception, SystemExit) as error:
        # The boundary to foreign code: whatever it raises becomes one kind of error, with its place.
        refusal = _first(sandbox, None)
        if refusal is not None:  # the function caught it and raised another
            raise _located(refusal, function) from error
        raise TraceError(
            f"{_name(function)} raised {type(error).__name__} while it was traced: {error}",
            where=_line(function, error.__traceback__),
            fix="the function has to work on arrays of every size; only what NumPy computes can be traced",
        ) from error
    refusal = _first(sandbox, None)
    if refusal is not None:  # the function caught it and went on
        raise _located(refusal, function)
    return result


def _first(sandbox: Sandbox | None, error: SymgradError | None) -> SymgradError | None:
    """What was refused first: what follows it may come of a branch that NumPy does not take."""
    return error if sandbox is None or sandbox.builder.refusal is None else sandbox.builder.refusal


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _line(function: Any, tb: types.TracebackType | None) -> str | None:
    """File, line and text of the innermost frame outside symgrad and NumPy."""
    place = None
    for frame, number in traceback.walk_tb(tb):
        if not _users(frame):
            continue
        file = frame.f_code.co_filename
        text = shorten(linecache.getline(file, number).strip(), 80, placeholder=" …")
        place = f"{file}, line {number}" + (f": {text}" if text else "")
    return place


def _users(frame: types.FrameType) -> bool:
    """Whether a frame runs the user's code, not a library's."""
    return is_users(frame.f_globals.get("__name__"))


def _located(error: Any, function: Any) -> SymgradError:
    place = _line(function, error.__traceback__)
    if place is not None and place not in (error.where or ""):
        error.where = place if error.where is None else f"{error.where} ({place})"
    return error


@contextmanager
def _local_names() -> Iterator[None]:
    """Label each traced value by the local variable that held it when its function returned."""
    if sys.getprofile() is not None:  # somebody is profiling; names are not worth disturbing it
        yield
        return

    def watch(frame: types.FrameType, event: str, argument: object) -> None:
        if event == "return" and _users(frame):
            for name, value in frame.f_locals.items():
                if isinstance(value, Traced):
                    value.builder.label(value.name, name)

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def arguments_for(
    function: Callable[..., Any], known: Mapping[str, Any], computed: Callable[[str], Any], owner: str
) -> dict[str, Any]:
    """Match a function's parameters by name with known values, else with values computed on demand.

    Raises:
        SpecError: a parameter without a default that nothing gives.
    """
    out = {}
    for name, p in parameters(function).items():
        if name in known:
            out[name] = known[name]
            continue
        value = computed(name)
        if value is not None:
            out[name] = value
        elif p.default is p.empty:
            raise SpecError(
                f"Nothing says what {name!r} is.",
                where=f"{owner}({', '.join(parameters(function))})",
                expected=f"a shape for it, such as shapes={{{name!r}: 'n d'}}, or given={{{name!r}: function}}",
                got=f"shapes for {_listing(known)}",
            )
    return out


def _listing(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(names) if names else "nothing"
