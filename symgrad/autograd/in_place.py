"""Changes in place: recorded ones give the tensor a new array, others are written and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import symgrad.autograd.tensor as tensor_module  # which is loaded later: its operators call this
from symgrad.autograd.grad_mode import is_grad_enabled
from symgrad.errors import DataError, GradientError, ShapeError

if TYPE_CHECKING:
    from symgrad.autograd.tensor import Tensor


def combine(tensor: Tensor, operation: Callable[[Any, Any], Any], other: Any) -> Any:
    """`tensor op= other`.

    Where the operation is recorded, the tensor gets a new array and a new place in the graph, and
    the old array stays what it was for the rules that read it.  Otherwise the memory itself is
    changed, and counted.
    """
    result = operation(tensor, other)
    if not isinstance(result, tensor_module.Tensor):
        return result
    if result.shape != tensor.shape:
        raise ShapeError(
            "a change in place keeps the shape",
            where="in-place operation",
            expected=tensor.shape,
            got=result.shape,
        )
    if not np.can_cast(result._data.dtype, tensor._data.dtype, "same_kind"):
        raise DataError(
            "a change in place keeps the element type",
            where="in-place operation",
            expected=str(tensor.dtype),
            got=str(result.dtype),
            fix="write y = y + x",
        )
    if result._node is None:
        write(tensor, ..., result._data)
        return tensor
    if tensor._requires_grad or tensor._version.has_views:
        kind = (
            "leaf that requires a gradient"
            if tensor._requires_grad
            else "tensor that shares memory with a view"
        )
        raise GradientError(
            f"a {kind} cannot be changed in place while operations are recorded",
            where="in-place operation",
            fix="write y = y + x, or change it inside `with symgrad.no_grad():`",
        )
    if result._data.dtype != tensor._data.dtype:
        result = result.to(tensor.dtype)
    tensor._data, tensor._node, tensor._version = result._data, result._node, result._version
    return tensor


def write(tensor: Tensor, index: Any, value: Any) -> None:
    """Write into the memory, which no recorded operation may describe."""
    if is_grad_enabled() and (
        tensor.requires_grad or (isinstance(value, tensor_module.Tensor) and value.requires_grad)
    ):
        raise GradientError(
            "elements of a tensor with a gradient cannot be overwritten while operations are recorded",
            where="in-place operation",
            fix="build a new tensor (where, cat, stack), or write inside `with symgrad.no_grad():`",
        )
    if not tensor._data.flags.writeable:
        raise DataError(
            "this tensor is read-only", where="in-place operation", fix="change a clone() instead"
        )
    try:
        with np.errstate(all="ignore"):
            tensor._data[index] = value._data if isinstance(value, tensor_module.Tensor) else value
    except (ValueError, IndexError) as error:
        raise ShapeError(
            "the values do not fit",
            where="in-place operation",
            expected=f"index of shape {tensor.shape}",
            got=str(error),
        ) from error
    except TypeError as error:
        raise DataError("only numbers can be written", where="in-place operation", got=str(error)) from error
    tensor._version.count += 1
