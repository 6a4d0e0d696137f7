"""Parts of parts, parts that fill an array, parts of the identity, and other short forms; with the values of the code."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.program import numpy_callable

SIZES = {"n": 4, "m": 5}


def valley(x):
    return (x[0] - 1) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def first_two(x):
    return 2 * x[0] + x[1] ** 2


def blocks(A, B):
    return np.trace(np.block([[A, B], [B.T, A]]))


def part_of_part(x):
    v = np.exp(x[1:])
    return np.sum(v[:, 1:2] ** 2)


def four_blocks(A):
    return np.sum(A[:2, :2] ** 2) + np.sum(A[:2, 2:] ** 3) + np.sum(A[2:, :2]) + np.sum(A[2:, 2:] ** 4)


def counting(x):
    return np.sum((np.cumsum(np.ones(len(x))) - 1) * x**2)


def mirrored(A, B):
    return np.trace((A.T * B).T @ A)


def power(x, y):
    return (x @ y) ** (x @ y)


def nuclear(A):
    return np.linalg.norm(A, "nuc")


def own_letter(I, T):  # noqa: E741
    S = I @ T.T
    return np.trace(S - np.log(np.sum(np.exp(S), axis=1, keepdims=True)))


ROWS = [
    (valley, {"x": "2"}, "2[x[0] + 200x[0](x[0]² − x[1]) − 1; 100(x[1] − x[0]²)]"),
    (first_two, {"x": "n"}, "2(onehot(0) + x[1] onehot(1))"),
    (blocks, {"A": "n n", "B": "n n"}, "2I"),
    (part_of_part, {"x": "n m"}, None),
    (four_blocks, {"A": "4 5"}, "[[2A[:2, :2], 3A[:2, 2:]²]; [𝟏𝟏ᵀ, 4A[2:, 2:]³]]"),
    (counting, {"x": "n"}, "2 arange(n) ⊙ x"),
    (mirrored, {"A": "n n", "B": "n n"}, "(A ⊙ B)ᵀ + Aᵀ ⊙ B"),
    (power, {"x": "n", "y": "n"}, "(z·z^(z − 1) + log(z)·z^z) y"),
    (nuclear, {"A": "n n"}, "UVᵀ"),
    (own_letter, {"I": "n m", "T": "n m"}, "(eye − p)T"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("loss", "shapes", "expected"), ROWS, ids=[row[0].__name__ for row in ROWS])
def test_short_forms(loss, shapes, expected):
    wrt = next(iter(shapes))
    d = sg.derive(loss, shapes, wrt)
    rng = np.random.default_rng(0)
    arrays = {
        n: rng.uniform(0.5, 1.5, size=tuple(SIZES[s] if s in SIZES else int(s) for s in text.split()))
        for n, text in shapes.items()
    }
    found = []
    for program in (d.program, d.document.program):
        value, gradients = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
        found.append((value, gradients[wrt]))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-10)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-9, atol=1e-12)
    if expected is not None:
        assert d.document.lines()[-1].right == expected
