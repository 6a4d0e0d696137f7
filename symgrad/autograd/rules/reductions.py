"""Sums, means, extrema, and the softmax family.  `axis` is None (all), an integer or a tuple of integers."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from symgrad.autograd.record import Example, TapeOp, register
from symgrad.errors import SpecError

Axis = int | tuple[int, ...] | None

_EXAMPLES = (
    Example(((2, 3),)),
    Example(((2, 3),), {"axis": 0}),
    Example(((2, 3),), {"axis": -1, "keepdims": True}),
    Example(((2, 3, 2),), {"axis": (0, 2)}),
    Example(((),)),
)
_PARAMS = {"axis": None, "keepdims": False}
_EXPECTS = "axes of the tensor, each once"


def _canonical_axis(params: dict[str, Any]) -> dict[str, Any]:
    axis = params["axis"]
    try:
        if isinstance(axis, list | tuple):
            axis = tuple(operator.index(item) for item in axis)
        elif axis is not None:
            axis = operator.index(axis)
    except TypeError:
        raise SpecError(
            "an axis is no integer",
            where="axis",
            expected="None, an integer or a tuple of them",
            got=repr(axis),
        ) from None
    return {**params, "axis": axis}


def _with_axes(values: np.ndarray, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> np.ndarray:
    """Put the axes that a reduction dropped back, with length 1."""
    if keepdims:
        return values
    if axis is None:
        return np.reshape(values, (1,) * len(x_shape))
    return np.expand_dims(
        values, tuple(a % len(x_shape) for a in (axis if isinstance(axis, tuple) else (axis,)))
    )


def _count(x_shape: tuple[int, ...], axis: Axis) -> int:
    axes = range(len(x_shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(x_shape[a] for a in axes)


def _sum_rule(g: np.ndarray, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> np.ndarray:
    return np.broadcast_to(_with_axes(g, x_shape, axis, keepdims), x_shape)


sum = register(
    TapeOp(
        "sum",
        ("x",),
        lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
        {"x": _sum_rule},
        (*_EXAMPLES, Example(((0, 2),)), Example(((0, 2),), {"axis": 0})),
        params=_PARAMS,
        analytic=True,
        canonical=_canonical_axis,
        expects=_EXPECTS,
        doc="sum of the elements, of all or along axes",
    )
)


def _mean(x: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims)) / _count(np.shape(x), axis)


mean = register(
    TapeOp(
        "mean",
        ("x",),
        _mean,
        {
            "x": lambda g, x_shape, axis, keepdims: (
                _sum_rule(g, x_shape, axis, keepdims) / max(1, _count(x_shape, axis))
            )
        },
        _EXAMPLES,
        params=_PARAMS,
        analytic=True,
        canonical=_canonical_axis,
        expects=_EXPECTS,
        doc="arithmetic mean, of all elements or along axes; nan where there are none",
    )
)


def _extremum_rule(g: np.ndarray, x: np.ndarray, out: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    shape = np.shape(x)
    reached = np.equal(x, _with_axes(out, shape, axis, keepdims))
    share = np.sum(reached, axis=axis, keepdims=True).astype(g.dtype)
    return np.where(reached, _with_axes(g, shape, axis, keepdims) / share, 0)


def _runner_up_gap(x: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    # enough for tests: no two elements closer than this, whatever the axes
    values = np.sort(np.ravel(x))
    return np.diff(values) if values.size > 1 else np.ones(1)


amax = register(
    TapeOp(
        "amax",
        ("x",),
        lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
        {"x": _extremum_rule},
        _EXAMPLES,
        params=_PARAMS,
        kink_distance=_runner_up_gap,
        canonical=_canonical_axis,
        expects=f"{_EXPECTS}, and at least one element",
        doc="largest element; equal ones share the gradient equally",
    )
)

amin = register(
    TapeOp(
        "amin",
        ("x",),
        lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
        {"x": _extremum_rule},
        _EXAMPLES,
        params=_PARAMS,
        kink_distance=_runner_up_gap,
        canonical=_canonical_axis,
        expects=f"{_EXPECTS}, and at least one element",
        doc="smallest element; equal ones share the gradient equally",
    )
)


def _finite_peak(x: np.ndarray, axis: Axis) -> np.ndarray:
    """The largest element, to be subtracted before exp; 0 where there is none that is finite."""
    peak = np.max(x, axis=axis, keepdims=True, initial=-math.inf)
    return np.where(np.isfinite(peak), peak, 0)


def _logsumexp(x: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    peak = _finite_peak(x, axis)
    out = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.squeeze(out, axis)


def _logsumexp_rule(g: np.ndarray, x: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    return _with_axes(g, np.shape(x), axis, keepdims) * _softmax(x, axis)


logsumexp = register(
    TapeOp(
        "logsumexp",
        ("x",),
        _logsumexp,
        {"x": _logsumexp_rule},
        _EXAMPLES,
        params=_PARAMS,
        canonical=_canonical_axis,
        expects=_EXPECTS,
        doc="log Σ eˣ, with the largest element taken out",
    )
)


def _softmax(x: np.ndarray, axis: Axis) -> np.ndarray:
    weights = np.exp(x - _finite_peak(x, axis))
    return weights / np.sum(weights, axis=axis, keepdims=True)


softmax = register(
    TapeOp(
        "softmax",
        ("x",),
        _softmax,
        {"x": lambda g, out, axis: out * (g - np.sum(g * out, axis=axis, keepdims=True))},
        (Example(((2, 3),)), Example(((2, 3),), {"axis": 0}), Example(((4,),))),
        params={"axis": -1},
        canonical=_canonical_axis,
        expects=_EXPECTS,
        doc="eˣ / Σ eˣ along an axis",
    )
)


def _log_softmax(x: np.ndarray, axis: Axis) -> np.ndarray:
    shifted = x - _finite_peak(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


log_softmax = register(
    TapeOp(
        "log_softmax",
        ("x",),
        _log_softmax,
        {"x": lambda g, out, axis: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)},
        (Example(((2, 3),)), Example(((2, 3),), {"axis": 0}), Example(((4,),))),
        params={"axis": -1},
        canonical=_canonical_axis,
        expects=_EXPECTS,
        doc="log of softmax, accurate where softmax underflows",
    )
)
