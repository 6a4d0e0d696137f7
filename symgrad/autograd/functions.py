"""The functional interface: the records, which are callable, and a few other spellings of them.

Every function here lets an argument with `__symgrad_function__` take the call over (see README.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symgrad.autograd.apply import overriding
from symgrad.autograd.record import OPS
from symgrad.autograd.rules.activations import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus
from symgrad.autograd.rules.analytic import arctan, cos, erf, exp, expm1, log, log1p, sin, tanh
from symgrad.autograd.rules.arithmetic import (
    abs,
    add,
    clip,
    div,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    sign,
    sqrt,
    square,
    sub,
    where,
)
from symgrad.autograd.rules.comparisons import argmax, argmin, eq, ge, gt, le, lt, ne
from symgrad.autograd.rules.indexing import cat, getitem, stack, take_along_axis
from symgrad.autograd.rules.linear import matmul
from symgrad.autograd.rules.reductions import amax, amin, log_softmax, logsumexp, mean, softmax, sum
from symgrad.autograd.rules.shapes import (
    broadcast_to,
    cast,
    clone,
    flatten,
    reshape,
    squeeze,
    transpose,
    unsqueeze,
)
from symgrad.errors import SpecError

if TYPE_CHECKING:
    from symgrad.autograd.tensor import Tensor

__all__ = [
    "OPS",
    "Extremum",
    "abs",
    "add",
    "amax",
    "amin",
    "arctan",
    "argmax",
    "argmin",
    "atan",
    "broadcast_to",
    "cast",
    "cat",
    "clamp",
    "clip",
    "clone",
    "concat",
    "cos",
    "div",
    "elu",
    "eq",
    "erf",
    "exp",
    "expand",
    "expm1",
    "flatten",
    "ge",
    "gelu",
    "getitem",
    "gt",
    "is_operand",
    "le",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "lt",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "ne",
    "neg",
    "overriding",
    "permute",
    "pow",
    "relu",
    "reshape",
    "reshape_to",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "sub",
    "sum",
    "swapaxes",
    "take_along_axis",
    "tanh",
    "transpose",
    "unsqueeze",
    "where",
]

clamp, atan, concat = clip, arctan, cat


def is_operand(value: Any) -> bool:
    """Whether an operator with a tensor accepts this on its other side."""
    kind = type(value)
    return (
        isinstance(value, bool | int | float | np.ndarray | np.generic)
        or hasattr(kind, "_accumulate")
        or hasattr(kind, "__symgrad_function__")
    )


def _dims(dims: tuple[Any, ...]) -> tuple[Any, ...]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    return tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims


def reshape_to(x: Any, *shape: Any) -> Tensor:
    """`reshape` with the lengths as separate arguments or as one tuple."""
    return reshape(x, _dims(shape))


def permute(x: Any, *dims: Any) -> Tensor:
    """`transpose` with the axes as separate arguments or as one tuple."""
    return transpose(x, _dims(dims))


def swapaxes(x: Any, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged."""
    axes = list(range(x.ndim))
    try:
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    except IndexError:
        raise SpecError(
            "no such axis", where="transpose", expected=f"axes of a {x.ndim}-d tensor", got=(dim0, dim1)
        ) from None
    return transpose(x, tuple(axes))


def expand(x: Any, *shape: Any) -> Tensor:
    """`broadcast_to`, where −1 keeps a length."""
    lengths = _dims(shape)
    kept = (1,) * (len(lengths) - x.ndim) + tuple(x.shape)
    return broadcast_to(x, tuple(old if new == -1 else new for old, new in zip(kept, lengths)))


class Extremum(NamedTuple):
    """What `max` and `min` along an axis return."""

    values: Tensor
    indices: Tensor


def _along(extremum: Any, position: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None:
        return extremum(x)
    indices = position(x, axis=axis, keepdims=True)
    values = take_along_axis(x, indices, axis=axis)
    if keepdims:
        return Extremum(values, indices)
    return Extremum(squeeze(values, axis=axis), squeeze(indices, axis=axis))


def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element (`amax`), or along one axis the largest elements and their positions.

    Along an axis the gradient goes to the element at the position returned, the first of equal ones.
    """
    if dim is not None and not isinstance(dim, int):
        return maximum(x, dim)
    return _along(amax, argmax, x, dim, keepdim)


def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element (`amin`), or along one axis the smallest elements and their positions."""
    if dim is not None and not isinstance(dim, int):
        return minimum(x, dim)
    return _along(amin, argmin, x, dim, keepdim)
