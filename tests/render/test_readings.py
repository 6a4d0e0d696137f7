"""Formulas that used to read wrongly: each is printed in the one way in which it can be read."""

import numpy as np
import pytest

import symgrad as sg

MATRIX = {"a": "n d"}
READINGS = {
    "a hidden reshape": (
        lambda v, u: ((v[:, None] - u[None, :]) ** 2).sum(),
        {"v": "n", "u": "m"},
        ["v"],
        "L = Σ (v𝟏ᵀ − 𝟏uᵀ)²; ∂L/∂v = 2(v𝟏ᵀ − 𝟏uᵀ)𝟏",
    ),
    "a vector against a column": (
        lambda u, v: ((u - v) ** 2).sum(),
        {"u": "n", "v": "n 1"},
        ["u"],
        "L = Σ (𝟏uᵀ − v𝟏ᵀ)²; ∂L/∂u = 2(𝟏uᵀ − v𝟏ᵀ)ᵀ𝟏",
    ),
    "rows scaled": (
        lambda s, a: np.tanh(s[:, None] * a).sum(),
        {"s": "n", "a": "n d"},
        ["a"],
        "L = Σ tanh(diag(s)a); ∂L/∂a = diag(s)(1 − tanh(diag(s)a)²)",
    ),
    "columns divided": (
        lambda s, a: np.tanh(a / s).sum(),
        {"s": "d", "a": "n d"},
        ["a"],
        "L = Σ tanh(a diag(s)⁻¹); ∂L/∂a = (1 − tanh(a diag(s)⁻¹)²) diag(s)⁻¹",
    ),
    "a column times a row": (
        lambda u, v: np.exp(u[:, None] * v).sum(),
        {"u": "n", "v": "d"},
        ["u"],
        "L = Σ exp(uvᵀ); ∂L/∂u = exp(uvᵀ)v",
    ),
    "axes of a stack": (
        lambda t: (t.sum(axis=(0, 2)) ** 2).sum(),
        {"t": "n m d"},
        ["t"],
        "L = ‖sum(t, axis=(0, 2))‖²; ∂L/∂t = 2 broadcast(sum(t, axis=(0, 2))[newaxis, :, newaxis], (n, m, d))",
    ),
    "a power of one tenth": (lambda w: (w**0.1).sum(), {"w": "n"}, ["w"], "L = Σ w^0.1; ∂L/∂w = 0.1 / w^0.9"),
    "floats added exactly": (
        lambda w: (0.1 * w + 0.2 * w).sum(),
        {"w": "n"},
        ["w"],
        "L = 0.3 Σ w; ∂L/∂w = 0.3 𝟏",
    ),
    "numbers evaluated": (
        lambda w: (w - w).sum() + np.maximum(2, 3) * w.sum(),
        {"w": "n"},
        ["w"],
        "L = 3 Σ w; ∂L/∂w = 3 𝟏",
    ),
    "reshaped to and fro": (
        lambda a: (a.reshape(-1) ** 2).sum(),
        MATRIX,
        ["a"],
        "L = ‖a‖_F²; ∂L/∂a = 2a",
    ),
    "deviations sum to 0": (
        lambda a: ((a - a.mean(axis=1, keepdims=True)) ** 2).sum(),
        MATRIX,
        ["a"],
        "L = Σ (a − (1/d) a𝟏𝟏ᵀ)²; ∂L/∂a = 2(a − (1/d) a𝟏𝟏ᵀ)",
    ),
    "transposes": (
        lambda a, b: ((a.T + b.T) * a.T).sum(),
        {"a": "n d", "b": "n d"},
        ["a"],
        "L = Σ (a ⊙ (a + b)); ∂L/∂a = 2a + b",
    ),
    "a number in a matrix": (
        lambda w, lam: lam * (w.T @ w).sum(),
        {"w": "d 1", "lam": ""},
        ["w"],
        "L = λwᵀw; ∂L/∂w = 2λw",
    ),
    "three factors": (
        lambda a, b, c: (a @ b @ c).sum(),
        {"a": "n d", "b": "d m", "c": "m k"},
        ["c"],
        "L = Σ abc; ∂L/∂c = bᵀaᵀ𝟏𝟏ᵀ",
    ),
    "a sum in a quotient": (
        lambda a, z: a.sum() / (z + 1),
        {"a": "n", "z": ""},
        ["z"],
        "L = (Σ a)/(z + 1); ∂L/∂z = −(Σ a)/(z + 1)²",
    ),
    "sizes in their order": (
        lambda a: a.mean(),
        {"a": "n k"},
        ["a"],
        "L = 1/(nk) Σ a; ∂L/∂a = 1/(nk) 𝟏𝟏ᵀ",
    ),
    "a name like a product": (
        lambda x, w, xw: ((x @ w - xw) ** 2).sum(),
        {"x": "n d", "w": "d", "xw": "n"},
        ["w"],
        "L = Σ (x w − xw)²; ∂L/∂w = 2xᵀ(x w − xw)",
    ),
    "a parameter called like a size": (
        lambda x, n: (n * x**2).mean(),
        {"x": "n", "n": ""},
        ["x"],
        "L = (1/size(n)) n‖x‖²; ∂L/∂x = (2/size(n)) nx",
    ),
    "a divisor that is a product": (
        lambda a, b: (b / (a @ a.T)).sum(),
        {"a": "n d", "b": "n n"},
        ["b"],
        "L = Σ (b / (aaᵀ)); ∂L/∂b = 1 / (aaᵀ)",
    ),
    "a logarithm's base": (
        lambda a: np.log2(a).sum(),
        {"a": "n"},
        ["a"],
        "L = (Σ log(a))/log(2); ∂L/∂a = (1 / a) / log(2)",
    ),
}


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_reading(name):
    loss, shapes, wrt, expected = READINGS[name]
    derivation = sg.derive(loss, shapes, wrt)
    assert "; ".join(str(line) for line in derivation.document.lines()) == expected


