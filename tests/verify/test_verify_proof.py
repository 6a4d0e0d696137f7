"""What is proved, and what never may be."""

from __future__ import annotations

import numpy as np
import pytest
from verify_losses import SEVERAL, sigmoid

import verify
from symgrad.program import numpy_callable
from verify.candidate import match
from verify.normal_form import NormalForm, Opaque
from verify.polynomial import (
    HERE,
    Atom,
    Monomial,
    TooLarge,
    add,
    atom,
    bind,
    canonical,
    frozen,
    multiply,
    number,
    rename,
)
from verify.proof import prove
from verify.spec import make_spec
from verify.trace import try_trace

HALF = (lambda x, w, y: 0.5 * ((x @ w - y) ** 2).sum(), SEVERAL, "w")
MEAN = (lambda x, w, y: ((x @ w - y) ** 2).mean(), SEVERAL, "w")
ROWS = (lambda x, w, y: ((x @ w - y) ** 2).sum() / x.shape[0], SEVERAL, "w")
RIDGE = (
    lambda x, w, y, lam: 0.5 * ((x @ w - y) ** 2).sum() + lam * (w**2).sum(),
    {**SEVERAL, "lam": ""},
    "w",
)
BIAS = (lambda x, w, b, y: ((x @ w + b - y) ** 2).sum(), {**SEVERAL, "b": "k"}, "b")
SQUARE = (lambda a, b: 0.5 * ((a @ b) ** 2).sum(), {"a": "n n", "b": "n n"}, "b")
FORM = (lambda u, a: u @ a @ u, {"u": "n", "a": "n n"}, "u")
OUTER = (lambda u, v, m: (np.outer(u, v) * m).sum(), {"u": "n", "v": "d", "m": "n d"}, "u")
VECTOR = (lambda x, w, y: 0.5 * ((x @ w - y) ** 2).sum(), {"x": "n d", "w": "d", "y": "n"}, "w")
NEURON = (lambda x, w, y: 0.5 * ((sigmoid(x @ w) - y) ** 2).sum(), SEVERAL, "w")
TANH = (
    lambda x, w1, w2, y: 0.5 * ((np.tanh(x @ w1) @ w2 - y) ** 2).sum(),
    {"x": "n d", "w1": "d h", "w2": "h k", "y": "n k"},
    "w1",
)
RELU = (
    lambda x, w1, w2, y: 0.5 * ((np.maximum(x @ w1, 0) @ w2 - y) ** 2).sum(),
    TANH[1],
    "w1",
)


def tanh_by_cosh(x, w1, w2, y):
    h = np.tanh(x @ w1)
    delta = (h @ w2 - y) @ w2.T
    return x.T @ (delta - delta * h * h)


def relu_by_where(x, w1, w2, y):
    h = np.maximum(x @ w1, 0)
    return x.T @ np.where(x @ w1 > 0, (h @ w2 - y) @ w2.T, 0)


