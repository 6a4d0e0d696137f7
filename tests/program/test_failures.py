"""Numbers that a formula is not defined at: refused in the same words by NumPy's source and by kernels."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DataError

FAILING = {
    "no inverse": (
        lambda A: np.sum(np.linalg.inv(A)),
        {"A": "n n"},
        {"A": np.zeros((3, 3))},
        r"A matrix has no inverse\.\n  where:    v1 = np\.linalg\.inv\(A\)\n  fix:      add a multiple",
    ),
    "no factor": (
        lambda A: np.sum(np.linalg.cholesky(A)),
        {"A": "n n"},
        {"A": -np.eye(3)},
        r"A matrix is not positive definite\.\n  where:    v1 = np\.linalg\.cholesky\(A\)",
    ),
    "no entry": (
        lambda z, y: np.sum(z[y] ** 2),
        {"z": "n", "y": "k"},
        {"z": np.ones(3), "y": [0, 3]},
        r"An index lies outside of its axis\.\n  where:    v1 = z\[y\]\n  got:      index 3 is out of bounds",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_the_line_that_failed_is_named(name):
    loss, shapes, arrays, message = FAILING[name]
    own = sg.derive(loss, shapes, wrt=next(iter(shapes)))
    with pytest.raises(DataError, match=message):
        own(arrays)
    with pytest.raises(DataError, match=message.partition(r"\n")[0]):
        own.compile()(arrays)


def test_a_training_run_that_meets_a_singular_matrix():
    def loss(A):
        return np.sum(np.linalg.inv(A))

    with pytest.raises(DataError, match=r"A matrix has no inverse\.\n  where:    the training run"):
        sg.minimize(loss, params={"A": np.zeros((3, 3))}, optimizer=sg.optim.SGD(lr=0.1), steps=3)
