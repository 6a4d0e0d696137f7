"""Every step is the derivative that it says it is, and reads as a course writes it."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from steps_table import DERIVATIONS

import symgrad as sg
from symgrad.program import Input, Program, numpy_callable
from symgrad.render.recognise import recognise
from symgrad.render.stations import unfolded


def derived(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.SymgradWarning)
        return row.derive()


def run(program, known):
    return numpy_callable(program)(*(known[i.name] for i in program.inputs))


def values(steps, arrays):
    """The value of every line, each computed of the lines before it."""
    known = dict(arrays)
    for s in steps:
        known[s.name] = run(s.program, known)
    return known


def cut(program, value):
    """The loss as a function of one value, all that depends on it computed anew."""
    at = program.by_name[value]
    if isinstance(at, Input):
        return program
    rest = tuple(b for b in program.bindings if b.name != value)
    return Program((*program.inputs, Input(value, at.shape)), rest, program.outputs)


def differences(function, arrays, name, step=1e-6):
    base = np.array(arrays[name], dtype=float)
    out = np.zeros(base.shape)
    for index in np.ndindex(*base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[index] += sign * step
            ends.append(float(function({**arrays, name: moved})))
        out[index] = (ends[0] - ends[1]) / (2 * step)
    return out


@pytest.mark.parametrize("row", DERIVATIONS, ids=str)
def test_forward_lines_are_the_values(row):
    derivation = derived(row)
    arrays = row.draw()
    forward = [s for s in derivation.steps if s.phase == "forward"]
    known = values(forward, arrays)
    program = unfolded(recognise(derivation.program.only("loss")))
    for s in forward:
        expected = run(Program(program.inputs, program.bindings, (("loss", s.value),)).only("loss"), arrays)
        np.testing.assert_allclose(known[s.name], expected, rtol=1e-9, atol=1e-12, err_msg=s.text)
    np.testing.assert_allclose(known[forward[-1].name], row.function()(**arrays), rtol=1e-9)


@pytest.mark.parametrize("row", DERIVATIONS, ids=str)
def test_backward_lines_are_the_derivatives(row):
    """Each against central differences of the rest of the loss, as a function of the value that the line is about."""
    derivation = derived(row)
    arrays = row.draw()
    known = values(derivation.steps, arrays)
    program = unfolded(recognise(derivation.program.only("loss")))
    backward = [s for s in derivation.steps if s.phase == "backward"]
    assert {*row.wrt} <= {s.value for s in backward}
    for s in backward:
        function = cut(program, s.value)
        found = differences(lambda at, f=function: run(f, at), known, s.value)
        assert np.shape(known[s.name]) == found.shape, s.text
        scale = max(1.0, float(np.abs(found).max()))
        np.testing.assert_allclose(known[s.name], found, rtol=0, atol=1e-6 * scale, err_msg=s.text)


@pytest.mark.parametrize("row", DERIVATIONS, ids=str)
def test_a_line_reads_what_stands_above_it(row):
    derivation = derived(row)
    above = {i.name for i in derivation.program.inputs}
    for s in derivation.steps:
        assert {i.name for i in s.program.inputs} <= above
        assert s.rule
        assert s.phase == "forward" or (s.why and s.source)
        above.add(s.name)


@pytest.mark.parametrize("row", DERIVATIONS, ids=str)
def test_signs_and_brackets(row):
    for s in derived(row).steps:
        for bad in ("+ −", "− −", "1·", " ,", "  "):
            assert bad not in s.text, s.text
        assert s.text.count("(") == s.text.count(")"), s.text


def texts(name, phase="backward"):
    row = next(r for r in DERIVATIONS if r.name == name)
    return [s.text for s in derived(row).steps if s.phase == phase]


def test_a_network_as_a_course_writes_it():
    name = "A two-layer network with tanh and squared error"
    assert texts(name, "forward") == [
        "z = XW₁ + 𝟏b₁ᵀ", "h = tanh(z)", "y_hat = hW₂ + 𝟏b₂ᵀ", "L = ½ Σ (y_hat − Y)²",
    ]  # fmt: skip
    assert texts(name) == [
        "δ₂ = ∂L/∂y_hat = y_hat − Y",
        "∂L/∂W₂ = hᵀδ₂",
        "∂L/∂b₂ = δ₂ᵀ𝟏",
        "∂L/∂h = δ₂W₂ᵀ",
        "δ₁ = ∂L/∂z = ∂L/∂h ⊙ (1 − h²)",
        "∂L/∂W₁ = Xᵀδ₁",
        "∂L/∂b₁ = δ₁ᵀ𝟏",
    ]


def test_the_chain_rule_and_what_it_comes_to():
    assert "δ = ∂L/∂z = ∂L/∂p ⊙ p ⊙ (1 − p) = p − y" in texts("Logistic regression")
    assert "δ = ∂L/∂Z = softmax(Z) − Y" in texts("Softmax regression, one-hot labels")
    assert "∂L/∂A = ½A⁻¹ − A⁻¹ ∂L/∂α αᵀ = ½(A⁻¹ − ααᵀ)" in texts(
        "The marginal likelihood of a Gaussian process"
    )


def test_a_bias_says_why_it_is_summed_over_the_rows():
    row = next(r for r in DERIVATIONS if r.name == "A relu network with cross-entropy")
    bias = next(s for s in derived(row).steps if s.value == "b1")
    assert bias.rule == "C = A + 𝟏bᵀ  ⇒  b̄ = C̄ᵀ𝟏"
    assert "every row" in bias.why
    weight = next(s for s in derived(row).steps if s.value == "W1")
    assert "Aᵀ stands in front" in weight.why


def test_a_parameter_without_effect():
    derivation = sg.derive(lambda w, v: np.sum(w**2), {"w": "n", "v": "m"}, ["w", "v"])
    assert [s.text for s in derivation.steps] == ["L = ‖w‖²", "∂L/∂w = 2w", "∂L/∂v = 0"]


def test_the_test_notices_a_wrong_line():
    row = DERIVATIONS[0]
    derivation = derived(row)
    line = next(s for s in derivation.steps if s.value == "b")
    wrong = replace(line, program=next(s for s in derivation.steps if s.value == "r").program)
    known = values([s for s in derivation.steps if s is not line], row.draw())
    assert np.shape(run(wrong.program, known)) != np.shape(run(line.program, known))


def test_the_page_is_fresh():
    source = Path(__file__).resolve().parents[2] / "docs" / "make_steps.py"
    spec = importlib.util.spec_from_file_location("make_steps", source)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run python docs/make_steps.py"


def test_nothing_flows_back_through_an_index():
    def nearest(X, mu):
        distances = ((X[:, None] - mu[None]) ** 2).sum(axis=2)
        k = np.argmin(distances, axis=1)
        return np.sum((X - mu[k]) ** 2)

    derivation = sg.derive(nearest, {"X": "n d", "mu": "k d"}, "mu")
    assert not any("distances" in s.text for s in derivation.steps if s.phase == "backward")
