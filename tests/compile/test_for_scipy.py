"""The kernel as a problem for ``scipy.optimize``, beside problems that SciPy solves with derivatives by hand."""

import numpy as np
import pytest
from scipy import optimize

import symgrad as sg
from symgrad.errors import DataError, ShapeError, SpecError

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 4))
LABELS = (X @ [1.0, -2.0, 0.5, 0.0] + GENERATOR.normal(size=60) > 0).astype(float)
Y = X @ GENERATOR.normal(size=(4, 2)) + 0.5 + 0.01 * GENERATOR.normal(size=(60, 2))


def logistic(X, y, w):
    z = X @ w
    return np.mean(np.logaddexp(0, z) - y * z) + 0.05 * np.sum(w**2)


def least_squares(X, Y, W, b):
    return 0.5 * np.sum((X @ W + b - Y) ** 2)


def rosenbrock(x, y, a):
    return (a - x) ** 2 + 100 * (y - x**2) ** 2


def logistic_problem(dtype="float64"):
    d = sg.derive(logistic, {"X": "n d", "y": "n", "w": "d"}, "w")
    return d.compile(dtype).for_scipy({"w": np.zeros(4)}, {"X": X, "y": LABELS})


def squares_problem():
    d = sg.derive(least_squares, {"X": "n d", "Y": "n k", "W": "d k", "b": "k"}, ["b", "W"])
    return d.compile().for_scipy({"W": np.ones((4, 2)), "b": np.zeros(2)}, {"X": X, "Y": Y})


def rosenbrock_problem():
    d = sg.derive(rosenbrock, {"x": "", "y": "", "a": ""}, ["x", "y"])
    return d.compile().for_scipy({"x": -1.2, "y": 1}, {"a": 1.0})


PROBLEMS = {"logistic": logistic_problem, "squares": squares_problem, "rosenbrock": rosenbrock_problem}


