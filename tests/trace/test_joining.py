"""Joining, taking apart, moving and running functions of traced arrays against NumPy and the scalar witness."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.traced_checks import agrees

import symgrad as sg
from symgrad.errors import SymgradError

SIZES = ({"n": 4, "d": 2}, {"n": 3, "d": 3})

VECTORS = {
    "concatenate": lambda x, y: np.concatenate([x, y, x]),
    "stack": lambda x, y: np.stack([x, x[::-1]], axis=-1),
    "hstack": lambda x, y: np.hstack([x, 1.0, y]),
    "vstack": lambda x, y: np.vstack([x, 2 * x]),
    "column_stack": lambda x, y: np.column_stack([x, x**2]),
    "dstack": lambda x, y: np.dstack([x, x]),
    "append": lambda x, y: np.append(x, y),
    "array": lambda x, y: np.array([[x[0], 1.0], [y[1], x[0] * y[0]]]),
    "array of rows": lambda x, y: np.array([x, x * 2]),
    "tile": lambda x, y: np.tile(x, (2, 3)),
    "repeat": lambda x, y: np.repeat(x, 3),
    "repeat each": lambda x, y: np.repeat(x[:2], [2, 1]),
    "roll": lambda x, y: np.roll(x, 1) - np.roll(x, -1),
    "flip": lambda x, y: np.flip(x) * x,
    "pad": lambda x, y: np.pad(x, (1, 2)),
    "pad with a number": lambda x, y: np.pad(x, 1, constant_values=3.0),
    "pad edge": lambda x, y: np.pad(x, (2, 1), mode="edge"),
    "pad reflect": lambda x, y: np.pad(x, (1, 1), mode="reflect"),
    "diff": lambda x, y: np.diff(x, n=2),
    "insert": lambda x, y: np.insert(x, 0, 1.0),
    "insert several": lambda x, y: np.insert(x, [0, 2], y[:2]),
    "delete": lambda x, y: np.delete(x, 1),
    "delete the last": lambda x, y: np.delete(x, -1),
    "delete several": lambda x, y: np.delete(x, [0, 2]),
    "cumsum": lambda x, y: np.cumsum(x),
    "cumsum from the end": lambda x, y: np.cumsum(x[::-1])[::-1],
    "cumprod": lambda x, y: np.cumprod(x),
    "split": lambda x, y: np.split(x, [1, 2])[1] * np.array_split(x, 2)[0][0],
    "convolve full": lambda x, y: np.convolve(x, y),
    "convolve same": lambda x, y: np.convolve(x, y[:2], mode="same"),
    "convolve valid": lambda x, y: np.convolve(x, y[:2], mode="valid"),
    "correlate": lambda x, y: np.correlate(x, y[:2]),
    "windows": lambda x, y: np.lib.stride_tricks.sliding_window_view(x, 2) @ y[:2],
    "trapezoid": lambda x, y: np.trapezoid(x, dx=0.5),
    "trapezoid between": lambda x, y: np.trapezoid(x**2, x),
    "cross": lambda x, y: np.cross(x[:3], x[:3][::-1]),
    "sort": lambda x, y: np.sort(x),
    "median": lambda x, y: np.median(x),
    "meshgrid": lambda x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y)[1],
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name):
    agrees(VECTORS[name], {"x": "n", "y": "d"}, SIZES)


MATRICES = {
    "concatenate rows": lambda X: np.concatenate([X, X[:1]], axis=0),
    "concatenate columns": lambda X: np.concatenate([np.ones((X.shape[0], 1)), X], axis=1),
    "hstack": lambda X: np.hstack([X, X[:, :1]]),
    "block": lambda X: np.block([[X, X], [X, np.zeros(X.shape)]]),
    "flip": lambda X: np.flipud(X) + np.fliplr(X),
    "roll an axis": lambda X: np.roll(X, 1, axis=1),
    "roll flat": lambda X: np.roll(X, 2),
    "rot90": lambda X: np.rot90(X) @ X + np.rot90(X, 3)[:, :1],
    "moveaxis": lambda X: np.moveaxis(X, 0, -1) @ np.swapaxes(X, 0, 1).T,
    "pad": lambda X: np.pad(X, ((1, 0), (0, 2))),
    "triangles": lambda X: np.triu(X, 1) + np.tril(X),
    "cumsum": lambda X: np.cumsum(X, axis=1) + np.cumsum(X, axis=0),
    "cumsum flat": lambda X: np.cumsum(X),
    "diff": lambda X: np.diff(X, axis=0),
    "insert a column": lambda X: np.insert(X, 0, 1.0, axis=1),
    "delete a row": lambda X: np.delete(X, 1, axis=0),
    "tile": lambda X: np.tile(X, 2),
    "repeat": lambda X: np.repeat(X, 2, axis=1),
    "sort": lambda X: np.sort(X, axis=0),
    "split": lambda X: np.hsplit(X, X.shape[1])[0],
    "at least": lambda X: np.atleast_3d(X) * np.atleast_2d(X)[:, :, None],
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name):
    agrees(MATRICES[name], {"X": "n d"}, SIZES)


def test_arrays_of_the_users_own():
    table = np.array([[0.1, -2.0, 3.0], [1e-3, 4.0, 0.5]])
    agrees(lambda x: table @ x + table[:, 0], {"x": 3}, ({},))


def test_a_large_constant_array_is_cheap_and_exact():
    data = np.random.default_rng(0).normal(size=(1000, 20))
    value, grad = sg.derive(lambda w: ((data @ w) ** 2).sum(), {"w": 20}, wrt="w")(w=np.ones(20))
    np.testing.assert_allclose(value, ((data @ np.ones(20)) ** 2).sum(), rtol=1e-13)
    np.testing.assert_allclose(grad["w"], 2 * data.T @ (data @ np.ones(20)), rtol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.concatenate([x, np.ones((2, 2))]).sum(),
        lambda x: np.stack([x, x[1:]]).sum(),
        lambda x: np.split(x, 3)[0].sum(),
        lambda x: np.searchsorted(x, 0.5) * x.sum(),
        lambda x: np.unique(x).sum(),
        lambda x: np.gradient(x).sum(),
        lambda x: np.pad(x, 1, mode="linear_ramp").sum(),
    ],
)
def test_refused(f):
    with pytest.raises(SymgradError):
        sg.derive(f, {"x": 4}, wrt="x")
