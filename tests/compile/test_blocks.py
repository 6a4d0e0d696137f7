"""Blocks of rows: which programs separate, and that a sweep over blocks gives what the whole gives."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.loss_table import LOSSES, draw
from compile.interpreted import evaluated, in_blocks

import symgrad as sg
from symgrad.compile import rows, sweeping, threads
from symgrad.compile.rows import separations

NAMES = sorted(
    {w for loss in LOSSES for text in loss.shapes.values() for w in text.split() if not w.isdecimal()}
)
SIZES = (
    {name: 7 - i % 3 for i, name in enumerate(NAMES)},
    dict.fromkeys(NAMES, 4),
    dict.fromkeys(NAMES, 1),
)


def tanh_network(X, W, b, V, Y):
    H = np.tanh(X @ W + b)
    return 0.5 * np.sum((H @ V - Y) ** 2)


def softmax_regression(X, W, b, y):
    z = X @ W + b
    top = z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z - top).sum(axis=1)) + top[:, 0] - z[np.arange(len(y)), y])


def ridge(X, w, y, lam):
    return np.mean((X @ w - y) ** 2) + lam * np.sum(w**2)


def columns(X, w, y):
    """The rows of the data are columns of the array."""
    return np.sum((w @ X - y) ** 2)


def embedding(E, i, w, y):
    return np.sum((E[i] @ w - y) ** 2)


def after_the_sum(X, w, y):
    return np.sqrt(np.sum((X @ w - y) ** 2) + 1)


def standardised(X, w, y):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.sum((Z @ w - y) ** 2)


def over_samples(X, w):
    z = X @ w
    return np.log(np.sum(np.exp(z - z.max()))) + z.max()


def neighbours(x, w):
    return np.sum((x[1:] - w * x[:-1]) ** 2)


def counted(x, w):
    return np.sum(np.arange(len(x)) * (x - w) ** 2)


def named_after_a_parameter(x, y):
    """The mean goes by one letter and the name of the parameter."""
    mx = np.mean(x)
    return np.mean((x - mx) ** 2 * y) + mx**2


def batch_norm(X, W, s, v, y):
    z = X @ W
    centred = z - z.mean(axis=0)
    out = np.maximum(s * centred / np.sqrt((centred**2).mean(axis=0) + 1e-5), 0)
    return np.mean((out @ v - y) ** 2)


def largest(X, w):
    return np.max(X @ w) - np.min((X @ w) ** 2)


def norm(X, w, y):
    return np.linalg.norm(X @ w - y) + np.abs(w).sum()


def steps(X, w):
    """Power iteration: each step sums over the rows."""
    v = w
    for _ in range(4):
        v = X.T @ np.tanh(X @ v)
    return np.sum(v**2)


def halves(X, w):
    k = X.shape[1] // 2
    return np.sum(np.tanh(X[:, :k] @ w) * (X[:, k:] @ w))


SEPARATED = {
    "tanh network": (
        tanh_network,
        {"X": "n d", "W": "d h", "b": "h", "V": "h k", "Y": "n k"},
        ["W", "b", "V"],
    ),
    "softmax regression": (softmax_regression, {"X": "n d", "W": "d k", "b": "k", "y": "n"}, ["W", "b"]),
    "ridge": (ridge, {"X": "n d", "w": "d", "y": "n", "lam": ""}, ["w"]),
    "columns": (columns, {"X": "d n", "w": "d", "y": "n"}, ["w"]),
    "embedding": (embedding, {"E": "m d", "i": "n", "w": "d", "y": "n"}, ["E", "w"]),
    "halves": (halves, {"X": "n d", "w": "k"}, ["X", "w"]),
    "gradient with rows": (
        tanh_network,
        {"X": "n d", "W": "d h", "b": "h", "V": "h k", "Y": "n k"},
        ["X", "W"],
    ),
}

SEPARATED |= {
    "the gradient needs the sum": (after_the_sum, {"X": "n d", "w": "d", "y": "n"}, ["w"]),
    "standardised": (standardised, {"X": "n d", "w": "d", "y": "n"}, ["w"]),
    "softmax over samples": (over_samples, {"X": "n d", "w": "d"}, ["w"]),
    "batch norm": (batch_norm, {"X": "n d", "W": "d h", "s": "h", "v": "h", "y": "n"}, ["W", "s", "v"]),
    "largest entry": (largest, {"X": "n d", "w": "d"}, ["w"]),
    "norm": (norm, {"X": "n d", "w": "d", "y": "n"}, ["w", "X"]),
    "a name like a parameter's": (named_after_a_parameter, {"x": "n", "y": "n"}, ["x"]),
}
DIVIDED = dict.fromkeys(
    (
        "softmax regression",
        "ridge",
        "standardised",
        "softmax over samples",
        "batch norm",
        "largest entry",
        "a name like a parameter's",
    ),
    "n",
)
SWEEPS = {"the gradient needs the sum": 2, "standardised": 3, "batch norm": 5, "tanh network": 1, "norm": 2}

WHOLE = {
    "neighbours": (neighbours, {"x": "n", "w": ""}, "w"),
    "numbers of rows": (counted, {"x": "n", "w": ""}, "w"),
    "too many sweeps": (steps, {"X": "n d", "w": "d"}, "w"),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of three rows, and three shares at most."""
    monkeypatch.setattr(sweeping, "SIZES", dict.fromkeys(sweeping.SIZES, sweeping.BlockSize(1, 3, 3)))
    monkeypatch.setattr(sweeping, "SHARES", 3)


