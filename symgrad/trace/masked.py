"""``x[mask]`` with a mask of the data: so many entries as the data says.

No program has arrays of such a size.  The value stays at its full size beside the mask; what is computed entry by
entry and then reduced, or written back through the same mask, needs no more.  Functions that may be infinite
outside the mask see ½ there, so that no gradient picks up 0·∞.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import Dim, product
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops

_TAME = {"add", "subtract", "multiply", "negative", "positive", "square", "absolute", "maximum", "minimum"}
_TAME |= {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "sign"}
"""Finite, with finite derivatives, wherever their arguments are."""


class Masked(NDArrayOperatorsMixin):
    """Entries of ``value`` where ``mask`` holds; the mask lies over the axes from ``axis`` on, which count as one."""

    __slots__ = ("axis", "builder", "mask", "value")
    __array_priority__ = 2000

    def __init__(self, builder: Builder, value: Any, mask: Any, axis: int) -> None:
        self.builder, self.value, self.mask, self.axis = builder, value, mask, axis

    @classmethod
    def of(cls, builder: Builder, value: Any, mask: Any, axis: int) -> Masked:
        return cls(builder, ops.Array(builder, value.name), ops.Array(builder, mask.name), axis)

    def _like(self, value: Any, axis: int | None = None) -> Masked:
        return Masked(self.builder, value, self.mask, self.axis if axis is None else axis)

    @property
    def _trailing(self) -> int:
        return int(self.value.ndim - self.axis - self.mask.ndim)

    def _condition(self, trailing: int | None = None) -> Any:
        count = self._trailing if trailing is None else trailing
        return moves.reshape_dims(self.mask, (*self.mask.dims, *(1,) * count))

    def filled(self, value: Any) -> Any:
        """The full array with ``value`` outside the mask."""
        return ops.elementary(self.builder, "where", self._condition(), self.value, value)

    def replaced(self, new: Any) -> Any:
        """The full array with ``new`` inside the mask."""
        picked = moves.broadcast_to(self._condition(), self.value.dims)
        return ops.elementary(self.builder, "where", picked, self._operand(new), self.value)

    def _operand(self, other: Any) -> Any:
        """The full array that stands for another operand.

        Raises:
            UnsupportedError: it has an axis that would have to match the number of picked entries.
        """
        if isinstance(other, Masked):
            if (other.mask.name, other.axis) != (
                self.mask.name,
                self.axis,
            ) or other._trailing > self._trailing:
                raise self._refusal("Entries picked by different masks are combined.")
            return other.value
        value = ops.lift(self.builder, other)
        if value.ndim > self._trailing:
            raise self._refusal("Entries picked by a mask meet an array.")
        return value

    def _refusal(self, what: str) -> UnsupportedError:
        error = UnsupportedError(
            what,
            where="x[mask]",
            expected="numbers, entries picked by the same mask, and sum, mean, max, min over them",
            fix="keep the full size: np.where(mask, x, 0).sum()",
        )
        return self.builder.refuse(error)  # type: ignore[return-value]

    # NumPy's protocols ------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc is np.add:
            return self.sum(kwargs.get("axis", 0), bool(kwargs.get("keepdims", False)))
        if method == "__call__" and kwargs.get("out") == (self,):
            del kwargs["out"]  # x[mask] *= 2 writes the result back by assignment
        if method != "__call__" or kwargs:
            raise self._refusal(f"np.{ufunc.__name__} is not traced here.")
        if ufunc is np.matmul:
            return self._matmul(*inputs)
        widest = max((i for i in inputs if isinstance(i, Masked)), key=lambda m: m.value.ndim)
        operands = []
        for i in inputs:
            value = widest._operand(i)
            if isinstance(i, Masked) and ufunc.__name__ not in _TAME:
                value = i.filled(sympy.Rational(1, 2))
            if isinstance(i, Masked) and i._trailing < widest._trailing and i._trailing > 0:
                raise self._refusal("Entries of different ranks are combined.")
            if isinstance(i, Masked) and i._trailing < widest._trailing:
                raise self._refusal("One number for each picked row meets the rows.")
            operands.append(value)
        return widest._like(ufunc(*operands))

    def __array_function__(
        self, func: Any, types: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        options = {k: v for k, v in kwargs.items() if v is not np._NoValue and v is not None}
        method = _FUNCTIONS.get(func)
        if method is not None and args and args[0] is self:
            return getattr(self, method)(*args[1:], **options)
        if func is np.dot and not options:
            return self._matmul(*args)
        if func is np.linalg.norm and len(args) == 1 and not options:
            return func(self.filled(0))
        if func is np.size and len(args) == 1:
            return self.size
        if func is np.shape:
            return self.shape
        raise self._refusal(f"np.{func.__name__} is not traced on what a mask picks.")

    def _matmul(self, first: Any, second: Any) -> Any:
        if isinstance(first, Masked) and isinstance(second, Masked):
            if first._rank() == second._rank() == 1:
                return (first * second).sum()
        elif isinstance(first, Masked) and first.axis == 0 and first._trailing == 1 and first.mask.ndim == 1:
            return first._like(ops.matmul(self.builder, first.value, second))
        raise self._refusal("This product of entries that a mask picks is not traced.")

    # What NumPy code reads ----------------------------------------------------------------------------------

    def _rank(self) -> int:
        return int(self.axis + 1 + self._trailing)

    @property
    def ndim(self) -> int:
        return self._rank()

    @property
    def count(self) -> Any:
        """How many places the mask picks."""
        return ops.total(self.mask)

    @property
    def size(self) -> Any:
        others = product([*self.value.dims[: self.axis], *self.value.dims[self.axis + self.mask.ndim :]])
        return self.count if others == 1 else ops.elementary(self.builder, "mul", self.count, others)

    @property
    def shape(self) -> tuple[Any, ...]:
        dims: list[Dim] = list(self.value.dims)
        before, after = dims[: self.axis], dims[self.axis + self.mask.ndim :]
        return (
            *(ops.size_value(self.builder, d) for d in before),
            self.count,
            *(ops.size_value(self.builder, d) for d in after),
        )

    def copy(self) -> Masked:
        return self

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None and not keepdims:
            return ops.total(self.filled(0))
        at = self._axis(axis)
        if at == self.axis:
            if keepdims:
                raise self._refusal("keepdims is not traced over what a mask picks.")
            return ops.total(self.filled(0), tuple(range(self.axis, self.axis + self.mask.ndim)))
        inside = at if at < self.axis else at + self.mask.ndim - 1
        value = ops.total(self.value, inside, keepdims)
        return self._like(value, self.axis - (at < self.axis and not keepdims))

    def _axis(self, axis: Any) -> int:
        if not isinstance(axis, (int, np.integer)) or not -self._rank() <= axis < self._rank():
            raise self._refusal("What a mask picks is reduced over one axis or all of them.")
        return int(axis) % self._rank()

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        total = self.sum(axis, keepdims)
        if axis is None:
            return ops.elementary(self.builder, "div", total, self.size)
        at = self._axis(axis)
        return total / (self.count if at == self.axis else self.shape[at])

    def var(self, ddof: int = 0) -> Any:
        return ops.elementary(self.builder, "div", ((self - self.mean()) ** 2).sum(), self.size - ddof)

    def std(self, ddof: int = 0) -> Any:
        return ops.elementary(self.builder, "sqrt", self.var(ddof))

    def max(self) -> Any:
        # Outside the mask stands the least entry of all, which is never larger than one inside.
        return np.max(self.filled(np.min(self.value)))

    def min(self) -> Any:
        return np.min(self.filled(np.max(self.value)))

    def dot(self, other: Any) -> Any:
        return self._matmul(self, other)

    def __len__(self) -> int:
        raise self._refusal("How many entries a mask picks is no number yet; len() has to be an int.")

    def __bool__(self) -> bool:
        raise self._refusal("The truth of what a mask picks depends on the data.")

    def __getitem__(self, key: Any) -> Any:
        raise self._refusal("What a mask picks is not indexed again.")

    def __iter__(self) -> Any:
        raise self._refusal("What a mask picks is not looped over.")

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise self._refusal("What a mask picks cannot become an array.")

    __hash__ = object.__hash__


_FUNCTIONS: dict[Any, str] = {
    np.sum: "sum",
    np.mean: "mean",
    np.average: "mean",
    np.var: "var",
    np.std: "std",
    np.max: "max",
    np.min: "min",
    np.copy: "copy",
}
