"""``check`` from the outside: verdicts, findings, arguments, reports."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

import verify
from symgrad.errors import DataError, SpecError, SymgradError
from verify.cases import fixed_cases
from verify.drawing import symbols_of

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}


def forward(x, w):
    return np.matmul(x, w)


def loss(y_pred, y):
    return (0.5 * (y_pred - y) ** 2).sum()


def gradient(x, y, y_pred):
    return np.matmul(x.T, (y_pred - y))


QUESTION = {"of": loss, "shapes": SHAPES, "wrt": "w", "given": {"y_pred": forward}}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tutorials_gradient_is_proved(dtype):
    report = verify.check(gradient, dtype=dtype, **QUESTION)
    assert report.verdict == "proved"
    assert report
    assert report.counterexample is None
    assert report.diagnosis is None
    assert report.cases >= 8
    assert report.largest_error < 1
    assert dtype in report.bound


def test_a_right_gradient_that_cannot_be_traced_passes():
    def filled(x, y, y_pred):
        out = np.zeros((x.shape[1], 1), dtype=x.dtype)
        for row in range(x.shape[0]):
            out += x[row, :, None] * (y_pred - y)[row]
        return out

    report = verify.check(filled, **QUESTION)
    assert report.verdict == "passed", report
    assert report.cases > 40


def test_a_wrong_gradient_is_refuted_with_small_integers():
    report = verify.check(lambda x, y, y_pred: x.T @ (y_pred + y), **QUESTION)
    assert report.verdict == "refuted"
    assert not report
    example = report.counterexample
    assert set(example.inputs) == {"x", "w", "y"}
    for array in example.inputs.values():
        assert array.size <= 2
        assert np.array_equal(array, np.round(array))
    assert example.expected.shape == example.got.shape
    assert not np.array_equal(example.expected, example.got)
    assert example.parameter == "w"


def test_the_report_is_readable():
    report = verify.check(lambda x, y, y_pred: x.T @ (y - y_pred), **QUESTION)
    text = str(report)
    assert len(text.splitlines()) <= 25
    for word in ("refuted", "expected", "got", "x =", "ratio −1", "x.T @ (y_pred - y)"):
        assert word in text


def test_arguments_match_by_name_not_by_position():
    swapped = verify.check(lambda y_pred, x, y: x.T @ (y_pred - y), **QUESTION)
    assert swapped.verdict == "proved"
    renamed = verify.check(
        lambda X, t, p: X.T @ (p - t), args={"X": "x", "t": "y", "p": "y_pred"}, **QUESTION
    )
    assert renamed.verdict == "proved"
    default = verify.check(lambda x, y, y_pred, scale=1.0: scale * x.T @ (y_pred - y), **QUESTION)
    assert default.verdict == "proved"


def test_an_argument_that_stands_for_nothing_is_unsupported():
    report = verify.check(lambda x, y, z: x.T @ (z - y), **QUESTION)
    assert report.verdict == "unsupported"
    assert "'z'" in report.reason
    assert "args=" in report.reason


def test_several_parameters_in_a_tuple_or_a_dict():
    question = {
        "of": lambda x, w, b, y: ((x @ w + b - y) ** 2).sum(),
        "shapes": {"x": "n d", "w": "d k", "b": "k", "y": "n k"},
        "wrt": ("w", "b"),
    }

    def both(x, w, b, y):
        r = 2 * (x @ w + b - y)
        return x.T @ r, r.sum(axis=0)

    assert verify.check(both, **question).verdict == "proved"
    as_dict = verify.check(lambda x, w, b, y: dict(zip("wb", both(x, w, b, y), strict=True)), **question)
    assert as_dict.verdict == "proved"
    keys = {"w": "dw", "b": "db"}
    other = verify.check(
        lambda x, w, b, y: dict(zip(("dw", "db"), both(x, w, b, y), strict=True)), keys=keys, **question
    )
    assert other.verdict == "proved"
    turned = verify.check(lambda x, w, b, y: both(x, w, b, y)[::-1], **question)
    assert turned.verdict == "refuted"
    missing = verify.check(lambda x, w, b, y: {"w": w}, **question)
    assert "lacks 'b'" in missing.reason
    one = verify.check(lambda x, w, b, y: both(x, w, b, y)[0], **question)
    assert one.verdict == "refuted"
    assert "tuple or dict of 2" in one.reason


FINDINGS = {
    "None": (lambda x, y, y_pred: None, "type", "is None"),
    "list": (lambda x, y, y_pred: [1.0, 2.0], "type", "list"),
    "text": (lambda x, y, y_pred: "gradient", "type", "str"),
    "objects": (lambda x, y, y_pred: np.array([[object()]]), "dtype", "object array"),
    "integers": (lambda x, y, y_pred: (x.T @ (y_pred - y)).astype(int), "dtype", "int64"),
    "complex": (lambda x, y, y_pred: (x.T @ (y_pred - y)) * 1j, "dtype", "complex128"),
    "flat": (lambda x, y, y_pred: (x.T @ (y_pred - y)).ravel(), "shape", "wanted (3, 1)"),
    "scalar": (lambda x, y, y_pred: (x.T @ (y_pred - y)).sum(), "shape", "shape ()"),
    "row that broadcasts": (lambda x, y, y_pred: (x.T @ (y_pred - y)).T, "shape", "wanted"),
    "NaN": (lambda x, y, y_pred: x.T @ (y_pred - y) * np.nan, "nonfinite", "not finite"),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings_other_than_wrong_numbers(name):
    function, kind, words = FINDINGS[name]
    report = verify.check(function, **QUESTION)
    assert report.verdict == "refuted", report
    assert report.counterexample.kind == kind
    if name != "flat":
        assert words in report.reason
    assert str(report)


def test_inputs_changed_in_place():
    def changes_input(x, y, y_pred):
        result = x.T @ (y_pred - y)
        x[...] = 0
        return result

    def changes_given(x, y, y_pred):
        y_pred -= y
        return x.T @ y_pred

    for function, name in ((changes_input, "'x'"), (changes_given, "'y_pred'")):
        report = verify.check(function, **QUESTION)
        assert report.verdict == "refuted"
        assert report.counterexample.kind == "inputs"
        assert name in report.reason


def test_another_answer_on_the_second_call():
    calls = []

    def counting(x, y, y_pred):
        calls.append(1)
        return x.T @ (y_pred - y) + (len(calls) % 2 == 0)

    report = verify.check(counting, **QUESTION)
    assert report.verdict == "refuted"


def test_an_answer_that_a_later_call_overwrites():
    buffers = {}

    def reusing(x, y, y_pred):
        result = np.array(x.T @ (y_pred - y))
        buffer = buffers.setdefault((result.shape, result.dtype), np.empty_like(result))
        buffer[...] = result
        return buffer

    report = verify.check(reusing, **QUESTION)
    assert report.verdict == "refuted"
    assert report.counterexample.kind == "repeat"
    assert "later call" in report.reason


def test_a_candidate_that_raises():
    def never(x, y, y_pred):
        raise RuntimeError("not written yet")

    report = verify.check(never, **QUESTION)
    assert report.verdict == "unsupported"
    assert "not written yet" in report.reason

    def on_some(x, y, y_pred):
        if x.shape[0] == x.shape[1]:
            raise ValueError("square")
        return x.T @ (y_pred - y)

    report = verify.check(on_some, **QUESTION)
    assert report.verdict == "refuted"
    assert report.counterexample.kind == "raises"
    assert "ValueError: square" in report.reason


def test_what_hides_at_equal_sizes_is_found():
    report = verify.check(
        lambda a, b: a @ (a @ b),
        of=lambda a, b: 0.5 * ((a @ b) ** 2).sum(),
        shapes={"a": "n n", "b": "n n"},
        wrt="b",
    )
    assert report.verdict == "refuted"

    def only_square(x, y, y_pred):
        result = x.T @ (y_pred - y)
        return result * 2 if x.shape[0] == x.shape[1] != 1 else result

    assert verify.check(only_square, **QUESTION).verdict == "refuted"


def test_a_loss_that_cannot_be_derived_is_unsupported():
    report = verify.check(lambda x: x, of=lambda x: np.linalg.svd(x)[1].sum(), shapes={"x": "n n"}, wrt="x")
    assert report.verdict == "unsupported"
    assert "svd" in report.reason
    report = verify.check(
        lambda a, b: a, of=lambda a, b: (a @ b).sum(), shapes={"a": "n d", "b": "n d"}, wrt="a"
    )
    assert report.verdict == "unsupported"
    assert "matmul" in report.reason


def test_misuse_raises():
    with pytest.raises(SpecError, match="not an argument of the loss"):
        verify.check(gradient, **{**QUESTION, "wrt": "v"})
    with pytest.raises(SpecError, match="no argument of the gradient"):
        verify.check(gradient, args={"q": "x"}, **QUESTION)
    with pytest.raises(SpecError, match="not known here"):
        verify.check(gradient, args={"x": "q"}, **QUESTION)
    with pytest.raises(SpecError, match="no function"):
        verify.check(3, **QUESTION)
    with pytest.raises(SpecError, match="two dtypes"):
        verify.check(gradient, dtype="int64", **QUESTION)
    with pytest.raises(DataError, match="no such dtype"):
        verify.check(gradient, dtype="float3", **QUESTION)
    with pytest.raises(SpecError, match="cases"):
        verify.check(gradient, cases=-1, **QUESTION)
    with pytest.raises(SpecError, match="once"):
        verify.check(gradient, **{**QUESTION, "wrt": ("w", "w")})


def test_assert_gradient():
    assert verify.assert_gradient(gradient, **QUESTION).verdict == "proved"
    with pytest.raises(AssertionError, match="ratio"):
        verify.assert_gradient(lambda x, y, y_pred: x.T @ (y - y_pred), **QUESTION)
    with pytest.raises(SymgradError, match="cannot be checked"):
        verify.assert_gradient(lambda x, z: z, **QUESTION)


def test_deep_asks_the_witness():
    assert verify.check(gradient, deep=True, **QUESTION).verdict == "proved"


def test_text_as_loss_and_as_given():
    report = verify.check(
        lambda x, y, p: x.T @ (p - y),
        of="0.5*((p - y)**2).sum()",
        shapes=SHAPES,
        wrt="w",
        given={"p": "x @ w"},
    )
    assert report.verdict == "proved"


def test_domains_are_kept():
    report = verify.check(
        lambda x: 1 / x, of=lambda x: np.log(x).sum(), shapes={"x": "n"}, wrt="x", domains={"x": "positive"}
    )
    assert report.verdict == "passed"
    assert report.cases > 40


def test_kinks_accept_either_side_and_say_so():
    for slope in (0.0, 0.5, 1.0):
        report = verify.check(
            lambda x, s=slope: np.where(x == 0, s, (x > 0) * 1.0),
            of=lambda x: np.maximum(x, 0).sum(),
            shapes={"x": "n"},
            wrt="x",
        )
        assert report.verdict == "passed", report
        assert "kink" in str(report)
    wrong = verify.check(
        lambda x: (x > 1) * 1.0, of=lambda x: np.maximum(x, 0).sum(), shapes={"x": "n"}, wrt="x"
    )
    assert wrong.verdict == "refuted"


def test_same_seed_same_report():
    def wrong(x, y, y_pred):
        return x.T @ (y_pred - 2 * y)

    first, second = (str(verify.check(wrong, seed=3, **QUESTION)) for _ in range(2))
    assert first == second


def test_warnings_of_the_derivation_are_noted():
    report = verify.check(
        lambda x, w, y: x.T @ (2 * (x @ w - y[:, None].T)).sum(axis=1, keepdims=True),
        of=lambda x, w, y: ((x @ w - y) ** 2).sum(),
        shapes={"x": "n d", "w": "d 1", "y": "n"},
        wrt="w",
    )
    assert any("broadcasts" in note for note in report.notes)


def test_nothing_is_written_and_the_import_is_light(tmp_path):
    script = (
        "import sys, verify\n"
        "assert not {'numpy', 'sympy', 'hypothesis'} & set(sys.modules)\n"
        "assert verify.SYMGRAD_VERIFY\n"
        "import numpy as np\n"
        "wrong = lambda x: 2*x + (x.shape[0] == 3)\n"
        "r = verify.check(wrong, of=lambda x: (x**2).sum(), shapes={'x': 'n'}, wrt='x')\n"
        "assert r.verdict == 'refuted', r\n"
    )
    root = os.path.dirname(os.path.dirname(verify.__file__))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=3, deadline=None, database=None)
@given(verify.strategies.arrays({"x": "n d", "w": "d"}))
def test_a_check_inside_a_hypothesis_test(arrays):
    assert arrays["x"].shape[1:] == arrays["w"].shape
    wrong = verify.check(
        lambda x, w, y: 3 * w,
        of=lambda x, w, y: ((x @ w - y) ** 2).sum(),
        shapes={"x": "n d", "w": "d", "y": "n"},
        wrt="w",
    )
    assert wrong.verdict == "refuted"
    passed = verify.check(
        lambda x: np.add.reduce([2 * x]), of=lambda x: (x**2).sum(), shapes={"x": "n"}, wrt="x", cases=5
    )
    assert passed.verdict == "passed", passed


def test_fixed_cases_cover_what_hides():
    from verify.spec import make_spec

    spec = make_spec(loss, SHAPES, "w", given={"y_pred": forward})
    cases = list(fixed_cases(spec.inputs, np.dtype(np.float64), 0))
    shapes = [c.arrays["x"].shape for c in cases]
    assert (1, 1) in shapes
    assert any(a == b != 1 for a, b in shapes)
    assert any(a == 0 for a, _ in shapes)
    assert any(not c.arrays["x"].flags.writeable for c in cases)
    assert any(not c.arrays["x"].flags.c_contiguous for c in cases)
    assert symbols_of(spec.inputs) == ("n", "d")


def test_the_surface_is_lazy_and_complete():
    for name in verify.__all__:
        assert getattr(verify, name) is not None
    assert set(verify.__all__) <= set(dir(verify))
    with pytest.raises(AttributeError):
        _ = verify.no_such_name