RIGHT = {
    "textbook": (HALF, lambda x, w, y: x.T @ (x @ w - y)),
    "expanded": (HALF, lambda x, w, y: x.T @ x @ w - x.T @ y),
    "turned signs": (HALF, lambda x, w, y: -(x.T @ (y - x @ w))),
    "transposed whole": (HALF, lambda x, w, y: ((x @ w - y).T @ x).T),
    "np.dot": (HALF, lambda x, w, y: np.dot(np.transpose(x), np.dot(x, w) - y)),
    "two halves": (HALF, lambda x, w, y: 0.5 * x.T @ (x @ w - y) + x.T @ (x @ w - y) / 2),
    "mean by size": (MEAN, lambda x, w, y: 2 * x.T @ (x @ w - y) / y.size),
    "mean by sizes": (MEAN, lambda x, w, y: 2 / (x.shape[0] * w.shape[1]) * (x.T @ (x @ w - y))),
    "mean residual first": (MEAN, lambda x, w, y: x.T @ (2 * (x @ w - y) / (len(x) * y.shape[1]))),
    "rows": (ROWS, lambda x, w, y: 2 * x.T @ (x @ w - y) / len(y)),
    "rows twice": (ROWS, lambda x, w, y: x.T @ ((x @ w - y) / x.shape[0]) * 2.0),
    "ridge": (RIDGE, lambda x, w, y, lam: x.T @ (x @ w - y) + 2 * lam * w),
    "ridge by addition": (RIDGE, lambda x, w, y, lam: lam * w + x.T @ (x @ w - y) + lam * w),
    "bias": (BIAS, lambda x, w, b, y: 2 * (x @ w + b - y).sum(axis=0)),
    "bias by ones": (
        BIAS,
        lambda x, w, b, y: 2 * np.ones_like(x[:, None].sum(axis=(1, 2))) @ (x @ w + b - y),
    ),
    "bias expanded": (
        BIAS,
        lambda x, w, b, y: 2 * (x.sum(axis=0) @ w + x.shape[0] * b - y.sum(axis=0)),
    ),
    "square": (SQUARE, lambda a, b: a.T @ (a @ b)),
    "square regrouped": (SQUARE, lambda a, b: (a.T @ a) @ b),
    "form": (FORM, lambda u, a: (a + a.T) @ u),
    "form from the left": (FORM, lambda u, a: a @ u + u @ a),
    "outer": (OUTER, lambda u, v, m: m @ v),
    "outer by sum": (OUTER, lambda u, v, m: (m * v).sum(axis=1)),
    "vector": (VECTOR, lambda x, w, y: (x @ w - y) @ x),
    "vector by sum": (VECTOR, lambda x, w, y: ((x @ w - y)[:, None] * x).sum(axis=0)),
    "neuron": (NEURON, lambda x, w, y: x.T @ ((sigmoid(x @ w) - y) * sigmoid(x @ w) * (1 - sigmoid(x @ w)))),
    "tanh": (
        TANH,
        lambda x, w1, w2, y: x.T @ ((np.tanh(x @ w1) @ w2 - y) @ w2.T * (1 - np.tanh(x @ w1) ** 2)),
    ),
    "tanh regrouped": (TANH, tanh_by_cosh),
    "relu": (RELU, lambda x, w1, w2, y: x.T @ ((np.maximum(x @ w1, 0) @ w2 - y) @ w2.T * (x @ w1 > 0))),
    "relu by where": (RELU, relu_by_where),
    "relu by its result": (
        RELU,
        lambda x, w1, w2, y: x.T @ ((np.maximum(x @ w1, 0) @ w2 - y) @ w2.T * (np.maximum(x @ w1, 0) > 0)),
    ),
}

