"""Taking elements out and joining tensors; backward, each gradient is added where its element came from."""

from __future__ import annotations

from typing import Any

import numpy as np

import symgrad.autograd.tensor as tensor_module
from symgrad.autograd.record import REQUIRED, Example, TapeOp, register
from symgrad.autograd.rules.shapes import Shape, canonical_axis
from symgrad.errors import DataError


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
        canonical=canonical_axis,
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
        canonical=canonical_axis,
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
        canonical=canonical_axis,
        expects="equal shapes",
        doc="side by side along a new axis",
    )
)
