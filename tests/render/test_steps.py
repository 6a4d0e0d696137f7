"""Every step is the derivative that it says it is, and reads as a course writes it."""

from __future__ import annotations

import importlib.util
import re
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
    assert "δ = ∂L/∂Z = P − Y" in texts("Softmax regression, one-hot labels")
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


PRODUCTS = (
    ("a @ b", {"a": "n", "b": "n"}, "a", "c = aᵀb  ⇒  ā = c̄ b"),
    ("a @ b", {"a": "n", "b": "n"}, "b", "c = aᵀb  ⇒  b̄ = c̄ a"),
    ("0.5 * lam * a @ a", {"a": "n", "lam": ""}, "a", "c = aᵀa  ⇒  ā = 2c̄ a"),
    ("np.sum(A @ b)", {"A": "n d", "b": "d"}, "A", "c = Ab  ⇒  Ā = c̄ bᵀ"),
    ("np.sum(A @ b)", {"A": "n d", "b": "d"}, "b", "c = Ab  ⇒  b̄ = Aᵀc̄"),
    ("np.sum(b @ A)", {"A": "n d", "b": "n"}, "A", "c = Aᵀb  ⇒  Ā = b c̄ᵀ"),
    ("np.sum(A.T @ b)", {"A": "n d", "b": "n"}, "b", "c = Aᵀb  ⇒  b̄ = Ac̄"),
    ("np.sum(b @ A.T)", {"A": "n d", "b": "d"}, "b", "c = Ab  ⇒  b̄ = Aᵀc̄"),
    ("np.trace(A @ B)", {"A": "n d", "B": "d n"}, "A", "C = AB  ⇒  Ā = C̄Bᵀ"),
    ("np.trace(A @ B)", {"A": "n d", "B": "d n"}, "B", "C = AB  ⇒  B̄ = AᵀC̄"),
    ("np.sum(A @ B.T)", {"A": "n d", "B": "k d"}, "A", "C = ABᵀ  ⇒  Ā = C̄B"),
    ("np.sum(A @ B.T)", {"A": "n d", "B": "k d"}, "B", "C = ABᵀ  ⇒  B̄ = C̄ᵀA"),
    ("np.sum(A.T @ B)", {"A": "d n", "B": "d k"}, "A", "C = AᵀB  ⇒  Ā = BC̄ᵀ"),
    ("np.sum(A.T @ B)", {"A": "d n", "B": "d k"}, "B", "C = AᵀB  ⇒  B̄ = AC̄"),
    ("np.sum((A.T @ B.T)**2)", {"A": "d n", "B": "k d"}, "A", "C = AᵀBᵀ  ⇒  Ā = BᵀC̄ᵀ"),
    ("np.sum((A.T @ B.T)**2)", {"A": "d n", "B": "k d"}, "B", "C = AᵀBᵀ  ⇒  B̄ = C̄ᵀAᵀ"),
)


def told(loss, shapes, wrt):
    scope = {"np": np}
    exec(f"def loss({', '.join(shapes)}):\n    return {loss}", scope)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.SymgradWarning)
        return next(s for s in sg.derive(scope["loss"], shapes, wrt).steps if s.value == wrt)


@pytest.mark.parametrize(("loss", "shapes", "wrt", "rule"), PRODUCTS)
def test_the_rule_of_a_product_is_that_of_its_factors(loss, shapes, wrt, rule):
    assert rule in told(loss, shapes, wrt).rule.split("; ")


MATRIX_RULES = {
    "C = AB": lambda a, b: a @ b,
    "C = ABᵀ": lambda a, b: a @ b.T,
    "C = AᵀB": lambda a, b: a.T @ b,
    "C = AᵀBᵀ": lambda a, b: a.T @ b.T,
}


