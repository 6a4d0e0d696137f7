"""The bound: no false alarm at any scale, and small errors are seen."""

from __future__ import annotations

import numpy as np
import pytest
from verify_losses import PROBLEMS, sigmoid

import verify
from symgrad.program import numpy_callable
from verify.candidate import match
from verify.drawing import Case, Seeded, draw_case, values
from verify.judge import Judge
from verify.spec import make_spec
from verify.tolerance import error_bound, evaluate, format_of
from verify.trace import try_trace

LINEAR = {"x": "n d", "w": "d k", "y": "n k"}


def mse(x, w, y):
    return 0.5 * ((x @ w - y) ** 2).sum()


def _arrays(spec, sizes, scales, dtype, seed):
    generator = np.random.default_rng(seed)
    return {
        i.name: values(generator, spec.shape(i.name, sizes), "ordinary", i.domain, dtype)
        * np.asarray(scales.get(i.name, 1.0), dtype)
        for i in spec.inputs
    }


RIGHT = {
    "textbook": lambda x, w, y: x.T @ (x @ w - y),
    "expanded": lambda x, w, y: x.T @ x @ w - x.T @ y,
    "other order": lambda x, w, y: np.ascontiguousarray(((x @ w).T - y.T) @ x).T,
    "in float64": lambda x, w, y: (x.T.astype(float) @ (x.astype(float) @ w.astype(float) - y)).astype(
        x.dtype
    ),
    "row by row": lambda x, w, y: sum(
        (x[i][:, None] * (x[i] @ w - y[i])[None, :] for i in range(len(x))), np.zeros_like(w)
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RIGHT)
def test_no_false_alarm_at_any_scale(name, dtype):
    spec = make_spec(mse, LINEAR, "w")
    candidate = match(RIGHT[name], spec, None)
    judge = Judge(spec, candidate, format_of(np.dtype(dtype)), try_trace(candidate, spec)[0])
    compared = 0
    for exponent in range(-8, 9, 2):
        for other in (-8, 0, 8):
            scales = {"x": 10.0**exponent, "y": 10.0**other}
            for seed, sizes in enumerate(({"n": 5, "d": 3, "k": 2}, {"n": 40, "d": 7, "k": 1})):
                judged = judge(Case(_arrays(spec, sizes, scales, dtype, seed), "scaled"))
                assert judged.counterexample is None, judged
                compared += judged.skipped is None
    assert compared > 40


@pytest.mark.parametrize("exponent", [-8, -4, 0, 4, 8])
@pytest.mark.parametrize("error", [1e-7, -1e-7, 1e-9])
def test_small_relative_errors_are_seen(exponent, error):
    spec = make_spec(mse, LINEAR, "w")
    candidate = match(lambda x, w, y: x.T @ (x @ w - y) * (1 + error), spec, None)
    judge = Judge(spec, candidate, format_of(np.dtype(np.float64)))
    scales = {"x": 10.0**exponent, "y": 10.0**exponent}
    judged = judge(Case(_arrays(spec, {"n": 5, "d": 3, "k": 2}, scales, "float64", 1), "scaled"))
    assert judged.counterexample is not None


def test_one_entry_slightly_wrong_is_refuted():
    def slightly(x, w, y):
        out = x.T @ (x @ w - y)
        if out.size:
            out = out.copy()
            out.flat[0] *= 1 + 1e-7
        return out

    assert verify.check(slightly, of=mse, shapes=LINEAR, wrt="w").verdict == "refuted"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.name != "reshape"], ids=lambda p: p.name)
def test_the_derived_gradient_run_in_numpy_is_never_refuted(problem, dtype):
    """What the library itself prints as NumPy, on values of every kind."""
    spec = make_spec(problem.loss, problem.shapes, problem.wrt, domains=dict(problem.domains))
    run = numpy_callable(spec.program)
    names = [i.name for i in spec.inputs]
    fmt = format_of(np.dtype(dtype))
    for seed in range(40):
        case = draw_case(Seeded(seed), spec.inputs, np.dtype(dtype))
        found = evaluate(spec.program, case.arrays, spec.sizes(case.arrays), fmt)
        limit = float(np.finfo(dtype).max) ** 0.5
        if found is None or not found.peak < limit:
            continue
        with np.errstate(all="ignore"):
            _, got = run(*(case.arrays[n] for n in names))
        for name in spec.wrt:
            bound = error_bound(found.outputs[name], fmt)
            error = np.abs(np.asarray(got[name], dtype=fmt.reference) - found.outputs[name].value)
            assert np.all(error <= bound), (seed, case.label, name)


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x, w, y: x.T @ ((sigmoid(x @ w) - y) * sigmoid(x @ w) * (1 - sigmoid(x @ w))),
        lambda x, w, y: x.T @ ((1 / (1 + np.exp(-(x @ w))) - y) / (2 + 2 * np.cosh(x @ w))),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_sigmoids_in_two_spellings(gradient, dtype):
    def loss(x, w, y):
        return 0.5 * ((sigmoid(x @ w) - y) ** 2).sum()

    report = verify.check(gradient, of=loss, shapes=LINEAR, wrt="w", dtype=dtype)
    assert report, report


def test_overflow_of_the_candidate_alone_is_found():
    def loss(z):
        return np.logaddexp(0, z).sum()

    naive = verify.check(lambda z: np.exp(z) / (1 + np.exp(z)), of=loss, shapes={"z": "n"}, wrt="z")
    assert naive.verdict == "refuted"
    assert naive.counterexample.kind == "nonfinite"
    stable = verify.check(
        lambda z: np.where(z >= 0, 1, np.exp(-np.abs(z))) / (1 + np.exp(-np.abs(z))),
        of=loss,
        shapes={"z": "n"},
        wrt="z",
    )
    assert stable, stable


def test_where_the_loss_overflows_nothing_is_said():
    report = verify.check(lambda x: np.exp(x), of=lambda x: np.exp(x).sum(), shapes={"x": "n"}, wrt="x")
    assert report, report
    assert report.skipped
    never = verify.check(
        lambda x: 1 / x, of=lambda x: np.log(-1 - x**2).sum(), shapes={"x": "n"}, wrt="x", cases=5
    )
    assert never.verdict in ("unsupported", "refuted", "passed")


def test_single_precision_inside_a_double_gradient_is_refuted():
    def single(x, w, y):
        return x.T @ (x @ w - y).astype(np.float32).astype(np.float64)

    assert verify.check(single, of=mse, shapes=LINEAR, wrt="w").verdict == "refuted"


def test_a_rounded_constant_is_refuted():
    def loss(x):
        return np.sqrt(2 / np.pi) * (x**2).sum()

    right = verify.check(lambda x: 2 * np.sqrt(2 / np.pi) * x, of=loss, shapes={"x": "n"}, wrt="x")
    assert right, right
    rounded = verify.check(lambda x: 2 * 0.7979 * x, of=loss, shapes={"x": "n"}, wrt="x")
    assert rounded.verdict == "refuted"


def test_a_mask_divided_by_a_size_is_skipped_where_the_size_is_0():
    def hinge(x, w, y):
        return np.maximum(0, 1 - y * (x @ w)).mean()

    report = verify.check(
        lambda x, w, y: -x.T @ (y * (y * (x @ w) < 1)) / len(x),
        of=hinge,
        shapes={"x": "n d", "w": "d 1", "y": "n 1"},
        wrt="w",
    )
    assert report, report
    assert report.skipped
