"""The same elements in another shape, order or type; backward they go back to where they came from."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from symgrad.autograd.dtypes import numpy_dtype
from symgrad.autograd.engine import sum_to_shape
from symgrad.autograd.record import REQUIRED, Example, TapeOp, register
from symgrad.errors import SpecError

Shape = tuple[int, ...]


def _ints(name: str, value: Any) -> Shape:
    values = value if isinstance(value, Iterable) else (value,)
    try:
        return tuple(operator.index(item) for item in values)
    except TypeError:
        raise SpecError(f"{name} needs integers", where=name, expected="integers", got=repr(value)) from None


def _canonical_shape(params: dict[str, Any]) -> dict[str, Any]:
    return {"shape": _ints("shape", params["shape"])}


def _canonical_axes(params: dict[str, Any]) -> dict[str, Any]:
    return {"axes": None if params["axes"] is None else _ints("axes", params["axes"])}


def canonical_axis(params: dict[str, Any]) -> dict[str, Any]:
    return {"axis": _ints("axis", params["axis"])[0]}


reshape = register(
    TapeOp(
        "reshape",
        ("x",),
        lambda x, shape: np.reshape(x, shape),
        {"x": lambda g, x_shape: np.reshape(g, x_shape)},
        (
            Example(((2, 3),), {"shape": (3, 2)}),
            Example(((4,),), {"shape": (2, -1)}),
            Example(((1, 1),), {"shape": ()}),
        ),
        params={"shape": REQUIRED},
        view=True,
        analytic=True,
        canonical=_canonical_shape,
        expects="as many elements after as before; one length may be -1",
        doc="the same elements, row by row, in another shape",
    )
)


def _flatten(x: np.ndarray, start: int, end: int) -> np.ndarray:
    shape = np.shape(x) or (1,)
    first, last = range(len(shape))[start], range(len(shape))[end]
    if first > last:
        raise ValueError(f"start {start} comes after end {end}")
    return np.reshape(x, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


flatten = register(
    TapeOp(
        "flatten",
        ("x",),
        _flatten,
        {"x": lambda g, x_shape: np.reshape(g, x_shape)},
        (
            Example(((2, 3),)),
            Example(((2, 3, 2),), {"start": 1}),
            Example(((2, 3, 2),), {"start": 0, "end": 1}),
        ),
        params={"start": 0, "end": -1},
        view=True,
        analytic=True,
        expects="axes start to end, in this order, within the tensor",
        doc="axes start … end become one",
    )
)


def _expand_dims(x: np.ndarray, axis: int) -> np.ndarray:
    return np.expand_dims(x, axis)


unsqueeze = register(
    TapeOp(
        "unsqueeze",
        ("x",),
        _expand_dims,
        {"x": lambda g, x_shape: np.reshape(g, x_shape)},
        (Example(((2, 3),), {"axis": 1}), Example(((2,),), {"axis": -1})),
        params={"axis": REQUIRED},
        view=True,
        analytic=True,
        canonical=canonical_axis,
        expects="an axis from −ndim − 1 to ndim",
        doc="a new axis of length 1",
    )
)


def _squeeze(x: np.ndarray, axis: int | None) -> np.ndarray:
    if axis is not None and np.shape(x)[axis] != 1:  # as in PyTorch, a longer axis stays
        return np.asarray(x)
    return np.squeeze(x, axis)


squeeze = register(
    TapeOp(
        "squeeze",
        ("x",),
        _squeeze,
        {"x": lambda g, x_shape: np.reshape(g, x_shape)},
        (Example(((2, 1, 3),)), Example(((2, 1),), {"axis": 1}), Example(((2, 1),), {"axis": 0})),
        params={"axis": None},
        view=True,
        analytic=True,
        expects="an axis of the tensor",
        doc="without its axes of length 1, or without this one",
    )
)

transpose = register(
    TapeOp(
        "transpose",
        ("x",),
        lambda x, axes: np.transpose(x, axes),
        {
            "x": lambda g, axes: np.transpose(
                g, None if axes is None else np.argsort([a % g.ndim for a in axes])
            )
        },
        (
            Example(((2, 3),)),
            Example(((2, 3, 4),), {"axes": (2, 0, 1)}),
            Example(((2, 3, 4),), {"axes": (0, -1, 1)}),
        ),
        params={"axes": None},
        view=True,
        analytic=True,
        canonical=_canonical_axes,
        expects="every axis of the tensor once",
        doc="axes in another order; reversed where axes is None",
    )
)

broadcast_to = register(
    TapeOp(
        "broadcast_to",
        ("x",),
        lambda x, shape: np.broadcast_to(x, shape),
        {"x": lambda g, x_shape: sum_to_shape(g, x_shape)},
        (
            Example(((3,),), {"shape": (2, 3)}),
            Example(((2, 1),), {"shape": (4, 2, 3)}),
            Example(((),), {"shape": (2,)}),
        ),
        params={"shape": REQUIRED},
        view=True,
        analytic=True,
        canonical=_canonical_shape,
        expects="axes of length 1, or new ones in front, may be stretched",
        doc="stretched to a larger shape",
    )
)


def _canonical_dtype(params: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": numpy_dtype(params["dtype"])}


cast = register(
    TapeOp(
        "cast",
        ("x",),
        lambda x, dtype: np.asarray(x).astype(dtype, copy=False),
        {"x": lambda g: g},
        (Example(((2, 3),), {"dtype": np.dtype(np.float64)}),),
        params={"dtype": REQUIRED},
        view=True,
        canonical=_canonical_dtype,
        doc="the same numbers in another element type",
    )
)

clone = register(
    TapeOp("clone", ("x",), np.array, {"x": lambda g: g}, (Example(((2, 3),)),), analytic=True, doc="a copy")
)
