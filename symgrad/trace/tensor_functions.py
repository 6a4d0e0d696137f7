"""The functions of the eager side (``symgrad.autograd.functions``), and what each does to traced arrays.

Names and parameters are those of the table in ``symgrad/autograd/README.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import SpecError
from symgrad.ops.dims import product
from symgrad.ops.record import ARG
from symgrad.ops.scalars import ELEMENTARY
from symgrad.program import Builder, exact_number
from symgrad.trace import joining, moves, moving, reductions, views
from symgrad.trace import operations as ops

Rule = Callable[..., Any]


def _softplus(b: Builder, x: Any, beta: Any = 1.0) -> Any:
    if beta == 1:
        return ops.elementary(b, "softplus", x)
    scaled = ops.elementary(b, "mul", exact_number(beta), x)
    return ops.elementary(b, "div", ops.elementary(b, "softplus", scaled), exact_number(beta))


def _elu(b: Builder, x: Any, alpha: Any = 1.0) -> Any:
    if alpha == 1:
        return ops.elementary(b, "elu", x)
    value = ops.lift(b, x)
    # expm1 of the part below 0 alone: above it would overflow, and 0·inf is no gradient
    negative = ops.elementary(b, "minimum", value, 0)
    below = ops.elementary(b, "mul", exact_number(alpha), ops.elementary(b, "expm1", negative))
    return ops.elementary(b, "where", ops.elementary(b, "greater", value, 0), value, below)


def _gelu(b: Builder, x: Any, approximate: str = "none") -> Any:
    if approximate == "none":
        return ops.elementary(b, "gelu", x)
    if approximate != "tanh":
        raise SpecError("gelu has two forms.", where="gelu", expected="none or tanh", got=approximate)
    a = ARG(0)
    inner = sympy.sqrt(2 / sympy.pi) * (a + exact_number(0.044715) * a**3)
    return ops.apply(b, a * (1 + sympy.tanh(inner)) / 2, x)


def _flatten(b: Builder, x: Any, start: int = 0, end: int = -1) -> Any:
    value = ops.lift(b, x)
    first, last = start % value.ndim, end % value.ndim
    middle = product(value.dims[first : last + 1])
    return moves.reshape_dims(value, (*value.dims[:first], middle, *value.dims[last + 1 :]))


TENSOR_FUNCTIONS: dict[str, Rule] = {e.name: ops.rule_of(e.name) for e in ELEMENTARY}
TENSOR_FUNCTIONS |= {
    "maximum": ops.maximum,
    "gt": TENSOR_FUNCTIONS["greater"],
    "ge": TENSOR_FUNCTIONS["greater_equal"],
    "lt": TENSOR_FUNCTIONS["less"],
    "le": TENSOR_FUNCTIONS["less_equal"],
    "eq": TENSOR_FUNCTIONS["equal"],
    "ne": TENSOR_FUNCTIONS["not_equal"],
    "matmul": ops.matmul,
    "sum": lambda b, x, axis=None, keepdims=False: ops.total(ops.lift(b, x), axis, keepdims),
    "mean": lambda b, x, axis=None, keepdims=False: ops.mean(ops.lift(b, x), axis, keepdims),
    "transpose": lambda b, x, axes=None: moves.transpose(ops.lift(b, x), axes),
    "reshape": lambda b, x, shape: moves.reshape(ops.lift(b, x), shape),
    "broadcast_to": lambda b, x, shape: moves.broadcast_to(ops.lift(b, x), shape),
    "squeeze": lambda b, x, axis=None: moves.squeeze(ops.lift(b, x), axis),
    "unsqueeze": lambda b, x, axis: moves.expand_dims(ops.lift(b, x), axis),
    "flatten": _flatten,
    "getitem": lambda b, x, index: views.getitem(ops.lift(b, x), index),
    "amax": reductions.amax,
    "amin": reductions.amin,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "logsumexp": lambda b, x, axis=None, keepdims=False: reductions.logsumexp(b, x, axis, keepdims=keepdims),
    "softmax": lambda b, x, axis=-1: reductions.softmax(b, x, axis),
    "log_softmax": lambda b, x, axis=-1: reductions.log_softmax(b, x, axis),
    "cat": lambda b, tensors, axis=0: joining.concatenate(b, tensors, axis),
    "stack": lambda b, tensors, axis=0: joining.stack(b, tensors, axis),
    "take_along_axis": moving.take_along_axis,
    "cast": lambda b, x, dtype: ops.as_kind(ops.lift(b, x), dtype),
    "clip": lambda b, x, min=None, max=None: ops.clip(b, x, min, max),
    "clone": lambda b, x: ops.lift(b, x),
    "leaky_relu": lambda b, x, negative_slope=0.01: ops.leaky_relu(b, x, negative_slope),
    "elu": _elu,
    "softplus": _softplus,
    "gelu": _gelu,
}
