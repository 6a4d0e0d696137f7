"""Indexing and assignment of traced arrays: NumPy's values, the witness's gradients, clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.traced_checks import agrees, drawn

import symgrad as sg
from symgrad.errors import ShapeError, SymgradError, UnsupportedError

LARGE = ({"n": 4, "d": 3, "k": 2}, {"n": 3, "d": 3, "k": 3})


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[1:],
        lambda x: x[:-1],
        lambda x: x[1:] - x[:-1],
        lambda x: x[::-1],
        lambda x: x[:3],
        lambda x: x[-2:],
        lambda x: x[:0],
        lambda x: x[::2],
        lambda x: x[1::2],
        lambda x: x[::-2],
        lambda x: x[-1::-3],
        lambda x: x[3:1:-1],
        lambda x: x[2::-1],
        lambda x: x[:1:-1],
        lambda x: x[1:100],
        lambda x: x[-100:1],
        lambda x: x[: len(x) // 2],
        lambda x: x[: x.shape[0] - 1],
        lambda x: x[1:][::-1][:-1],
        lambda x: x[...],
        lambda x: x[None, 1:],
        lambda x: x[1:, None] * x[None, :-1],
    ],
)
def test_slices_of_a_vector(f):
    agrees(f, {"x": "n"}, ({"n": 5}, {"n": 4}, {"n": 2}, {"n": 1}))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[0],
        lambda x: x[-1],
        lambda x: x[x.shape[0] - 1],
        lambda x: x[0] * x[-1],
        lambda x: x[:1],
    ],
)
def test_single_entries(f):
    agrees(f, {"x": "n"}, ({"n": 4}, {"n": 1}))


@pytest.mark.parametrize(
    "f",
    [
        lambda X: X[0],
        lambda X: X[:, 0],
        lambda X: X[:, -1:],
        lambda X: X[1:, ::-1],
        lambda X: X[..., 0],
        lambda X: X[0, ...],
        lambda X: X[0][1],
        lambda X: X[1, 1],
        lambda X: X[:, None, 1],
        lambda X: X[None, ..., 1],
        lambda X: X.T[1],
        lambda X: X[1:-1, 1:-1],
        lambda X: X[::2, 1::2],
        lambda X: X[[0, 2, 0]],
        lambda X: X[:, [1, 1, 0]],
        lambda X: X[[0, 1], [1, 0]],
        lambda X: X[[0, -1], 1:],
        lambda X: X[[[0], [2]], [0, 1]],
        lambda X: X[0, [1, 0, 1]],
        lambda X: X[[1, 0, 1], None, 0],
        lambda X: X[:, np.array([True, False, True])],
        lambda X: X[np.arange(X.shape[0]), 0],
        lambda X: X[np.ix_([0, 2], [1, 0, 1])],
        lambda X: X.flat[3],
        lambda X: X.ravel()[1:4],
    ],
)
def test_parts_of_a_matrix(f):
    agrees(f, {"X": "n d"}, LARGE)


@pytest.mark.parametrize(
    "f",
    [
        lambda A: A[:, 1],
        lambda A: A[0, :, [1, 0]],
        lambda A: A[[0, 1], :, [1, 0]],
        lambda A: A[:, [0, 1], [1, 0]],
        lambda A: A[[0, 1], 0, 1:],
        lambda A: A[0, [0, 1]],
        lambda A: A[:, None, [0, 1], None, 0],
        lambda A: A[None, [0, 1], :, [[0], [1]]],
        lambda A: A[..., [1, 0, 1]],
        lambda A: A[1, ..., 0],
    ],
)
def test_parts_of_three_axes(f):
    agrees(f, {"A": "n d k"}, ({"n": 3, "d": 2, "k": 2}, {"n": 2, "d": 2, "k": 2}))


@pytest.mark.parametrize(
    "f",
    [
        lambda X, y: X[np.arange(len(y)), y],
        lambda X, y: X[range(X.shape[0]), y],
        lambda X, y: X[:, y],
        lambda X, y: X[np.arange(X.shape[0])[:, None], y[None, :]],
        lambda X, y: X[np.arange(X.shape[0]), y - 1],
        lambda X, y: X.T[y],
        lambda X, y: X.T[y, 0],
        lambda X, y: X[0, y],
        lambda X, y: X[0, y[0]],
        lambda X, y: X[1:, y[0]],
        lambda X, y: np.take(X, y, axis=1),
        lambda X, y: np.take_along_axis(X, y[:, None], axis=1),
    ],
)
def test_labels_that_are_arguments(f):
    agrees(f, {"X": "n d", "y": "n"}, (*LARGE, {"n": 2, "d": 2}), labels={"y": "d"})


def test_embedding_of_a_table_of_indices():
    agrees(lambda E, i: E[i], {"E": "n d", "i": "k 2"}, LARGE, labels={"i": "n"})


def _with(assign):
    def f(x, v):
        out = x * 1.0
        assign(out, v)
        return out

    return f


def _onto_zeros(assign):
    def f(x, v):
        out = np.zeros(x.shape)
        assign(out, v)
        return out * x

    return f


ASSIGNMENTS = {
    "row": lambda out, v: out.__setitem__(0, v[0]),
    "last row": lambda out, v: out.__setitem__(-1, v[1]),
    "column": lambda out, v: out.__setitem__((slice(None), 1), v[:, 0]),
    "entry": lambda out, v: out.__setitem__((1, 2), v[0, 0]),
    "rows": lambda out, v: out.__setitem__(slice(1, None), v[1:]),
    "block": lambda out, v: out.__setitem__((slice(1, 3), slice(0, 2)), v[1:3, 1:3]),
    "backwards": lambda out, v: out.__setitem__(slice(None, None, -1), v),
    "backwards columns": lambda out, v: out.__setitem__((slice(1, 3), slice(None, None, -1)), v[1:3]),
    "every second": lambda out, v: out.__setitem__(slice(None, None, 2), v[::2]),
    "every second column": lambda out, v: out.__setitem__((slice(None), slice(1, None, 2)), v[:, 1::2]),
    "number": lambda out, v: out.__setitem__((slice(None), 0), 7.0),
    "all": lambda out, v: out.__setitem__(slice(None), v),
    "ellipsis": lambda out, v: out.__setitem__(Ellipsis, v[0]),
    "broadcast": lambda out, v: out.__setitem__(slice(1, None), v[0]),
    "added": lambda out, v: out.__setitem__(0, out[0] + v[1]),
    "index": lambda out, v: out.__setitem__([2, 0], v[:2]),
    "index and slice": lambda out, v: out.__setitem__((slice(1, 3), [2, 0]), v[1:3, :2]),
    "repeated, one number": lambda out, v: out.__setitem__([0, 0, 1], v[0, 0]),
    "repeated, last wins": lambda out, v: out.__setitem__([0, 1, 0], v[:3]),
    "pairs": lambda out, v: out.__setitem__(([0, 1], [1, 0]), v[0, :2]),
    "position and index": lambda out, v: out.__setitem__((1, [1, 0]), v[0, :2]),
    "diagonal": lambda out, v: out.__setitem__((np.arange(3), np.arange(3)), v[0, :3]),
    "empty": lambda out, v: out.__setitem__(slice(2, 2), v[0]),
    "new axis": lambda out, v: out.__setitem__((slice(0, 1), None), v[None, :1]),
    "twice": lambda out, v: (out.__setitem__(0, v[0]), out.__setitem__((0, 1), v[1, 1])),
    "added at": lambda out, v: np.add.at(out, [0, 1, 0], v[:3]),
    "added at a column": lambda out, v: np.add.at(out, (slice(None), [1, 1]), v[:, :2]),
    "added at a row": lambda out, v: np.add.at(out, 1, v[0]),
}


@pytest.mark.parametrize("onto", [_with, _onto_zeros], ids=["onto values", "onto zeros"])
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_assignment(name, onto):
    agrees(onto(ASSIGNMENTS[name]), {"x": "n d", "v": "n d"}, LARGE)


LABELLED = {
    "labels": lambda out, v, y: out.__setitem__((np.arange(len(y)), y), v[:, 0]),
    "labels, a number": lambda out, v, y: out.__setitem__((np.arange(len(y)), y), 1.0),
    "whole rows": lambda out, v, y: out.__setitem__(y, v[0, 0]),
    "whole rows from a row": lambda out, v, y: out.__setitem__(y, v[0]),
    "added": lambda out, v, y: np.add.at(out, y, v),
    "added at pairs": lambda out, v, y: np.add.at(out, (np.arange(len(y)), y), v[:, 1]),
    "subtracted": lambda out, v, y: np.subtract.at(out, y, v),
    "one at a time": lambda out, v, y: out.__setitem__((np.arange(len(y)), y), out[np.arange(len(y)), y] - 1),
    "a column": lambda out, v, y: out.__setitem__((slice(None), y[0]), v[:, 0]),
}


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("name", LABELLED)
def test_assignment_at_labels(name, zeros):
    def f(x, v, y):
        out = np.zeros(x.shape) if zeros else x * 1.0
        LABELLED[name](out, v, y)
        return out * x

    agrees(f, {"x": "n n", "v": "n n", "y": "n"}, ({"n": 3}, {"n": 2}), labels={"y": "n"})


MASKED = {
    "sum": lambda x: x[x > 0].sum(),
    "log": lambda x: np.log(x[x > 0]).sum(),
    "root": lambda x: np.sqrt(x[x > 0] * 2).sum(),
    "root of a difference": lambda x: np.sqrt(x[x > 0.5] - 0.5).sum(),
    "mean": lambda x: x[x > -2].mean(),
    "mean of a function": lambda x: np.mean(np.tanh(x[x > -2]) ** 2),
    "variance": lambda x: x[x > -2].var(),
    "size": lambda x: x[x > 0].sum() * x[x > 0].size,
    "two masks": lambda x: x[x > 0].sum() - (x[x <= 0] ** 3).sum(),
    "product": lambda x: (x[x > 0] * np.exp(x)[x > 0]).sum(),
    "largest": lambda x: x[x < 5].max() * x[x < 5].min(),
    "written": lambda x: _masked_write(x, 0.0),
    "written back": lambda x: _masked_write(x, None),
    "joint": lambda x: x[(x > 0) & (x < 1)].sum(),
    "scalar times": lambda x: (x.sum() * x[x > 0]).sum(),
    "dot": lambda x: np.dot(x[x > 0], x[x > 0]),
    "norm": lambda x: np.linalg.norm(x[x > -2]),
}


def _masked_write(x, value):
    out = x * 1.0
    out[x > 0] = np.log(x[x > 0]) if value is None else value
    out[x < -0.5] *= 3
    return out


@pytest.mark.parametrize("name", MASKED)
def test_masks_of_the_data(name):
    agrees(MASKED[name], {"x": "n"}, ({"n": 3}, {"n": 2}))


@pytest.mark.parametrize(
    "f",
    [
        lambda X: X[X > 0].sum(),
        lambda X: X[X[:, 0] > -9].sum(axis=0),
        lambda X: X[X[:, 0] > -9].mean(axis=0),
        lambda X: (X[X[:, 0] > 0] ** 2).sum(axis=1).sum(),
        lambda X: X[X[:, 0] > 0, :].sum(),
        lambda X: X[X[:, 0] > 0, 1].sum(),
        lambda X: X[:, X[0] > 0].sum(axis=1),
        lambda X: (X[X[:, 0] > 0] @ X[0]).sum(),
    ],
)
def test_masks_of_rows(f):
    agrees(f, {"X": "n d"}, LARGE)


def test_masked_rows_are_written():
    def f(X, v):
        out = X * 2
        out[X[:, 0] > 0] = v
        out[X[:, 0] < 0, 1] = v[0]
        return out

    agrees(f, {"X": "n d", "v": "d"}, LARGE)


# Loops ----------------------------------------------------------------------------------------------------


def test_a_loop_over_rows_is_the_rows_side_by_side():
    def f(x):
        out = np.zeros(4)
        for i in range(4):
            out[i] = np.sin(x[i])
        return (out**3).sum()

    made = sg.derive(f, {"x": 4}, wrt="x")
    ops = [b.op for b in made.program.only("loss")]
    assert ops.count("concatenate") == 1
    assert not {"place", "scatter"} & set(ops)
    arrays = drawn({"x": "4"}, {})
    expected = 3 * np.sin(arrays["x"]) ** 2 * np.cos(arrays["x"])
    np.testing.assert_allclose(made(**arrays)[1]["x"], expected, rtol=1e-12)


def test_a_recursion_reads_the_earlier_rows_directly():
    def f(x, W):
        h = np.zeros((4, 2))
        for t in range(1, 4):
            h[t] = np.tanh(h[t - 1] @ W + x[t])
        return h

    agrees(f, {"x": "4 2", "W": "2 2"}, ({},))
    made = sg.derive(lambda x, W: (f(x, W)[-1] ** 2).sum(), {"x": "4 2", "W": "2 2"}, wrt="W")
    assert "concatenate" not in [b.op for b in made.program.only("loss")]


def test_a_convolution_written_with_slices():
    def f(X, K):
        out = np.zeros((X.shape[0] - 1, X.shape[1] - 1))
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = np.sum(X[i : i + 2, j : j + 2] * K)
        return out

    agrees(f, {"X": "n d", "K": "2 2"}, ({"n": 4, "d": 3}, {"n": 2, "d": 2}))


def test_parameters_cut_from_one_vector():
    def f(theta, X):
        d = X.shape[1]
        W = theta[: d * 2].reshape(d, 2)
        b = theta[d * 2 : d * 2 + 2]
        return np.tanh(X @ W + b) @ theta[-2:]

    agrees(f, {"theta": 10, "X": "n 3"}, ({"n": 4}, {"n": 1}))


# Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda x: x[7], ShapeError),
        (lambda x: x[-6], ShapeError),
        (lambda x: x[0, 0], ShapeError),
        (lambda x: x[[0, 9]].sum(), ShapeError),
        (lambda x: x[1.5], SymgradError),
        (lambda x: x["a"], SymgradError),
        (lambda x: x[np.sin(x)].sum(), SymgradError),
        (lambda x: x[x > 0] @ x, UnsupportedError),
        (lambda x: (x[x > 0] * x).sum(), UnsupportedError),
        (lambda x: (x[x > 0] * x[x < 0]).sum(), UnsupportedError),
        (lambda x: x[x > 0][0], UnsupportedError),
        (lambda x: np.sort(x[x > 0]).sum(), UnsupportedError),
        (lambda x: x[np.nonzero(x > 0)].sum(), UnsupportedError),
    ],
)
def test_refused_with_a_reason(f, kind):
    with pytest.raises(kind):
        sg.derive(f, {"x": 5}, wrt="x")


def test_data_dependent_repetition_is_refused():
    def f(x, v, y):
        out = x * 1.0
        out[y] = v
        return out.sum()

    with pytest.raises(UnsupportedError, match="twice"):
        sg.derive(f, {"x": "n", "v": "k", "y": "k"}, wrt="x")


def test_the_argument_itself_is_not_written_to():
    def f(x):
        x[0] = 1.0
        return x.sum()

    with pytest.raises(SymgradError, match="argument"):
        sg.derive(f, {"x": "n"}, wrt="x")


# Against another library ------------------------------------------------------------------------------------


def test_torch_agrees_on_labels_masks_and_slices():
    torch = pytest.importorskip("torch")

    def f(X, W, y):
        Z = X @ W
        own = Z[np.arange(len(y)), y]
        margin = Z - own[:, None] + 1
        margin[np.arange(len(y)), y] = 0
        return margin[margin > 0].sum() / len(y) + (W[1:] * W[:-1]).sum()

    arrays = drawn({"X": "5 3", "W": "3 4", "y": "5"}, {}, labels={"y": 4})
    value, grad = sg.derive(f, {"X": "n d", "W": "d k", "y": "n"}, wrt="W")(**arrays)
    X, W, y = (torch.tensor(arrays[n]) for n in ("X", "W", "y"))
    W.requires_grad_(True)
    Z = X @ W
    margin = Z - Z[torch.arange(5), y][:, None] + 1
    keep = torch.ones_like(Z)
    keep[torch.arange(5), y] = 0
    loss = torch.relu(margin * keep).sum() / 5 + (W[1:] * W[:-1]).sum()
    loss.backward()
    np.testing.assert_allclose(value, loss.item(), rtol=1e-12)
    np.testing.assert_allclose(grad["W"], W.grad.numpy(), rtol=1e-11)