@pytest.mark.parametrize("name", PROBLEMS)
def test_derivatives_equal_differences(name):
    p = PROBLEMS[name]()
    x = p.x0 + 0.3
    value, gradient = p.fun(x)
    assert isinstance(value, float)
    assert gradient.shape == x.shape
    np.testing.assert_allclose(
        gradient, optimize.approx_fprime(x, lambda x: p.fun(x)[0]), rtol=1e-4, atol=1e-5
    )
    differences = optimize.approx_fprime(x, lambda x: p.fun(x)[1])
    np.testing.assert_allclose(p.hess(x), differences, rtol=1e-4, atol=1e-4 * np.abs(differences).max())
    np.testing.assert_allclose(p.hess(x), p.hess(x).T, rtol=1e-12)
    v = GENERATOR.normal(size=x.size)
    np.testing.assert_allclose(p.hessp(x, v), p.hess(x) @ v, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(
    ("method", "second"),
    [
        ("BFGS", None),
        ("L-BFGS-B", None),
        ("trust-ncg", "hess"),
        ("trust-ncg", "hessp"),
        ("Newton-CG", "hessp"),
    ],
)
def test_every_method_finds_the_minimum(name, method, second):
    p = PROBLEMS[name]()
    words = {} if second is None else {second: getattr(p, second)}
    found = optimize.minimize(p.fun, p.x0, jac=True, method=method, tol=1e-8, **words)
    np.testing.assert_allclose(p.fun(found.x)[1], 0, atol=1e-4)
    parts = p.unpack(found.x)
    if name == "rosenbrock":
        assert list(parts) == ["x", "y"]
        np.testing.assert_allclose([parts["x"], parts["y"]], [1, 1], rtol=1e-5)
    if name == "squares":
        design = np.hstack([np.ones((60, 1)), X])
        wanted = np.linalg.lstsq(design, Y, rcond=None)[0]
        np.testing.assert_allclose(np.vstack([parts["b"], parts["W"]]), wanted, rtol=1e-5, atol=1e-7)
    if name == "logistic":

        def by_hand(w):
            z = X @ w
            residual = 1 / (1 + np.exp(-z)) - LABELS
            return np.mean(np.logaddexp(0, z) - LABELS * z) + 0.05 * w @ w, X.T @ residual / 60 + 0.1 * w

        wanted = optimize.minimize(by_hand, np.zeros(4), jac=True, tol=1e-10)
        np.testing.assert_allclose(parts["w"], wanted.x, rtol=1e-4, atol=1e-6)


def test_a_kernel_of_float32_gives_a_problem_in_float64():
    single, double = logistic_problem("float32"), logistic_problem()
    value, gradient = single.fun(single.x0)
    assert gradient.dtype == single.hess(single.x0).dtype == np.float64
    assert value == double.fun(double.x0)[0]


def test_vectors_are_read_and_given_out_as_copies():
    p = squares_problem()
    x = p.x0.copy()
    x.flags.writeable = False
    first = p.fun(x)
    strided = np.repeat(x, 2)[::2]
    np.testing.assert_array_equal(p.fun(strided)[1], first[1])
    np.testing.assert_array_equal(p.fun(list(x))[1], first[1])
    p.unpack(p.x0)["b"][:] = 9
    assert p.x0[:2].tolist() == [0, 0]
    assert {n: a.shape for n, a in p.unpack(x).items()} == {"b": (2,), "W": (4, 2)}


def test_one_gradient_that_two_parameters_share():
    d = sg.derive("exp(a + b) + a*c", {"a": "", "b": "", "c": ""}, ["a", "b", "c"])
    p = d.compile().for_scipy({"a": 0.1, "b": 0.2, "c": 0.3})
    e = np.exp(0.1 + 0.2)
    np.testing.assert_allclose(p.hess(p.x0), [[e, e, 1], [e, e, 0], [1, 0, 0]], rtol=1e-14)
    np.testing.assert_allclose(p.hessp(p.x0, [1, 2, 3]), [3 * e + 3, 3 * e, 1], rtol=1e-14)


@pytest.mark.parametrize(
    ("params", "data", "error", "text"),
    [
        ({}, {"X": X, "Y": Y}, SpecError, "'b' is missing"),
        ({"b": np.zeros(2)}, {"X": X, "Y": Y, "W": np.ones((4, 2))}, SpecError, "(?s)'W' is missing.*expected: +b, W"),
        ({"b": np.zeros(2), "W": np.ones((4, 2)), "X": X}, {"Y": Y}, SpecError, "(?s)'X' does not belong.*in data"),
        ({"b": np.zeros(2), "W": np.ones((4, 2))}, {"X": X, "Y": Y, "z": 1}, SpecError, "'z' does not belong there"),
        ({"b": np.zeros(2), "W": np.ones((4, 2))}, {"X": X}, SpecError, "(?s)'Y' is missing.*expected: +X, Y"),
        ([np.zeros(2)], {"X": X, "Y": Y}, SpecError, "params is a mapping"),
        ({"b": np.zeros(2), "W": np.ones((4, 2))}, [X, Y], SpecError, "data is a mapping"),
        ({"b": np.zeros(3), "W": np.ones((4, 2))}, {"X": X, "Y": Y}, ShapeError, "cannot be"),
        ({"b": np.zeros(2), "W": np.full((4, 2), np.nan)}, {"X": X, "Y": Y}, DataError, "value of 'W' is not finite"),
        ({"b": [1j, 0], "W": np.ones((4, 2))}, {"X": X, "Y": Y}, DataError, "no real numbers"),
    ],
)  # fmt: skip
def test_refusals(params, data, error, text):
    d = sg.derive(least_squares, {"X": "n d", "Y": "n k", "W": "d k", "b": "k"}, ["b", "W"])
    with pytest.raises(error, match=text):
        d.compile().for_scipy(params, data)


def test_vectors_of_another_length_are_refused():
    p = squares_problem()
    for call in (p.fun, p.hess, p.unpack, lambda x: p.hessp(p.x0, x)):
        with pytest.raises(ShapeError, match=r"(?s)holds all parameters in one vector.*\(10,\): b \(2,\), W"):
            call(np.zeros(9))
