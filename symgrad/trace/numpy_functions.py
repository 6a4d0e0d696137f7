"""NumPy's functions and ufuncs, and what each does to traced arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.errors import UnsupportedError
from symgrad.ops.scalars import BY_UFUNC
from symgrad.program import Builder
from symgrad.trace import (
    grids,
    joining,
    linalg,
    moving,
    polynomials,
    products,
    reductions,
    sequences,
    special,
    spectral,
    statistics,
)
from symgrad.trace import operations as ops

Rule = Callable[..., Any]


def _elementwise(name: str) -> Rule:
    return lambda builder, *operands: ops.elementary(builder, name, *operands)


UFUNCS: dict[str, Rule] = {ufunc: _elementwise(e.name) for ufunc, e in BY_UFUNC.items()}
UFUNCS |= {
    "divide": UFUNCS["true_divide"],
    "matmul": ops.matmul,
    "maximum": ops.maximum,
    "fabs": UFUNCS["absolute"],
    "float_power": UFUNCS["power"],
    "positive": lambda builder, a: ops.lift(builder, a),
    **special.UFUNCS,
    **products.UFUNCS,
}


def _where(builder: Builder, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        return sequences.NUMPY[np.nonzero](builder, condition)  # the positions, which depend on the data
    return ops.elementary(builder, "where", condition, x, y)


def _full_like(builder: Builder, a: Any, fill_value: Any) -> Any:
    return ops.ones(builder, ops.lift(builder, a).dims, fill_value)


NUMPY_FUNCTIONS: dict[Callable[..., Any], Rule] = {
    np.transpose: lambda b, a, axes=None: ops.transpose(ops.lift(b, a), axes),
    np.reshape: lambda b, a, shape: ops.reshape(ops.lift(b, a), shape),
    np.ravel: lambda b, a: ops.reshape(ops.lift(b, a), -1),
    np.squeeze: lambda b, a, axis=None: ops.squeeze(ops.lift(b, a), axis),
    np.expand_dims: lambda b, a, axis: ops.expand_dims(ops.lift(b, a), axis),
    np.broadcast_to: lambda b, array, shape: ops.broadcast_to(ops.lift(b, array), shape),
    np.where: _where,
    np.ones_like: lambda b, a: _full_like(b, a, 1),
    np.zeros_like: lambda b, a: _full_like(b, a, 0),
    np.full_like: _full_like,
    np.shape: lambda b, a: a.shape,
    np.ndim: lambda b, a: a.ndim,
    np.size: lambda b, a: a.size,
    np.copy: lambda b, a: ops.lift(b, a),
}
NUMPY_FUNCTIONS |= linalg.NUMPY
NUMPY_FUNCTIONS |= {**reductions.NUMPY, **products.NUMPY, **special.NUMPY}
NUMPY_FUNCTIONS |= {**joining.NUMPY, **moving.NUMPY, **sequences.NUMPY}
NUMPY_FUNCTIONS |= {**grids.NUMPY, **polynomials.NUMPY, **statistics.NUMPY, **spectral.NUMPY}
"""Functions that dispatch through ``__array_function__``; each rule takes the builder first."""


def bind_numpy(
    name: str, rule: Rule, builder: Builder, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call a rule, naming options that it does not know."""
    options = {k: v for k, v in kwargs.items() if v is not np._NoValue}
    if options.get("dtype", 0) is None:
        del options["dtype"]
    try:
        inspect.signature(rule).bind(builder, *args, **options)
    except TypeError as error:
        raise UnsupportedError(
            f"{name} is not traced with these options.",
            where=name,
            expected=f"{name}{_visible(rule)}",
            got=str(error),
        ) from None
    return rule(builder, *args, **options)


def _visible(rule: Rule) -> str:
    parameters = list(inspect.signature(rule).parameters.values())[1:]
    return "(" + ", ".join(str(p.replace(annotation=inspect.Parameter.empty)) for p in parameters) + ")"
