"""Tracing a plain Python function: the user's own code, run once on traced arrays."""

from __future__ import annotations

import builtins
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
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced


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


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Run a function on traced arrays, with ``len`` and ``sum`` that know them.

    Raises:
        TraceError: the function raised; the message has its line.
    """
    positional = [arguments[n] for n, p in parameters(function).items() if p.kind is p.POSITIONAL_ONLY]
    named = {
        n: v
        for n, v in arguments.items()
        if parameters(function)[n].kind is not inspect.Parameter.POSITIONAL_ONLY
    }
    runnable = _with_our_builtins(function)
    try:
        with _local_names():
            result = runnable(*positional, **named)
    except SymgradError as error:
        raise _located(error, function) from None
    except RecursionError:
        raise TraceError("The function never ends.", where=_line(function, sys.exc_info()[2])) from None
    except (Exception, SystemExit) as error:
        # The boundary to foreign code: whatever it raises becomes one kind of error, with its place.
        raise TraceError(
            f"{_name(function)} raised {type(error).__name__} while it was traced: {error}",
            where=_line(function, error.__traceback__),
            fix="the function has to work on arrays of every size; only what NumPy computes can be traced",
        ) from error
    for value in arguments.values():
        if isinstance(value, Traced) and value.builder.refusal is not None:
            raise value.builder.refusal  # the function caught it and went on
    return result


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
    module = (frame.f_globals.get("__name__") or "").split(".")[0]
    return module not in ("symgrad", "numpy", "sympy") and module not in sys.stdlib_module_names


def _located(error: SymgradError, function: Any) -> SymgradError:
    place = _line(function, error.__traceback__)
    if place is not None:
        error.where = place if error.where is None else f"{error.where} ({place})"
    return error


def _with_our_builtins(function: Any) -> Callable[..., Any]:
    """The function with a ``len`` and a ``sum`` that accept symbolic sizes."""
    plain = getattr(function, "py_func", function)  # a numba function carries the Python one
    if isinstance(plain, types.MethodType):
        return types.MethodType(_with_our_builtins(plain.__func__), plain.__self__)
    if not isinstance(plain, types.FunctionType):
        return plain
    patched = {**vars(builtins), "len": _len, "sum": _sum, "float": _float}
    names = {**plain.__globals__, "__builtins__": patched}
    copy = types.FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__kwdefaults__ = plain.__kwdefaults__
    return copy


def _len(value: Any) -> Any:
    if isinstance(value, Traced):
        if not value.dims:
            raise TraceError("len() of a scalar.", where=repr(value))
        return value.shape[0]
    return len(value)


def _sum(values: Any, /, start: Any = 0) -> Any:
    if isinstance(values, Traced) and values.ndim == 1:
        total = ops.total(values)
        return total if isinstance(start, int) and start == 0 else total + start
    return sum(values, start)


class _FloatType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, float)


class _float(float, metaclass=_FloatType):
    """``float`` that lets a traced scalar pass."""

    def __new__(cls, value: Any = 0.0, /) -> Any:
        if isinstance(value, Traced) and not value.dims:
            return value
        return float(value)


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
