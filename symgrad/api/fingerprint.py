"""Whether functions still mean what they meant: their code, and everything that the code reads.

A second ``minimize`` with the same functions skips tracing only if nothing of that has changed.  There are two
ways to see it.  The *fingerprint* compares by value: it is a list of everything that is read, in order.  The
*guards* compare by identity: they remember where each value was found, and are quick to ask again; where one of
them fails the fingerprint is taken anew.

Of modules, classes and objects only those attributes are read that some code which was met names.  What cannot be
followed (a name made at run time, an open file, an object of a library) has no fingerprint: it is traced again.
"""

from __future__ import annotations

import abc
import enum
import types
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import sympy

from symgrad.api import places
from symgrad.api.places import MISSING, is_library
from symgrad.program import Recent
from symgrad.trace.sandbox import is_users, names_read

_PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), range, np.dtype)
_DYNAMIC = {
    "getattr", "globals", "locals", "vars", "dir", "eval", "exec", "compile", "open", "__import__", "__dict__",
    "attrgetter", "methodcaller", "genfromtxt", "fromfile", "memmap",
}  # fmt: skip
_READING = ("load", "read_", "fromregex", "geterr", "get_print")
"""With these a function reads what its code does not name; of the second kind all that begin so."""

_MOST_ENTRIES = 65536


def _is_dynamic(name: str) -> bool:
    return name in _DYNAMIC or name.startswith(_READING)


class _Unknown(Exception):
    """Something is read that cannot be followed."""


