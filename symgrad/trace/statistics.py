"""Statistics of the columns and of the order of the entries: covariances, quantiles, counts by label."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import ShapeError, SpecError, UnsupportedError
from symgrad.ops.dims import Dim, format_shape, product
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.indexing import added_at
from symgrad.trace.joining import along, at_least, concatenate, stack
from symgrad.trace.linalg import diag
from symgrad.trace.refusals import MISSING_ENTRIES, refused
from symgrad.trace.sequences import sort
from symgrad.trace.sizes import number

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


# Covariances --------------------------------------------------------------------------------------------------


def _variables(builder: Builder, m: Any, rowvar: Any, where: str) -> Traced:
    """The observations as a matrix with one row for each variable."""
    value = ops.lift(builder, m)
    if value.ndim > 2:
        raise ShapeError(
            f"{where} takes a vector or a matrix.",
            where=where,
            expected="(n,) or (d, n)",
            got=format_shape(value.dims),
        )
    matrix = at_least(value, 2)
    return moves.transpose(matrix) if not rowvar and value.ndim == 2 else matrix


def _covariances(builder: Builder, m: Any, y: Any, rowvar: Any, bias: Any, ddof: Any, where: str) -> Traced:
    """The matrix of covariances, before NumPy drops its axes of size 1."""
    rows = _variables(builder, m, rowvar, where)
    if y is not None:
        rows = concatenate(builder, [rows, _variables(builder, y, rowvar, where)], 0)
    distance = ops.elementary(builder, "sub", rows, ops.mean(rows, 1, keepdims=True))
    less = ddof if ddof is not None else 0 if bias else 1
    divisor = ops.elementary(builder, "sub", ops.size_value(builder, rows.dims[1]), less)
    squares = ops.matmul(builder, distance, moves.transpose(distance))
    return ops.elementary(builder, "div", squares, divisor)


def cov(
    builder: Builder, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None
) -> Traced:
    """(X − x̄)(X − x̄)ᵀ / (n − ddof) with one variable per row (d, n), or per column if not ``rowvar``."""
    return moves.squeeze(_covariances(builder, m, y, rowvar, bias, ddof, "np.cov"))


def corrcoef(builder: Builder, x: Any, y: Any = None, rowvar: bool = True) -> Traced:
    """The covariances divided by both standard deviations.

    NumPy cuts off at ±1, which only rounding can pass.
    """
    found = moves.squeeze(_covariances(builder, x, y, rowvar, True, None, "np.corrcoef"))
    if found.ndim == 0:
        return ops.elementary(builder, "div", found, found)
    spread = ops.elementary(builder, "sqrt", diag(builder, found))
    scaled = ops.elementary(builder, "div", found, moves.expand_dims(spread, 1))
    return ops.elementary(builder, "div", scaled, moves.expand_dims(spread, 0))


# Quantiles ----------------------------------------------------------------------------------------------------

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    builder: Builder, a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Traced:
    """Between the two entries in whose ranks q(n − 1) lies; q is a number, or a list of numbers.

    Raises:
        UnsupportedError: q depends on the data, or another method of interpolation.
        SpecError: q is not between 0 and 1.
    """
    shares = _plain(q)
    if shares is None:
        raise UnsupportedError(
            "A quantile is traced at given shares.", where="np.quantile", expected="q as numbers"
        )
    if method not in _METHODS:
        raise UnsupportedError(
            "This kind of quantile is not traced.",
            where="np.quantile",
            expected=" or ".join(_METHODS),
            got=f"method={method!r}",
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise SpecError("A share is between 0 and 1.", where="np.quantile", got=str(q))
    value, at, kept = _one_axis(builder, a, axis, "np.quantile")
    size = number(builder, value.dims[at], "np.quantile")
    if size == 0:
        raise ShapeError("There is no quantile of no entries.", where="np.quantile")
    ordered = sort(builder, value, at)
    found = [_between(builder, ordered, at, float(s), size, method) for s in shares.reshape(-1)]
    if keepdims:
        found = [moves.reshape_dims(f, kept) for f in found]
    if shares.ndim == 0:
        return found[0]
    stacked = stack(builder, found, 0)
    return moves.reshape_dims(stacked, (*shares.shape, *found[0].dims))


def _between(builder: Builder, ordered: Traced, at: int, share: float, size: int, method: str) -> Traced:
    place = share * (size - 1)
    low = math.floor(place)
    high = min(low + 1, size - 1)
    rest = place - low
    if method == "lower":
        rest = 0.0
    elif method == "higher":
        rest = float(rest > 0)
    elif method == "midpoint":
        rest = 0.5 if rest > 0 else 0.0
    elif method == "nearest":  # halves go to the even rank
        rest = float(rest > 0.5 or (rest == 0.5 and low % 2 == 1))
    below, above = along(builder, ordered, at, low), along(builder, ordered, at, high)
    if rest in (0.0, 1.0):
        return above if rest else below
    return below + (above - below) * rest


def _one_axis(builder: Builder, a: Any, axis: Any, where: str) -> tuple[Traced, int, tuple[Dim, ...]]:
    """The array with the reduced axes as one, where that is, and the shape that ``keepdims`` asks for."""
    value = ops.lift(builder, a)
    if axis is not None and not isinstance(axis, (tuple, list)):
        at = ops.axis_of(axis, value.ndim, where)
        return value, at, tuple(1 if i == at else d for i, d in enumerate(value.dims))
    axes = ops.axes_of(value, axis, where)
    kept = tuple(1 if i in axes else d for i, d in enumerate(value.dims))
    rest = tuple(i for i in range(value.ndim) if i not in axes)
    moved = moves.transpose(value, (*rest, *axes))
    flat = moves.reshape_dims(moved, (*(value.dims[i] for i in rest), product([value.dims[i] for i in axes])))
    return flat, len(rest), kept


def _plain(q: Any) -> Any:
    """Shares as an array of numbers; None where they depend on an input."""
    if isinstance(q, ops.Array):
        return q.numbers
    return None if ops.holds_traced(q) else np.asarray(q, dtype=float)


def _percentile(
    builder: Builder, a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Traced:
    shares = _plain(q)
    return quantile(builder, a, q if shares is None else np.true_divide(shares, 100), axis, method, keepdims)


# Counts -------------------------------------------------------------------------------------------------------


def bincount(builder: Builder, x: Any, weights: Any = None, minlength: Any = 0) -> Traced:
    """The sum of the weights of each label, for the labels 0 … minlength − 1.

    Raises:
        UnsupportedError: no ``minlength``: how many counts there are would depend on the data.
    """
    length = ops.as_size(minlength)
    labels = ops.lift(builder, x)
    if length == 0:
        raise UnsupportedError(
            "How many counts there are depends on the data.",
            where="np.bincount",
            fix="give minlength, the number of labels",
        )
    if labels.ndim != 1:
        raise ShapeError(
            "np.bincount takes a vector of labels.", where="np.bincount", got=format_shape(labels.dims)
        )
    zeros = ops.ones(builder, (length,), 0)
    return added_at(builder, zeros, labels, 1 if weights is None else weights)


# Refused ------------------------------------------------------------------------------------------------------


_STEPS = "counts are piecewise constant in the data; a smooth count is a sum of kernels or sigmoids"

NUMPY: dict[Callable[..., Any], Rule] = {
    np.cov: cov,
    np.corrcoef: corrcoef,
    np.quantile: quantile,
    np.percentile: _percentile,
    np.bincount: bincount,
    np.nan_to_num: refused("np.nan_to_num", MISSING_ENTRIES),
    np.nancumsum: refused("np.nancumsum", MISSING_ENTRIES),
    np.nancumprod: refused("np.nancumprod", MISSING_ENTRIES),
    np.histogram: refused("np.histogram", _STEPS),
    np.histogram2d: refused("np.histogram2d", _STEPS),
}
