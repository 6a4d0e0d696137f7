"""Moving, cutting and joining: no arithmetic forward; backward, elements go back to where they came from."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

import symgrad.autograd.tensor as tensor_module
from symgrad.autograd.dtypes import numpy_dtype
from symgrad.autograd.engine import sum_to_shape
from symgrad.autograd.record import REQUIRED, Example, TapeOp, register
from symgrad.errors import DataError, SpecError

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


def _canonical_axis(params: dict[str, Any]) -> dict[str, Any]:
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
        canonical=_canonical_axis,
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


def _plain_index(params: dict[str, Any]) -> dict[str, Any]:
    """Tensors and lists inside an index become arrays."""

    def plain(item: Any) -> Any:
        if isinstance(item, tensor_module.Tensor):
            item = item.data
        elif isinstance(item, list):
            item = np.asarray(item, dtype=None if item else np.int64)
        if isinstance(item, np.ndarray) and item.dtype.kind not in "biu":
            raise DataError(
                "an index is not an integer",
                where="getitem",
                expected="integers, booleans, slices, None or …",
                got=item.dtype,
            )
        return item

    index = params["index"]
    return {"index": tuple(plain(item) for item in index) if isinstance(index, tuple) else plain(index)}


def _take(x: np.ndarray, index: Any) -> np.ndarray:
    found = x[index]
    if isinstance(found, np.generic):  # NumPy copies a single element; a view is what other indices give
        return x[(*(index if isinstance(index, tuple) else (index,)), Ellipsis)]
    return np.asarray(found)


def _put(g: np.ndarray, x_shape: Shape, index: Any) -> np.ndarray:
    found = np.zeros(x_shape, g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, np.ndarray) for part in parts):
        np.add.at(found, index, g)  # an element that was read twice gets both gradients
    else:
        found[index] = g
    return found


getitem = register(
    TapeOp(
        "getitem",
        ("x",),
        _take,
        {"x": _put},
        (
            Example(((4, 3),), {"index": (slice(1, None, 2), 0)}),
            Example(((4, 3),), {"index": np.array([0, 2, 2, -1])}),
            Example(((4, 3),), {"index": (np.array([0, 0]), np.array([1, 1]))}),
            Example(((3,),), {"index": np.array([True, False, True])}),
            Example(((4, 3),), {"index": (Ellipsis, None, slice(None, None, -1))}),
            Example(((3,),), {"index": 1}),
        ),
        params={"index": REQUIRED},
        view=True,
        analytic=True,
        canonical=_plain_index,
        expects="an index within the tensor",
        doc="x[index], with NumPy's rules for slices, integers, arrays and masks",
    )
)


def _grid(indices: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    grid: list[np.ndarray] = list(np.indices(indices.shape, sparse=True))
    grid[axis] = indices
    return tuple(grid)


def _take_along(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    others = [np.delete(shape, axis).tolist() for shape in (x.shape, indices.shape)]
    if x.ndim != indices.ndim or others[0] != others[1]:
        raise ValueError(f"they differ elsewhere than on axis {axis}")
    return np.take_along_axis(x, indices, axis)


def _put_along(g: np.ndarray, x_shape: Shape, indices: np.ndarray, axis: int) -> np.ndarray:
    found = np.zeros(x_shape, g.dtype)
    np.add.at(found, _grid(indices, axis), g)
    return found


take_along_axis = register(
    TapeOp(
        "take_along_axis",
        ("x", "indices"),
        _take_along,
        {"x": _put_along},
        (
            Example(((3, 4), (3, 1)), {"axis": 1}, operands={"indices": np.array([[0], [3], [1]])}),
            Example(
                ((3, 2), (4, 2)),
                {"axis": 0},
                operands={"indices": np.array([[0, 1], [2, 1], [2, 0], [0, 0]])},
            ),
        ),
        params={"axis": REQUIRED},
        analytic=True,
        canonical=_canonical_axis,
        expects="equal lengths on every axis but this one; integer indices within it",
        doc="along the axis, the elements at these indices: x[i, indices[i, j]] for axis 1",
    )
)


def _part(g: np.ndarray, position: int, shapes: tuple[Shape, ...], axis: int) -> np.ndarray:
    start = sum(shape[axis] for shape in shapes[:position])
    where = [slice(None)] * g.ndim
    where[axis] = slice(start, start + shapes[position][axis])
    return g[tuple(where)]


cat = register(
    TapeOp(
        "cat",
        ("*tensors",),
        lambda *arrays, axis: np.concatenate(arrays, axis=axis),
        {"*tensors": _part},
        (
            Example(((2, 3), (1, 3))),
            Example(((2, 3), (2, 0), (2, 1)), {"axis": 1}),
            Example(((2, 3), (2, 2)), {"axis": -1}),
        ),
        params={"axis": 0},
        analytic=True,
        canonical=_canonical_axis,
        expects="equal lengths on every axis but this one",
        doc="one after the other along an existing axis",
    )
)

stack = register(
    TapeOp(
        "stack",
        ("*tensors",),
        lambda *arrays, axis: np.stack(arrays, axis=axis),
        {"*tensors": lambda g, position, axis: np.take(g, position, axis=axis)},
        (Example(((2, 3), (2, 3))), Example(((2, 3), (2, 3)), {"axis": -1}), Example(((), ()))),
        params={"axis": 0},
        analytic=True,
        canonical=_canonical_axis,
        expects="equal shapes",
        doc="side by side along a new axis",
    )
)
