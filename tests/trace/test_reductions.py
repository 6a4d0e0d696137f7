"""Reductions and elementwise functions traced from NumPy: values, gradients, kinks, edges, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.differences import check

import symgrad as sg
from symgrad.program import Builder, Input, numpy_callable
from symgrad.trace import Traced, reductions, special

SIZES = ({"n": 4, "d": 3}, {"n": 2, "d": 2}, {"n": 3, "d": 1})

REDUCTIONS = {
    "max": lambda x: np.max(x),
    "max axis": lambda x: np.max(x, axis=1),
    "max keepdims": lambda x: x - np.max(x, axis=0, keepdims=True),
    "max initial": lambda x: np.max(x, axis=0, initial=0.25),
    "min axis": lambda x: np.min(x, axis=-1),
    "method": lambda x: x.max(axis=0) + x.min(),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=0),
    "ptp": lambda x: np.ptp(x, axis=0),
    "prod": lambda x: np.prod(x),
    "prod axis": lambda x: np.prod(x, axis=1, keepdims=True) * x,
    "var": lambda x: np.var(x),
    "var axis": lambda x: np.var(x, axis=0, keepdims=True) * x,
    "var ddof": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: np.std(x, axis=0) + x.std(),
    "average": lambda x: np.average(x, axis=0),
    "average weights": lambda x: np.average(x, axis=1, weights=x[0] ** 2 + 1),
    "average full weights": lambda x: np.average(x, weights=x**2 + 1),
    "sum where": lambda x: np.sum(x**2, axis=0, where=x > 0),
    "sum initial": lambda x: np.sum(x, initial=2.0) ** 2,
    "mean": lambda x: np.mean(x, axis=(0, 1)) ** 2,
    "count": lambda x: np.sum(x**2) / np.count_nonzero(x),
    "any": lambda x: np.where(np.any(x > 1, axis=1, keepdims=True), x**2, x),
    "all": lambda x: np.where(np.all(x > -1, axis=0), x**2, np.sin(x)),
    "shifted": lambda x: np.log(np.sum(np.exp(x - x.max(axis=1, keepdims=True)), axis=1)),
    "argmax": lambda x: x[np.argmax(x[:, 0])] * x[x[:, 0].argmin(), np.argmax(x, axis=1)[0]],
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("case", REDUCTIONS)
def test_reductions(case, sizes):
    def loss(x):
        return np.sum(np.sin(REDUCTIONS[case](x)))

    check(loss, {"x": "n d"}, sizes, seed=3)


ELEMENTWISE = {
    "clip": lambda x: np.clip(x, -0.5, 0.75),
    "clip words": lambda x: np.clip(x, min=-0.5, max=0.75),
    "clip one": lambda x: np.clip(x, None, 0.5) + x.clip(min=0.1),
    "clip arrays": lambda x: np.clip(x, np.sin(x), np.sin(x) + 0.25),
    "select": lambda x: np.select([x > 1, x > 0], [x**3, x**2], default=np.sin(x)),
    "piecewise": lambda x: np.piecewise(
        x, [x < 0, x > 0.5], [lambda v: v**2, lambda v: 3 * v, lambda v: np.exp(v)]
    ),
    "floor": lambda x: x * np.floor(x) + np.ceil(x) * np.trunc(3 * x) + np.rint(x) * np.round(x, 1),
    "mod": lambda x: np.mod(x, 0.37) * (x % 0.71) + np.fmod(x, 0.53) + x // 0.4 + np.remainder(2.0, x),
    "hypot": lambda x: np.hypot(x, 2 * x + 1) + np.arctan2(x, x**2 + 1) + np.arctan2(-1.0, x),
    "powers": lambda x: np.exp2(x) + np.cbrt(x) + np.logaddexp2(x, 1.0),
    "angles": lambda x: np.deg2rad(x) * np.degrees(x) + np.sinc(x),
    "logic": lambda x: np.where(np.logical_and(x > -1, x < 1) | (x > 1.2), x**2, x),
    "not": lambda x: np.where(~(x > 0) & np.isfinite(x), x**2, np.where(np.isnan(x), 0.0, x)),
    "extrema": lambda x: np.fmax(x, 0.3) * np.fmin(x**2, 0.5) + np.copysign(x, 1 - x),
    "heaviside": lambda x: np.heaviside(x, 0.5) * x**2,
    "huber": lambda x: np.where(np.abs(x) < 0.8, 0.5 * x**2, 0.8 * (np.abs(x) - 0.5 * 0.8)),
    "power of array": lambda x: (x**2 + 0.1) ** x,
}


@pytest.mark.parametrize("case", ELEMENTWISE)
def test_elementwise_functions(case):
    check(lambda x: np.sum(ELEMENTWISE[case](x)), {"x": "n d"}, SIZES[0], seed=5)


def test_ties_share_the_adjoint():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    _, grads = sg.derive(lambda x: np.sum(np.max(x, axis=1) * 6), {"x": "n d"}, wrt=["x"])(x=x)
    np.testing.assert_array_equal(grads["x"], [[0, 3, 3], [2, 2, 2]])


@pytest.mark.parametrize(
    "x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [2.0, 5.0, 3.0], [0.0], [1e-200, 1e-200, 2.0]]
)
def test_the_slope_of_a_product_is_the_product_of_the_others(x):
    x = np.array(x)
    _, grads = sg.derive(lambda x: np.prod(x), {"x": "n"}, wrt=["x"])(x=x)
    expected = [np.prod(np.delete(x, i)) for i in range(len(x))]
    np.testing.assert_allclose(grads["x"], expected, rtol=1e-15, atol=0)


def test_powers_at_base_0():
    d = sg.derive(lambda x: np.sum(x[:, None] ** np.arange(4)), {"x": "n"}, wrt=["x"])
    np.testing.assert_array_equal(d(x=np.array([0.0, 1.0, -2.0]))[1]["x"], [1, 6, 9])
    d = sg.derive(lambda x, p: np.sum(x**p), {"x": "n", "p": "n"}, wrt=["x", "p"])
    grads = d(x=np.array([0.0, 0.0, 0.0]), p=np.array([1.0, 2.0, 2.5]))[1]
    np.testing.assert_array_equal(grads["x"], [1, 0, 0])
    np.testing.assert_array_equal(grads["p"], [0, 0, 0])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda x: np.sum(np.where(x > 0, np.log(x), 0)), [0, 0, 0.5]),
        (lambda x: np.sum(np.where(x <= 0, 0, np.sqrt(x))), [0, 0, 0.5 / np.sqrt(2)]),
        (lambda x: np.sum(np.where(x > 0, x * np.log(x), 0)), [0, 0, np.log(2) + 1]),
        (lambda x: np.sum(np.where(x > 0, 1 / np.sqrt(x), x)), [1, 1, -0.5 * 2**-1.5]),
        (lambda x: np.sum(np.where(x < 1, x, np.log(np.log(x + 1)))), [1, 1, 1 / (np.log(3) * 3)]),
    ],
)
def test_a_branch_that_is_not_taken_has_no_slope(loss, expected):
    with np.errstate(all="ignore"):
        _, grads = sg.derive(loss, {"x": "n"}, wrt=["x"])(x=np.array([0.0, -1.0, 2.0]))
    np.testing.assert_allclose(grads["x"], expected, rtol=1e-14)


# Functions of scipy.special, called as their rules --------------------------------------------------------------


def called(rule, *arrays, **options):
    """What the rule writes, evaluated."""
    builder = Builder([Input(f"a{i}", np.shape(a)) for i, a in enumerate(arrays)])
    out = rule(builder, *(Traced(builder, i.name) for i in builder.inputs), **options)
    return numpy_callable(builder.finish([("loss", out.name)]))(*arrays)


X = np.array([[0.3, 1.2, 2.5], [0.7, 0.1, 4.0]])
LARGE = np.array([[1000.0, 999.0, -1000.0], [-2000.0, -2000.0, -2001.0]])
EDGES = np.array([[-np.inf, 1.0, 2.0], [-np.inf, -np.inf, -np.inf], [np.inf, 1.0, 0.0]])


@pytest.mark.parametrize("x", [X, LARGE], ids=["plain", "large"])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_exponential_sums_are_scipys(name, axis, x):
    scipy = pytest.importorskip("scipy.special")
    got = called(reductions.SCIPY_SPECIAL[name], x, axis=axis)
    np.testing.assert_allclose(got, getattr(scipy, name)(x, axis=axis), rtol=1e-12, atol=1e-300)


def test_logsumexp_of_infinities():
    got = called(reductions.logsumexp, EDGES, axis=1)
    np.testing.assert_allclose(got, [np.log(np.exp(1) + np.exp(2)), -np.inf, np.inf], rtol=1e-15)


def test_logsumexp_with_factors():
    scipy = pytest.importorskip("scipy.special")
    for axis, keepdims in ((None, False), (1, True), (0, False)):
        got = called(
            lambda b, x, y, **o: reductions.logsumexp(b, x, b=y, **o), LARGE, X, axis=axis, keepdims=keepdims
        )
        expected = scipy.logsumexp(LARGE, axis=axis, b=X, keepdims=keepdims)
        np.testing.assert_allclose(got, expected, rtol=1e-13)


TWO = ("xlogy", "xlog1py", "rel_entr", "kl_div", "huber", "pseudo_huber")


@pytest.mark.parametrize("name", sorted(set(special.SCIPY_SPECIAL) - {"softplus", "sinc"}))
def test_functions_are_scipys(name):
    scipy = pytest.importorskip("scipy.special")
    arrays = (X, X[:, ::-1] / 2) if name in TWO else (X / 5,)
    got = called(special.SCIPY_SPECIAL[name], *arrays)
    np.testing.assert_allclose(got, getattr(scipy, name)(*arrays), rtol=1e-13)


def test_spreads_and_cross_entropy_are_torchs():
    torch = pytest.importorskip("torch")

    def loss(z, y):
        p = np.exp(z - np.max(z, axis=1, keepdims=True))
        p = p / np.sum(p, axis=1, keepdims=True)
        return -np.mean(np.sum(y * np.log(p), axis=1)) + np.sum(np.std(z, axis=0)) * np.var(z, ddof=1)

    rng = np.random.default_rng(4)
    z, y = rng.normal(size=(5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]
    with pytest.warns(sg.errors.SymgradWarning, match="softmax"):
        derivation = sg.derive(loss, {"z": "n k", "y": "n k"}, wrt=["z"])
    value, grads = derivation(z=z, y=y)
    t = torch.tensor(z, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(t, torch.tensor(y)) + t.std(0, correction=0).sum() * t.var()
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-13)
    np.testing.assert_allclose(grads["z"], t.grad.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: np.nansum(x),
        lambda x: np.percentile(x, x[0]),
        lambda x: np.max(x, axis=3),
        lambda x: np.sum(np.max(x, axis=(0, 0))),
        lambda x: np.max(x[:0]),
        lambda x: np.sum(np.piecewise(x, [x > 0], [lambda v: v - v.mean()])),
        lambda x: np.average(x, weights=np.ones(2)),
        lambda x: np.sum(x & 1),
    ],
)
def test_what_has_no_rule_is_refused(loss):
    with pytest.raises(sg.errors.SymgradError):
        sg.derive(loss, {"x": "n d"}, wrt="x")


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.max() - x.min(),
        lambda x: -x.max(),
        lambda x: x.sum() - 2 * np.min(x) - np.max(x) ** 2,
        lambda x: -((x == x.max()) * x).sum(),
        lambda x: x.min() - (x.max() - (x > 0) * x).sum(),
    ],
)
def test_extrema_with_a_minus(f, n):
    x = np.array([0.5, -1.5, 2.0])[:n]
    value, grads = sg.derive(f, {"x": "n"}, wrt="x")(x=x)
    assert value == pytest.approx(f(x))
    steps = np.eye(n) * 1e-6
    expected = [(f(x + h) - f(x - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(grads["x"], expected, rtol=1e-6, atol=1e-8)
