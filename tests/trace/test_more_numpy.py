"""Calls of NumPy and SciPy that losses make: values and gradients against the function itself, at sizes that coincide."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy
import scipy.linalg
import scipy.special
import scipy.stats
from scipy.spatial.distance import cdist

import symgrad as sg
from symgrad.errors import DataError, SymgradError

SIZES = (
    {"n": 4, "d": 3, "k": 2},
    {"n": 3, "d": 3, "k": 3},
    {"n": 2, "d": 2, "k": 2},
    {"n": 1, "d": 2, "k": 2},
    {"n": 3, "d": 1, "k": 3},
    {"n": 1, "d": 1, "k": 1},
)


def drawn(shapes, sizes, kinds, seed=0):
    rng = np.random.default_rng(seed)
    out = {}
    for name, words in shapes.items():
        shape = tuple(sizes[w] if w in sizes else int(w) for w in words.split())
        kind = kinds.get(name, "real")
        if kind == "int":
            out[name] = rng.integers(0, 2, shape)
        elif kind == "spd":
            root = rng.normal(size=shape)
            out[name] = root @ root.T + np.eye(shape[-1])
        else:
            out[name] = rng.uniform(0.3, 1.7, shape) if kind == "positive" else rng.normal(size=shape)
    return out


def plainly(function, arrays):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(**{n: a.copy() for n, a in arrays.items()})


def slopes(function, arrays, name, h=1e-6):
    out = np.zeros(arrays[name].shape)
    for at in np.ndindex(*out.shape):
        ends = []
        for t in (h, -h):
            moved = {n: a.copy() for n, a in arrays.items()}
            moved[name][at] += t
            ends.append(plainly(function, moved))
        out[at] = (ends[0] - ends[1]) / (2 * h)
    return out


def agree(function, shapes, kinds=None, sizes=SIZES):
    kinds = kinds or {}
    wrt = [n for n in shapes if kinds.get(n) != "int"]
    derivation = sg.derive(function, shapes, wrt=wrt)
    for at in sizes:
        arrays = drawn(shapes, at, kinds)
        value, grads = derivation(**arrays)
        expected = plainly(function, arrays)
        assert np.isfinite(expected), at
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-10, err_msg=str(at))
        for n in wrt:
            scale = max(1.0, abs(expected))
            np.testing.assert_allclose(
                grads[n], slopes(function, arrays, n), rtol=2e-5, atol=2e-6 * scale, err_msg=f"{n} {at}"
            )


def polyval(p, x):
    return np.sum(np.polyval(p, x) ** 2)


def vander(x, w):
    return np.sum((np.vander(x, len(w), increasing=True) @ w) ** 2) + np.sum(np.sin(np.vander(x, 3)))


def covariances(X):
    return np.sum(np.cov(X, bias=True) ** 3) + np.sum(np.cov(X.T, ddof=0) ** 2)


def counts(i, u):
    return np.sum(np.bincount(i, weights=u, minlength=5) ** 2) + np.sum(np.bincount(i, minlength=3) * u[0])


def columns(X, x):
    return np.sum(np.c_[X, x, np.ones(len(x))] ** 3)


def in_a_row(x, y):
    return np.sum(np.r_[x, 1.0, y, 0:3] ** 3 * np.arange(len(x) + len(y) + 4))


def by_columns(X):
    order = np.arange(X.size)
    swapped = X.reshape((X.shape[1], X.shape[0]), order="F")
    total = X.flatten("F") @ order + X.ravel(order="F") ** 2 @ order + np.ravel(X, order="F") ** 3 @ order
    return total + np.sum(swapped**2 * np.arange(X.shape[0])) + np.reshape(X, -1, order="F") @ order


def positions(X):
    i, j = np.indices(X.shape)
    a, b = np.mgrid[0 : X.shape[0], 0 : X.shape[1]]
    c, d = np.ogrid[: X.shape[0], : X.shape[1]]
    return np.sum(X * i + X**2 * j + X * a * (b + 1) + X**3 * (c - d))


def spaced(x):
    grid = np.linspace(0, 1, len(x)) + np.linspace(x[0], x[-1], len(x)) + np.logspace(-1, 1, len(x))
    return np.sum(x * grid) + np.sum(x * np.geomspace(1, 2, len(x)))


def line_by_line(X):
    scaled = np.apply_along_axis(lambda r: r / (1 + np.sum(r**2)), 1, X)
    return np.sum(scaled**3) + np.sum(np.apply_along_axis(lambda r: np.sum(r**2), 0, X) ** 2)


def quantiles(X):
    total = np.sum(np.quantile(X, 0.3, axis=0) ** 2) + np.sum(
        np.percentile(X, [10, 50], axis=1, keepdims=True) ** 3
    )
    for method in ("lower", "higher", "midpoint", "nearest"):
        total = total + np.quantile(X, 0.7, method=method)
    return total


def extremes(X):
    return np.amin(X, axis=1).sum() * np.amax(X) + np.sum(np.ediff1d(X, to_begin=0.0) ** 3) + np.sum(X.mT @ X)


def normal(x, y):
    total = np.sum(scipy.stats.norm.logpdf(x, 0.5, 2.0)) + np.sum(scipy.stats.norm.pdf(x))
    total = total + scipy.stats.norm(0, 2).logpdf(x).sum() + np.sum(scipy.stats.norm.sf(x))
    return total + np.sum(scipy.stats.norm.cdf(x, loc=y) + scipy.stats.norm.logcdf(x, y, scale=np.exp(y)))


def several_normal(x, X, m, S):
    one = scipy.stats.multivariate_normal.logpdf(x, m, S)
    return one - np.sum(scipy.stats.multivariate_normal(mean=m, cov=S).logpdf(X))


def distances(X, Y):
    return (
        np.sum(cdist(X, Y)) + np.sum(np.exp(-cdist(X, Y, "sqeuclidean"))) + np.sum(cdist(X, Y, "cityblock"))
    )


def blocks(A, B):
    return np.sum(scipy.linalg.block_diag(A, B) ** 3 @ np.arange(A.shape[1] + B.shape[1]))


def toeplitz(c, r):
    return np.sum((scipy.linalg.toeplitz(c, r) @ np.sin(r)) ** 2) + np.sum(
        (scipy.linalg.circulant(c) @ c) ** 2
    )


def gammas(a, b):
    s = scipy.special
    return np.sum(s.gamma(a) + s.gamma(-a * 1.3 - 0.1) + s.betaln(a, b) + s.beta(a, b) + s.factorial(b))


CALLS = [
    (polyval, {"p": "d", "x": "n"}, {}),
    (vander, {"x": "n", "w": "d"}, {}),
    (covariances, {"X": "n d"}, {}),
    (counts, {"i": "n", "u": "n"}, {"i": "int"}),
    (columns, {"X": "n d", "x": "n"}, {}),
    (in_a_row, {"x": "n", "y": "d"}, {}),
    (by_columns, {"X": "n d"}, {}),
    (positions, {"X": "n d"}, {}),
    (spaced, {"x": "n"}, {}),
    (line_by_line, {"X": "n d"}, {}),
    (quantiles, {"X": "n d"}, {}),
    (extremes, {"X": "n d"}, {}),
    (normal, {"x": "n", "y": "n"}, {}),
    (several_normal, {"x": "d", "X": "n d", "m": "d", "S": "d d"}, {"S": "spd"}),
    (distances, {"X": "n d", "Y": "k d"}, {}),
    (blocks, {"A": "n d", "B": "d k"}, {}),
    (toeplitz, {"c": "n", "r": "d"}, {}),
    (gammas, {"a": "n", "b": "n"}, {"a": "positive", "b": "positive"}),
]


@pytest.mark.parametrize(("function", "shapes", "kinds"), CALLS, ids=[c[0].__name__ for c in CALLS])
def test_value_and_gradient(function, shapes, kinds):
    agree(function, shapes, kinds)


def correlations(X):
    return np.sum(np.corrcoef(X.T) ** 2 * np.arange(3)[:, None]) + np.sum(np.cov(X, rowvar=False) ** 2)


def swapped_ends(X):
    C = X.copy()
    C[[0, -1]] = C[[-1, 0]]
    return np.sum(C**2 * np.arange(C.shape[0])[:, None])


def corners(X, y):
    C = X.copy()
    C[[0, -1], [-1, 0]] = y[:2]
    return np.sum(C**3 * np.arange(C.shape[1]))


def test_positions_from_both_ends():
    agree(swapped_ends, {"X": "n d"})
    agree(corners, {"X": "n d", "y": "4"}, sizes=SIZES[:-1])
    with pytest.raises(SymgradError, match="name an entry twice"):
        sg.derive(corners, {"X": "n d", "y": "4"}, wrt=["X", "y"])(
            **drawn({"X": "n d", "y": "4"}, SIZES[-1], {})
        )


def test_correlations_need_two_observations():
    agree(correlations, {"X": "n 3"}, sizes=[s for s in SIZES if s["n"] > 2])


# Infinite constants -------------------------------------------------------------------------------------------


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(np.tril(np.ones((len(Q), len(Q)))) == 1, S, -np.inf)
    P = np.exp(S - S.max(1, keepdims=True))
    return np.sum((P / P.sum(1, keepdims=True) @ V) ** 2)


def added_mask(Q, K):
    S = Q @ K.T + np.triu(np.full((len(Q), len(Q)), -np.inf), k=1)
    return np.sum(scipy.special.softmax(S, axis=1) ** 2)


def stored(Q, K):
    S = Q @ K.T
    S[np.triu(np.ones((len(Q), len(Q))), 1).astype(bool)] = -np.inf
    return -np.sum(scipy.special.log_softmax(S, axis=1)[:, 0])


def cut_points(c, eta):
    cuts = np.concatenate([[-np.inf], [c[0]], [c[0] + np.exp(c[1])], [np.inf]])
    p = scipy.special.expit(cuts[1:] - eta) - scipy.special.expit(cuts[:-1] - eta)
    return -np.sum(np.log(p + 0.1))


def running(X):
    best, low = -np.inf, np.full(X.shape[0], np.inf)
    for j in range(X.shape[1]):
        best, low = max(best, X[0, j]), np.minimum(low, X[:, j] ** 2)
    return best + np.sum(low)


INFINITE = [
    (attention, {"Q": "n d", "K": "n d", "V": "n d"}),
    (added_mask, {"Q": "n d", "K": "n d"}),
    (stored, {"Q": "n d", "K": "n d"}),
    (cut_points, {"c": "2", "eta": "3"}),
    (running, {"X": "n d"}),
]


@pytest.mark.parametrize(("function", "shapes"), INFINITE, ids=[f.__name__ for f, _ in INFINITE])
def test_infinite_constants(function, shapes):
    agree(function, shapes)


def test_infinite_constants_in_print_and_in_kernels():
    derivation = sg.derive(attention, {"Q": "n d", "K": "n d", "V": "n d"}, wrt=["Q", "K"])
    assert "−∞" in derivation.to_text()
    assert "-inf" in derivation.to_text(ascii=True)
    assert r"-\infty" in derivation.to_latex()
    assert "-np.inf" in derivation.to_numpy()
    arrays = drawn({"Q": "n d", "K": "n d", "V": "n d"}, SIZES[0], {})
    value, grads = derivation(**arrays)
    compiled, fast = derivation.compile()(**arrays)
    assert compiled == pytest.approx(value, rel=1e-13)
    for n in ("Q", "K"):
        np.testing.assert_allclose(fast[n], grads[n], rtol=1e-12, atol=1e-15)


# Eigenvalues and singular values ------------------------------------------------------------------------------


def eigenvalues(A):
    w = np.linalg.eigvalsh(A)
    return np.sum(np.log(w**2 + 1)) + w[-1] ** 2 + scipy.linalg.eigh(A, lower=False, eigvals_only=True)[0]


def leading_direction(X):
    _, V = np.linalg.eigh(X.T @ X)
    P = V[:, -1:]
    return np.sum((X - X @ P @ P.T) ** 2) + np.sum((P @ P.T) ** 3)


def singular(A):
    total = np.sum(np.linalg.svd(A, compute_uv=False) ** 3) + np.linalg.norm(A, "nuc") + np.linalg.norm(A, 2)
    return total + np.linalg.norm(A, -2) ** 2 + np.sum(np.linalg.norm(A[None], "nuc", axis=(1, 2)))


def least_squares(A, b):
    return np.sum((np.linalg.pinv(A) @ b) ** 2) + np.sum(np.linalg.lstsq(A, b)[0] ** 3)


SPECTRAL = [
    (eigenvalues, {"A": "n n"}),
    (leading_direction, {"X": "n d"}),
    (singular, {"A": "n d"}),
    (least_squares, {"A": "n d", "b": "n"}),
]


@pytest.mark.parametrize(("function", "shapes"), SPECTRAL, ids=[f.__name__ for f, _ in SPECTRAL])
def test_spectral(function, shapes):
    agree(function, shapes)


def test_values_that_meet_have_a_subgradient():
    _, grads = sg.derive(lambda A: np.linalg.eigvalsh(A)[-1], {"A": "n n"})(A=np.eye(3))
    assert np.trace(grads["A"]) == pytest.approx(1)
    _, grads = sg.derive(lambda A: np.linalg.norm(A, "nuc"), {"A": "n n"})(A=np.zeros((3, 3)))
    assert np.linalg.norm(grads["A"], 2) <= 1 + 1e-12


def test_vectors_of_one_value_have_no_derivative():
    def scaled(A):
        w, V = np.linalg.eigh(A)
        return np.sum((V * np.sqrt(w + 1)) @ V.T)

    with pytest.raises(DataError, match="repeated eigenvalue"):
        sg.derive(scaled, {"A": "n n"})(A=np.eye(3))


# Refused ------------------------------------------------------------------------------------------------------

REFUSED = [
    lambda x: np.sum(x + np.inf),
    lambda x: np.sum(x * -np.inf),
    lambda x: np.quantile(x, x[0]),
    lambda x: np.quantile(x, 1.5),
    lambda x: np.quantile(x, 0.5, method="weibull"),
    lambda x: np.sum(np.bincount(np.array([0, 1]), weights=x)),
    lambda x: np.sum(np.nan_to_num(x)),
    lambda x: np.sum(np.histogram(x)[0]),
    lambda x: np.sum(np.polyfit(x, x, 1)),
    lambda x: np.sum(np.roots(x)),
    lambda x: np.sum(x[np.where(x > 0)]),
    lambda x: np.sum(x[np.argwhere(x > 0)]),
    lambda x: np.sum(np.r_["0,2", x]),
    lambda x: np.sum(np.ravel(x, order="K")),
    lambda x: np.sum(scipy.stats.norm.ppf(x)),
    lambda x: np.sum(scipy.special.erfinv(x)),
    lambda x: np.sum(cdist(x[None], x[None], "jaccard")),
    lambda x: np.sum(scipy.spatial.distance.pdist(x[:, None])),
    lambda x: np.linalg.svd(np.outer(x, x))[0].sum(),
    lambda x: np.sum(np.linalg.pinv(np.outer(x, x), rcond=0.1)),
    lambda x: np.sum(np.linalg.eigvals(np.outer(x, x))),
    lambda x: np.linalg.matrix_rank(np.outer(x, x)) * x[0],
    lambda x: np.linalg.eigvalsh(np.outer(x, x), UPLO="X")[0],
]


@pytest.mark.parametrize("loss", REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_refused(loss):
    with pytest.raises(SymgradError) as caught:
        sg.derive(loss, {"x": "n"})
    assert caught.value.where


# The functional interface -------------------------------------------------------------------------------------

CRITERIA = [
    sg.nn.CrossEntropyLoss(),
    sg.nn.CrossEntropyLoss(weight=sg.tensor([1.0, 2.0, 0.5, 1.0])),
    sg.nn.CrossEntropyLoss(reduction="sum"),
]


@pytest.mark.parametrize("n", [5, 1])
@pytest.mark.parametrize("criterion", CRITERIA, ids=["plain", "weighted", "sum"])
def test_cross_entropy_of_a_module_is_the_eager_one(criterion, n):
    model = sg.nn.Sequential(sg.nn.Linear(3, 5), sg.nn.Tanh(), sg.nn.Linear(5, 4))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, 3)), rng.integers(0, 4, n)
    derivation = sg.derive(model, {"x": "n 3", "y": "n"}, criterion=criterion)
    value, grads = derivation(x=x, y=y, **{k: p.data.astype(float) for k, p in model.named_parameters()})
    loss = criterion(model(sg.tensor(x.astype(np.float32))), sg.tensor(y))
    loss.backward()
    assert value == pytest.approx(float(loss.data), rel=1e-5)
    for k, p in model.named_parameters():
        np.testing.assert_allclose(grads[k], p.grad.data, rtol=1e-4, atol=1e-6)  # float32


def test_functions_of_the_eager_side_in_a_loss():
    def loss(X, Y):
        joined = sg.cat([sg.softmax(X, axis=1), sg.stack([X, Y], 0).sum(axis=0)], 0)
        return sg.logsumexp(joined, axis=1).sum() + sg.nn.functional.log_softmax(X, axis=-1)[:, 0].sum()

    def plain(X, Y):
        joined = np.concatenate([scipy.special.softmax(X, axis=1), X + Y], 0)
        logs = scipy.special.log_softmax(X, axis=-1)[:, 0].sum()
        return np.sum(scipy.special.logsumexp(joined, axis=1)) + logs

    shapes = {"X": "n d", "Y": "n d"}
    first, second = (sg.derive(f, shapes, wrt=["X", "Y"]) for f in (loss, plain))
    for at in SIZES:
        arrays = drawn(shapes, at, {})
        (value, grads), (expected, slope) = first(**arrays), second(**arrays)
        assert value == pytest.approx(expected, rel=1e-12)
        for n in shapes:
            np.testing.assert_allclose(grads[n], slope[n], rtol=1e-10, atol=1e-12)
