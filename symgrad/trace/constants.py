"""Arrays that depend on no argument: numbers met in the user's code, ranges and triangles of symbolic size."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symgrad.errors import TraceError
from symgrad.ops.array import Numbers
from symgrad.ops.dims import Dim, as_dim
from symgrad.ops.eye import eye_attrs
from symgrad.program import Builder, exact_number
from symgrad.trace import operations as ops
from symgrad.trace.sizes import assume, number


def constant_array(builder: Builder, array: np.ndarray) -> Any:
    """A NumPy array as a value of the program; its entries are exact.

    Raises:
        TraceError: it holds something else than real numbers.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TraceError("An array of this dtype cannot take part.", got=f"dtype {array.dtype}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise TraceError("A constant array has to hold numbers.", got=f"NaN, array of shape {array.shape}")
    return ops.Array(builder, builder.emit("array", numbers=Numbers.of(array)))


def eye(builder: Builder, rows: Dim, columns: Dim, k: int = 0) -> Any:
    return ops.Array(builder, builder.emit("eye", **eye_attrs(rows, columns, int(k))))


def tri(builder: Builder, rows: Dim, columns: Dim, k: int = 0) -> Any:
    """Ones where column ≤ row + k."""
    return _pattern(builder, "tri", (rows, columns), int(k), 1, "real")


def arange(builder: Builder, start: Any, stop: Any, step: Any = 1) -> Any:
    """``np.arange`` with sizes as bounds; the step is ±1 where a bound is a symbol."""
    first, last, stride = (
        exact_number(ops.as_size(v) if isinstance(v, ops.Array) else v) for v in (start, stop, step)
    )
    if stride == 0:
        raise TraceError("The step of a range is not 0.", where="np.arange")
    count = sympy.expand((last - first) / stride)
    if count.free_symbols and abs(stride) != 1:
        for bound in (first, last):
            number(builder, int(bound) if bound.is_Integer else bound, "np.arange")
    if not count.free_symbols:
        count = sympy.ceiling(count)
    if not count.is_nonnegative:
        if count.is_number:
            count = sympy.S.Zero
        else:
            assume(builder, count >= 0, "np.arange")
    whole = first.is_integer and stride.is_integer
    return _pattern(builder, "arange", (as_dim(count),), first, stride, "int" if whole else "real")


def _pattern(builder: Builder, rule: str, shape: tuple[Dim, ...], first: Any, step: Any, kind: str) -> Any:
    name = builder.emit(
        "pattern", rule=rule, shape=shape, first=sympy.sympify(first), step=sympy.sympify(step), kind=kind
    )
    return ops.Array(builder, name)
