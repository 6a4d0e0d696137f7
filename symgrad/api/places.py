"""Where the values that code reads are found, and what is taken to stay as it is."""

from __future__ import annotations

import abc
import dis
import functools
import inspect
import types
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from symgrad.trace.sandbox import is_users

MISSING = object()
"""Stands for a value where there is none."""

_LIBRARIES = (
    "builtins", "math", "cmath", "numpy", "scipy", "sympy", "symgrad", "functools", "itertools", "operator",
    "collections", "typing", "abc", "dataclasses", "reprlib", "numbers", "fractions",
)  # fmt: skip
"""Packages that are taken to stay as they are."""


def item(holder: Mapping[Any, Any], key: Any) -> Any:
    """What a dict holds."""
    return holder.get(key, MISSING)


def member(holder: Mapping[str, Any], name: str) -> Any:
    """What a class holds under a name; the descriptor of a slot says nothing."""
    value = holder.get(name, MISSING)
    return MISSING if isinstance(value, types.MemberDescriptorType) else value


def slot(holder: Any, name: str) -> Any:
    """What an object holds in a slot."""
    for kind in type(holder).__mro__:
        found = vars(kind).get(name)
        if isinstance(found, types.MemberDescriptorType):
            try:
                return found.__get__(holder)
            except AttributeError:
                return MISSING
    return MISSING


def content(cell: types.CellType, _: None) -> Any:
    """What a variable of a closure holds."""
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return MISSING


def entries(array: np.ndarray) -> tuple[Hashable, ...]:
    """All of an array but its layout."""
    return array.dtype.str, array.shape, array.tobytes()


def identities(items: Any) -> tuple[int, ...]:
    """Which objects a list holds."""
    return tuple(map(id, items))


def special_methods(kind: type) -> tuple[str, ...]:
    """Methods that are called without being named."""
    methods = (types.FunctionType, staticmethod, classmethod, property)
    return tuple(n for n, m in vars(kind).items() if n[:2] == "__" and isinstance(m, methods))


def parts_of(value: Any) -> tuple[Any, ...] | None:
    """The functions and values that a wrapper is made of; None for another object."""
    if isinstance(value, types.MethodType):
        return value.__func__, value.__self__
    if isinstance(value, functools.partial):
        return value.func, value.args, value.keywords
    if isinstance(value, (staticmethod, classmethod)):
        return (value.__func__,)
    if isinstance(value, property):
        return value.fget, value.fset, value.fdel
    if isinstance(value, functools.cached_property):
        return (value.func,)
    if isinstance(value, np.vectorize):
        return (value.pyfunc,)
    if isinstance(value, slice):
        return value.start, value.stop, value.step
    for name in ("py_func", "__wrapped__"):  # a numba function, a cache around a function
        inner = inspect.getattr_static(
            value, name, None
        )  # asks nothing of an object that answers to any name
        if isinstance(inner, types.FunctionType):
            return (inner,)
    return None


def keeps_all_in_attributes(kind: type) -> bool:
    """Whether objects of a class hold nothing but attributes: it inherits from no list, dict or library class."""
    return all(is_users(k.__module__) or k in (object, abc.ABC) for k in kind.__mro__)


def is_library(module: str | None) -> bool:
    return (module or "").split(".")[0] in _LIBRARIES


def is_library_callable(value: Any) -> bool:
    if isinstance(value, np.ufunc):
        return "vectorized" not in value.__name__  # not one made from a function of the user's
    if isinstance(value, types.BuiltinFunctionType):
        return isinstance(value.__self__, types.ModuleType) and is_library(value.__self__.__name__)
    if isinstance(value, np.vectorize) or type(value).__module__ != "numpy":
        return False
    return callable(value) and is_library(value.__module__)


@functools.lru_cache(maxsize=1024)
def imports_of_users(code: types.CodeType) -> bool:
    """Whether code imports, when it runs, something that may change."""
    imported = (i.argval for i in dis.get_instructions(code) if i.opname == "IMPORT_NAME")
    return any(not is_library(name) for name in imported)