WRONG = {
    "sign": (HALF, lambda x, w, y: x.T @ (y - x @ w)),
    "factor 2": (HALF, lambda x, w, y: 2 * x.T @ (x @ w - y)),
    "half": (HALF, lambda x, w, y: 0.5 * x.T @ (x @ w - y)),
    "mean taken": (HALF, lambda x, w, y: x.T @ (x @ w - y) / len(x)),
    "target forgotten": (HALF, lambda x, w, y: x.T @ (x @ w)),
    "one in 10⁷": (HALF, lambda x, w, y: x.T @ (x @ w - y) * (1 + 1e-7)),
    "mean forgotten": (MEAN, lambda x, w, y: 2 * x.T @ (x @ w - y)),
    "mean over rows": (MEAN, lambda x, w, y: 2 * x.T @ (x @ w - y) / len(x)),
    "mean over columns": (MEAN, lambda x, w, y: 2 * x.T @ (x @ w - y) / y.shape[1]),
    "mean over all": (ROWS, lambda x, w, y: 2 * x.T @ (x @ w - y) / y.size),
    "divided by d": (ROWS, lambda x, w, y: 2 * x.T @ (x @ w - y) / x.shape[1]),
    "regulariser forgotten": (RIDGE, lambda x, w, y, lam: x.T @ (x @ w - y)),
    "regulariser halved": (RIDGE, lambda x, w, y, lam: x.T @ (x @ w - y) + lam * w),
    "regulariser averaged": (RIDGE, lambda x, w, y, lam: x.T @ (x @ w - y) + 2 * lam * w / len(x)),
    "regulariser's sign": (RIDGE, lambda x, w, y, lam: x.T @ (x @ w - y) - 2 * lam * w),
    "bias not summed": (BIAS, lambda x, w, b, y: 2 * (x @ w + b - y)),
    "bias averaged": (BIAS, lambda x, w, b, y: 2 * (x @ w + b - y).mean(axis=0)),
    "bias over all": (BIAS, lambda x, w, b, y: 2 * (x @ w + b - y).sum() * np.ones_like(b)),
    "bias without b": (BIAS, lambda x, w, b, y: 2 * (x @ w - y).sum(axis=0)),
    "wrong axis on squares": (
        (BIAS[0], {"x": "n d", "w": "d n", "b": "n", "y": "n n"}, "b"),
        lambda x, w, b, y: 2 * (x @ w + b - y).sum(axis=1),
    ),
    "no transpose": (SQUARE, lambda a, b: a @ (a @ b)),
    "other side": (SQUARE, lambda a, b: (a @ b) @ a.T),
    "b first": (SQUARE, lambda a, b: b @ a.T @ a),
    "symmetric assumed": (FORM, lambda u, a: 2 * a @ u),
    "transposed": (SQUARE, lambda a, b: (a.T @ (a @ b)).T),
    "σ′ forgotten": (NEURON, lambda x, w, y: x.T @ (sigmoid(x @ w) - y)),
    "tanh′ of the activation": (
        TANH,
        lambda x, w1, w2, y: x.T @ ((np.tanh(x @ w1) @ w2 - y) @ w2.T * (1 - np.tanh(np.tanh(x @ w1)) ** 2)),
    ),
    "tanh′ forgotten": (TANH, lambda x, w1, w2, y: x.T @ ((np.tanh(x @ w1) @ w2 - y) @ w2.T)),
    "mask from upstream": (
        RELU,
        lambda x, w1, w2, y: (
            x.T @ ((np.maximum(x @ w1, 0) @ w2 - y) @ w2.T * ((np.maximum(x @ w1, 0) @ w2 - y) @ w2.T > 0))
        ),
    ),
    "mask forgotten": (RELU, lambda x, w1, w2, y: x.T @ ((np.maximum(x @ w1, 0) @ w2 - y) @ w2.T)),
    "0/0 at n = 0": (HALF, lambda x, w, y: x.T @ (x @ w - y) * x.sum() / x.sum()),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_are_proved(name):
    (loss, shapes, wrt), gradient = RIGHT[name]
    report = verify.check(gradient, of=loss, shapes=shapes, wrt=wrt, cases=0)
    assert report.verdict == "proved", report


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_refuted_and_not_proved(name):
    (loss, shapes, wrt), gradient = WRONG[name]
    spec = make_spec(loss, shapes, wrt)
    followed, _ = try_trace(match(gradient, spec, None), spec)
    assert followed is None or prove(spec, followed.program) is not None
    report = verify.check(gradient, of=loss, shapes=shapes, wrt=wrt)
    if name != "0/0 at n = 0":
        assert report.verdict == "refuted", report


def test_a_wrong_gradient_that_only_one_size_shows_is_not_proved():
    # Equal to the right one wherever n = d.
    loss, shapes, wrt = ROWS
    report = verify.check(
        lambda x, w, y: 2 * x.T @ (x @ w - y) / x.shape[1], of=loss, shapes={**shapes, "x": "n d"}, wrt=wrt
    )
    assert report.verdict == "refuted"


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: np.ones_like(x) * 1.0 + 0 * np.log(x),
        lambda x: np.ones_like(x) + np.sqrt(x) - np.sqrt(x),
        lambda x: np.ones_like(x) * (1 / x - 1 / x + 1),
    ],
)
def test_what_the_loss_does_not_divide_by_is_not_proved(gradient):
    report = verify.check(gradient, of=lambda x: x.sum(), shapes={"x": "n"}, wrt="x")
    assert report.verdict != "proved"


def test_a_function_that_looks_at_the_kind_of_its_argument_is_not_proved():
    def by_kind(x, w, y):
        return x.T @ (x @ w - y) * (1 if isinstance(x, np.ndarray) else 2)

    report = verify.check(by_kind, of=HALF[0], shapes=SEVERAL, wrt="w")
    assert report.verdict == "passed"
    assert "isinstance" in report.reason


