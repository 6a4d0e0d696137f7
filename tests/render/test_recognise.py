"""However softmax, σ and softplus are coded, they are printed as such, with the values of the code."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.loss_table import LOSSES, SIZES, draw

import symgrad as sg
from symgrad.program import numpy_callable
from symgrad.render.recognise import recognise

VECTOR = {"x": "n d", "w": "d", "y": "n"}
ROWS = {"z": "n k", "y": "n k"}


def shifted(z, y):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -(y * np.log(e / e.sum(axis=1, keepdims=True))).sum()


def unshifted(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1)[:, None]
    return -np.sum(y * np.log(p))


def by_logsumexp(z, y):
    m = np.max(z, axis=1, keepdims=True)
    return -np.sum(y * (z - (m + np.log(np.sum(np.exp(z - m), axis=1, keepdims=True)))))


def picked(z, y):
    p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(y)), y]))


@pytest.mark.parametrize("loss", [shifted, unshifted, by_logsumexp])
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_cross_entropy(loss):
    assert str(sg.derive(loss, ROWS, "z").gradient) == "diag(y𝟏) softmax(z) − y"
    assert str(sg.derive(loss, ROWS, "z", domains={"y": "onehot"}).gradient) == "softmax(z) − y"


@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_labels():
    derivation = sg.derive(picked, {"z": "n k", "y": "n"}, "z", domains={"y": "labels k"})
    assert str(derivation.gradient) == "softmax(z) − onehot(y)"


LOGISTIC = {
    "max and log1p": lambda x, w, y: np.sum(
        np.maximum(x @ w, 0) - (x @ w) * y + np.log1p(np.exp(-np.abs(x @ w)))
    ),
    "logaddexp": lambda x, w, y: np.sum(np.logaddexp(0, x @ w) - y * (x @ w)),
    "log(1 + exp)": lambda x, w, y: np.sum(np.log(1 + np.exp(x @ w)) - y * (x @ w)),
    "log1p(exp)": lambda x, w, y: np.sum(np.log1p(np.exp(x @ w)) - y * (x @ w)),
    "log of 1/(1 + exp)": lambda x, w, y: (
        -np.sum(y * np.log(1 / (1 + np.exp(-(x @ w)))) + (1 - y) * np.log(1 - 1 / (1 + np.exp(-(x @ w)))))
    ),
    "exp/(1 + exp)": lambda x, w, y: (
        -np.sum(
            y * np.log(np.exp(x @ w) / (1 + np.exp(x @ w)))
            + (1 - y) * np.log(1 - np.exp(x @ w) / (1 + np.exp(x @ w)))
        )
    ),
}


@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_logistic_regression(name):
    assert str(sg.derive(LOGISTIC[name], VECTOR, "w").gradient) == "xᵀ(σ(xw) − y)"


def test_what_only_looks_like_a_softmax_is_left_alone():
    """The exponentials are divided by the sum of others."""
    derivation = sg.derive(
        lambda a, b: (np.exp(a) / np.exp(b).sum(axis=1, keepdims=True)).sum(), {"a": "n k", "b": "n k"}, "a"
    )
    assert "softmax" not in str(derivation)
    assert "logsumexp" not in str(derivation)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_the_recognised_loss_has_the_same_value(loss):
    program = loss.derive().program.only("loss")
    seen = recognise(program)
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        expected = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
        got = numpy_callable(seen)(*(arrays[i.name] for i in seen.inputs))
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11, err_msg=str(sizes))


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_what_is_printed_has_the_values_of_the_derivation(loss):
    derivation = loss.derive()
    shown = derivation.document.program
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        _, expected = derivation(arrays)
        _, got = numpy_callable(shown)(*(arrays[i.name] for i in shown.inputs))
        for name in loss.wrt:
            assert np.shape(got[name]) == np.shape(expected[name])
            np.testing.assert_allclose(
                got[name], expected[name], rtol=1e-8, atol=1e-10, err_msg=f"{name} {sizes}"
            )


def classifier(X, W1, b1, W2, b2, Y):
    h = np.tanh(X @ W1 + b1)
    e = np.exp(h @ W2 + b2)
    return -np.sum(Y * np.log(e / e.sum(axis=1, keepdims=True)))


@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_a_classifier_names_its_probabilities():
    """The loss speaks of log p, the delta of p − Y, and the bias reads the delta."""
    shapes = {"X": "n d", "W1": "d m", "b1": "m", "W2": "m k", "b2": "k", "Y": "n k"}
    derivation = sg.derive(classifier, shapes, ["W1", "b1", "W2", "b2"], domains={"Y": "onehot"})
    assert [str(line) for line in derivation.document.lines()] == [
        "L = −Σ (Y ⊙ log(p))",
        "h = tanh(XW₁ + 𝟏b₁ᵀ)",
        "p = softmax(hW₂ + 𝟏b₂ᵀ)",
        "δ₂ = p − Y",
        "δ₁ = δ₂W₂ᵀ ⊙ (1 − h²)",
        "∂L/∂W₁ = Xᵀδ₁",
        "∂L/∂b₁ = δ₁ᵀ𝟏",
        "∂L/∂W₂ = hᵀδ₂",
        "∂L/∂b₂ = δ₂ᵀ𝟏",
    ]


@pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")
def test_a_long_function_is_written_once():
    """A probability of several letters has a name where the loss and the gradient both read it."""

    def loss(h, V, b, y):
        p = 1 / (1 + np.exp(-(h @ V + b)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    derivation = sg.derive(loss, {"h": "n m", "V": "m", "b": "", "y": "n"}, ["V", "b"])
    assert [str(line) for line in derivation.document.lines()] == [
        "L = −(1/n) Σ (y ⊙ log(p) + (1 − y) ⊙ log(1 − p))",
        "p = σ(hV + b)",
        "δ = p − y",
        "∂L/∂V = (1/n) hᵀδ",
        "∂L/∂b = (1/n) Σ δ",
    ]


def test_the_terms_stand_in_the_order_of_the_loss():
    def loss(X, w):
        total = 0.0
        for i in range(3):
            total = total + X[i] @ w
        return total + np.sum(w**2)

    assert str(sg.derive(loss, {"X": "3 d", "w": "d"}, "w").gradient) == "X[0] + X[1] + X[2] + 2w"
