"""The operators and methods of a tensor: other ways to write a call of the functional interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import symgrad.autograd.functions as F
from symgrad.autograd.in_place import combine, write

if TYPE_CHECKING:
    from symgrad.autograd.tensor import Tensor


def _binary(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if not F.is_operand(other):
            return NotImplemented
        function = getattr(F, name)
        return function(other, self) if reflected else function(self, other)

    return operator


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        return combine(self, getattr(F, name), other)

    return operator


def _unary(name: str) -> Callable[[Any], Any]:
    def operator(self: Any) -> Any:
        return getattr(F, name)(self)

    operator.__doc__ = f"See `functions.{name}`."
    return operator


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(F, name)(self, *args, **kwargs)

    method.__doc__ = f"See `functions.{name}`."
    return method


class TensorOperators:
    """Mixed into `Tensor`; holds no state."""

    __slots__ = ()
    __array_priority__ = 1000
    __array_ufunc__ = None  # an array on the left lets the tensor on the right answer

    __add__, __radd__, __iadd__ = _binary("add"), _binary("add", True), _in_place("add")
    __sub__, __rsub__, __isub__ = _binary("sub"), _binary("sub", True), _in_place("sub")
    __mul__, __rmul__, __imul__ = _binary("mul"), _binary("mul", True), _in_place("mul")
    __truediv__, __rtruediv__, __itruediv__ = _binary("div"), _binary("div", True), _in_place("div")
    __pow__, __rpow__, __ipow__ = _binary("pow"), _binary("pow", True), _in_place("pow")
    __matmul__, __rmatmul__ = _binary("matmul"), _binary("matmul", True)
    __lt__, __le__, __gt__, __ge__ = _binary("lt"), _binary("le"), _binary("gt"), _binary("ge")
    __eq__, __ne__ = _binary("eq"), _binary("ne")
    __hash__ = object.__hash__
    __neg__, __abs__ = _unary("neg"), _unary("abs")

    add, sub, mul, div, pow = (_method(name) for name in ("add", "sub", "mul", "div", "pow"))
    add_, sub_, mul_, div_ = (_in_place(name) for name in ("add", "sub", "mul", "div"))
    neg, abs, sign, square, sqrt = (_unary(name) for name in ("neg", "abs", "sign", "square", "sqrt"))
    exp, expm1, log, log1p = (_unary(name) for name in ("exp", "expm1", "log", "log1p"))
    sin, cos, tanh, arctan, erf = (_unary(name) for name in ("sin", "cos", "tanh", "arctan", "erf"))
    sigmoid, relu, silu, clone = (_unary(name) for name in ("sigmoid", "relu", "silu", "clone"))
    atan = arctan
    softplus, gelu, clip = (_method(name) for name in ("softplus", "gelu", "clip"))
    clamp = clip
    matmul, maximum, minimum = (_method(name) for name in ("matmul", "maximum", "minimum"))
    eq, ne, lt, le, gt, ge = (_method(name) for name in ("eq", "ne", "lt", "le", "gt", "ge"))
    sum, mean, amax, amin = (_method(name) for name in ("sum", "mean", "amax", "amin"))
    max, min, argmax, argmin = (_method(name) for name in ("max", "min", "argmax", "argmin"))
    logsumexp, softmax, log_softmax = (_method(name) for name in ("logsumexp", "softmax", "log_softmax"))
    squeeze, unsqueeze, take_along_axis = (
        _method(name) for name in ("squeeze", "unsqueeze", "take_along_axis")
    )
    permute, flatten, broadcast_to = (_method(name) for name in ("permute", "flatten", "broadcast_to"))
    reshape = view = _method("reshape_to")
    expand = _method("expand")
    to = astype = _method("cast")

    @property
    def T(self) -> Tensor:
        """Axes reversed; for a matrix the transpose."""
        return F.transpose(self)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged."""
        return F.swapaxes(self, dim0, dim1)

    def t(self) -> Tensor:
        return F.transpose(self)

    def float(self) -> Tensor:
        return F.cast(self, np.float32)

    def double(self) -> Tensor:
        return F.cast(self, np.float64)

    def long(self) -> Tensor:
        return F.cast(self, np.int64)

    def __getitem__(self, index: Any) -> Tensor:
        return F.getitem(self, index)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        plain = F.OPS["getitem"].canonical
        assert plain is not None
        write(self, plain({"index": index})["index"], value)

    def __iter__(self: Any) -> Iterator[Tensor]:
        return (F.getitem(self, i) for i in range(len(self)))

    def zero_(self: Any) -> Any:
        """All elements 0, in place."""
        write(self, ..., 0)
        return self

    def fill_(self: Any, value: Any) -> Any:
        """All elements `value`, in place."""
        write(self, ..., value)
        return self

    def copy_(self: Any, source: Any) -> Any:
        """The elements of `source`, which may broadcast, in place."""
        write(self, ..., source)
        return self
