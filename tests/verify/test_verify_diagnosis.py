"""Mistakes are named rightly, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

import verify

LINEAR = {"x": "n d", "w": "d k", "y": "n k"}


def half(x, w, y):
    return 0.5 * ((x @ w - y) ** 2).sum()


def full(x, w, y):
    return ((x @ w - y) ** 2).sum()


def rows(x, w, y):
    return ((x @ w - y) ** 2).sum() / x.shape[0]


def mean(x, w, y):
    return ((x @ w - y) ** 2).mean()


def ridge(x, w, y, lam):
    return 0.5 * ((x @ w - y) ** 2).sum() + lam * (w**2).sum()


def half_ridge(x, w, y, lam):
    return 0.5 * ((x @ w - y) ** 2).sum() + 0.5 * lam * (w**2).sum()


WITH_LAM = {**LINEAR, "lam": ""}
BIAS = {**LINEAR, "b": "k"}

CASES = {
    "sign": (1, half, LINEAR, lambda x, w, y: x.T @ (y - x @ w)),
    "averaged": (2, half, LINEAR, lambda x, w, y: x.T @ (x @ w - y) / len(x)),
    "mean forgotten": (2, rows, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y)),
    "averaged over all": (2, full, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y) / y.size),
    "mean over all forgotten": (2, mean, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y)),
    "factor 2": (3, half, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y)),
    "half": (3, full, LINEAR, lambda x, w, y: x.T @ (x @ w - y)),
    "mean over too much": (4, rows, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y) / y.size),
    "mean over too little": (4, mean, LINEAR, lambda x, w, y: 2 * x.T @ (x @ w - y) / len(x)),
    "transposed": (7, half, LINEAR, lambda x, w, y: (x @ w - y).T @ x),
    "no regulariser": (16, ridge, WITH_LAM, lambda x, w, y, lam: x.T @ (x @ w - y)),
    "λw for 2λw": (17, ridge, WITH_LAM, lambda x, w, y, lam: x.T @ (x @ w - y) + lam * w),
    "2λw for λw": (17, half_ridge, WITH_LAM, lambda x, w, y, lam: x.T @ (x @ w - y) + 2 * lam * w),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named(name, dtype):
    row, loss, shapes, gradient = CASES[name]
    report = verify.check(gradient, of=loss, shapes=shapes, wrt="w", dtype=dtype)
    assert report.verdict == "refuted"
    assert report.diagnosis is not None, report
    assert report.diagnosis.mistake == row
    assert report.diagnosis.parameter == "w"
    assert f"mistake {row}" in str(report)


def test_the_line_to_write_is_right():
    report = verify.check(CASES["sign"][3], of=half, shapes=LINEAR, wrt="w")
    generator = np.random.default_rng(0)
    x, w, y = (generator.standard_normal(s) for s in ((4, 3), (3, 2), (4, 2)))
    line = eval(report.diagnosis.fix, {"np": np, "x": x, "w": w, "y": y})
    assert np.allclose(line, x.T @ (x @ w - y))


def _bias_loss(x, w, b, y):
    return ((x @ w + b - y) ** 2).sum() / x.shape[0]


def _bias_gradient(scale):
    def gradient(x, w, b, y):
        r = 2 * (x @ w + b - y) / x.shape[0]
        return x.T @ r, scale(r)

    return gradient


@pytest.mark.parametrize(
    ("row", "scale"),
    [
        (9, lambda r: r.mean(axis=0)),
        (8, lambda r: r),
        (10, lambda r: np.full(r.shape[1], r.sum())),
    ],
)
def test_mistakes_at_the_bias(row, scale):
    report = verify.check(_bias_gradient(scale), of=_bias_loss, shapes=BIAS, wrt=("w", "b"))
    assert report.verdict == "refuted"
    assert report.diagnosis is not None, report
    assert (report.diagnosis.mistake, report.diagnosis.parameter) == (row, "b")


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x, w, y: x.T @ (x @ w),
        lambda x, w, y: x.T @ (x @ w - y) + 1,
        lambda x, w, y: 3 * x.T @ (x @ w - y),
        lambda x, w, y: x.T @ (x @ w - y) * 1.01,
        lambda x, w, y: -2 * x.T @ (x @ w - y),
        lambda x, w, y: x.T @ np.tanh(x @ w - y),
        lambda x, w, y: w * 0.0,
    ],
)
def test_nothing_is_said_where_the_cause_is_another(gradient):
    report = verify.check(gradient, of=half, shapes=LINEAR, wrt="w")
    assert report.verdict == "refuted"
    assert report.diagnosis is None