def test_ascii_keeps_names_apart():
    def loss(X, beta, gamma, Y):
        return 0.5 * np.sum((np.tanh(X @ beta) @ gamma - Y) ** 2)

    shapes = {"X": "n d", "beta": "d m", "gamma": "m k", "Y": "n k"}
    text = sg.derive(loss, shapes, ["beta", "gamma"]).to_text(ascii=True)
    assert text == (
        "        L = (1/2) ||r||_F^2\n"
        "        h = tanh(X beta)\n"
        "        r = h gamma - Y\n"
        " dL/dbeta = X'(r gamma' * (1 - h^2))    (d, m)\n"
        "dL/dgamma = h'r    (m, k)"
    )


def test_a_formula_alone_tells_its_names():
    shapes = {"x": "n d", "w": "d", "y": "n"}
    derivation = sg.derive(lambda x, w, y: 0.5 * np.sum((np.tanh(x @ w) - y) ** 2), shapes, "w")
    assert str(derivation.gradient) == "xᵀ((1 − h²) ⊙ (h − y)), where h = tanh(xw)"
    latex = derivation.gradient.to_latex()
    assert latex.endswith(r"\quad\text{where } h = \operatorname{tanh}\left(x w\right)") or r"\tanh" in latex


def test_all_styles_of_a_deep_network_are_quick():
    import time

    model = sg.nn.Sequential(*(x for _ in range(100) for x in (sg.nn.Linear(4, 4), sg.nn.Tanh())))
    start = time.perf_counter()
    d = sg.derive(model, {"x": "n 4", "y": "n 4"}, criterion=sg.nn.MSELoss(reduction="sum"))
    lengths = [len(d.to_text()), len(d.to_text(ascii=True)), len(d.to_latex())]
    assert max(lengths) < 60_000
    assert (
        time.perf_counter() - start < 30
    )  # seconds; 2 on a quiet machine, minutes where it grows with depth²
