"""``Traced``: an array that is not there yet; every operation on it writes a binding.

It follows NumPy's protocols (``__array_ufunc__``, ``__array_function__``), so that plain NumPy code runs on it
unchanged, and ``__symgrad_function__``, so that a ``Module.forward`` does.  Whatever would need numbers (a
branch, a conversion, an object array) raises instead of guessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from symgrad.errors import NoSuchMethodError, TraceError, UnsupportedError, nearest
from symgrad.ops.dims import Dim, format_shape
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.numpy_functions import NUMPY_FUNCTIONS, UFUNCS, bind_numpy
from symgrad.trace.tensor_functions import TENSOR_FUNCTIONS


class Traced(NDArrayOperatorsMixin):
    """A value of the program under construction.

    Attributes:
        builder: where bindings are written.
        name: the binding or input that this value is.
    """

    __slots__ = ("builder", "name")
    __array_priority__ = 1000

    def __init__(self, builder: Builder, name: str) -> None:
        self.builder = builder
        self.name = name

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """``isinstance(x, np.ndarray)`` holds, as it does for the array that this stands for."""
        return np.ndarray

    # What NumPy code reads ------------------------------------------------------------------------------

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The shape in symbols; ``shape`` gives the same as values that can be calculated with."""
        return self.builder.type(self.name).shape

    @property
    def kind(self) -> str:
        return self.builder.type(self.name).kind

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(ops.size_value(self.builder, d) for d in self.dims)

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def size(self) -> Any:
        return ops.size_value(self.builder, ops.count(self.dims))

    @property
    def dtype(self) -> Any:
        raise TraceError(
            "The dtype is not known while a function is traced.",
            fix="leave the dtype to the data; write np.zeros_like(x) instead of np.zeros(..., dtype=x.dtype)",
        )

    @property
    def T(self) -> Traced:
        return ops.transpose(self)

    def __repr__(self) -> str:
        return f"<traced {self.name} {format_shape(self.dims)}>"

    # NumPy's and symgrad's protocols ---------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None:
            raise UnsupportedError(
                "A traced array is not changed in place.",
                where=f"np.{ufunc.__name__}",
                fix="write r = r + y instead of r += y, and leave out= away",
            )
        if method == "reduce" and ufunc is np.add:
            axis = kwargs.pop("axis", 0)
            keepdims = kwargs.pop("keepdims", False)
            if not kwargs:
                return ops.total(inputs[0], axis, keepdims)
        if method != "__call__" or kwargs:
            raise UnsupportedError(
                f"np.{ufunc.__name__} is traced as a plain call only.",
                where=f"np.{ufunc.__name__}",
                got=f"method {method}, options {sorted(kwargs)}",
            )
        rule = UFUNCS.get(ufunc.__name__)
        if rule is None:
            raise UnsupportedError(
                f"np.{ufunc.__name__} has no rule.",
                where=f"np.{ufunc.__name__}",
                expected=nearest(ufunc.__name__, UFUNCS),
            )
        return rule(self.builder, *inputs)

    def __array_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
        rule = NUMPY_FUNCTIONS.get(func)
        if rule is None:
            known = nearest(func.__name__, [f.__name__ for f in NUMPY_FUNCTIONS])
            raise UnsupportedError(f"{name} has no rule.", where=name, expected=known)
        return bind_numpy(name, rule, self.builder, args, kwargs)

    def __symgrad_function__(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        rule = TENSOR_FUNCTIONS.get(name)
        if rule is None:
            raise UnsupportedError(
                f"{name} has no symbolic rule.",
                where=name,
                expected=nearest(name, TENSOR_FUNCTIONS),
            )
        return rule(self.builder, *args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TraceError(
            "A traced array cannot become an ordinary or object array.",
            where=repr(self),
            expected="NumPy functions that symgrad traces",
            fix="build the array with arithmetic and NumPy functions instead of np.array(...) or a list",
        )

    # Methods ----------------------------------------------------------------------------------------------

    def sum(self, axis: Any = None, keepdims: bool = False, **aliases: Any) -> Traced:
        axis, keepdims = _torch_names("sum", axis, keepdims, aliases)
        return ops.total(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **aliases: Any) -> Traced:
        axis, keepdims = _torch_names("mean", axis, keepdims, aliases)
        return ops.mean(self, axis, keepdims)

    def dot(self, other: Any) -> Traced:
        return ops.dot(self.builder, self, other)

    def matmul(self, other: Any) -> Traced:
        return ops.matmul(self.builder, self, other)

    def transpose(self, *axes: Any) -> Traced:
        flat = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return ops.transpose(self, tuple(flat) or None)

    def reshape(self, *shape: Any) -> Traced:
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Traced:
        return ops.reshape(self, -1)

    flatten = ravel

    def copy(self) -> Traced:
        return self

    def __getattr__(self, name: str) -> Any:
        # Tensor methods of the eager side: x.tanh(), x.relu(), …
        if name in TENSOR_FUNCTIONS:
            rule = TENSOR_FUNCTIONS[name]
            return lambda *args, **kwargs: rule(self.builder, self, *args, **kwargs)
        if not name.startswith("_") and hasattr(np.ndarray, name):
            raise NoSuchMethodError(
                f".{name} has no rule.", where=repr(self), expected=nearest(name, _METHODS)
            )
        raise AttributeError(f"a traced array has no attribute {name!r}")

    def __getitem__(self, key: Any) -> Traced:
        return ops.new_axes(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise UnsupportedError(
            "A traced array is not changed in place.",
            where=f"{self.name}[...] = ...",
            fix="compute a new array",
        )

    # What needs numbers -----------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return ops.truth(self)

    def __float__(self) -> float:
        raise TraceError("A traced array has no value yet.", where=repr(self), fix="leave float(...) away")

    def __int__(self) -> int:
        raise TraceError("A traced array has no value yet.", where=repr(self), fix="leave int(...) away")

    def __index__(self) -> int:
        raise TraceError(
            "A symbolic size cannot count or index.",
            where=repr(self),
            expected="an int",
            fix="give this size as an int in shapes, or write the loop as an array expression",
        )

    def __len__(self) -> int:
        if self.dims and isinstance(self.dims[0], int):
            return self.dims[0]
        raise TraceError(
            "The length is a symbol, and len() has to be an int.", where=repr(self), fix="use x.shape[0]"
        )

    def __iter__(self) -> Any:
        raise UnsupportedError(
            "A traced array is not looped over.",
            where=repr(self),
            fix="write the loop as an array expression",
        )

    __hash__ = object.__hash__


def _torch_names(what: str, axis: Any, keepdims: bool, aliases: dict[str, Any]) -> tuple[Any, bool]:
    axis = aliases.pop("dim", axis)
    keepdims = aliases.pop("keepdim", keepdims)
    # The options that ndarray.sum has besides; None is their default and changes nothing.
    unknown = {k: v for k, v in aliases.items() if not (k in ("dtype", "out") and v is None)}
    if unknown:
        raise UnsupportedError(
            f"{what} is traced with axis and keepdims only.", got=", ".join(sorted(unknown))
        )
    return axis, keepdims


_METHODS = [n for n in vars(Traced) if not n.startswith("_")]
ops.Array = Traced
