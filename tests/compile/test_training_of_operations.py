"""Training loops of losses with indices, extrema, linear algebra and stacks: step by step those of plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DataError
from symgrad.train.reference import numpy_loop
from symgrad.updates import sgd

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(30, 4))
LABELS = RANDOM.integers(0, 3, 30)


def by_index(W, b, X, y):
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(X.shape[0]), y]).mean()


def by_onehot(W, b, X, y):
    from scipy.special import logsumexp

    z = X @ W + b
    return (logsumexp(z, axis=1) - (np.eye(3)[y] * z).sum(axis=1)).mean()


def gaussian_process(theta, X, y):
    squares = ((X[:, None, :] - X[None, :, :]) ** 2).sum(-1)
    K = np.exp(theta[0] - 0.5 * squares / np.exp(theta[1])) + np.exp(theta[2]) * np.eye(X.shape[0])
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def attention(Wq, Wk, X, T):
    s = (X @ Wq) @ np.swapaxes(X @ Wk, -1, -2) / np.sqrt(X.shape[-1])
    s = np.where(np.tril(np.ones((6, 6))) == 1, s, -1e9)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return ((e / e.sum(axis=-1, keepdims=True) @ X - T) ** 2).mean()


def max_pool(W, v, X, y):
    h = np.maximum(X @ W, 0).reshape(X.shape[0], 4, 2).max(axis=2)
    return ((h @ v - y) ** 2).mean()


def flat_parameters(theta, X, y):
    W, b, v = theta[:8].reshape(4, 2), theta[8:10], theta[10:12]
    return ((np.tanh(X @ W + b) @ v + theta[12] - y) ** 2).mean()


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape) / 2


SEQUENCES = RANDOM.normal(size=(5, 6, 4))
TARGET = np.sin(X[:, 0])
RUNS = {
    "labels by index": (by_index, {"W": normal(4, 3), "b": np.zeros(3)}, {"X": X, "y": LABELS}, 0.5),
    "labels as one-hot rows": (by_onehot, {"W": normal(4, 3), "b": np.zeros(3)}, {"X": X, "y": LABELS}, 0.5),
    "Gaussian process": (gaussian_process, {"theta": np.zeros(3)}, {"X": X, "y": TARGET}, 0.01),
    "attention": (
        attention,
        {"Wq": normal(4, 4), "Wk": normal(4, 3)[:, [0, 1, 2, 2]]},
        {"X": SEQUENCES, "T": SEQUENCES[:, ::-1]},
        0.5,
    ),
    "max-pool network": (max_pool, {"W": normal(4, 8), "v": normal(4)}, {"X": X, "y": TARGET}, 0.02),
    "flat parameters": (flat_parameters, {"theta": normal(13)}, {"X": X, "y": TARGET}, 0.05),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_that_of_numpy(name: str) -> None:
    loss, params, data, rate = RUNS[name]
    found = sg.minimize(loss, params, data, steps=40, optimizer=sg.optim.SGD(lr=rate))
    symbolic = {n: ("n", *np.shape(a)[1:]) for n, a in data.items()}
    if name == "attention":
        symbolic = {n: np.shape(a) for n, a in data.items()}
    shapes = {**{n: np.shape(a) for n, a in params.items()}, **symbolic}
    program = sg.derive(loss, shapes, list(params)).program
    wanted, losses = numpy_loop(program, params, data, sgd(lr=rate), 40)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-9)
    for n, value in wanted.items():
        np.testing.assert_allclose(found.params[n], value, rtol=1e-8, atol=1e-9)


def test_both_forms_of_the_cross_entropy_are_one_run() -> None:
    first, second = (
        sg.minimize(loss, params, data, steps=40, optimizer=sg.optim.SGD(lr=rate)).losses
        for loss, params, data, rate in (RUNS["labels by index"], RUNS["labels as one-hot rows"])
    )
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_batches_of_labels() -> None:
    params = {"W": np.zeros((4, 3)), "b": np.zeros(3)}
    made = sg.minimize(by_index, params, {"X": X, "y": LABELS}, steps=30, batch_size=7)
    shapes = {"W": (4, 3), "b": 3, "X": "n 4", "y": "n"}
    program = sg.derive(by_index, shapes, ["W", "b"]).program
    _, losses = numpy_loop(
        program, params, {"X": X, "y": LABELS}, sgd(), 30, batched=("X", "y"), batch_size=7
    )
    np.testing.assert_allclose(made.losses, losses, rtol=1e-10)


def test_labels_that_are_none() -> None:
    loss, params, data, _ = RUNS["labels by index"]
    with pytest.raises(DataError, match="'y' has to hold whole numbers"):
        sg.minimize(loss, params, {**data, "y": LABELS + 0.5}, steps=2)
    with pytest.raises(DataError, match="outside of its axis"):
        sg.minimize(loss, params, {**data, "y": LABELS + 1}, steps=2)