class Reads:
    """What some functions read, and where.

    Attributes:
        roots: the functions.
        fingerprint: equal for functions that mean the same; None where that is not known.
    """

    def __init__(self, roots: tuple[Any, ...]) -> None:
        self.roots = roots
        self._tokens: list[Hashable] = []
        self._same: list[tuple[Callable[[Any, Any], Any], Any, Any, Any]] = []
        self._equal: list[tuple[Callable[[Any], Any], Any, Any]] = []
        self._met: dict[int, int] = {}
        self._alive: list[Any] = []  # so that no other object takes an id in _met
        self._names: set[str] = set()
        self._holders: list[tuple[int, Any, Callable[[Any, Any], Any]]] = []
        self.fingerprint: Hashable | None
        try:
            for root in roots:
                self._visit(root)
            self._attributes()
        except _Unknown:
            self.fingerprint = None
        else:
            self.fingerprint = tuple(self._tokens)

    def unchanged(self) -> bool:
        """Whether every value is still where it was found."""
        for read, holder, key, value in self._same:
            if read(holder, key) is not value:
                return False
        return all(contents(holder) == value for contents, holder, value in self._equal)

    # Reading, so that it can be read again ------------------------------------------------------------------

    def _read(self, read: Callable[[Any, Any], Any], holder: Any, key: Any) -> Any:
        value = read(holder, key)
        self._same.append((read, holder, key, value))
        return value

    def _contents(self, contents: Callable[[Any], Any], holder: Any) -> Any:
        value = contents(holder)
        self._equal.append((contents, holder, value))
        return value

    # One value ----------------------------------------------------------------------------------------------

    def _visit(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN or isinstance(value, np.dtype):
            self._tokens.append((kind.__name__, repr(value)))
            return
        if value is MISSING:
            self._tokens.append("missing")
            return
        if id(value) in self._met:
            self._tokens.append(("again", self._met[id(value)]))
            return
        self._met[id(value)] = len(self._met)
        self._alive.append(value)
        if isinstance(value, np.generic):
            self._tokens.append(("number", *places.entries(np.asarray(value))))
        elif kind is np.ndarray:
            if value.dtype.kind not in "fiubc" or value.size > _MOST_ENTRIES:
                raise _Unknown
            self._tokens.append(("array", *self._contents(places.entries, value)))
        elif isinstance(value, sympy.Basic):
            self._tokens.append(("sympy", value, sympy.srepr(value)))
        elif kind in (tuple, list, deque, set, frozenset, dict):
            self._container(value)
        elif places.is_library_callable(value):
            self._tokens.append(("library", value))
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        else:
            self._wrapper_or_object(value)

    def _container(self, value: Any) -> None:
        if len(value) > _MOST_ENTRIES:
            raise _Unknown
        self._tokens.append((type(value).__name__, len(value)))
        if isinstance(value, dict):
            for key in self._contents(tuple, value):
                self._visit(key)
                self._visit(self._read(places.item, value, key))
        elif isinstance(value, (set, frozenset)):
            members = self._contents(frozenset, value)
            if not all(type(m) in _PLAIN for m in members):
                raise _Unknown
            self._tokens.append(tuple(sorted((type(m).__name__, repr(m)) for m in members)))
        else:
            if not isinstance(value, tuple):
                self._contents(places.identities, value)
            for item in value:
                self._visit(item)

    def _function(self, function: types.FunctionType) -> None:
        code = self._read(getattr, function, "__code__")
        if is_library(function.__globals__.get("__name__")):
            self._tokens.append(("library", code))
            for cell in function.__closure__ or ():  # a decorator's wrapper
                self._visit(self._read(places.content, cell, None))
            return
        if any(map(_is_dynamic, names_read(code))):
            raise _Unknown
        self._code(code)
        self._tokens.append(("function", code))
        self._visit(self._read(getattr, function, "__defaults__"))
        self._visit(self._read(getattr, function, "__kwdefaults__"))
        self._visit(self._read(getattr, function, "__dict__"))
        for cell in function.__closure__ or ():
            self._visit(self._read(places.content, cell, None))
        for name in names_read(code):
            self._visit(self._read(places.item, function.__globals__, name))

    def _code(self, code: types.CodeType) -> None:
        """Note the attributes that code names, inner functions included."""
        if any(map(_is_dynamic, code.co_names)) or places.imports_of_users(code):
            raise _Unknown
        self._names.update(code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)

    def _module(self, module: types.ModuleType) -> None:
        if is_library(module.__name__):
            self._tokens.append(("module", module.__name__))
            return
        if not is_users(module.__name__) or "__getattr__" in vars(module):
            raise _Unknown
        self._tokens.append("module")
        self._holders.append((self._met[id(module)], vars(module), places.item))

    def _class(self, kind: type) -> None:
        if is_library(kind.__module__):
            self._tokens.append(("class", kind))
        elif not is_users(kind.__module__):
            raise _Unknown
        elif isinstance(kind, enum.EnumMeta):
            self._tokens.append(("enumeration", kind))
            named: Mapping[str, enum.Enum] = kind.__members__
            for one in named.values():
                self._visit(one.value)
        elif type(kind) in (type, abc.ABCMeta):
            self._tokens.append("class")
            self._visit(self._read(getattr, kind, "__bases__"))
            self._holders.append((self._met[id(kind)], vars(kind), places.member))
            for name in self._contents(places.special_methods, kind):
                self._visit(self._read(places.member, vars(kind), name))
        else:
            raise _Unknown

    def _wrapper_or_object(self, value: Any) -> None:
        kind = type(value)
        if isinstance(value, enum.Enum):
            self._tokens.append(("member", value.name))
            self._visit(kind)
            return
        self._tokens.append(kind.__name__)
        parts = places.parts_of(value)
        if parts is not None:
            for part in parts:
                self._visit(part)
        elif is_users(kind.__module__) and places.keeps_all_in_attributes(kind):
            self._visit(self._read(getattr, value, "__class__"))
            index = self._met[id(value)]
            if hasattr(value, "__dict__"):
                self._holders.append((index, self._read(getattr, value, "__dict__"), places.item))
            self._holders.append((index, value, places.slot))
        else:
            raise _Unknown

    def _attributes(self) -> None:
        """Read the attributes that are named, until no new ones turn up."""
        done: set[tuple[int, str]] = set()
        while True:
            ahead = [
                (at, name)
                for at in range(len(self._holders))
                for name in sorted(self._names)
                if (at, name) not in done
            ]
            if not ahead:
                return
            for at, name in ahead:
                done.add((at, name))
                index, holder, read = self._holders[at]
                value = self._read(read, holder, name)
                if value is not MISSING:
                    self._tokens.append(("attribute", index, name))
                    self._visit(value)


_known: Recent[Reads] = Recent()


def fingerprint(*roots: Any) -> Hashable | None:
    """A hashable value that changes when what the functions compute may change; None where that is not known.

    Args:
        roots: functions, texts, SymPy expressions, names.
    """
    key = tuple(map(id, roots))
    known = _known.get(key)
    if known is not None and known.unchanged():
        return known.fingerprint
    made = Reads(roots)
    if made.fingerprint is not None:
        _known.put(key, made)
    return made.fingerprint