def test_a_function_that_catches_errors_is_not_proved():
    def careful(x, w, y):
        try:
            return x.T @ (x @ w - y)
        except ValueError:
            return w

    assert verify.check(careful, of=HALF[0], shapes=SEVERAL, wrt="w").verdict == "passed"


def test_a_proof_needs_clean_concrete_cases():
    # Traced it is right; run on numbers it overflows where the loss does not.
    def overflowing(x, w, y):
        return x.T @ (x @ w - y) * (np.exp(x).sum() / np.exp(x).sum())

    report = verify.check(overflowing, of=HALF[0], shapes=SEVERAL, wrt="w")
    assert report.verdict != "proved"


# The normal form itself -----------------------------------------------------------------------------


def _value(form, arrays, opaque_values, sizes, index):
    """Evaluate a normal form at one position by looping over its bound indices."""
    total = 0.0
    for monomial, coefficient in form.items():
        for bound in np.ndindex(*(sizes.get(d) or int(d) for d in monomial.bound)):
            term = float(coefficient)
            for a, exponent in monomial.factors:
                at = tuple(0 if i == HERE else (index[i] if i >= 0 else bound[-1 - i]) for i in a.index)
                if a.kind == "dim":
                    term *= float(sizes[a.key]) ** exponent
                else:
                    term *= float(arrays[a.key][at]) ** exponent
            total += term
    return total


@pytest.mark.parametrize("name", [n for n in RIGHT if not n.startswith(("neuron", "tanh", "relu"))])
def test_a_normal_form_evaluates_to_what_its_function_computes(name):
    (loss, shapes, wrt), gradient = RIGHT[name]
    spec = make_spec(loss, shapes, wrt)
    followed, why = try_trace(match(gradient, spec, None), spec)
    assert followed is not None, why
    program = followed.program
    form = NormalForm(program, Opaque()).output(wrt)
    sizes = {"n": 3, "d": 2, "k": 4}
    generator = np.random.default_rng(0)
    arrays = {i.name: generator.standard_normal(spec.shape(i.name, sizes)) for i in spec.inputs}
    got = numpy_callable(program)(*arrays.values())
    want = np.array([_value(form, arrays, {}, sizes, at) for at in np.ndindex(got.shape)]).reshape(got.shape)
    assert np.allclose(got, want)


def test_bound_indices_are_not_captured():
    x = atom(Atom("in", "x", (0,)))
    total = bind(x, 0, "n")
    square = multiply(total, total)  # Σᵢ Σⱼ xᵢxⱼ, not Σᵢ xᵢ²
    assert frozen(square) != frozen(bind(multiply(x, x), 0, "n"))
    ((monomial, _),) = square.items()
    assert monomial.bound == ("n", "n")


def test_the_order_of_bound_indices_does_not_matter():
    a, b = Atom("in", "a", (-1, -2)), Atom("in", "a", (-2, -1))
    bound = {-1: "n", -2: "n"}
    assert canonical([(a, 1), (Atom("in", "u", (-1,)), 1)], bound) == canonical(
        [(b, 1), (Atom("in", "u", (-2,)), 1)], bound
    )
    assert canonical([(a, 1), (b, 1)], bound) != canonical([(a, 2)], bound)


def test_renaming_is_simultaneous():
    p = atom(Atom("in", "a", (0, 1)))
    assert frozen(rename(p, {0: 1, 1: 0})) == frozen(atom(Atom("in", "a", (1, 0))))


def test_a_sum_over_nothing_is_a_size():
    assert frozen(bind(number(1), 0, "n")) == frozen(atom(Atom("dim", "n")))
    assert frozen(bind(number(3), 0, "2")) == frozen(number(6))
    assert add([number(1), number(-1)]) == {}
    assert Monomial(()) in number(1)


def test_growth_is_a_refusal():
    many = add(atom(Atom("in", f"x{i}", (0,))) for i in range(30))
    with pytest.raises(TooLarge):
        multiply(multiply(many, many), multiply(many, many))
