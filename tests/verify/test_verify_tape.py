"""The tape's gradients of modules, marks, and scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symgrad.nn as nn
import verify
from symgrad.errors import ParseError, SpecError
from verify.marks import question_of
from verify.script_check import check_script, renamed
from verify.scripts.reading import Reading, Step

DATA = {"x": "n 3", "y": "n 2"}


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(np.ones((2, 1), dtype=np.float32))

    def forward(self, x):
        return x @ self.w


def test_the_tutorials_module():
    report = verify.check_autograd(Line(), {"x": "n 2", "y": "n 1"}, criterion=nn.MSELoss(reduction="sum"))
    assert report.verdict == "passed", report
    assert report.wrt == ("w",)
    assert report.parameters["w"].cases > 20
    assert "w: passed" in str(report)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.Sigmoid])
def test_a_network(activation):
    model = nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 2))
    report = verify.check_autograd(model, DATA, criterion=nn.MSELoss(), cases=15)
    assert report, report
    assert set(report.parameters) == {n for n, _ in model.named_parameters()}


def test_the_parameters_keep_their_values():
    model = nn.Linear(3, 2)
    before = {n: p.numpy().copy() for n, p in model.named_parameters()}
    verify.check_autograd(model, DATA, criterion=nn.MSELoss(), cases=3)
    assert all(np.array_equal(before[n], p.numpy()) for n, p in model.named_parameters())


def test_a_wrong_tape_is_refuted(monkeypatch):
    import verify.tape

    right = verify.tape._tape
    monkeypatch.setattr(
        verify.tape, "_tape", lambda *a: {n: g * (2 if n == "weight" else 1) for n, g in right(*a).items()}
    )
    report = verify.check_autograd(nn.Linear(3, 2), DATA, criterion=nn.MSELoss(), cases=5)
    assert report.verdict == "refuted"
    assert report.parameters["weight"].verdict == "refuted"
    assert report.parameters["bias"]
    assert report.reason.startswith("weight:")
    assert report.diagnosis.mistake == 3


def test_misuse_of_check_autograd():
    with pytest.raises(SpecError, match="takes a module"):
        verify.check_autograd(lambda x: x, DATA)
    with pytest.raises(SpecError, match="no parameters"):
        verify.check_autograd(nn.Tanh(), {"x": "n 3"})


def test_gradient_of_returns_the_function_unchanged():
    def loss(x):
        return (x**2).sum()

    def gradient(x):
        return 2 * x

    marked = verify.gradient_of(loss, shapes={"x": "n"}, wrt="x", dtype="float32")(gradient)
    assert marked is gradient
    question = question_of(marked)
    assert verify.check(marked, **question.arguments()).verdict == "proved"
    assert question_of(loss) is None
    with pytest.raises(SpecError, match="decorates"):
        verify.gradient_of(loss, shapes={"x": "n"}, wrt="x")(3)


def _reading(**changes):
    def forward(x, w):
        return x @ w

    def loss(p, target):
        return (0.5 * (p - target) ** 2).sum()

    def gradient(X, y, y_pred):
        return X.T @ (y_pred - y)

    fields = {
        "path": Path("train.py"),
        "namespace": {"forward": forward, "loss": loss, "gradient": gradient, "LR": 0.1},
        "loss": "loss",
        "gradient": "gradient",
        "given": {"y_pred": "forward"},
        "args": {"X": "x"},
        "loss_args": {"p": "y_pred", "target": "y"},
        "given_args": {},
        "wrt": ("w",),
        "shapes": {"x": ("n", "d"), "w": ("d", 1), "y": ("n", 1)},
        "dtypes": {},
        "keys": {},
        "steps": {},
        "facts": (),
    }
    return Reading(**{**fields, **changes})


def test_a_script_that_was_read():
    assert check_script(_reading()).verdict == "proved"

    def wrong(X, y, y_pred):
        return X.T @ (y - y_pred)

    reading = _reading()
    report = check_script(_reading(namespace={**reading.namespace, "gradient": wrong}))
    assert report.diagnosis.mistake == 1
    with pytest.raises(ParseError, match="no function"):
        check_script(_reading(gradient="LR"))


def test_a_script_that_adds_the_negative_gradient():
    def descent(X, y, y_pred):
        return X.T @ (y - y_pred)

    step = Step(sign=1, rate="LR", factor="2", line=7)
    namespace = {**_reading().namespace, "gradient": descent}
    report = check_script(_reading(namespace=namespace, steps={"w": step}))
    assert report.verdict == "proved", report
    assert any("line 7 adds" in note for note in report.notes)
    assert any("by 2" in note for note in report.notes)


def test_renamed_arguments():
    def f(a, b=2):
        return a - b

    g = renamed(f, {"a": "x"})
    assert g(x=5) == 3
    assert g(x=5, b=1) == 4
    assert renamed(f, {}) is f
