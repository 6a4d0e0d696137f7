"""The user's functions with other names around them.

A copy of a function reads its globals and closure through substitutes: libraries are replaced by what
``creation.Library`` has for them, ``len``, ``sum``, ``max`` and their like know symbolic sizes, helper functions,
methods and objects of the user's are copied in the same way, constant arrays become traced ones that cannot be
written to, and names that stand for inputs are the inputs.  Nothing of the user's is changed.
"""

from __future__ import annotations

import builtins
import copy
import dis
import functools
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.errors import TraceError
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.creation import Library
from symgrad.trace.sizes import whole_size

_LIBRARIES = {
    "numpy",
    "scipy",
    "sympy",
    "symgrad",
    "torch",
    "jax",
    "jaxlib",
    "numba",
    "matplotlib",
    "hypothesis",
}
_MOST_ELEMENTS = 1000
"""Longer lists are taken to hold data, not functions or layers."""


def is_users(module: str | None) -> bool:
    """Whether a module is the user's own, not a library's."""
    root = (module or "").split(".")[0]
    return root not in _LIBRARIES and (root not in sys.stdlib_module_names or root == "__main__")


class Sandbox:
    """Makes the copies for one trace.

    Args:
        builder: where bindings are written.
        inputs: values for global, closure and attribute names that stand for inputs.
    """

    def __init__(self, builder: Builder, inputs: Mapping[str, Any]) -> None:
        self.builder, self.inputs = builder, inputs
        self.library = Library(builder)
        self.taken: set[str] = set()
        self._made: dict[int, tuple[Any, Any]] = {}
        self._builtins = {**vars(builtins), **_our_builtins(builder, self.library)}

    def function(self, function: Any) -> Callable[..., Any]:
        """The copy of a function, a bound method, or a callable object."""
        plain = getattr(function, "py_func", function)  # a numba function carries the Python one
        found = self.value(plain)
        if found is not plain or isinstance(plain, types.FunctionType):
            return found
        return plain

    def value(self, value: Any, name: str | None = None) -> Any:
        """What stands for a value that the user's code reads; the value itself where nothing has to change."""
        if name is not None and name in self.inputs and _is_data(value):
            self.taken.add(name)
            return self.inputs[name]
        if isinstance(value, (int, float, str, bytes, bool, type(None), Traced)):
            return value
        if id(value) in self._made:
            return self._made[id(value)][1]
        made = self._substitute(value, name)
        self._made.setdefault(id(value), (value, made))  # keeps the value alive, so that the id stays its own
        return self._made[id(value)][1]

    def _substitute(self, value: Any, name: str | None) -> Any:
        stand_in = self.library.stand_in(value)
        if stand_in is not None:
            return stand_in
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "fiub":
                return value
            made = Traced(self.builder, data=value, owner=f"the variable {name}" if name else "a variable")
            made.title = name
            return made
        if isinstance(value, types.FunctionType):
            return self._function(value) if is_users(value.__module__) else value
        if isinstance(value, types.MethodType):
            if not isinstance(value.__func__, types.FunctionType) or not is_users(value.__func__.__module__):
                return value
            return types.MethodType(self._function(value.__func__), self.value(value.__self__))
        if isinstance(value, functools.partial):
            return functools.partial(
                self.value(value.func),
                *(self.value(a) for a in value.args),
                **{k: self.value(a) for k, a in value.keywords.items()},
            )
        if isinstance(value, (staticmethod, classmethod)):
            return type(value)(self.value(value.__func__))
        if isinstance(value, np.vectorize):
            return self.value(value.pyfunc)
        if isinstance(value, types.ModuleType):
            return _UserModule(self, value) if is_users(value.__name__) else value
        if isinstance(value, type):
            return self._class(value) if is_users(value.__module__) else value
        if isinstance(value, (list, tuple, dict)):
            return self._container(value)
        wrapped = getattr(value, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType):  # a cache around a function
            return self.value(wrapped)
        if is_users(type(value).__module__) and hasattr(value, "__dict__"):
            return self._object(value)
        return value

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) in self._made:
            return self._made[id(function)][1]
        names: dict[str, Any] = {**function.__globals__, "__builtins__": self._builtins}
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        made = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
        self._made[id(function)] = (function, made)
        made.__kwdefaults__ = function.__kwdefaults__
        made.__qualname__ = function.__qualname__
        made.__dict__.update(function.__dict__)
        for read in names_read(function.__code__):
            if read in function.__globals__:
                names[read] = self.value(function.__globals__[read], read)
        for cell, old, free in zip(
            cells, function.__closure__ or (), function.__code__.co_freevars, strict=True
        ):
            try:
                cell.cell_contents = self.value(old.cell_contents, free)
            except ValueError:  # not assigned yet
                continue
        made.__defaults__ = tuple(self.value(d) for d in function.__defaults__ or ()) or None
        return made

    def _class(self, kind: type) -> type:
        """A subclass whose methods are copies, those it inherits from the user's classes included."""
        members: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        try:
            made = type(kind.__name__, (kind,), members)
        except TypeError:  # final, or of a metaclass that refuses
            return kind
        self._made[id(kind)] = (kind, made)
        for base in reversed(kind.__mro__):
            if not is_users(base.__module__):
                continue
            for key, member in vars(base).items():
                if isinstance(member, (types.FunctionType, staticmethod, classmethod)):
                    setattr(made, key, self.value(member))
                elif isinstance(member, property):
                    setattr(made, key, property(member.fget and self.value(member.fget)))
                elif isinstance(member, np.ndarray):
                    setattr(made, key, self.value(member, key))
        return made

    def _object(self, value: Any) -> Any:
        try:
            made = copy.copy(value)
            made.__class__ = self.value(type(value))
        except TypeError:  # of a layout that cannot change
            return value
        self._made[id(value)] = (value, made)
        for key, member in list(vars(value).items()):
            made.__dict__[key] = self.value(member, key)
        return made

    def _container(self, value: Any) -> Any:
        if len(value) > _MOST_ELEMENTS:
            return value
        if isinstance(value, dict):
            parts = {k: self.value(v, k if isinstance(k, str) else None) for k, v in value.items()}
            changed = any(parts[k] is not v for k, v in value.items())
            return _like(value, parts) if changed else value
        items = [self.value(v) for v in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def _like(value: dict[Any, Any], parts: dict[Any, Any]) -> dict[Any, Any]:
    made = copy.copy(value)
    made.update(parts)
    return made


def _is_data(value: Any) -> bool:
    return isinstance(value, (np.ndarray, int, float, np.generic))


class _UserModule:
    """A module of the user's whose functions are copies."""

    def __init__(self, sandbox: Sandbox, module: types.ModuleType) -> None:
        self._sandbox, self._module = sandbox, module

    def __getattr__(self, name: str) -> Any:
        return self._sandbox.value(getattr(self._module, name), name)


@functools.lru_cache(maxsize=1024)
def names_read(code: types.CodeType) -> tuple[str, ...]:
    """The globals that code reads, inner functions included."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(names_read(constant))
    return tuple(sorted(found))


# Builtins -------------------------------------------------------------------------------------------------


def _our_builtins(builder: Builder, library: Library) -> dict[str, Any]:
    def extreme(which: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any, **options: Any) -> Any:
            items = list(values[0]) if len(values) == 1 else list(values)
            if options or not any(isinstance(v, Traced) and v.numbers is None for v in items):
                return plain(items, **options)
            if any(isinstance(v, Traced) and v.dims for v in items):
                raise TraceError(
                    f"{which}() of whole arrays has no meaning in NumPy.",
                    where=which,
                    fix=f"use np.{which}imum",
                )
            out = items[0]
            for v in items[1:]:
                out = (ops.maximum if which == "max" else _minimum)(builder, out, v)
            return out

        return call

    return {
        "len": _len,
        "sum": _sum,
        "float": _float,
        "int": _int,
        "max": extreme("max", max),
        "min": extreme("min", min),
        "__import__": _importer(library),
    }


def _minimum(builder: Builder, a: Any, b: Any) -> Any:
    return ops.elementary(builder, "minimum", a, b)


def _importer(library: Library) -> Callable[..., Any]:
    """``import`` inside a function finds the same stand-ins."""

    def our_import(
        name: str, scope: Any = None, local: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        found = builtins.__import__(name, scope, local, fromlist, level)
        return library.stand_in(found) or found

    return our_import


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


class _Number(type):
    """The class of what stands for ``float`` or ``int`` and lets a traced scalar pass."""

    plain_type: type

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.plain_type) and not isinstance(instance, Traced)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.plain_type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.plain_type

    def __hash__(cls) -> int:
        return hash(cls.plain_type)


class _float(float, metaclass=_Number):
    plain_type = float

    def __new__(cls, value: Any = 0.0, /) -> Any:
        if isinstance(value, Traced) and value.numbers is None and all(d == 1 for d in value.dims):
            return value.item()
        return float(value)


class _int(int, metaclass=_Number):
    plain_type = int

    def __new__(cls, value: Any = 0, /, *base: Any) -> Any:
        if isinstance(value, Traced) and value.numbers is None:
            return whole_size(value)
        return int(value, *base)
