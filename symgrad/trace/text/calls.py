"""What a text in NumPy syntax may call: functions by namespace, methods, attributes and constants.

Everything comes from the tables of NumPy's functions and of the eager side, so that a rule added there can be
called from text at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symgrad.errors import ParseError, SymgradError, UnsupportedError, nearest
from symgrad.ops.scalars import ELEMENTARY
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.creation import CREATION
from symgrad.trace.dispatch import METHODS, SHAPES, VIEWS
from symgrad.trace.linalg import SCIPY_LINALG
from symgrad.trace.numpy_functions import NUMPY_FUNCTIONS, UFUNCS, bind_numpy
from symgrad.trace.reductions import SCIPY_SPECIAL
from symgrad.trace.tensor_functions import TENSOR_FUNCTIONS
from symgrad.trace.text.names import CONSTANTS

Function = Callable[..., Any]
"""Takes the builder first."""

_INTERNAL = ("getitem", "above", "ratio")
_NO_ARRAYS = ("vectorize", "isscalar", "empty", "empty_like")


def _numpy_rule(name: str, rule: Function) -> Function:
    return lambda b, *args, **kwargs: bind_numpy(name, rule, b, args, kwargs)


def _creation(name: str, rule: Function) -> Function:
    """Arrays of numbers become part of the formula at once, so that nothing large is calculated with."""

    def make(b: Builder, *args: Any, **kwargs: Any) -> Any:
        return Traced(b, bind_numpy(f"np.{name}", rule, b, args, kwargs).name)

    return make


def _length(b: Builder, x: Any) -> Any:
    return ops.lift(b, x).shape[0]


def _namespaces() -> dict[str, dict[str, Function]]:
    eager = {n: f for n, f in TENSOR_FUNCTIONS.items() if n not in _INTERNAL}
    elementary = {
        e.name: lambda b, *args, _name=e.name: ops.elementary(b, _name, *args)
        for e in ELEMENTARY
        if e.name not in _INTERNAL
    }
    tables: dict[str, dict[str, Function]] = {"symgrad": eager, "numpy": elementary | UFUNCS}
    tables["numpy"] |= {n: _creation(n, rule) for n, rule in CREATION.items() if n not in _NO_ARRAYS}
    for function, rule in [*NUMPY_FUNCTIONS.items(), *VIEWS.items(), *SHAPES.items()]:
        module = function.__module__
        shown = f"{module}.{function.__name__}".replace("numpy", "np", 1)
        tables.setdefault(module, {})[function.__name__] = _numpy_rule(shown, rule)
    numpy = tables["numpy"]
    for alias, name in (("max", "amax"), ("min", "amin"), ("abs", "absolute")):
        if name in numpy:
            numpy.setdefault(alias, numpy[name])
    tables["scipy.special"] = {"expit": elementary["sigmoid"], "erf": elementary["erf"], **SCIPY_SPECIAL}
    tables["scipy.linalg"] = {**tables.get("numpy.linalg", {}), **SCIPY_LINALG}
    return tables


NAMESPACES = _namespaces()
FUNCTIONS: dict[str, Function] = {
    **NAMESPACES["scipy.special"],
    **NAMESPACES["symgrad"],
    **NAMESPACES.get("numpy.linalg", {}),
    **NAMESPACES["numpy"],
    "len": _length,
}
"""What can be called by its bare name; of two functions of one name NumPy's main one."""

_PREFIXES = {
    "np": "numpy",
    "numpy": "numpy",
    "np.linalg": "numpy.linalg",
    "numpy.linalg": "numpy.linalg",
    "linalg": "numpy.linalg",
    "LA": "numpy.linalg",
    "la": "numpy.linalg",
    "scipy.linalg": "scipy.linalg",
    "scipy.special": "scipy.special",
    "special": "scipy.special",
    "sg": "symgrad",
    "symgrad": "symgrad",
    "sg.nn.functional": "symgrad",
    "math": "numpy",
}
ROOTS = {p.split(".")[0] for p in _PREFIXES}
"""Names that stand for modules, unless an argument has that name."""

_ATTRIBUTES = tuple(
    n
    for n, v in vars(Traced).items()
    if isinstance(v, property) and n in ("T", "mT", "shape", "size", "ndim")
)
_METHODS = frozenset(
    n
    for n in (*(m for m, v in vars(Traced).items() if callable(v)), *METHODS, *TENSOR_FUNCTIONS)
    if not n.startswith("_") and n not in (*_INTERNAL, "fill", "sort", "put")
)
VALUES_ONLY = (
    frozenset(UFUNCS) | {e.name for e in ELEMENTARY} | {"clip", "where", "full", "full_like", "reshape"}
)
"""Functions for which a whole number is a value, or is held against a size; elsewhere it may say how much to do."""


def function_named(path: tuple[str, ...]) -> Function:
    """The function with a dotted name such as ``("np", "linalg", "norm")``.

    Raises:
        UnsupportedError: there is none.
    """
    *prefix, name = path
    if not prefix:
        table = FUNCTIONS
    else:
        namespace = _PREFIXES.get(".".join(prefix))
        if namespace is None:
            raise UnsupportedError(
                f"The function {'.'.join(path)} is not known.",
                expected="functions of np, np.linalg, scipy.special and sg",
                fix="pass random numbers in as arguments" if "random" in prefix else None,
            )
        table = NAMESPACES.get(namespace, {})
    if name not in table:
        raise UnsupportedError(
            f"The function {'.'.join(path)} is not known.", expected=nearest(name, table or FUNCTIONS)
        )
    return table[name]


def constant_named(path: tuple[str, ...]) -> Any:
    """``np.pi``, ``np.e``, ``np.inf``, ``np.newaxis``: a number, or None for the new axis.

    Raises:
        UnsupportedError: there is none of this name.
    """
    *prefix, name = path
    if _PREFIXES.get(".".join(prefix)) == "numpy":
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name == "inf":
            return float("inf")
        if name == "newaxis":
            return None
    raise UnsupportedError(f"{'.'.join(path)} is not known.", expected="np.pi, np.e, np.inf or np.newaxis")


def method(value: Traced, name: str) -> Callable[..., Any]:
    """A method of a traced array by name; the names are those of NumPy and of the eager side.

    Raises:
        UnsupportedError: there is none.
    """
    if name not in _METHODS:
        raise UnsupportedError(f"The method .{name}() is not known.", expected=nearest(name, _METHODS))
    return lambda *args, **kwargs: getattr(value, name)(*args, **kwargs)


def attribute(value: Traced, name: str) -> Any:
    """``.T``, ``.shape``, ``.size``, ``.ndim``.

    Raises:
        UnsupportedError: any other.
    """
    if name not in _ATTRIBUTES:
        fix = f"write .{name}()" if name in _METHODS else None
        raise UnsupportedError(
            f"The attribute .{name} is not known.", expected=", ".join(f".{a}" for a in _ATTRIBUTES), fix=fix
        )
    return getattr(value, name)


def apply(function: Callable[..., Any], name: str, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call with what the text gives.

    Raises:
        ParseError: too many arguments, or arguments that mean nothing to the function.
    """
    try:
        return function(*args, **kwargs)
    except SymgradError:
        raise
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise ParseError(f"{name} does not take these arguments.", got=str(error)) from None
