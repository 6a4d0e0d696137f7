"""NumPy's functions that make arrays from nothing, and the modules as a traced function sees them.

``np.zeros(n)`` never meets a traced array, so that NumPy's protocols cannot redirect it.  A traced function gets
``np``, ``math`` and ``scipy`` that are made here: their functions take symbolic sizes and return arrays that
traced values can be written into; what draws random numbers is refused; all else is the library's own.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from symgrad.errors import TraceError, UnsupportedError
from symgrad.program import Builder
from symgrad.trace import constants, grids, linalg, moves, spectral, structured, views
from symgrad.trace import operations as ops
from symgrad.trace.dispatch import SCIPY_SPECIAL, call_numpy
from symgrad.trace.distances import SCIPY_DISTANCE
from symgrad.trace.distributions import distributions
from symgrad.trace.math_module import MATH
from symgrad.trace.refusals import remembering
from symgrad.trace.sizes import number

Function = Callable[..., Any]


def _sizes(shape: Any) -> tuple[Any, ...]:
    wanted = shape if isinstance(shape, (tuple, list)) else (shape,)
    return tuple(ops.as_size(d) for d in wanted)


def _filled(value: Any) -> Function:
    def make(builder: Builder, shape: Any, dtype: Any = float, order: str = "C", like: Any = None) -> Any:
        return _full(builder, shape, value, dtype, order)

    return make


def _full(
    builder: Builder, shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", like: Any = None
) -> Any:
    dims = _sizes(shape)
    if isinstance(fill_value, ops.Array):
        numbers = fill_value.numbers
        if numbers is None:
            return ops.Array(builder, moves.broadcast_to(fill_value, dims).name, order=order)
        fill_value = numbers
    if dtype is not None and np.dtype(dtype).kind != "f":
        dims = tuple(number(builder, d, "an array of whole numbers") for d in dims)
    if all(isinstance(d, int) for d in dims):
        return ops.Array(builder, data=np.full(dims, fill_value, dtype, order=_letter(order)), order=order)
    made = ops.ones(builder, dims, np.full((), fill_value, dtype).item())
    return ops.Array(builder, made.name, order=order)


def _letter(order: str) -> Any:
    return "F" if order == "F" else "C"


def _like(value: Any) -> Function:
    def make(
        builder: Builder, a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None
    ) -> Any:
        return _full_like(builder, a, value, dtype, order, subok, shape)

    return make


def _full_like(
    builder: Builder,
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
) -> Any:
    model = ops.lift(builder, a)
    if dtype is None:
        dtype = ops.dtype_of(model)
    made = _full(builder, model.dims if shape is None else shape, fill_value, dtype, order)
    return made if order in ("C", "F") else model.laid_alike(made)


def _array(
    builder: Builder,
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: str = "K",
    ndmin: int = 0,
    like: Any = None,
) -> Any:
    a = _asarray(builder, object, dtype)
    shared = a is object and copy in (True, 1)
    made = views.copy(a, order) if shared or order == "F" else a
    for _ in range(ndmin - made.ndim):
        made = moves.reshape_dims(made, (1, *made.dims))
    return made


def _asarray(builder: Builder, a: Any, dtype: Any = None, order: str = "K", like: Any = None) -> Any:
    if not isinstance(a, ops.Array):
        plain = _plain(a)
        if plain is not None:
            return ops.Array(builder, data=np.array(plain, dtype=dtype, order=order))  # type: ignore[call-overload]
        a = ops.lift(builder, a)
    found = a if dtype is None else ops.as_kind(a, dtype)
    if order == "F":
        return views.transpose(views.by_rows(views.transpose(found)))
    return views.by_rows(found) if order == "C" else found


def _contiguous(builder: Builder, a: Any, dtype: Any = None, like: Any = None) -> Any:
    return _asarray(builder, a, dtype, "C")


def _plain(value: Any) -> Any:
    """Nested numbers without a traced value among them; None where there is one."""
    if isinstance(value, ops.Array):
        return value.numbers
    if isinstance(value, (list, tuple)):
        parts = [_plain(v) for v in value]
        return None if any(p is None for p in parts) else parts
    return value


def _eye(builder: Builder, N: Any, M: Any = None, k: int = 0, dtype: Any = float) -> Any:
    rows, columns = ops.as_size(N), ops.as_size(N if M is None else M)
    if isinstance(rows, int) and isinstance(columns, int):
        return ops.Array(builder, data=np.eye(rows, columns, int(k), dtype))
    return _of_dtype(constants.eye(builder, rows, columns, k), dtype)


def _of_dtype(pattern: Any, dtype: Any) -> Any:
    """Ones and zeros as truth values, where those are asked for."""
    return ops.as_kind(pattern, dtype) if np.dtype(dtype).kind == "b" else pattern


def _arange(builder: Builder, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    if stop is None:
        start, stop = 0, start
    first, last, by = (_number(v) for v in (start, stop, step))
    if first is not None and last is not None and by is not None:
        return ops.Array(builder, data=np.arange(first, last, by, dtype=dtype))
    return constants.arange(builder, start, stop, step)


def _number(value: Any) -> Any:
    """An int or float; None for a size that is still a symbol."""
    if isinstance(value, ops.Array):
        numbers = value.numbers
        if numbers is not None:
            return numbers.item()
        constant = value.builder.constant_value(value.name)
        if constant is None:
            raise TraceError("A size cannot depend on the data.", where=repr(value))
        if constant.free_symbols:
            return None
        return int(constant) if constant.is_Integer else float(constant)
    return value


def _tri(builder: Builder, N: Any, M: Any = None, k: int = 0, dtype: Any = float) -> Any:
    rows, columns = ops.as_size(N), ops.as_size(N if M is None else M)
    if isinstance(rows, int) and isinstance(columns, int):
        return ops.Array(builder, data=np.tri(rows, columns, int(k), dtype))
    return _of_dtype(constants.tri(builder, rows, columns, k), dtype)


def _vectorize(builder: Builder, pyfunc: Function, *args: Any, **options: Any) -> Any:
    return pyfunc  # entry by entry is what arithmetic on arrays is


def _isscalar(builder: Builder, element: Any) -> bool:
    return not element.dims if isinstance(element, ops.Array) else bool(np.isscalar(element))


CREATION: dict[str, Function] = {
    "zeros": _filled(0),
    "ones": _filled(1),
    "empty": _filled(0),
    "full": _full,
    "zeros_like": _like(0),
    "ones_like": _like(1),
    "empty_like": _like(0),
    "full_like": _full_like,
    "array": _array,
    "asarray": _asarray,
    "ascontiguousarray": _contiguous,
    "asfortranarray": lambda b, a, dtype=None, *, like=None: _asarray(b, a, dtype, "F"),
    "asanyarray": _asarray,
    "asarray_chkfinite": _asarray,
    "eye": _eye,
    "identity": lambda b, n, dtype=float: _eye(b, n, dtype=dtype),
    "arange": _arange,
    **grids.CREATION,
    "tri": _tri,
    "vectorize": _vectorize,
    "isscalar": _isscalar,
}


def plain_types(value: Any) -> Any:
    """``float`` and ``int`` for what stands for them while a function is traced."""
    if isinstance(value, tuple):
        return tuple(plain_types(v) for v in value)
    return getattr(value, "plain_type", value) if isinstance(value, type) else value


class Module:
    """A library module as a traced function sees it: some names are ours, the others the library's."""

    def __init__(self, builder: Builder, module: types.ModuleType, names: Mapping[str, Any]) -> None:
        self._builder, self._module, self._names = builder, module, names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        found = getattr(self._module, name)
        if callable(found) and not isinstance(found, type) and self._module.__name__.startswith("numpy"):
            return _NumpyFunction(self._builder, found)
        return found

    def __repr__(self) -> str:
        return f"<{self._module.__name__} while a function is traced>"


