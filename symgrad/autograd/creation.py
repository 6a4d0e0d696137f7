"""Making tensors: from numbers and arrays, constant, random."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from symgrad.autograd.dtypes import check_numeric, numpy_dtype
from symgrad.autograd.tensor import Tensor
from symgrad.errors import DataError, SpecError


def _default_dtype(array: np.ndarray, first: Any) -> np.dtype:
    """Python floats become float32; ints stay int64, bools bool, and what came from NumPy stays as it was."""
    if isinstance(first, np.generic | np.ndarray):
        return array.dtype
    return np.dtype(np.float32) if array.dtype.kind == "f" else array.dtype


def _first_element(data: Any) -> Any:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return data.data if isinstance(data, Tensor) else data


def _plain(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.data
    return [_plain(item) for item in data] if isinstance(data, list | tuple) else data


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with these elements.

    Args:
        data: a number, nested lists, a NumPy array or a tensor; it is copied.
        dtype: the element type.  By default Python floats give float32, ints int64, bools bool, and NumPy
            arrays keep theirs; of mixed lists the first element decides.
        requires_grad: whether `backward` shall leave its gradient in `.grad`.

    Raises:
        DataError: the lists are ragged, or hold something that is no number.
    """
    wanted = None if dtype is None else numpy_dtype(dtype)
    try:
        array = np.array(_plain(data))
    except (ValueError, OverflowError) as error:
        raise DataError("these data do not form an array", where="tensor", got=str(error)) from error
    check_numeric(array.dtype)
    if wanted is None:
        wanted = _default_dtype(array, _first_element(data))
    with np.errstate(all="ignore"):
        return Tensor(array.astype(wanted, copy=False), requires_grad)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the memory of the array: changes of one are changes of the other."""
    return Tensor(array)


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    lengths = size[0] if len(size) == 1 and isinstance(size[0], list | tuple) else size
    try:
        shape = tuple(operator.index(length) for length in lengths)
    except TypeError:
        raise SpecError(
            "a shape needs integers", where="size", expected="integers ≥ 0", got=lengths
        ) from None
    if any(length < 0 for length in shape):
        raise SpecError("a shape cannot be negative", where="size", expected="integers ≥ 0", got=shape)
    return shape


def _float_dtype(dtype: Any) -> np.dtype:
    return np.dtype(np.float32) if dtype is None else numpy_dtype(dtype)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros, float32 by default."""
    return Tensor(np.zeros(_shape(size), _float_dtype(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones, float32 by default."""
    return Tensor(np.ones(_shape(size), _float_dtype(dtype)), requires_grad)


def full(size: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One number everywhere; the element type is that of `tensor(fill_value)` by default."""
    value = tensor(fill_value, dtype=dtype).data
    shape = _shape(size if isinstance(size, tuple) else (size,))
    return Tensor(np.full(shape, value, value.dtype), requires_grad)


def zeros_like(other: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and element type of another tensor."""
    like = np.asarray(other)
    return zeros(like.shape, dtype=like.dtype if dtype is None else dtype, requires_grad=requires_grad)


def ones_like(other: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and element type of another tensor."""
    like = np.asarray(other)
    return ones(like.shape, dtype=like.dtype if dtype is None else dtype, requires_grad=requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, … below end; integers give int64, floats float32."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise SpecError("arange needs a step that is not 0", where="arange, step", got=step)
    values = np.arange(start, end, step)
    return Tensor(
        values.astype(_default_dtype(values, start) if dtype is None else numpy_dtype(dtype)), requires_grad
    )


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal, zeros elsewhere; n × m, or n × n."""
    return Tensor(np.eye(n, m, dtype=_float_dtype(dtype)), requires_grad)


class _Random:
    """The generator behind `randn` and `rand`; `manual_seed` starts it anew."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng()

    def draw(self, method: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        wanted = _float_dtype(dtype)
        if wanted.kind != "f":
            raise DataError(
                "random numbers are floating point", where="dtype", expected="a float type", got=wanted
            )
        # drawn in double and rounded: one seed gives the same numbers in every type
        return np.asarray(getattr(self.generator, method)(size=shape)).astype(wanted)


_random = _Random()


def manual_seed(seed: int) -> None:
    """Start the random numbers of `randn`, `rand` and of new layers anew."""
    _random.generator = np.random.default_rng(seed)


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Independent normal numbers, mean 0 and variance 1."""
    return Tensor(_random.draw("standard_normal", _shape(size), dtype), requires_grad)


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Independent uniform numbers from [0, 1)."""
    return Tensor(_random.draw("random", _shape(size), dtype), requires_grad)
