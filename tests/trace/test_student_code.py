"""Code as students write it: loops, helpers, accumulation, writing in place, options, modules' globals.

Each function runs on real arrays too, and its gradient is compared with differences of that run.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from numpy import exp, log, zeros

import symgrad as sg
from symgrad.errors import TraceError

TABLE = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]])
SCALE = 2.0
WEIGHTS = np.array([0.3, -0.4])


def differences(f, arrays, name, h=1e-5):
    """Central differences, extrapolated once."""

    def slope(step):
        out = np.zeros_like(arrays[name])
        for at in np.ndindex(out.shape):
            moved = []
            for sign in (1, -1):
                a = {n: np.array(v, copy=True) for n, v in arrays.items()}
                a[name][at] += sign * step
                moved.append(float(f(**a)))
            out[at] = (moved[0] - moved[1]) / (2 * step)
        return out

    return (4 * slope(h) - slope(2 * h)) / 3


def agree(f, shapes, wrt, arrays, domains=None):
    d = sg.derive(f, shapes, wrt=wrt, domains=domains)
    copies = {n: np.array(v, copy=True) for n, v in arrays.items()}
    value, grads = d(**copies)
    assert value == pytest.approx(float(f(**copies)), rel=1e-12)
    np.testing.assert_allclose(grads[wrt], differences(f, arrays, wrt), rtol=1e-6, atol=1e-7)
    return d


def rows(x, w, y):
    total = 0.0
    for i in range(x.shape[0]):
        r = x[i] @ w - y[i]
        total += 0.5 * r**2
    return total


def rows_by_len(x, w, y):
    total = 0
    for i in range(len(x)):
        total = total + (np.dot(x[i, :], w) - y[i]) ** 2
    return total / len(x)


def rows_by_zip(x, w, y):
    return sum((xi @ w - yi) ** 2 for xi, yi in zip(x, y)) / 2


def filled(x, w, y):
    p = np.zeros(x.shape[0])
    for i, row in enumerate(x):
        p[i] = row.dot(w)
    r = p - y
    return np.sum(r * r)


def filled_imported(x, w, y):
    p = zeros(len(y))
    for i in range(len(y)):
        for j in range(w.size):
            p[i] += x[i, j] * w[j]
    return ((p - y) ** 2).mean()


def appended(x, w, y):
    p = []
    for i in range(len(x)):
        p.append(sigmoid(x[i] @ w))
    p = np.array(p)
    return -np.mean(y * log(p) + (1 - y) * np.log(1 - p))


def sigmoid(z):
    n = len(np.atleast_1d(z))
    return 1 / (1 + exp(-z)) if n else z


def local_in_place(x, w, y):
    h = x @ w
    h += SCALE
    h *= 2
    h[h < 0] = 0
    h -= y
    return (h**2).sum()


def through_a_view(x, w, y):
    z = np.zeros((2, x.shape[1]))
    first = z[0]
    first += w
    z[1] = w * w
    second = z[1]
    z *= 3.0
    return (x @ first).sum() + second.sum() + (y**2).sum()


def hinge(x, w, y):
    loss = 0.0
    for i in range(x.shape[0]):
        loss += max(0, 1 - y[i] * x[i].dot(w))
    return loss / x.shape[0] + 0.1 * np.sum(w * w)


def with_math(x, w, y):
    n = x.shape[0]
    return math.sqrt(n) * sum(math.exp(v) for v in x @ w) + math.log(n + 1) * y.sum() * math.pi


def with_option(x, w, y, reduction="mean", weights=None):
    assert x.shape[0] == y.shape[0], "rows differ"
    r = (x @ w - y) ** 2
    if weights is not None:
        r = r * weights
    if reduction == "mean":
        return r.mean()
    return r.sum()


def with_globals(x, w, y):
    return (np.tanh(x @ w - y) @ TABLE[: len(y)] @ WEIGHTS).sum() if len(y) <= 3 else (x @ w).sum()


@pytest.mark.parametrize(
    "f",
    [rows, rows_by_len, rows_by_zip, filled, filled_imported, appended, local_in_place, through_a_view, hinge,
     with_math, with_option, with_globals],
)  # fmt: skip
@pytest.mark.parametrize("sizes", [(3, 2), (2, 2), (1, 1), (1, 2), (3, 1)], ids=str)
def test_functions_as_students_write_them(f, sizes):
    n, d = sizes
    if f is with_globals and n != 3:
        pytest.skip("the table has three rows")
    rng = np.random.default_rng(1)
    arrays = {"x": rng.normal(size=(n, d)), "w": rng.normal(size=d), "y": rng.uniform(0.2, 0.8, n)}
    agree(f, {"x": "n d", "w": "d", "y": "n"}, "w", arrays)


def flat_parameters(theta, x, y):
    d, k = x.shape[1], 3
    W = theta[: d * k].reshape(d, k)
    b = theta[d * k :]
    h = np.tanh(x @ W + b)
    return ((h.sum(axis=1) - y) ** 2).sum()


def test_a_flat_vector_cut_by_size():
    rng = np.random.default_rng(2)
    arrays = {"theta": rng.normal(size=9), "x": rng.normal(size=(4, 2)), "y": rng.normal(size=4)}
    agree(flat_parameters, {"theta": 9, "x": "n 2", "y": "n"}, "theta", arrays)


def cross_entropy(z, y):
    n = z.shape[0]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(n), y]).mean()


def cross_entropy_one_hot(z, y):
    target = np.eye(z.shape[1])[y]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return -(target * np.log(p)).sum() / len(y)


@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
@pytest.mark.parametrize("f", [cross_entropy, cross_entropy_one_hot])
@pytest.mark.parametrize("sizes", [(4, 3), (3, 3), (1, 2), (1, 1)], ids=str)
def test_labels_as_indices(f, sizes):
    n, k = sizes
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(n, k)), rng.integers(0, k, n)
    for domains in ({"y": "labels k"}, None):
        d = sg.derive(f, {"z": "n k", "y": "n"}, wrt="z", domains=domains)
        _, grads = d(z=z, y=y)
        expected = differences(lambda z: f(z, y), {"z": z}, "z")
        np.testing.assert_allclose(grads["z"], expected, rtol=1e-6, atol=1e-8)


def test_a_global_and_an_attribute_can_be_the_parameter():
    def loss(x, y):
        return ((x @ WEIGHTS - y) ** 2).sum()

    rng = np.random.default_rng(4)
    x, y, w = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
    d = sg.derive(loss, {"x": "n d", "y": "n", "WEIGHTS": "d"}, wrt="WEIGHTS")
    np.testing.assert_allclose(d(x=x, y=y, WEIGHTS=w)[1]["WEIGHTS"], 2 * x.T @ (x @ w - y))

    class Model:
        def __init__(self):
            self.w = np.zeros(2)

        def predict(self, x):
            return x @ self.w

        def loss(self, x, y):
            out = np.zeros(len(y))
            out[:] = self.predict(x)
            return ((out - y) ** 2).sum()

    d = sg.derive(Model().loss, {"x": "n d", "y": "n", "w": "d"}, wrt="w")
    np.testing.assert_allclose(d(x=x, y=y, w=w)[1]["w"], 2 * x.T @ (x @ w - y))


def test_helpers_of_a_namespace_and_layers_in_a_list():
    layers = [SimpleNamespace(act=np.tanh), SimpleNamespace(act=lambda z: z)]

    def loss(x, w):
        h = x
        for layer in layers:
            h = layer.act(h * w)
        return h.sum()

    rng = np.random.default_rng(5)
    agree(loss, {"x": "n", "w": ""}, "w", {"x": rng.normal(size=3), "w": np.array(0.7)})


def test_writing_into_an_argument_is_refused_with_its_line():
    def loss(x, w):
        x -= x.mean()
        return (x @ w).sum()

    with pytest.raises(TraceError, match="writes into the argument x") as caught:
        sg.derive(loss, {"x": "n d", "w": "d"}, wrt="w")
    assert "x -= x.mean()" in str(caught.value)
    assert "copy" in str(caught.value)


def test_writing_into_a_view_of_an_argument_is_refused():
    def loss(x, w):
        row = x.T
        row += 1
        return (x @ w).sum()

    with pytest.raises(TraceError, match="writes into the argument x"):
        sg.derive(loss, {"x": "n d", "w": "d"}, wrt="w")


def test_writing_into_a_global_is_refused():
    def loss(x):
        TABLE[0, 0] = 5.0
        return x.sum()

    with pytest.raises(TraceError, match="writes into the variable TABLE"):
        sg.derive(loss, {"x": "n"}, wrt="x")
    assert TABLE[0, 0] == 1.0


def test_random_numbers_are_refused_with_their_line():
    def loss(x):
        return (x + np.random.randn(3)).sum()  # noqa: NPY002 - what students write

    with pytest.raises(TraceError, match="random numbers") as caught:
        sg.derive(loss, {"x": 3}, wrt="x")
    assert "np.random.randn(3)" in str(caught.value)


def test_a_branch_on_the_data_is_refused():
    def loss(x):
        return x.sum() if x.sum() > 0 else -x.sum()

    with pytest.raises(TraceError, match="branch on the data"):
        sg.derive(loss, {"x": "n"}, wrt="x")


def test_np_matrix_is_refused_with_the_array_form():
    def loss(x):
        return (np.matrix(x) * np.matrix(x).T).sum()

    with pytest.raises(sg.errors.UnsupportedError, match=r"np\.matrix") as caught:
        sg.derive(loss, {"x": "n d"}, wrt="x")
    assert "@" in str(caught.value)


def test_sizes_that_differ_from_the_usual_are_derived_on_their_own():
    def loss(x, w):
        if x.shape[1] == 1:
            return (x[:, 0] * w[0]).sum() * 10
        return (x @ w).sum()

    d = sg.derive(loss, {"x": "n d", "w": "d"}, wrt="w")
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(d(x=x, w=np.ones(2))[1]["w"], x.sum(0))
    np.testing.assert_allclose(d(x=x[:, :1], w=np.ones(1))[1]["w"], 10 * x[:, :1].sum(0))


def test_printed_once_however_often_it_is_traced(capsys):
    def loss(x, y):
        print("once")
        return sum(x[i] * y[i] for i in range(len(x)))

    sg.derive(loss, {"x": "n", "y": "n"}, wrt="x")
    assert capsys.readouterr().out == "once\n"


def test_pi_is_exact_and_can_be_a_number():
    def loss(x, s):
        assert f"{np.pi:.2f}" == "3.14"
        grid = np.linspace(0, np.pi, 3) + np.arange(0, 2 * np.pi, 2.5)
        return 0.5 * len(x) * np.log(2 * np.pi * s) + (x**2).sum() * grid[1] + math.pi * s

    d = sg.derive(loss, {"x": "n", "s": ""}, wrt="s")
    x, s = np.array([0.5, 1.0]), np.array(2.0)
    assert d(x=x, s=s)[0] == pytest.approx(loss(x, s))
    assert d(x=x, s=s)[1]["s"] == pytest.approx(len(x) / 2 / s + np.pi)
    assert "π" in str(d.loss)
