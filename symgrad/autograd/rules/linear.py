"""Matrix products."""

from __future__ import annotations

import numpy as np

from symgrad.autograd.engine import sum_to_shape
from symgrad.autograd.record import Example, TapeOp, register


def _as_matrices(g: np.ndarray, a_ndim: int, b_ndim: int) -> np.ndarray:
    """The incoming gradient with the axes that vectors lack put back: a vector is a row on the left, a
    column on the right.
    """
    if a_ndim == 1:
        g = np.expand_dims(g, -1 if b_ndim == 1 else -2)
    return np.expand_dims(g, -1) if b_ndim == 1 else g


def _left(g: np.ndarray, b: np.ndarray, a_shape: tuple[int, ...]) -> np.ndarray:
    columns = b[:, None] if b.ndim == 1 else b
    found = _as_matrices(g, len(a_shape), b.ndim) @ np.swapaxes(columns, -1, -2)
    return sum_to_shape(found, (1, *a_shape) if len(a_shape) == 1 else a_shape).reshape(a_shape)


def _right(g: np.ndarray, a: np.ndarray, b_shape: tuple[int, ...]) -> np.ndarray:
    rows = a[None, :] if a.ndim == 1 else a
    found = np.swapaxes(rows, -1, -2) @ _as_matrices(g, a.ndim, len(b_shape))
    return sum_to_shape(found, (*b_shape, 1) if len(b_shape) == 1 else b_shape).reshape(b_shape)


_SHAPES = (
    ((2, 3), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((3,), (3,)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((2, 0), (0, 3)),
    ((1, 1), (1, 1)),
)

matmul = register(
    TapeOp(
        "matmul",
        ("a", "b"),
        np.matmul,
        {"a": _left, "b": _right},
        tuple(Example(shapes) for shapes in _SHAPES),
        analytic=True,
        expects="(n, k) and (k, m), or vectors; the inner lengths equal",
        doc="matrix product with NumPy's rules: vectors lose their axis, leading axes broadcast",
    )
)
