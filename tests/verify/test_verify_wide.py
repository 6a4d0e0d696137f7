"""Verdicts on gradients of losses over labels, extrema, linear algebra, slices and loops over rows."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from verify_wide_losses import CLASSES, WIDE, cross_entropy, less_at_the_label, less_the_onehot, softmax

import symgrad.nn as nn
import verify
from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.program import Builder, Input, at_sizes, kind_of, numpy_callable
from verify.candidate import match
from verify.cases import fixed_cases
from verify.drawing import Case, values
from verify.judge import Judge
from verify.spec import make_spec
from verify.tolerance import evaluate, format_of
from verify.trace import try_trace

BY_NAME = {w.name: w for w in WIDE}
RIGHT = [(w.name, i) for w in WIDE for i in range(len(w.right))]
WRONG = [(w.name, i) for w in WIDE for i in range(len(w.wrong))]


def _check(wide, gradient, **options):
    return verify.check(
        gradient, of=wide.loss, shapes=wide.shapes, wrt=wide.wrt, domains=wide.domains, **options
    )


@pytest.mark.parametrize(("name", "spelling"), RIGHT)
def test_right_gradients_pass(name, spelling):
    wide = BY_NAME[name]
    report = _check(wide, wide.right[spelling], cases=10, dtype=("float64", "float32")[spelling % 2])
    assert report, report
    assert report.cases >= 7, report


@pytest.mark.parametrize(("name", "mistake"), WRONG)
def test_planted_mistakes_are_refuted(name, mistake):
    wide = BY_NAME[name]
    report = _check(wide, wide.wrong[mistake], cases=10)
    assert report.verdict == "refuted", report
    assert report.counterexample.kind == "value"


SMOOTH = (
    "cross-entropy",
    "loop over rows",
    "logsumexp",
    "norm",
    "solve",
    "largest of each row",
    "trace of the inverse",
)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_small_relative_error_is_seen(name):
    wide = BY_NAME[name]
    right = wide.right[0]
    names = list(wide.shapes)
    source = f"lambda {', '.join(names)}: right({', '.join(names)}) * (1 + 1e-7)"
    report = _check(wide, eval(source, {"right": right}), cases=5)
    assert report.verdict == "refuted", report


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SMOOTH)
def test_no_false_alarm_at_any_scale(name, dtype):
    wide = BY_NAME[name]
    spec = make_spec(wide.loss, wide.shapes, wide.wrt, domains=wide.domains)
    candidates = [match(g, spec, None) for g in wide.right]
    fmt = format_of(np.dtype(dtype))
    judges = [Judge(spec, c, fmt, try_trace(c, spec)[0]) for c in candidates]
    compared = 0
    for exponent in range(-8, 9, 4):
        for seed in range(3):
            generator = np.random.default_rng([seed, exponent + 8])
            sizes = spec.plan.fit({"n": 4, "d": 3, "k": 3}, spec.inputs)
            arrays = {
                i.name: values(
                    generator,
                    shape_of(i.shape, sizes),
                    "ordinary",
                    at_sizes(i.domain, sizes),
                    np.dtype(dtype),
                )
                for i in spec.inputs
            }
            scale = np.asarray(10.0**exponent, dtype)
            scaled = {n: a * scale if a.dtype.kind == "f" else a for n, a in arrays.items()}
            for judge in judges:
                judged = judge(Case(scaled, "scaled"))
                assert judged.counterexample is None, (exponent, judged)
                compared += judged.skipped is None
    assert compared > 15


# Kinks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_every_share_of_a_tie_is_accepted(share):
    spec = make_spec(lambda x: x.max(), {"x": "n"}, "x")
    candidate = match(lambda x: np.array([share, 1 - share, 0.0]), spec, None)
    judged = Judge(spec, candidate, format_of(np.dtype(np.float64)))(
        Case({"x": np.array([2.0, 2.0, 1.0])}, "tie")
    )
    assert judged.counterexample is None, judged
    assert judged.kinks


@pytest.mark.parametrize(
    "got", [(1.0, 1.0, 0.0), (0.4, 0.4, 0.2), (0.4, 0.4, 0.0), (1.5, -0.5, 0.0), (0.0, 0.0, 1.0)]
)
def test_what_is_no_subgradient_at_a_tie_is_refuted(got):
    spec = make_spec(lambda x: x.max(), {"x": "n"}, "x")
    candidate = match(lambda x: np.array(got), spec, None)
    judged = Judge(spec, candidate, format_of(np.dtype(np.float64)))(
        Case({"x": np.array([2.0, 2.0, 1.0])}, "tie")
    )
    assert judged.counterexample is not None


def test_where_nothing_ties_the_largest_entry_gets_all():
    spec = make_spec(lambda x: x.max(), {"x": "n"}, "x")
    judge = Judge(spec, match(lambda x: 0.9 * (x == x.max()), spec, None), format_of(np.dtype(np.float64)))
    judged = judge(Case({"x": np.array([3.0, 2.0, 1.0])}, "no tie"))
    assert judged.counterexample is not None
    assert not judged.kinks


@pytest.mark.parametrize(
    ("loss", "slopes", "beyond"),
    [
        (lambda x: np.abs(x).sum(), (-1.0, -0.3, 0.0, 1.0), 1.1),
        (lambda x: np.maximum(x, 0).sum(), (0.0, 0.5, 1.0), -0.1),
        (lambda x: np.minimum(x, 0).sum(), (0.0, 0.5, 1.0), 1.1),
        (lambda x: np.clip(x, 0, 1).sum(), (0.0, 0.5, 1.0), 1.1),
    ],
)
def test_the_slopes_between_both_sides_are_accepted(loss, slopes, beyond):
    spec = make_spec(loss, {"x": "n"}, "x")
    fmt = format_of(np.dtype(np.float64))
    at_zero = Case({"x": np.zeros(3)}, "kink")
    for slope in slopes:
        judged = Judge(spec, match(lambda x, s=slope: s + 0 * x, spec, None), fmt)(at_zero)
        assert judged.counterexample is None, (slope, judged)
    single = Case({"x": np.array([0.0, 0.25, 0.75])}, "one kink")
    away = np.asarray(numpy_callable(spec.program)(single.arrays["x"])[1]["x"])
    judged = Judge(spec, match(lambda x: np.where(x == 0, beyond, away), spec, None), fmt)(single)
    assert judged.counterexample is not None


def _chosen(mask, axis, generator):
    """One of the equal entries takes all, or they share equally, or as it comes."""
    weight = generator.exponential(size=mask.shape) * mask
    shared = [mask * 1.0, weight, (weight == weight.max(axis=axis, keepdims=True)) * 1.0][
        generator.integers(3)
    ]
    return shared / shared.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize("seed", range(25))
def test_no_subgradient_where_many_kinks_meet_is_refuted(seed):
    generator = np.random.default_rng(seed)
    n, d, h = generator.integers(1, 7, 3)
    fmt = format_of(np.dtype(np.float64))

    def judge(spec, arrays, gradient):
        names = ", ".join(arrays)
        candidate = match(eval(f"lambda {names}: gradient", {"gradient": gradient}), spec, None)
        judged = Judge(spec, candidate, fmt)(Case(arrays, "kinks"))
        assert judged.counterexample is None, (arrays, gradient, judged.counterexample.finding)

    x = generator.integers(0, 2, (n, d)) * 1.0
    by_columns = _chosen(x == x.max(axis=0), 0, generator)
    by_rows = _chosen(x == x.max(axis=1, keepdims=True), 1, generator)
    judge(ROWS_AND_COLUMNS, {"x": x}, by_columns + by_rows)
    x, w, v = (generator.integers(-1, 2, s) * 1.0 for s in ((n, d), (d, h), (h,)))
    z = x @ w
    slope = np.where(z == 0, generator.choice([0.0, 0.3, 1.0], z.shape), z > 0)
    judge(UNITS, {"w": w, "x": x, "v": v}, x.T @ (slope * v))


ROWS_AND_COLUMNS = make_spec(lambda x: x.max(axis=0).sum() + x.max(axis=1).sum(), {"x": "n d"}, "x")
UNITS = make_spec(lambda w, x, v: (np.maximum(x @ w, 0) @ v).sum(), {"w": "d h", "x": "n d", "v": "h"}, "w")


def test_a_candidate_has_no_kinks_of_its_own():
    report = verify.check(
        lambda x: np.where(x == 0, 7.0, 2 * x), of=lambda x: (x**2).sum(), shapes={"x": "n"}, wrt="x"
    )
    assert report.verdict == "refuted", report


# Sizes and kinds ----------------------------------------------------------------------------------------------


def test_what_was_derived_at_some_sizes_is_not_proved():
    def by_rows(w, x, y):
        return sum((x[i] @ w - y[i]) ** 2 for i in range(x.shape[0]))

    question = {"of": by_rows, "shapes": {"w": "d", "x": "n d", "y": "n"}, "wrt": "w"}
    report = verify.check(lambda w, x, y: 2 * x.T @ (x @ w - y), **question)
    assert report.verdict == "passed"
    assert "other sizes" in report.reason
    assert any("n = 3" in note for note in report.notes)
    averaged = verify.check(lambda w, x, y: 2 * x.T @ (x @ w - y) / 3 * len(x), **question)
    assert averaged.verdict == "refuted"


def test_other_sizes_than_the_pinned_ones_are_compared():
    """Right at n = 3, for which the loss is written out, and wrong elsewhere."""

    def by_rows(w, x):
        return sum(x[i] @ w for i in range(x.shape[0])) + 0 * (w**2).sum()

    report = verify.check(
        lambda w, x: x[:3].sum(axis=0) * (1 if len(x) == 3 else 2),
        of=by_rows,
        shapes={"w": "d", "x": "n d"},
        wrt="w",
    )
    assert report.verdict == "refuted", report
    assert report.counterexample.inputs["x"].shape[0] != 3


def test_equations_between_sizes_are_kept():
    wide = BY_NAME["convolution"]
    spec = make_spec(wide.loss, wide.shapes, wide.wrt)
    for case in fixed_cases(spec.inputs, np.dtype(np.float64), 0, spec.plan):
        w, x, y = (case.arrays[n] for n in "wxy")
        assert y.shape[0] == x.shape[0] - w.shape[0] + 1


def test_labels_are_whole_and_below_the_number_of_classes():
    spec = make_spec(cross_entropy, CLASSES, "W")
    assert {i.name: i.domain for i in spec.inputs}["y"] == "labels k"
    seen = set()
    for case in fixed_cases(spec.inputs, np.dtype(np.float32), 0, spec.plan):
        y, k = case.arrays["y"], case.arrays["W"].shape[1]
        assert y.dtype == np.int64
        assert k > 0
        assert np.all((y >= 0) & (y < k))
        seen |= set(y.tolist())
    assert len(seen) > 1


def test_an_index_that_may_be_a_mask_is_noted():
    report = verify.check(
        lambda x, m: 2 * x * np.bincount(m, minlength=len(x)),
        of=lambda x, m: (x[m] ** 2).sum(),
        shapes={"x": "n", "m": "k"},
        wrt="x",
        cases=10,
    )
    assert report, report
    assert any("'bool'" in note for note in report.notes)


def test_condition_numbers_are_named():
    wide = BY_NAME["solve"]
    report = _check(wide, wide.right[0], cases=10)
    assert "condition number" in report.bound
    assert "extended precision" not in report.bound  # NumPy's solvers have no wider format


def test_singular_matrices_say_nothing():
    wide = BY_NAME["determinant"]
    report = _check(wide, wide.right[0], cases=10)
    assert report
    assert report.skipped


def test_several_parameters_marks_and_assertions():
    def loss(W, b, X, y):
        z = X @ W + b
        z = z - z.max(axis=1, keepdims=True)
        return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()

    shapes = {"W": "d k", "b": "k", "X": "n d", "y": "n"}

    @verify.gradient_of(loss, shapes=shapes, wrt=("W", "b"), cases=10)
    def both(W, b, X, y):
        r = (softmax(X @ W + b) - np.eye(W.shape[1])[y]) / len(y)
        return X.T @ r, r.sum(axis=0)

    question = verify.marks.question_of(both).arguments()
    assert verify.assert_gradient(both, **question).verdict == "passed"
    with pytest.raises(AssertionError, match="by b"):
        verify.assert_gradient(lambda W, b, X, y: (both(W, b, X, y)[0], 2 * both(W, b, X, y)[1]), **question)


@pytest.mark.parametrize(
    "name", ["cross-entropy", "loop over rows", "mask", "trace of the inverse", "convolution"]
)
def test_the_derived_gradient_agrees_with_the_witness(name):
    wide = BY_NAME[name]
    verify.check_derivation(wide.loss, wide.shapes, wide.wrt, domains=wide.domains)


def test_the_tape_with_labels():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5))
    report = verify.check_autograd(
        model, {"x": "n 3", "y": "n"}, criterion=nn.CrossEntropyLoss(), domains={"y": "labels 5"}, cases=10
    )
    assert report.verdict == "passed", report


# Proofs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "shapes", "wrt", "wrong"),
    [
        (lambda a, b: np.trace(a @ b), {"a": "n n", "b": "n n"}, "a", lambda a, b: b),
        (lambda a: np.trace(a) ** 2, {"a": "n n"}, "a", lambda a: 2 * np.trace(a) * np.ones_like(a)),
        (lambda x: np.cumsum(x).sum(), {"x": "n"}, "x", lambda x: np.cumsum(np.ones_like(x))),
        (lambda x: x[1:].sum(), {"x": "n"}, "x", lambda x: np.ones_like(x)),
        (lambda x: x[::-1] @ x, {"x": "n"}, "x", lambda x: 2 * x),
        (lambda x: np.diag(x).sum() * x.sum(), {"x": "n"}, "x", lambda x: x.sum() + x),
        (lambda x: np.concatenate([x, 2 * x]).sum(), {"x": "n"}, "x", lambda x: 2 * np.ones_like(x)),
        (lambda x: np.prod(x), {"x": "n"}, "x", lambda x: np.ones_like(x)),
        (lambda x: (x.max() * x).sum(), {"x": "n"}, "x", lambda x: x.max() * np.ones_like(x)),
        (lambda x: np.floor(x).sum() + x.sum(), {"x": "n"}, "x", lambda x: np.floor(x) + 1),
    ],
)
def test_no_wrong_gradient_over_new_operations_is_proved(loss, shapes, wrt, wrong):
    assert verify.check(wrong, of=loss, shapes=shapes, wrt=wrt).verdict == "refuted"


# Every record -------------------------------------------------------------------------------------------------

EXAMPLES = [(name, i) for name, op in OPS.items() for i in range(len(op.examples))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_every_operation_has_a_bound(name, number, dtype):
    example = OPS[name].examples[number]
    domains = [*example.domains, *["real"] * (len(example.shapes) - len(example.domains))]
    inputs = [
        Input(f"x{i}", verify.strategies.inputs_of({"x": shape})[0].shape, kind_of(domain), domain)
        for i, (shape, domain) in enumerate(zip(example.shapes, domains, strict=True))
    ]
    inputs.append(Input("sizes", verify.strategies.inputs_of({"x": "n d k"})[0].shape))
    builder = Builder(inputs)
    shape = {k: _sizes(v) for k, v in example.attrs.items() if k == "shape"}
    result = builder.emit(name, *(i.name for i in inputs[:-1]), **{**example.attrs, **shape})
    program = builder.finish([("value", result)])
    sizes, generator = {"n": 3, "d": 2, "k": 4}, np.random.default_rng(1)
    arrays = {
        i.name: values(
            generator, shape_of(i.shape, sizes), "ordinary", at_sizes(i.domain, sizes), np.dtype(dtype)
        )
        for i in inputs
    }
    found = evaluate(program, arrays, sizes, format_of(np.dtype(dtype)))
    assert found is not None
    assert not found.ill
    assert np.all(np.isfinite(found.outputs["value"].size))


def _sizes(shape):
    """A shape of names and products of names."""
    names = {n: dim_symbol(n) for n in "ndk"}
    return tuple(sympy.sympify(d, locals=names) if isinstance(d, str) else d for d in shape)


def test_labels_in_their_usual_spellings():
    """The same question with the loss in three spellings."""

    def onehot(W, X, y):
        p = softmax(X @ W)
        return -(np.eye(W.shape[1])[y] * np.log(p)).sum() / len(y)

    def picked(W, X, y):
        return -np.log(softmax(X @ W)[np.arange(X.shape[0]), y]).mean()

    for loss in (onehot, picked):
        for gradient in (less_at_the_label, less_the_onehot):
            assert verify.check(gradient, of=loss, shapes=CLASSES, wrt="W", cases=10)
