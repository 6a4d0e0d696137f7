"""Whole numbers of a loss: sizes that are calculated with, counts of what holds, and positions made of both."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import UnsupportedError
from symgrad.trace.loss import trace_loss

SIZES = [(4, 3), (3, 4), (2, 2), (1, 3), (5, 1)]


def follows(loss, sizes=SIZES, free=True):
    """The derivation computes what the function does, and its gradient is the slope; sizes stay symbols if ``free``."""
    if free:
        assert not trace_loss(loss, {"x": "n d"}).pinned
    d = sg.derive(loss, {"x": "n d"}, wrt="x")
    generator = np.random.default_rng(0)
    for size in sizes:
        x, direction = generator.normal(size=size), generator.normal(size=size)
        value, grads = d(x=x)
        assert value == pytest.approx(float(loss(x.copy())), rel=1e-12), size
        slope = (float(loss(x + 1e-6 * direction)) - float(loss(x - 1e-6 * direction))) / 2e-6
        assert (grads["x"] * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-7)
    return d


def unpacked(x):
    flat, shapes = x.ravel(), [(x.shape[0] - 1, x.shape[1]), (x.shape[1],)]
    sizes = [int(np.prod(s)) for s in shapes]
    ends = np.cumsum([0, *sizes])
    w, b = (flat[i:j].reshape(s) for i, j, s in zip(ends, ends[1:], shapes))
    return (w**2).sum() + (b**3).sum()


SIZED = {
    "int of a product": lambda x: x.sum() * int(np.prod((x.shape[0], 3))) + np.zeros(int(np.prod(x.shape))).sum(),
    "product as a size": lambda x: (x.reshape(np.prod(x.shape)) ** 2).sum(),
    "math.prod": lambda x: (x.reshape(math.prod(x.shape)) ** 2).sum() / int(math.prod([len(x), 2])),
    "sums": lambda x: x.sum() * np.sum([len(x), x.shape[1], 1]) + np.ones(np.sum(x.shape)).sum() * x.mean(),
    "extrema": lambda x: x.sum() * max(x.shape) / min(x.shape) + np.max(x.shape) * np.min([len(x), 2]),
    "product with options": lambda x: x.sum() * np.prod(x.shape, dtype=int) / np.prod(x.shape, dtype=np.int64),
    "unpacked": unpacked,
}  # fmt: skip


@pytest.mark.parametrize("name", SIZED)
def test_functions_of_lists_of_sizes_are_sizes(name):
    follows(SIZED[name])


MASKS = {
    "off the diagonal": lambda x: ((x @ x.T)[~np.eye(len(x), dtype=bool)] ** 2).sum(),
    "identity": lambda x: ((x @ x.T) * ~np.identity(len(x), dtype=bool)).sum(),
    "tri": lambda x: ((x @ x.T)[np.tri(len(x), dtype=bool)] ** 2).sum(),
    "where": lambda x: np.where(np.eye(len(x), dtype=bool), -1e3, x @ x.T).max(),
    "count": lambda x: x.sum() * (~np.eye(len(x), x.shape[1], dtype=bool)).sum(),
    "and": lambda x: ((x @ x.T) * (np.tri(len(x), dtype=bool) & ~np.eye(len(x), dtype=bool))).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", MASKS)
def test_patterns_of_truth_values(name):
    follows(MASKS[name], [(4, 3), (2, 2), (1, 3)])


PRECISIONS = {
    "sum": lambda x: np.sum(x, dtype=np.float64) + x.sum(dtype=float) ** 2,
    "axis": lambda x: (np.sum(x, axis=0, dtype="float64") ** 2).sum(),
    "mean": lambda x: np.mean(x, dtype=np.float64) + x.mean(axis=0, dtype=np.double).sum(),
    "prod": lambda x: np.prod(x, axis=1, dtype=np.float64).sum(),
    "cumsum": lambda x: (np.cumsum(x, axis=0, dtype=np.float64) ** 2).sum(),
    "var": lambda x: np.var(x, dtype=np.float64) + x.std(dtype=np.float64),
    "truths": lambda x: x.sum() * np.sum(x > 0, dtype=np.float64) + np.sum(x > 0, dtype=int) * x.mean(),
}  # fmt: skip


@pytest.mark.parametrize("name", PRECISIONS)
def test_the_precision_of_a_sum(name):
    follows(PRECISIONS[name], SIZES[:3])


def test_half_precision_stays_refused():
    with pytest.raises(UnsupportedError, match=r"np\.sum is not traced with these options"):
        trace_loss(lambda x: np.sum(x, dtype=np.float16), {"x": "n"})


def sparsemax(x):
    z = np.sort(x, axis=1)[:, ::-1]
    k = np.arange(1, x.shape[1] + 1)
    sums = np.cumsum(z, axis=1)
    support = (1 + k * z > sums).sum(axis=1)
    tau = (sums[np.arange(len(x)), support - 1] - 1) / support
    return (np.maximum(x - tau[:, None], 0) ** 2).sum()


COUNTS = {
    "sparsemax": sparsemax,
    "count": lambda x: (x[np.arange(len(x)), (x > 0).sum(axis=1) - 1] ** 2).sum(),
    "running count": lambda x: x[np.arange(len(x))[:, None], np.maximum(np.cumsum(x > 0, axis=1) - 1, 0)].sum(),
    "count_nonzero": lambda x: x[0, np.count_nonzero(x[0] > 0) - 1] ** 2,
    "a real number too": lambda x: x.sum() * (x > 0).sum() + (x / ((x > 0).sum(axis=0) + 1)).sum() + (x > 0).mean(),
    "written to": lambda x: _written(x),
}  # fmt: skip


def _written(x):
    counts = (x > 0).sum(axis=0)
    counts[0] = 2.7  # NumPy's counts are whole numbers and cut it off
    shares = (x > 0).sum(axis=0) / 2
    shares[0] = 2.7
    return (x * counts).sum() + (x**2 * shares).sum()


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_whole_numbers(name):
    follows(COUNTS[name])


@pytest.mark.parametrize("name", ["sparsemax", "running count", "count"])
def test_counts_as_indices_compile(name):
    d = sg.derive(COUNTS[name], {"x": "n d"}, wrt="x")
    x = np.random.default_rng(1).normal(size=(4, 3))
    value, gradient = d.compile()(x=x)
    assert value == pytest.approx(d(x=x)[0], rel=1e-13)
    found = gradient["x"] if isinstance(gradient, dict) else gradient
    np.testing.assert_allclose(found, d(x=x)[1]["x"], rtol=1e-12)


# In order, and by a condition ---------------------------------------------------------------------------------


def sorted_in_place(x):
    z, rows = x.copy(), x.copy()
    z.sort()
    rows.sort(axis=0)
    first = x.copy()
    first[0].sort()
    return (z[:, 0] ** 2).sum() + (rows[0] ** 3).sum() + (first[0, 0] * first[-1, -1])


KEPT = np.array([True, False, True, True])

ORDERED = {
    "sort in place": sorted_in_place,
    "putmask": lambda x: _masked(x),
    "accumulate": lambda x: (np.maximum.accumulate(x, axis=0) ** 2).sum() + np.minimum.accumulate(x[:, 0]).sum(),
    "drawdown": lambda x: (np.maximum.accumulate(x[:, 0]) - x[:, 0]).max(),
    "logaddexp.accumulate": lambda x: np.logaddexp.accumulate(x, axis=1).sum(),
    "compress": lambda x: (np.compress(KEPT, x, axis=0) ** 2).sum() + np.compress([True, False], x).sum(),
    "extract": lambda x: (np.extract(np.arange(12).reshape(4, 3) % 2 == 0, x) ** 2).sum(),
    "flatnonzero": lambda x: (x[np.flatnonzero(KEPT)] ** 2).sum(),
}  # fmt: skip


def _masked(x):
    z, other = x.copy(), x.copy()
    np.putmask(z, x > 0.5, 0.25)
    np.putmask(other.T, x.T < 0, 2 * x.T)
    return (z**2).sum() + (other**3).sum()


@pytest.mark.parametrize("name", ORDERED)
def test_in_order_and_by_a_condition(name):
    follows(ORDERED[name], [(4, 3)], free=False)


@pytest.mark.parametrize(
    ("loss", "what", "fix"),
    [
        (lambda x: np.compress(x[:, 0] > 0, x, axis=0).sum(), "np.compress is not traced.", "np.where(mask, x, 0)"),
        (lambda x: np.extract(x > 0, x).sum(), "np.extract is not traced.", "np.where(mask, x, 0)"),
        (lambda x: x[np.flatnonzero(x[:, 0] > 0)].sum(), "np.flatnonzero is not traced.", "np.where(mask, x, 0)"),
        (lambda x: np.partition(x, 1).sum(), "np.partition is not traced.", "use np.sort"),
        (lambda x: (np.place(x.copy(), x > 0, [1.0]), x.sum())[1], "np.place is not traced.", "np.where(mask, values, x)"),
        (lambda x: (np.putmask(x.copy(), x > 0, [1.0, 2.0]), x.sum())[1], "np.putmask is traced with one value", "a[mask] = values"),
        (lambda x: (np.putmask(x, x > 0, 0), x.sum())[1], "The function writes into the argument x.", "x.copy()"),
        (lambda x: x.sort(), "The function writes into the argument x.", "x.copy()"),
    ],
)  # fmt: skip
def test_what_depends_on_the_data_is_refused_with_what_to_write(loss, what, fix):
    with pytest.raises(sg.errors.SymgradError) as caught:
        trace_loss(loss, {"x": "n d"})
    text = str(caught.value)
    assert text.startswith(what)
    assert fix in text
    assert "test_sizes_and_counts.py, line " in text


# Floats that hold whole numbers -------------------------------------------------------------------------------

FLOATS = {
    "times 1.0": lambda y: y * 1.0,
    "divided": lambda y: y / 1,
    "plus 0.0": lambda y: y + 0.0,
    "astype": lambda y: y.astype(float),
    "written whole": lambda y: _written_whole(y),
    "where": lambda y: np.where(y > 0, y, 0.0),
    "clip": lambda y: np.clip(y, 0.0, 5.0),
    "times floats": lambda y: np.ones(3) * y,
    "a part": lambda y: (y * 1.0)[::-1],
    "reshaped": lambda y: (y * 1.0).reshape(1, -1),
    "copied": lambda y: (y * 1.0).copy() * 3,
    "stacked": lambda y: np.stack([y * 1.0, y * 2.0]),
    "like": lambda y: np.zeros_like(y * 1.0),
    "whole": lambda y: y * 2,
    "whole times a size": lambda y: y * len(y),
    "whole, written to": lambda y: _written_whole(y, int),
}  # fmt: skip


def _written_whole(y, dtype=float):
    made = np.zeros(3, dtype=dtype)
    made[:] = y
    return made


@pytest.mark.parametrize("name", FLOATS)
def test_what_is_written_into_floats_is_not_cut_off(name):
    def loss(x, y):
        z = FLOATS[name](y)
        z[0] = 0.5
        return (z * x).sum()

    d = sg.derive(loss, {"x": "n", "y": "n"}, wrt="x")
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1, 2, 0])
    assert d(x=x, y=y)[0] == loss(x, y.copy())
