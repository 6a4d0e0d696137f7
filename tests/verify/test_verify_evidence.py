"""What passes was compared: bounds that say something, cases with entries, no false alarm near overflow or a tie."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

import verify
from verify.candidate import match
from verify.drawing import Case
from verify.judge import Judge
from verify.spec import make_spec
from verify.tolerance import format_of

FLOAT64 = format_of(np.dtype(np.float64))


def _judged(loss, shapes, gradient, arrays, wrt):
    spec = make_spec(loss, shapes, wrt)
    return Judge(spec, match(gradient, spec, None), FLOAT64)(Case(arrays, "by hand"))


def _sinkhorn(C, a, b):
    K = np.exp(-2 * C)
    u = np.ones_like(a)
    for _ in range(4):
        v = b / (K.T @ u)
        u = a / (K @ v)
    return (u[:, None] * K * v[None, :] * C).sum()


def test_a_bound_beyond_every_value_is_no_evidence():
    report = verify.check(
        lambda C, a, b: np.zeros_like(C),
        of=_sinkhorn,
        shapes={"C": "n m", "a": "n", "b": "m"},
        wrt="C",
        domains={"C": "positive", "a": "positive", "b": "positive"},
        cases=5,
    )
    assert report.verdict != "passed", report


def _root(a):
    x = 1.5
    for _ in range(4):
        x = x - (x**2 - (a**2 + 1)) / (2 * x)
    return x


def test_a_loose_bound_is_said():
    question = {"of": _root, "shapes": {"a": ""}, "wrt": "a", "cases": 5}

    def derived(a):
        x, s = 1.5, 0.0
        for _ in range(4):
            s = (0.5 - (a**2 + 1) / (2 * x**2)) * s + a / x
            x = x - (x**2 - (a**2 + 1)) / (2 * x)
        return s

    report = verify.check(derived, **question)
    assert report.verdict == "passed", report
    assert any("smaller mistakes were not seen" in note for note in report.notes)
    sharp = verify.check(lambda a: 2 * a, of=lambda a: a**2, shapes={"a": ""}, wrt="a")
    assert not sharp.notes


def test_cases_without_entries_are_no_evidence():
    """The logarithm of −x² is finite for no x, but for none at all."""
    report = verify.check(
        lambda x: 7 * x, of=lambda x: np.log(-(x**2)).sum(), shapes={"x": "n"}, wrt="x", cases=5
    )
    assert report.verdict == "unsupported", report
    assert "a size is 0" in report.reason


def test_a_formula_that_overflows_on_the_way_is_not_refuted():
    def right_but_for_large_x(x):
        return -np.exp(-x) / (1 + np.exp(-x)) ** 2 * (1 + np.exp(-x))

    judged = _judged(
        lambda x: np.log(1 + np.exp(-x)).sum(),
        {"x": "n"},
        right_but_for_large_x,
        {"x": np.array([1.0, -700.0])},
        "x",
    )
    assert judged.counterexample is None, judged
    assert judged.skipped == "near overflow"


def _nearest(X, mu):
    z = np.argmin(((X[:, None] - mu[None]) ** 2).sum(axis=2), axis=1)
    return ((X - mu[z]) ** 2).sum()


def test_what_is_within_the_bound_needs_no_kink_to_explain_it():
    def gradient(X, mu):
        z = np.argmin(((X[:, None] - mu[None]) ** 2).sum(axis=2), axis=1)
        return np.array([2 * (mu[j] - X[z == j]).sum(axis=0) for j in range(len(mu))])

    X = np.array([[-8.15078208e07, 9.96767507e07], [-1.47059555e08, 1.79350278e08]])
    judged = _judged(_nearest, {"X": "n d", "mu": "k d"}, gradient, {"X": X, "mu": np.ones((2, 2))}, "mu")
    assert judged.counterexample is None, judged


def test_whole_numbers_that_were_stored_are_on_no_kink():
    def loss(x, y):
        T = np.zeros((len(y), 3), dtype=int)
        T[np.arange(len(y)), y] = 1
        return ((T.T @ x) ** 2).sum()

    def gradient(x, y):
        T = np.eye(3)[y]
        return 2 * T @ (T.T @ x)

    question = {
        "of": loss,
        "shapes": {"x": "n", "y": "n"},
        "wrt": "x",
        "domains": {"y": "labels 3"},
        "cases": 10,
    }
    report = verify.check(gradient, **question)
    assert report.verdict == "passed", report
    assert not any("kink" in note for note in report.notes)
    assert verify.check(lambda x, y: 1.001 * gradient(x, y), **question).verdict == "refuted"


def test_an_empty_log_sum_exp_is_no_crash():
    report = verify.check(
        lambda x: np.exp(x - logsumexp(x, axis=1, keepdims=True)) if x.size else np.zeros_like(x),
        of=lambda x: logsumexp(x, axis=1).sum(),
        shapes={"x": "n d"},
        wrt="x",
        cases=20,
    )
    assert report.verdict == "passed", report
