"""``Traced``: an array that is not there yet; every operation on it writes a binding.

It follows NumPy's protocols (``__array_ufunc__``, ``__array_function__``), so that plain NumPy code runs on it
unchanged, and ``__symgrad_function__``, so that a ``Module.forward`` does.  Whatever would need numbers (a
branch, a conversion, an object array) raises instead of guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from symgrad.errors import TraceError, UnsupportedError, nearest
from symgrad.ops.dims import Dim, format_shape, product
from symgrad.trace import moves, views
from symgrad.trace import operations as ops
from symgrad.trace.checks import of_symgrad, printing
from symgrad.trace.dispatch import METHODS, call_numpy, call_ufunc, torch_names
from symgrad.trace.grids import ordered_ravel, ordered_reshape
from symgrad.trace.labels import labels
from symgrad.trace.masked import Masked
from symgrad.trace.memory import Memory
from symgrad.trace.refusals import remembering
from symgrad.trace.sizes import NeedsSize, constant_of, number, truth
from symgrad.trace.tensor_functions import TENSOR_FUNCTIONS


class Traced(Memory, NDArrayOperatorsMixin):
    """A value of the program under construction; see ``Memory`` for what it holds."""

    __slots__ = ()
    __array_priority__ = 1000

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """``isinstance(x, np.ndarray)`` holds, as it does for the array that this stands for."""
        return np.ndarray

    # What NumPy code reads ------------------------------------------------------------------------------

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The shape in symbols; ``shape`` gives the same as values that can be calculated with."""
        numbers = self.numbers
        return numbers.shape if numbers is not None else self.builder.type(self.name).shape

    @property
    def kind(self) -> str:
        numbers = self.numbers
        if numbers is not None:
            return {"b": "bool", "i": "int", "u": "int"}.get(numbers.dtype.kind, "real")
        return "real" if self.real else self.builder.type(self.name).kind

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(ops.size_value(self.builder, d) for d in self.dims)

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def size(self) -> Any:
        return ops.size_value(self.builder, product(self.dims))

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the array has when the derivation is evaluated in double precision."""
        return ops.dtype_of(self)

    @property
    def T(self) -> Traced:
        return views.transpose(self)

    @property
    def flat(self) -> Traced:
        return views.flat(self)

    def __repr__(self) -> str:
        return self._described() if of_symgrad() else self._text(repr)

    def __str__(self) -> str:
        return self._described() if of_symgrad() else self._text(str)

    def _described(self) -> str:
        """For messages and for what is shown: what this is, and not its values."""
        if self.numbers is not None:
            return f"<traced numbers {format_shape(self.dims)}>"
        value = constant_of(self)
        return f"<traced {self.name} {format_shape(self.dims)}>" if value is None else str(value)

    def _text(self, written: Callable[[Any], str]) -> str:
        """The text that NumPy would give; what is not known yet is described where the text is only shown.

        Raises:
            TraceError: the text depends on the data, and the function goes on with it; NeedsSize: on sizes.
        """
        numbers = self.numbers
        if numbers is not None:
            return written(numbers if numbers.ndim else numbers[()])
        value = constant_of(self)
        if value is not None and not value.free_symbols:
            return written(int(value) if value.is_Integer else float(value))
        if printing():
            return self._described()
        if value is not None:
            raise self.builder.refuse(NeedsSize(value.free_symbols, f"str({value})"))
        raise self.builder.refuse(
            TraceError(
                "A traced array has no values yet, and its text is used.",
                where=self._described(),
                expected="a text that is printed, logged or raised",
                fix="print(x) shows what it is; to branch on a value use np.where(condition, a, b)",
            )
        )

    # NumPy's and symgrad's protocols ---------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(i) is Masked for i in inputs):
            return NotImplemented  # what a mask picks knows how to meet an array
        return call_ufunc(self.builder, ufunc, method, inputs, kwargs)

    def __array_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        return call_numpy(self.builder, func, args, kwargs)

    def __symgrad_function__(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        rule = TENSOR_FUNCTIONS.get(name)
        if rule is None:
            raise UnsupportedError(
                f"{name} has no symbolic rule.",
                where=name,
                expected=nearest(name, TENSOR_FUNCTIONS),
            )
        return rule(self.builder, *args, **kwargs)

    def __symgrad_labels__(self, classes: Any, mark: int) -> tuple[Any, Any]:
        return labels(self, classes, mark)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        numbers = self.numbers
        if numbers is not None:
            return np.array(numbers, *args[:1])
        raise TraceError(
            "A traced array cannot become an ordinary or object array.",
            where=repr(self),
            expected="NumPy functions that symgrad traces",
            fix="build the array with arithmetic and NumPy functions",
        )

    # Methods ----------------------------------------------------------------------------------------------

    def dot(self, other: Any) -> Traced:
        return call_numpy(self.builder, np.dot, (self, other), {})

    def matmul(self, other: Any) -> Traced:
        return ops.matmul(self.builder, self, other)

    def transpose(self, *axes: Any) -> Traced:
        flat = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return views.transpose(self, tuple(flat) or None)

    @property
    def mT(self) -> Traced:
        """The transpose of each matrix of a stack."""
        return views.transpose(self, (*range(self.ndim - 2), -1, -2))

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> Traced:
        return ordered_reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def ravel(self, order: str = "C") -> Traced:
        return ordered_ravel(self, order)

    def flatten(self, order: str = "C") -> Traced:
        return views.fresh(ordered_ravel(self, order), "C")

    def squeeze(self, axis: Any = None) -> Traced:
        return views.squeeze(self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Traced:
        return call_numpy(self.builder, np.swapaxes, (self, axis1, axis2), {})

    def __copy__(self) -> Traced:
        return views.copy(self) if self.dims else self

    def __deepcopy__(self, memo: dict[int, Any]) -> Traced:
        return self.__copy__()

    def copy(self, order: str = "C") -> Traced:
        return views.copy(self, order)

    def astype(self, dtype: Any, **options: Any) -> Traced:
        made = views.fresh(ops.as_kind(self, dtype))
        made.real = np.dtype(getattr(dtype, "plain_type", dtype)).kind == "f"
        return made

    def item(self, *index: Any) -> Any:
        numbers = self.numbers
        if numbers is not None:
            return numbers.item(*index)
        if index:
            return self[index if len(index) > 1 else index[0]]
        return moves.reshape_dims(self, ())

    def tolist(self) -> Any:
        numbers = self.numbers
        if numbers is not None:
            return numbers.tolist()
        return [row.tolist() if row.ndim else row for row in self]

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
        self.store(views.fresh(call_numpy(self.builder, np.sort, (self, axis), {})))

    def fill(self, value: Any) -> None:
        self[...] = value

    def __getattr__(self, name: str) -> Any:
        # Methods that are NumPy functions of the array: x.sum(axis=0), x.max(), x.trace(), …
        function = METHODS.get(name)
        if function is not None:
            return lambda *args, **kwargs: call_numpy(
                self.builder, function, (self, *args), torch_names(name, kwargs)
            )
        # Tensor methods of the eager side: x.tanh(), x.relu(), …
        if name in TENSOR_FUNCTIONS:
            rule = remembering(TENSOR_FUNCTIONS[name])
            return lambda *args, **kwargs: rule(self.builder, self, *args, **kwargs)
        if not name.startswith("_") and hasattr(np.ndarray, name):
            known = [n for n in vars(Traced) if not n.startswith("_")]
            raise self.builder.refuse(
                UnsupportedError(
                    f".{name} has no rule.", where=repr(self), expected=nearest(name, [*known, *METHODS])
                )
            )
        raise AttributeError(f"a traced array has no attribute {name!r}")

    def __getitem__(self, key: Any) -> Traced:
        return views.getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        views.setitem(self, key, value)

    # What needs numbers -----------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return truth(self)

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __index__(self) -> int:
        value = self._number("index")
        if int(value) != value:
            raise TypeError(f"{value} is no integer")
        return int(value)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._number("round"), digits)

    def __format__(self, spec: str) -> str:
        if of_symgrad():
            return self._described()
        unknown = self.numbers is None and constant_of(self) is None
        return format(self._number("format"), spec) if spec and not unknown else self._text(str)

    def _number(self, what: str) -> Any:
        """The number that this value is; a size that is still a symbol makes the trace start again."""
        numbers = self.numbers
        if numbers is not None:
            return numbers.item()
        value = constant_of(self)
        if self.dims and any(d != 1 for d in self.dims):
            raise TypeError("only arrays of one entry can be converted to a number")  # as NumPy
        if value is None:
            raise TraceError(
                "A traced array has no value yet.",
                where=repr(self),
                fix=f"leave {what}(...) away" if what != "index" else "index with whole numbers or sizes",
            )
        sizes = value.free_symbols
        if sizes:
            raise self.builder.refuse(NeedsSize(sizes, f"{what}({value})"))
        return int(value) if value.is_Integer else float(value)

    def __len__(self) -> int:
        if not self.dims:
            raise TypeError("len() of unsized object")
        return number(self.builder, self.dims[0], "len()")

    def __iter__(self) -> Any:
        if not self.dims:
            raise TypeError("iteration over a 0-d array")
        return iter([self[i] for i in range(number(self.builder, self.dims[0], "loop over rows"))])

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __hash__(self) -> int:
        """As NumPy's: arrays have none, sizes and numbers that of their value."""
        if self.dims:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._number("hash"))


ops.Array = Traced
_UNWRAPPED = ("__init__", "__getattr__", "__hash__", "__repr__", "__str__", "__format__")

for _name, _member in list(vars(Traced).items()):
    if callable(_member) and _name not in _UNWRAPPED:
        setattr(Traced, _name, remembering(_member))
