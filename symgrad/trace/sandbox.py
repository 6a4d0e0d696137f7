"""The user's functions with other names around them.

A copy of a function reads its globals and closure through substitutes: libraries are replaced by what
``creation.Library`` has for them, ``len``, ``sum``, ``max`` and their like know symbolic sizes, helper functions,
methods, objects, lists and dicts of the user's are copied in the same way, constant arrays become traced ones that
cannot be written to, and names that stand for inputs are the inputs.  Nothing of the user's is changed: what a
function keeps in a list or a dict around it, it keeps for one trace.
"""

from __future__ import annotations

import abc
import builtins
import collections
import copy
import dis
import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.program import Builder
from symgrad.trace.array import Traced
from symgrad.trace.builtin_functions import our_builtins
from symgrad.trace.creation import Library

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
        self._scopes: dict[int, dict[str, Any]] = {}
        self._cells: dict[int, types.CellType] = {}
        self._builtins = {**vars(builtins), **our_builtins(builder, self.library)}

    def function(self, function: Any) -> Callable[..., Any]:
        """The copy of a function, a bound method, or a callable object."""
        plain = inspect.getattr_static(
            function, "py_func", function
        )  # a numba function carries the Python one
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
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, (list, dict, set, collections.deque)):
            return self._container(value)
        wrapped = inspect.getattr_static(value, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType):  # a cache around a function
            return self.value(wrapped)
        if is_users(type(value).__module__):
            return self._object(value)
        return value

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) in self._made:
            return self._made[id(function)][1]
        names = self._scope(function.__globals__)
        originals = function.__closure__ or ()
        new = [(c, n) for c, n in zip(originals, function.__code__.co_freevars) if id(c) not in self._cells]
        cells = tuple(self._cells.setdefault(id(c), types.CellType()) for c in originals)
        made = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
        self._made[id(function)] = (function, made)
        made.__qualname__ = function.__qualname__
        made.__dict__.update(function.__dict__)
        for read in names_read(function.__code__):
            original = function.__globals__.get(read, names)
            if names.get(read) is original:  # not assigned by the function itself
                names[read] = self.value(original, read)
        for cell, free in new:
            try:
                self._cells[id(cell)].cell_contents = self.value(cell.cell_contents, free)
            except ValueError:  # not assigned yet
                continue
        made.__defaults__ = tuple(self.value(d) for d in function.__defaults__ or ()) or None
        made.__kwdefaults__ = {k: self.value(d) for k, d in (function.__kwdefaults__ or {}).items()} or None
        return made

    def _scope(self, original: dict[str, Any]) -> dict[str, Any]:
        """The globals of all copies of one module's functions, so that ``global`` reaches from one to the other."""
        if id(original) not in self._scopes:
            self._scopes[id(original)] = {**original, "__builtins__": self._builtins}
        return self._scopes[id(original)]

    def _class(self, kind: type) -> type:
        """The class made again from copies of its members and of the user's classes that it inherits from.

        No original stays among its ancestors: ``super()`` goes from copy to copy.  Enumerations and other classes
        with a class of their own stay what they are.
        """
        if type(kind) not in (type, abc.ABCMeta):
            return kind
        bases = tuple(self.value(b) for b in kind.__bases__)
        slots = getattr(kind, "__slots__", ())
        own = {"__dict__", "__weakref__", *((slots,) if isinstance(slots, str) else slots)}
        members = {k: v for k, v in vars(kind).items() if k not in own}
        try:
            made = type(kind)(kind.__name__, bases, members)
        except TypeError:  # final, or of a metaclass that refuses
            return kind
        self._made[id(kind)] = (kind, made)
        for key, member in members.items():
            new = self._member(member, key)
            if new is not member:
                setattr(made, key, new)
        return made

    def _member(self, member: Any, name: str) -> Any:
        if isinstance(member, property):
            return property(*(f and self.value(f) for f in (member.fget, member.fset, member.fdel)))
        if isinstance(member, functools.cached_property):
            made = functools.cached_property(self.value(member.func))
            made.__set_name__(object, name)
            return made
        inside = name.startswith("__") and name.endswith("__")
        return member if inside and not callable(member) else self.value(member, name)

    def _object(self, value: Any) -> Any:
        try:
            made = copy.copy(value)
            if made is value:  # there is one of it, as of a member of an enumeration
                return value
            made.__class__ = self.value(type(value))
        except TypeError:  # of a layout that cannot change
            return value
        self._made[id(value)] = (value, made)
        for key, member in list(getattr(value, "__dict__", {}).items()):
            made.__dict__[key] = self.value(member, key)
        for key in _slots(type(value)):
            if hasattr(value, key):
                object.__setattr__(made, key, self.value(getattr(value, key), key))
        return made

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        if len(value) > _MOST_ELEMENTS:
            return value
        items = [self.value(v) for v in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)

    def _container(self, value: Any) -> Any:
        """A copy, also where nothing in it changes: the function may put something in."""
        made = copy.copy(value)
        self._made[id(value)] = (value, made)  # it may hold itself
        if len(value) > _MOST_ELEMENTS or isinstance(value, set):
            return made
        if isinstance(value, dict):
            made.update({k: self.value(v, k if isinstance(k, str) else None) for k, v in value.items()})
        else:
            for i, v in enumerate(value):
                made[i] = self.value(v)
        return made


def _slots(kind: type) -> list[str]:
    """The attributes of an object that has no dict for them."""
    named = (vars(k).get("__slots__", ()) for k in kind.__mro__)
    every = [s for slots in named for s in ((slots,) if isinstance(slots, str) else slots)]
    return [s for s in every if s not in ("__dict__", "__weakref__")]


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
