"""Sums, products and extrema of lists of sizes, such as ``np.prod(x.shape)``: they are sizes again, not data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.sizes import constant_of


def _folded(name: str) -> Callable[[Builder, Sequence[Any]], Any]:
    def fold(builder: Builder, sizes: Sequence[Any]) -> Any:
        out = sizes[0]
        for s in sizes[1:]:
            out = ops.elementary(builder, name, out, s)
        return out

    return fold


def _running(name: str) -> Callable[[Builder, Sequence[Any]], Any]:
    fold = _folded(name)

    def run(builder: Builder, sizes: Sequence[Any]) -> Any:
        return ops.lift(builder, [fold(builder, sizes[: i + 1]) for i in range(len(sizes))])

    return run


_RULES: dict[Any, Callable[[Builder, Sequence[Any]], Any]] = {
    np.sum: _folded("add"),
    np.prod: _folded("mul"),
    np.max: _folded("maximum"),
    np.amax: _folded("maximum"),
    np.min: _folded("minimum"),
    np.amin: _folded("minimum"),
    np.cumsum: _running("add"),
    np.cumprod: _running("mul"),
}


def reduced(builder: Builder, func: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """The function of a list of sizes; None where it is none, or options ask for more."""
    rule = _RULES.get(func)
    if rule is None or len(args) != 1 or options.keys() - {"dtype"} or not _whole(options.get("dtype", int)):
        return None
    sizes = args[0]
    if not isinstance(sizes, (list, tuple)) or not sizes or not all(map(_is_size, sizes)):
        return None
    return rule(builder, [ops.lift(builder, s) for s in sizes])


def _whole(dtype: Any) -> bool:
    return np.dtype(getattr(dtype, "plain_type", dtype)).kind in "iu"


def _is_size(value: Any) -> bool:
    if isinstance(value, ops.Array):
        constant = constant_of(value)
        return constant is not None and bool(constant.is_integer)
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
