"""How conditions, choices between formulas, picked entries and powers of matrices are written."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg

X = {"x": "n"}


def losses(function, shapes, wrt, **more):
    lines = sg.derive(function, shapes, wrt, **more).document.lines()
    return [str(line) for line in lines]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (lambda x: (x > 0) & (x < 1.5), "[0 < x < 3/2]"),
        (lambda x: (x <= 2) & (x >= -1), "[−1 ≤ x ≤ 2]"),
        (lambda x: (x > 3) | (x < 0), "[x > 3 ∨ x < 0]"),
        (lambda x: ~(x < 1), "[x ≥ 1]"),
        (lambda x: ~((x < 1) & (x > 0)), "[¬(0 < x < 1)]"),
        (lambda x: ((x > 3) | (x < 0)) & (x != 7), "[(x > 3 ∨ x < 0) ∧ x ≠ 7]"),
    ],
)
def test_conditions(condition, shown):
    derivation = sg.derive(lambda x: np.sum(np.where(condition(x), x**2, np.sin(x))), X, "x")
    assert str(derivation.gradient) == f"where({shown}, 2x, cos(x))"


def test_conditions_in_other_styles():
    derivation = sg.derive(lambda x: np.sum(np.where((x > 3) | (x < 0), x**2, np.sin(x))), X, "x")
    assert derivation.document.formula("x", "ascii") == "where([x > 3 or x < 0], 2x, cos(x))"
    assert r"[x > 3 \vee x < 0]" in derivation.to_latex()


def test_a_choice_between_sums_shows_what_differs():
    assert losses(lambda x: x.max() - x.min(), X, "x") == [
        "L = z₁ − z₂",
        "z₁ = max(x)",
        "z₂ = min(x)",
        "∂L/∂x = [x = z₁] / (Σ [x = z₁]) − [x = z₂] / (Σ [x = z₂])",
    ]


def test_the_entries_that_labels_name():
    def loss(z, y):
        return np.sum(z**2) - np.sum(z[np.arange(len(y)), y])

    shapes = {"z": "n k", "y": "n"}
    assert losses(loss, shapes, "z") == ["L = ‖z‖_F² − Σ z[i, yᵢ]", "∂L/∂z = 2z − onehot(y)"]
    derivation = sg.derive(loss, shapes, "z")
    assert r"\sum z_{i, y_i}" in derivation.to_latex()
    assert "z[i, y[i]]" in derivation.to_text(ascii=True)


def test_an_index_called_i_is_not_taken_for_the_row():
    def loss(z, i):
        return np.sum(z[np.arange(len(i)), i])

    assert losses(loss, {"z": "n k", "i": "n"}, "z")[0] == "L = Σ z[arange(n), i]"


@pytest.mark.parametrize(
    ("loss", "shapes", "gradient"),
    [
        (lambda x, A: x @ A @ x, {"x": "n", "A": "n n"}, "(A + Aᵀ)x"),
        (lambda x, A, b: x @ A @ x / 2 - b @ x, {"x": "n", "A": "n n", "b": "n"}, "½(A + Aᵀ)x − b"),
        (lambda x, A: A @ x @ x, {"x": "n", "A": "n n"}, "(A + Aᵀ)x"),
    ],
)
def test_quadratic_forms(loss, shapes, gradient):
    assert str(sg.derive(loss, shapes, "x").gradient) == gradient


def test_powers_of_matrices_are_products():
    derivation = sg.derive(lambda X: np.trace(np.linalg.matrix_power(X, 3)), {"X": "n n"}, "X")
    assert str(derivation.document.lines()[0]) == "L = tr(XXX)"


def test_a_bare_linear_layer_has_the_letters_of_a_course():
    model = sg.nn.Linear(4, 3)
    derivation = sg.derive(model, {"x": "n 4", "y": "n 3"}, criterion=sg.nn.MSELoss(reduction="sum"))
    assert [str(line) for line in derivation.document.lines()] == [
        "L = ‖r‖_F²",
        "r = xWᵀ + 𝟏bᵀ − y",
        "∂L/∂W = 2rᵀx",
        "∂L/∂b = 2rᵀ𝟏",
    ]


def test_sums_of_deviations_vanish_in_products_too():
    def loss(X, W):
        a = (X - X.mean(axis=0)) / 3
        return np.sum((a.T @ (a @ W)) ** 2)

    assert " 0" not in str(sg.derive(loss, {"X": "n d", "W": "d k"}, ["X", "W"]))
