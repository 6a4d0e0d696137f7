"""Sizes that go together, and label domains, as cases are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy.special import logsumexp

import symgrad.nn as nn
import verify
from symgrad.errors import SpecError
from symgrad.ops.dims import dim_symbol
from verify.cases import fixed_cases
from verify.drawing import KINDS, Seeded, draw_case, draw_values
from verify.sizes import Plan, equations_of, multiples_of
from verify.spec import make_spec

N, K, M, P, D = (dim_symbol(n) for n in "nkmpd")


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ((sympy.Eq(M, N - K + 1),), {"m": N - K + 1}),
        ((sympy.Eq(D, P / 4 - sympy.Rational(19, 4)),), {"p": 4 * D + 19}),
        ((sympy.Eq(M, N - K + 1), sympy.Eq(N, 2 * P)), {"m": 2 * P - K + 1, "n": 2 * P}),
        ((sympy.Ne(N, 1), N > 2), {}),
    ],
)
def test_equations_are_solved_for_whole_numbers(relations, expected):
    assert equations_of(relations) == expected


@pytest.mark.parametrize(
    "wanted", [{"n": 4, "k": 3, "m": 9}, {"n": 1, "k": 4, "m": 1}, {"n": 0, "k": 1, "m": 0}]
)
def test_sizes_that_follow_are_positive(wanted):
    sizes = Plan(equations={"m": N - K + 1}).fit(wanted)
    assert sizes["m"] == sizes["n"] - sizes["k"] + 1
    assert sizes["m"] >= 1


def test_multiples_stay_multiples():
    assert multiples_of((sympy.Eq(sympy.Mod(K, 2), 0), sympy.Eq(sympy.Mod(N + K, 3), 0))) == {"k": 2}
    assert Plan(multiples={"k": 2}).fit({"k": 3, "n": 3}) == {"k": 4, "n": 3}
    assert Plan(equations={"m": K - 5}, multiples={"k": 4}).fit({"k": 3, "m": 1}) == {"k": 8, "m": 3}


def _halves(p):
    left, right = np.split(np.log(p), 2, axis=1)
    return -left.sum() - 2 * right.sum()


def test_a_loss_of_two_halves_is_checked_at_even_sizes():
    def gradient(p):
        k = p.shape[1] // 2
        return -np.concatenate([1 / p[:, :k], 2 / p[:, k:]], axis=1)

    question = {"of": _halves, "shapes": {"p": "n k"}, "wrt": "p", "domains": {"p": "positive"}, "cases": 10}
    report = verify.check(gradient, **question)
    assert report.verdict == "passed", report
    assert report.cases > 15, report
    assert verify.check(lambda p: -1.5 / p, **question).verdict == "refuted"


def test_odd_sizes_are_drawn_where_the_loss_has_them():
    spec = make_spec(lambda x: (x**2).sum() * (len(x) // 2), {"x": "n"}, "x")
    sizes = {len(c.arrays["x"]) for c in fixed_cases(spec.inputs, np.dtype(float), 0, spec.plan)}
    assert any(n % 2 for n in sizes)
    assert any(n and n % 2 == 0 for n in sizes)


def test_a_candidate_that_is_wrong_at_size_1_only_is_refuted():
    def loss(x):
        return ((x - x.mean()) ** 2).sum() if len(x) != 1 else x.sum()

    assert (
        verify.check(lambda x: 2 * (x - x.mean()), of=loss, shapes={"x": "n"}, wrt="x").verdict == "refuted"
    )


def test_a_remainder_of_sizes_has_a_value():
    report = verify.check(
        lambda x: 2 * x * (len(x) % 3), of=lambda x: (x**2).sum() * (len(x) % 3), shapes={"x": "n"}, wrt="x"
    )
    assert report, report


# Labels -------------------------------------------------------------------------------------------------------

SHAPES = {"W": "d k", "X": "n d", "y": "n"}


def _masked(W, X, y):
    keep = y != -1
    z = X @ W
    return ((logsumexp(z, axis=1) - z[np.arange(len(y)), np.where(keep, y, 0)]) * keep).sum()


def _masked_gradient(W, X, y):
    z = X @ W
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), np.where(y == -1, 0, y)] -= 1
    return X.T @ (p * (y != -1)[:, None])


@pytest.mark.parametrize("limit", ["k", "3"])
def test_marked_labels_are_drawn_and_judged(limit):
    shapes = {**SHAPES, "W": f"d {limit}"}
    question = {"of": _masked, "shapes": shapes, "wrt": "W", "domains": {"y": f"labels {limit} or -1"}}
    assert verify.check(_masked_gradient, **question, cases=10).verdict == "passed"

    def counts_the_marked(W, X, y):
        return _masked_gradient(W, X, np.where(y == -1, 0, y))

    report = verify.check(counts_the_marked, **question, cases=10)
    assert report.verdict == "refuted"
    assert -1 in report.counterexample.inputs["y"]


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_labels_are_all_labels_and_no_other_numbers(kind):
    drawn = np.concatenate([draw_values(Seeded(s), (9,), kind, "labels 3 or -7", float) for s in range(9)])
    assert drawn.dtype == np.int64
    assert set(drawn.tolist()) == {0, 1, 2, -7}


def test_public_strategies_draw_labels():
    inputs = verify.strategies.inputs_of({"y": "n", "W": "d k"}, {"y": "labels k"})
    assert inputs[0].kind == "int"
    for seed in range(20):
        arrays = draw_case(Seeded(seed), inputs, np.dtype(float)).arrays
        assert np.all(arrays["y"] < arrays["W"].shape[1])


@pytest.mark.parametrize("domain", ["labels q", "labels 0"])
def test_labels_without_a_number_of_classes_are_refused(domain):
    with pytest.raises(SpecError, match="number of classes"):
        verify.check(_masked_gradient, of=_masked, shapes=SHAPES, wrt="W", domains={"y": domain})


@pytest.mark.parametrize("mark", [-100, -1])
def test_the_tape_finds_its_labels(mark):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5))
    criterion = nn.CrossEntropyLoss(ignore_index=mark)
    report = verify.check_autograd(model, {"x": "n 3", "y": "n"}, criterion=criterion, cases=5)
    assert report.verdict == "passed", report
