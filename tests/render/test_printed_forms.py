"""What is printed for the models that every course begins with, letter by letter."""

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.cli import problem

TEXTS = {
    "half squares": (
        "(0.5*(x @ w - y)**2).sum()",
        {"x": "n d", "w": "d 1", "y": "n 1"},
        {"w": "xᵀ(xw − y)"},
    ),
    "factors cancel": (
        "2*np.sum((0.5*(x @ w) - 0.5*y)**2)",
        {"x": "n d", "w": "d 1", "y": "n 1"},
        {"w": "xᵀ(xw − y)"},
    ),
    "the other sign": (
        "np.sum((y - x @ w)**2)",
        {"x": "n d", "w": "d", "y": "n"},
        {"w": "2xᵀ(xw − y)"},
    ),
    "ridge": (
        "np.sum((x @ w - y)**2)/2 + lam/2*np.sum(w**2)",
        {"x": "n d", "w": "d", "y": "n", "lam": ""},
        {"w": "xᵀ(xw − y) + λw"},
    ),
    "bias and mean": (
        "np.mean((x @ w + b - y)**2)",
        {"x": "n d", "w": "d 1", "b": "1", "y": "n 1"},
        {"w": "(2/n) xᵀ(xw + b − y)", "b": "(2/n) (xw + b − y)ᵀ𝟏"},
    ),
    "several outputs": (
        "0.5*np.sum((x @ W + b - y)**2)/x.shape[0]",
        {"x": "n d", "W": "d k", "b": "k", "y": "n k"},
        {"W": "(1/n) xᵀ(xW + 𝟏bᵀ − y)", "b": "(1/n) (xW + 𝟏bᵀ − y)ᵀ𝟏"},
    ),
    "one sigmoid neuron": (
        "np.sum(0.5*(sigmoid(x @ w + b) - y)**2)",
        {"x": "n d", "w": "d 1", "b": "1", "y": "n 1"},
        {
            "w": "xᵀ(p ⊙ (1 − p) ⊙ (p − y)), where p = σ(xw + b)",
            "b": "(p ⊙ (1 − p) ⊙ (p − y))ᵀ𝟏, where p = σ(xw + b)",
        },
    ),
    "logistic regression": (
        "-np.sum(y*np.log(sigmoid(x @ w)) + (1 - y)*np.log(1 - sigmoid(x @ w)))",
        {"x": "n d", "w": "d 1", "y": "n 1"},
        {"w": "xᵀ(σ(xw) − y)"},
    ),
    "quadratic form": ("x @ A @ x", {"x": "n", "A": "n n"}, {"x": "(A + Aᵀ)x", "A": "xxᵀ"}),
    "two names that look alike": (
        "np.sum((w1 - w_1)**2)",
        {"w1": "n", "w_1": "n"},
        {"w1": "2(w₁ − w_1)", "w_1": "2(w_1 − w₁)"},
    ),
    "a parameter called delta": (
        "np.sum((x @ w1 @ delta - y)**2)",
        {"x": "n d", "w1": "d h", "delta": "h k", "y": "n k"},
        {"w1": "2xᵀ(xw₁δ − y)δᵀ", "delta": "2w₁ᵀxᵀ(xw₁δ − y)"},
    ),
    "a fraction": ("-np.sum((a - b)**-2)", {"a": "n", "b": "n"}, {"a": "2 / (a − b)³"}),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_gradients(name):
    loss, shapes, expected = TEXTS[name]
    derivation = sg.derive(loss, shapes, list(expected))
    assert {n: str(f) for n, f in derivation.gradients.items()} == expected


def test_four_spellings_print_alike():
    n, d = sympy.symbols("n d")
    x, w, y = sympy.MatrixSymbol("x", n, d), sympy.MatrixSymbol("w", d, 1), sympy.MatrixSymbol("y", n, 1)

    class Line(sg.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = sg.nn.Parameter(sg.zeros(2, 1))

        def forward(self, x):
            return 0.5**0.5 * sg.matmul(x, self.w)

    function = sg.derive(problem.loss, problem.SHAPES, "w", given={"y_pred": problem.forward})
    text = sg.derive("0.5*np.sum((x @ w - y)**2)", problem.SHAPES, "w")
    symbolic = sg.derive((x * w - y).T * (x * w - y) / 2, wrt="w")
    assert {str(d.gradient) for d in (function, text, symbolic)} == {"xᵀ(xw − y)"}
    assert function.gradient.to_latex() == r"x^{\top} (x w - y)"
    assert str(function.to_sympy()) == "x.T*(x*w - y)"
    assert function.to_text(ascii=True).isascii()


def network(x, W1, b1, W2, b2, y):
    h1 = np.tanh(x @ W1 + b1)
    r = h1 @ W2 + b2 - y
    return np.sum(r**2) / (2 * len(x))


def test_a_tanh_network():
    shapes = {"x": "n d", "W1": "d m", "b1": "m", "W2": "m k", "b2": "k", "y": "n k"}
    assert str(sg.derive(network, shapes, ["W1", "b1", "W2", "b2"])) == (
        "     L = 1/(2n) ‖r‖_F²\n"
        "    h₁ = tanh(xW₁ + 𝟏b₁ᵀ)\n"
        "     r = h₁W₂ + 𝟏b₂ᵀ − y\n"
        "     δ = rW₂ᵀ ⊙ (1 − h₁²)\n"
        "∂L/∂W₁ = (1/n) xᵀδ    (d, m)\n"
        "∂L/∂b₁ = (1/n) δᵀ𝟏    (m,)\n"
        "∂L/∂W₂ = (1/n) h₁ᵀr    (m, k)\n"
        "∂L/∂b₂ = (1/n) rᵀ𝟏    (k,)"
    )


def test_a_relu_module():
    model = sg.nn.Sequential(sg.nn.Linear(3, 4), sg.nn.ReLU(), sg.nn.Linear(4, 1))
    derivation = sg.derive(model, {"x": "n d", "y": "n 1"}, criterion=sg.nn.MSELoss(reduction="sum"))
    assert str(derivation) == (
        "     L = ‖r‖²\n"
        "     z = xW₁ᵀ + 𝟏b₁ᵀ\n"
        "     h = relu(z)\n"
        "     r = hW₂ᵀ + b₂ − y\n"
        "     δ = rW₂ ⊙ [z > 0]\n"
        "∂L/∂W₁ = 2δᵀx    (4, 3)\n"
        "∂L/∂b₁ = 2δᵀ𝟏    (4,)\n"
        "∂L/∂W₂ = 2rᵀh    (1, 4)\n"
        "∂L/∂b₂ = 2rᵀ𝟏    (1,)"
    )


def test_latex_is_plain_ascii():
    shapes = {"x": "n d", "W1": "d m", "b1": "m", "W2": "m k", "b2": "k", "y": "n k"}
    latex = sg.derive(network, shapes, ["W1", "b1", "W2", "b2"]).to_latex()
    assert latex.isascii(), latex
    assert r"\delta &= r W_{2}^{\top} \odot (1 - h_{1}^{2})" in latex


def test_depth_is_linear():
    """A hundred layers: time and printed length grow with the depth, not faster."""
    lengths = []
    for depth in (25, 50, 100):
        model = sg.nn.Sequential(
            *(layer for _ in range(depth) for layer in (sg.nn.Linear(4, 4), sg.nn.Tanh()))
        )
        derivation = sg.derive(model, {"x": "n 4", "y": "n 4"}, criterion=sg.nn.MSELoss(reduction="sum"))
        lengths.append((len(derivation.program.bindings), len(str(derivation))))
    (b25, t25), (b50, t50), (b100, t100) = lengths
    assert abs((b100 - b50) - 2 * (b50 - b25)) <= 4
    assert t100 - t50 < 2.5 * (t50 - t25)


def test_steps_of_the_tutorial():
    derivation = sg.derive(problem.loss, problem.SHAPES, "w", given={"y_pred": problem.forward})
    assert [s.text for s in derivation.steps if s.phase == "forward"] == [
        "y_pred = xw", "L = ½ Σ (y_pred − y)²",
    ]  # fmt: skip
    last = derivation.steps[-1]
    assert last.text == "∂L/∂w = xᵀδ"
    assert last.shape == "(d, 1)"
    assert "so Aᵀ stands in front" in last.why
    assert "Giles" in last.source
