"""Whether a function still means what it meant: its code and everything that the code reads.

A second ``minimize`` with the same function skips tracing only if the fingerprints are equal.  What cannot be
compared by value (an array in a closure, an object with attributes) has none, and is traced again.
"""

from __future__ import annotations

import types
from collections.abc import Hashable
from typing import Any

from symgrad.trace.sandbox import names_read

_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_MAX_DEPTH = 8


def fingerprint(value: Any, depth: int = 0) -> Hashable | None:
    """A hashable value that changes when what ``value`` computes may change; None where that is not known."""
    if isinstance(value, _PLAIN):
        return (type(value).__name__, repr(value))
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, tuple):
        parts = [fingerprint(v, depth + 1) for v in value]
        return None if any(p is None for p in parts) else ("tuple", *parts)
    if isinstance(value, types.FunctionType):
        return _function(value, depth)
    if isinstance(value, types.ModuleType):
        return ("module", value.__name__) if _is_library(value.__name__) else None
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if isinstance(value, types.BuiltinFunctionType) and isinstance(value.__self__, types.ModuleType):
        return ("builtin", value.__self__.__name__, name)
    if isinstance(value, type) and _is_library(value.__module__):
        return ("type", value.__module__, name)
    if type(value).__name__ == "ufunc" and type(value).__module__ == "numpy":
        return ("ufunc", name, id(value))
    return None


def _is_library(module: str) -> bool:
    """Whether a module is taken to stay as it is; a user's own may hold settings that change."""
    return module.split(".")[0] in ("builtins", "math", "numpy", "scipy", "sympy", "symgrad")


def _function(function: types.FunctionType, depth: int) -> Hashable | None:
    if vars(function):  # attributes that the code may read
        return None
    try:
        cells = [c.cell_contents for c in function.__closure__ or ()]
    except ValueError:  # a variable that has no value yet
        return None
    reads: list[Any] = [*cells, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    names = names_read(function.__code__)
    scope = function.__globals__
    reads += [scope[n] for n in names if n in scope and scope[n] is not function]
    parts = [fingerprint(v, depth + 1) for v in reads]
    if any(p is None for p in parts):
        return None
    return ("function", function.__code__, names, *parts)