@pytest.mark.parametrize(("left", "position"), [(left, i) for left in MATRIX_RULES for i in (0, 1)])
def test_the_rules_of_products_hold(left, position):
    """The right side of each rule, computed as it stands, is what moves the result in proportion: ⟨Ā, dA⟩ = ⟨C̄, dC⟩."""
    rule = next(r for _, _, wrt, r in PRODUCTS if r.startswith(f"{left}  ") and wrt == "AB"[position])
    rng = np.random.default_rng(0)
    values = {"A": rng.normal(size=(3, 3)), "B": rng.normal(size=(3, 3)), "C̄": rng.normal(size=(3, 3))}
    factors = re.findall("(C̄|A|B)(ᵀ?)", rule.split(" = ")[-1])
    adjoint = np.linalg.multi_dot([values[n].T if t else values[n] for n, t in factors])
    change = rng.normal(size=(3, 3))
    moved = [values["A"], values["B"]]
    moved[position] = change
    np.testing.assert_allclose(np.sum(adjoint * change), np.sum(values["C̄"] * MATRIX_RULES[left](*moved)))


def test_a_factor_that_is_repeated():
    scale = told("np.sum((np.sin(X) * g)**2)", {"X": "n d", "g": "d"}, "g")
    assert "C = A ⊙ 𝟏bᵀ  ⇒  b̄ = (C̄ ⊙ A)ᵀ𝟏" in scale.rule
    assert "summed over the rows" in scale.why
    shift = told("np.sum((X - b)**2)", {"X": "n d", "b": "d"}, "b")
    assert "C = A − 𝟏bᵀ  ⇒  b̄ = −C̄ᵀ𝟏" in shift.rule
    assert "the other sign" in shift.why


def test_squares_and_roots_are_named():
    assert "C = A²  ⇒  Ā = 2C̄ ⊙ A" in told("np.sum(x**2)", {"x": "n"}, "x").rule
    assert "C = A³  ⇒  Ā = 3C̄ ⊙ A²" in told("np.sum(x**3)", {"x": "n"}, "x").rule
    assert "C = √A  ⇒  Ā = ½C̄ / C" in told("np.sum(np.sqrt(x))", {"x": "n"}, "x").rule


def test_kinks_say_what_happens_there():
    assert "at a tie each gets half" in told("np.sum(np.maximum(x, y))", {"x": "n", "y": "n"}, "x").why
    assert "let through or stopped" in told("np.sum(np.maximum(x, 0) * y)", {"x": "n", "y": "n"}, "x").why
    assert "0 is taken at 0" in told("np.sum(np.abs(x))", {"x": "n"}, "x").why
    assert "branch that was chosen" in told("np.sum(np.where(m, x, 2.0))", {"x": "n", "m": "n"}, "x").why


def test_no_clause_is_said_twice():
    for row in DERIVATIONS:
        for s in derived(row).steps:
            clauses = s.why.split("; ")
            assert len(clauses) == len(set(clauses)), s.why


def test_more_than_one_use_is_said_where_there_is_one():
    more = "used more than once"
    assert more not in told("0.5 * x @ x", {"x": "n"}, "x").why
    assert more in told("x @ x + np.sum(np.sin(x))", {"x": "n"}, "x").why
    assert more in told("np.trace(X @ X)", {"X": "n n"}, "X").why
    softmax = "np.sum((np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True) - Y)**2)"
    assert more not in told(softmax, {"Z": "n k", "Y": "n k"}, "Z").why


def test_a_mask_is_no_way_back():
    line = told("np.sum(np.where(x > 1, 1.0, x) ** 2)", {"x": "n"}, "x")
    assert "Ā = 0" not in line.rule
    assert "used more than once" not in line.why
    order = told("np.sum(np.sort(x)[1:] ** 2)", {"x": "5"}, "x")
    assert "nothing flows back" not in order.rule


def test_forward_lines_have_words():
    row = next(r for r in DERIVATIONS if r.name == "Attention")
    rules = [s.rule for s in derived(row).steps if s.phase == "forward"]
    assert rules == ["matrix product", "softmax", "matrix product", "sum"]
    row = next(r for r in DERIVATIONS if r.name == "The marginal likelihood of a Gaussian process")
    rules = [s.rule for s in derived(row).steps if s.phase == "forward"]
    assert rules == ["entry by entry", "linear system", "log-determinant", "inner product"]


def test_ten_derivations_were_held_against_a_book():
    assert sum(bool(row.beside) for row in DERIVATIONS) >= 10
    assert all(row.source and row.book for row in DERIVATIONS)
