"""What ``sg.derive`` returns: its attributes, its printed forms, its evaluation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from calculus.loss_table import LOSSES, SIZES, draw

import symgrad as sg
from symgrad.errors import DataError, ShapeError, SpecError

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}
TEXT = "(0.5*(x @ w - y)**2).sum()"
X = np.array([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=np.float32)
Y = np.array([[8], [13], [26], [9]], dtype=np.float32)
W = np.array([[2], [1]], dtype=np.float32)


@pytest.fixture(scope="module")
def tutorial():
    return sg.derive(TEXT, SHAPES, wrt="w")


def test_the_tutorials_problem(tutorial):
    assert str(tutorial) == "    L = ½ Σ (xw − y)²\n∂L/∂w = xᵀ(xw − y)    (d, 1)"
    assert str(tutorial.loss) == "½ Σ (xw − y)²"
    assert str(tutorial.gradient) == str(tutorial.gradients["w"]) == "xᵀ(xw − y)"
    assert repr(tutorial.gradient) == "<formula xᵀ(xw − y)>"
    assert repr(tutorial) == "<Derivation of ∂L/∂w>"
    assert tutorial.gradient.to_latex() == r"x^{\top} (x w - y)"
    assert tutorial.warnings == ()
    assert tutorial.wrt == ("w",)


def test_latex_is_one_aligned_block(tutorial):
    text = tutorial.to_latex()
    assert text.startswith("\\begin{aligned}\n")
    assert text.endswith("\n\\end{aligned}")
    assert r"\frac{\partial L}{\partial w} &= x^{\top} (x w - y)" in text
    assert tutorial._repr_latex_() == f"$\\displaystyle {text}$"
    assert tutorial.gradient._repr_latex_() == r"$\displaystyle x^{\top} (x w - y)$"


def test_steps_go_forward_then_backward(tutorial):
    phases = [s.phase for s in tutorial.steps]
    assert phases == sorted(phases, key=["forward", "backward"].index)
    assert {"forward", "backward"} == set(phases)
    assert all(s.why and s.rule for s in tutorial.steps if s.phase == "backward" and s.rule)
    text = tutorial.to_text(with_steps=True)
    assert text.startswith("forward pass\n")
    assert text.endswith(str(tutorial))


def test_evaluation_keeps_the_dtype(tutorial):
    value, grads = tutorial(x=X, w=W, y=Y)
    assert value == np.float32(0.5 * ((X @ W - Y) ** 2).sum())
    assert grads["w"].dtype == np.float32
    np.testing.assert_array_equal(grads["w"], X.T @ (X @ W - Y))
    assert tutorial(x=X.astype(float), w=W, y=Y)[1]["w"].dtype == np.float64
    assert tutorial({"x": X, "w": W, "y": Y})[0] == value
    assert tutorial({"x": X}, w=W, y=Y)[0] == value


def test_whole_numbers_are_real_data(tutorial):
    _, grads = tutorial(x=X.astype(np.int8), w=W.astype(float), y=Y.astype(int))
    np.testing.assert_array_equal(grads["w"], X.T @ (X @ W - Y))
    assert grads["w"].dtype == np.float64


def test_lists_are_data(tutorial):
    value, _ = tutorial(x=X.tolist(), w=W.tolist(), y=Y.tolist())
    assert value == 0.5 * ((X @ W - Y) ** 2).sum()


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ({"x": X, "w": W}, SpecError, "'y' is missing."),
        ({"x": X, "w": W, "y": Y, "z": Y}, SpecError, "'z' is no input of the loss."),
        ({"x": X, "w": W.ravel(), "y": Y}, ShapeError, "'w' has 1 axes."),
        ({"x": X, "w": W, "y": Y[:3]}, ShapeError, "The dimension n cannot be 4 and 3 at once."),
        ({"x": X, "w": np.ones((2, 2)), "y": Y}, ShapeError, "'w' has the wrong size."),
        ({"x": X.astype(object), "w": W, "y": Y}, DataError, "no real numbers"),
        ({"x": X.astype(complex), "w": W, "y": Y}, DataError, "no real numbers"),
        ({"x": X.astype(str), "w": W, "y": Y}, DataError, "no real numbers"),
    ],
)  # fmt: skip
def test_refused_data(tutorial, arrays, error, words):
    with pytest.raises(error) as caught:
        tutorial(arrays)
    assert words in str(caught.value)


def test_one_name_or_several():
    one = sg.derive(TEXT, SHAPES, wrt=["w"])
    with pytest.raises(SpecError, match="There is more than one gradient") as caught:
        _ = one.gradient
    assert caught.value.expected == "gradients[name] with a name of w"
    several = sg.derive(TEXT, SHAPES, wrt=("w", "x"))
    assert list(several.gradients) == ["w", "x"]
    assert set(several.to_sympy()) == {"w", "x"}
    assert str(sg.derive("(w**2).sum()", {"w": "n"}).gradient) == "2w"


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_printed_form_is_made(loss):
    derivation = loss.derive()
    ascii_text = derivation.to_text(ascii=True, with_steps=True)
    assert ascii_text.isascii()
    assert "?" not in ascii_text
    for text in (str(derivation), derivation.to_latex(), ascii_text):
        assert text.count("(") == text.count(")")
        assert text.count("{") == text.count("}")
        for sign in ("zoo", "nan", "None", "core", "a0", "ARG"):
            assert sign not in text.replace("\\", " "), sign
    assert not any(ord(c) > 127 for c in derivation.to_latex())
    assert len(derivation.gradients) == len(loss.wrt)


@pytest.mark.parametrize("loss", LOSSES[::4], ids=str)
def test_numpy_source_runs_by_itself(loss):
    derivation = loss.derive()
    namespace: dict = {}
    exec(derivation.to_numpy(), namespace)
    arrays = draw(loss, SIZES[0])
    value, grads = namespace["loss_and_gradient"](*(arrays[i.name] for i in derivation.program.inputs))
    expected, expected_grads = derivation(arrays)
    assert value == expected
    for name in loss.wrt:
        np.testing.assert_array_equal(grads[name], expected_grads[name])


def test_programs_are_values():
    first = sg.derive(TEXT, SHAPES, wrt="w").program
    second = sg.derive(TEXT, {"x": ("n", "d"), "w": ("d", 1), "y": ["n", 1]}, wrt=["w"]).program
    assert first == second
    assert hash(first) == hash(second)


class TestTimings:
    def test_of_a_kernel(self):
        derivation = sg.derive(TEXT, SHAPES, wrt="w")
        kernel = derivation.compile("float32")
        assert list(kernel.timings) == ["trace", "derive", "plan"]
        kernel(x=X, w=W, y=Y)
        assert list(kernel.timings) == ["trace", "derive", "plan", "compile", "run"]
        assert all(0 < seconds < 60 for seconds in kernel.timings.values())
        assert derivation.timings == {key: kernel.timings[key] for key in ("trace", "derive")}

    def test_of_second_derivatives(self):
        derivation = sg.derive("np.sum(w**3)", {"w": "n"})
        for made in (derivation.hessian(), derivation.hvp()):
            assert made.timings["trace"] == derivation.timings["trace"]
            assert made.timings["derive"] > derivation.timings["derive"]
            assert list(made.compile().timings) == ["trace", "derive", "plan"]
        jacobian = sg.jacobian("np.exp(w)", {"w": "n"})
        assert list(jacobian.compile().timings) == ["trace", "derive", "plan"]

    def test_a_slow_function_is_slow_to_trace(self):
        def loss(w):
            time.sleep(0.05)
            return (w**2).sum()

        timings = sg.derive(loss, {"w": "n"}).timings
        assert timings["trace"] >= 0.05
