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
    moves,
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


UFUNCS: dict[str, Rule] = {ufunc: ops.rule_of(e.name) for ufunc, e in BY_UFUNC.items()}
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


NUMPY_FUNCTIONS: dict[Callable[..., Any], Rule] = {
    np.broadcast_to: lambda b, array, shape: moves.broadcast_to(ops.lift(b, array), shape),
    np.where: _where,
}
NUMPY_FUNCTIONS |= linalg.NUMPY
NUMPY_FUNCTIONS |= {**reductions.NUMPY, **products.NUMPY, **special.NUMPY}
NUMPY_FUNCTIONS |= {**joining.NUMPY, **moving.NUMPY, **sequences.NUMPY}
NUMPY_FUNCTIONS |= {**grids.NUMPY, **polynomials.NUMPY, **statistics.NUMPY, **spectral.NUMPY}
"""Functions that dispatch through ``__array_function__``; each rule takes the builder first.

Those that share or change memory, or only ask for a shape, are listed in ``dispatch``.
"""


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
