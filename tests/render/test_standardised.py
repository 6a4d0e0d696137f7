"""Layer and batch normalisation and z-scores: the form of the books, with the values of the code."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.program import numpy_callable

ROWS = {"x": "n d", "g": "d", "b": "d", "t": "n d"}
VECTOR = {"x": "d", "t": "d"}
SIZES = {"n": 4, "d": 3, "k": 5}


def layer(x, g, b, t):
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    x_hat = (x - mu) / np.sqrt(var + 1e-5)
    y = g * x_hat + b
    return 0.5 * np.sum((y - t) ** 2)


def layer_in_one_line(x, g, b, t):
    y = g * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5) + b
    return 0.5 * np.sum((y - t) ** 2)


def batch(x, g, b, t):
    sd = np.sqrt(x.var(axis=0) + 1e-5)
    y = g * (x - x.mean(axis=0)) / sd + b
    return 0.5 * np.sum((y - t) ** 2)


def score(x, t):
    z = (x - x.mean()) / x.std()
    return np.sum((z - t) ** 2)


def behind_a_layer(X, W, g, b, t):
    a = X @ W
    mu = a.mean(axis=1, keepdims=True)
    y = np.tanh(g * (a - mu) / np.sqrt(a.var(axis=1, keepdims=True) + 1e-5) + b)
    return 0.5 * np.sum((y - t) ** 2)


def read_elsewhere(x, t):
    c = x - x.mean()
    return np.sum((c / c.std() - t) ** 2) + np.sum(c**3)


def twice(x, g, b, t):
    h = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    u = np.tanh(h * g + b)
    v = (u - u.mean(axis=1, keepdims=True)) / np.sqrt(u.var(axis=1, keepdims=True) + 1e-5)
    return 0.5 * np.sum((v - t) ** 2)


LOSSES = [
    (layer, ROWS, "diag(z)⁻¹(δ − (1/d) diag((δ ⊙ x_hat)𝟏) x_hat − (1/d) δ𝟏𝟏ᵀ)"),
    (layer_in_one_line, ROWS, "diag(z₁)⁻¹(δ − (1/d) diag((δ ⊙ z₂)𝟏)z₂ − (1/d) δ𝟏𝟏ᵀ)"),
    (batch, ROWS, "(δ − (1/n) z diag(𝟏ᵀ(δ ⊙ z)) − (1/n) 𝟏𝟏ᵀδ) diag(sd)⁻¹"),
    (score, VECTOR, "2(√d(r₂ − (r₂ᵀz₂) z₂) − (1/√d) Σ r₂) / z₁"),
    (
        behind_a_layer,
        {"X": "n k", "W": "k d", "g": "d", "b": "d", "t": "n d"},
        "Xᵀ diag(z₁)⁻¹(δ − (1/d) diag((δ ⊙ z₂)𝟏)z₂ − (1/d) δ𝟏𝟏ᵀ)",
    ),
    (read_elsewhere, VECTOR, None),
    (twice, ROWS, None),
]


@pytest.mark.parametrize(("loss", "shapes", "expected"), LOSSES, ids=[row[0].__name__ for row in LOSSES])
def test_standardised_values_are_named(loss, shapes, expected):
    wrt = next(iter(n for n in shapes if n in ("W", "x")))
    d = sg.derive(loss, shapes, [n for n in shapes if n not in ("X", "t")])
    rng = np.random.default_rng(0)
    arrays = {n: rng.normal(size=tuple(SIZES[s] for s in text.split())) for n, text in shapes.items()}
    results = []
    for program in (d.program, d.document.program):
        value, gradients = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
        results.append({"loss": value, **gradients})
    for label, wanted in results[0].items():
        np.testing.assert_allclose(results[1][label], wanted, rtol=1e-8, atol=1e-9, err_msg=label)
    if expected is not None:
        line = next(x for x in d.document.lines() if x.left == f"∂L/∂{wrt}")
        assert line.right == expected


def test_a_mean_keeps_its_ones_beside_a_norm():
    def loss(X):
        r = X - X.mean()
        return np.sum((X - X.mean(axis=1, keepdims=True)) ** 2) + np.sqrt(np.sum(r**2))

    line = sg.derive(loss, {"X": "n d"}, "X").document.lines()[-1]
    assert line.right == "r / ‖r‖_F + 2X − (2/d) X𝟏𝟏ᵀ"
