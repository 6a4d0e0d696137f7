"""Python's builtins as a traced function sees them: they know symbolic sizes, and what NumPy's results are.

A function may ask ``isinstance(x.sum(), float)`` or ``type(x) is np.ndarray``; it gets the answer that it would get
from NumPy.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.errors import TraceError
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.creation import Library
from symgrad.trace.sizes import constant_of, whole_size


def our_builtins(builder: Builder, library: Library) -> dict[str, Any]:
    """Stand-ins by name."""

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
        "float": our_float,
        "int": our_int,
        "isinstance": our_isinstance,
        "type": our_type,
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


_SCALARS = {"real": np.float64, "int": np.int64, "bool": np.bool_}


def class_of(value: Traced) -> type:
    """The class of what stands there: arrays are ``ndarray``, sizes ``int``, results without axes NumPy's scalars."""
    if value.dims:
        return np.ndarray
    if value.numbers is None:
        constant = constant_of(value)
        if constant is not None and constant.is_integer:
            return int
    return _SCALARS[value.kind]


def our_isinstance(value: Any, kinds: Any, /) -> bool:
    return issubclass(class_of(value), kinds) if type(value) is Traced else isinstance(value, kinds)


class _Number(type):
    """The class of what stands for ``float`` or ``int`` and lets a traced scalar pass."""

    plain_type: type

    def __instancecheck__(cls, instance: object) -> bool:
        return our_isinstance(instance, cls.plain_type)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.plain_type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.plain_type

    def __hash__(cls) -> int:
        return hash(cls.plain_type)


class our_float(float, metaclass=_Number):
    plain_type = float

    def __new__(cls, value: Any = 0.0, /) -> Any:
        if isinstance(value, Traced) and value.numbers is None and all(d == 1 for d in value.dims):
            return value.item()
        return float(value)


class our_int(int, metaclass=_Number):
    plain_type = int

    def __new__(cls, value: Any = 0, /, *base: Any) -> Any:
        if isinstance(value, Traced) and value.numbers is None:
            return whole_size(value)
        return int(value, *base)


class _Type(type):
    """The class of what stands for ``type``."""

    plain_type = type

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if len(args) != 1 or options:
            return type(*args, **options)
        found = class_of(args[0]) if type(args[0]) is Traced else type(args[0])
        return {float: our_float, int: our_int}.get(found, found)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, type)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, type)


class our_type(type, metaclass=_Type):
    """``type`` of one argument; with three it makes a class, as ever."""