def through_blocks(program, arrays, dtype="float64", order=list, symbol="n"):
    found = {made.symbol.name: made for made in separations(program)}[symbol]
    return evaluated(program, in_blocks(program, dtype, found, order), arrays, dtype)


def drawn(shapes, n, seed=0):
    rng = np.random.default_rng(seed)
    sizes = {"n": n, "d": 4, "h": 3, "k": 2, "m": 3}
    made = {}
    for name, text in shapes.items():
        shape = tuple(sizes[w] for w in text.split())
        made[name] = rng.normal(size=shape)
        if name in ("i",) or (name == "y" and "W" in shapes):
            made[name] = rng.integers(0, 2, shape)
    return made


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 20])
@pytest.mark.parametrize("name", SEPARATED)
def test_blocks_give_what_the_whole_gives(name, n):
    loss, shapes, wrt = SEPARATED[name]
    own = sg.derive(loss, shapes, wrt=wrt)
    arrays = drawn(shapes, n)
    if n == 0 and "n" in DIVIDED.get(name, ""):
        pytest.skip("divided by the number of rows, or the largest of none")
    if n == 1 and name in ("standardised", "batch norm"):
        pytest.skip("one row has no spread")
    value, grads = own(arrays)
    got, found = through_blocks(own.program, arrays)
    assert got == pytest.approx(value, rel=1e-12, abs=1e-12)
    for label in wrt:
        np.testing.assert_allclose(found[label], grads[label], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", WHOLE)
def test_rows_that_mix_are_not_separated(name):
    loss, shapes, wrt = WHOLE[name]
    assert "n" not in {made.symbol.name for made in separations(sg.derive(loss, shapes, wrt=wrt).program)}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_number_of_sweeps(name):
    loss, shapes, wrt = SEPARATED[name]
    found = {s.symbol.name: s for s in separations(sg.derive(loss, shapes, wrt=wrt).program)}
    assert found["n"].sweeps == SWEEPS[name]


@pytest.mark.parametrize("sizes", SIZES, ids=["unequal", "equal", "ones"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_loss_of_the_table_that_separates(loss, sizes):
    own = loss.derive()
    found = separations(own.program)
    if not found:
        pytest.skip("its rows mix")
    arrays = draw(loss, sizes)
    value, grads = own(arrays)
    for separation in found:
        got, made = through_blocks(own.program, arrays, symbol=separation.symbol.name)
        assert got == pytest.approx(value, rel=1e-11, abs=1e-12)
        for label, g in grads.items():
            np.testing.assert_allclose(made[label], g, rtol=1e-9, atol=1e-11)


def test_the_order_of_the_shares_changes_no_bit():
    loss, shapes, wrt = SEPARATED["tanh network"]
    program = sg.derive(loss, shapes, wrt=wrt).program
    arrays = drawn(shapes, 50)
    value, grads = through_blocks(program, arrays, "float32")
    again, other = through_blocks(program, arrays, "float32", lambda calls: reversed(list(calls)))
    assert value == again
    for label in wrt:
        np.testing.assert_array_equal(grads[label], other[label])


def test_large_data_goes_through_blocks_with_the_same_bits_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(rows, "LARGE", 100)
    loss, shapes, wrt = SEPARATED["tanh network"]
    own = sg.derive(loss, shapes, wrt=wrt)
    kernel = own.compile("float32")
    small = kernel(drawn(shapes, 2))
    assert "sweep_1" not in kernel.source
    arrays = drawn(shapes, 1000)
    seen = []
    for count in range(1, threads.thread_count() + 1):
        monkeypatch.setattr(threads, "thread_count", lambda count=count: count)
        seen.append(kernel(arrays))
    assert "sweep_1" in kernel.source
    for value, grads in seen:
        assert value == seen[0][0]
        for label in wrt:
            np.testing.assert_array_equal(grads[label], seen[0][1][label])
            np.testing.assert_allclose(grads[label], own(arrays)[1][label], rtol=2e-4, atol=1e-3)
    assert small[0] == pytest.approx(own(drawn(shapes, 2))[0], rel=1e-5)


def test_training_on_large_data_goes_through_blocks(monkeypatch):
    monkeypatch.setattr(rows, "LARGE", 100)
    loss, shapes, _ = SEPARATED["ridge"]
    arrays = drawn(shapes, 300)
    data = {n: a for n, a in arrays.items() if n != "w"}
    run = sg.minimize(loss, {"w": arrays["w"]}, data, sg.optim.SGD(lr=0.05), 20)
    assert "sweep_1" in run.source
    monkeypatch.setattr(rows, "LARGE", 10**9)
    whole = sg.minimize(loss, {"w": arrays["w"]}, data, sg.optim.SGD(lr=0.05), 20)
    assert "sweep_1" not in whole.source
    np.testing.assert_allclose(run.losses, whole.losses, rtol=1e-12)
    np.testing.assert_allclose(run.params["w"], whole.params["w"], rtol=1e-11)