class _NumpyFunction:
    """A function of NumPy; its arrays of numbers can be written into by traced values."""

    def __init__(self, builder: Builder, function: Any) -> None:
        self._builder, self._function = builder, function

    def __call__(self, *args: Any, **options: Any) -> Any:
        args, options = plain_types(args), {k: plain_types(v) for k, v in options.items()}
        if any(isinstance(a, (list, tuple)) and ops.holds_traced(a) for a in args):
            # NumPy looks for traced arrays among its arguments, not inside lists
            return call_numpy(self._builder, self._function, args, options)
        result = self._function(*args, **options)
        if (
            isinstance(result, np.ndarray)
            and result.dtype.kind in "fiub"
            and not isinstance(result, ops.Array)
        ):
            return ops.Array(self._builder, data=result)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


class _Refused:
    """Random numbers: a formula cannot hold them."""

    def __init__(self, builder: Builder, name: str) -> None:
        self._builder, self._name = builder, name

    def __getattr__(self, name: str) -> Any:
        raise self._builder.refuse(
            TraceError(
                "A loss with random numbers has no gradient to derive.",
                where=f"{self._name}.{name}",
                fix="draw them outside and pass them in as an argument",
            )
        )

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.__getattr__("__call__")


class Library:
    """What stands for the modules and functions of the libraries while one function is traced."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        creation = {name: self._bound(rule) for name, rule in CREATION.items()}
        random = _Refused(builder, "np.random")
        pi = ops.Array(builder, builder.constant(sympy.pi))  # exact, so that log 2π is printed as such
        in_math = {name: self._bound(rule) for name, rule in MATH.items()}
        algebra = Module(builder, np.linalg, {})
        self._modules: dict[str, Any] = {
            "numpy": Module(
                builder,
                np,
                {
                    **creation,
                    **grids.brackets(builder),
                    "pi": pi,
                    "random": random,
                    "linalg": algebra,
                    "matrix": self._matrix,
                    "mat": self._matrix,
                    "asmatrix": self._matrix,
                },
            ),
            "numpy.linalg": algebra,
            "numpy.random": random,
            "random": _Refused(builder, "random"),
            "math": Module(builder, math, {**in_math, "pi": pi}),
        }
        self._own: dict[Any, Any] = {getattr(np, name): creation[name] for name in CREATION}
        self._own |= {getattr(math, name): rule for name, rule in in_math.items()}
        self._scipy = {
            "scipy.special": {n: self._bound(r) for n, r in SCIPY_SPECIAL.items()},
            "scipy.linalg": {
                n: self._bound(r)
                for table in (linalg.SCIPY_LINALG, structured.SCIPY_LINALG, spectral.SCIPY_LINALG)
                for n, r in table.items()
            },
            "scipy.spatial.distance": {n: self._bound(r) for n, r in SCIPY_DISTANCE.items()},
        }
        self._distributions = distributions(builder)

    def _bound(self, rule: Function) -> Function:
        kept = remembering(rule)
        return lambda *args, **options: kept(
            self.builder, *plain_types(args), **{k: plain_types(v) for k, v in options.items()}
        )

    def _matrix(self, *args: Any, **options: Any) -> Any:
        raise self.builder.refuse(
            UnsupportedError(
                "np.matrix changes what * means and is not traced.",
                where="np.matrix",
                fix="use np.array, and @ for the matrix product",
            )
        )

    def stand_in(self, value: Any) -> Any:
        """What a traced function sees in place of a module or function of a library; None where it is itself."""
        if isinstance(value, types.ModuleType):
            return self._module(value)
        try:
            found = self._own.get(value)
        except TypeError:  # not hashable
            return None
        if found is not None:
            return found
        module = getattr(value, "__module__", None) or ""
        if module.startswith("scipy.stats.") and not isinstance(value, type):
            return self._distributions.get(type(value).__name__.removesuffix("_gen"))
        if callable(value) and module.startswith("scipy."):
            for table in self._scipy.values():
                if getattr(value, "__name__", None) in table:
                    return table[value.__name__]
        if callable(value) and not isinstance(value, type) and module.split(".")[0] == "numpy":
            if module.startswith("numpy.random"):
                return _Refused(self.builder, module)
            return _NumpyFunction(self.builder, value)
        return None

    def _module(self, module: types.ModuleType) -> Any:
        name = module.__name__
        if name in self._modules:
            return self._modules[name]
        if name in self._scipy:
            return Module(self.builder, module, self._scipy[name])
        if name == "scipy" or name.startswith("scipy."):
            return _Package(self, module)
        return None


class _Package:
    """A module of SciPy; what is read from it is looked up as if the user had imported that."""

    def __init__(self, library: Library, module: types.ModuleType) -> None:
        self._library, self._module = library, module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        stand_in = self._library.stand_in(found)
        return found if stand_in is None else stand_in


__all__ = ["Library"]
