"""One loss in several spellings has one printed gradient; functions in every form that Python has."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Symbol, Trace, symbols
from sympy.matrices.expressions import HadamardPower, OneMatrix

import symgrad as sg
from symgrad.errors import SymgradWarning, UnsupportedError

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}
GRADIENT = "xᵀ(xw − y)"

n, d = symbols("n d", integer=True, positive=True)
X, W, Y = MatrixSymbol("x", n, d), MatrixSymbol("w", d, 1), MatrixSymbol("y", n, 1)


def forward(x, w):
    return np.matmul(x, w)


def loss(y_pred, y):
    return (0.5 * (y_pred - y) ** 2).sum()


class Weights(sg.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = sg.nn.Parameter(sg.randn(2, 1))

    def forward(self, x):
        return sg.matmul(x, self.w)


SPELLINGS = {
    "text": ("(0.5*(x @ w - y)**2).sum()", {}),
    "text with np": ("0.5*np.sum(np.square(np.matmul(x, w) - y))", {}),
    "text with a quotient": ("((x @ w - y)**2).sum()/2", {}),
    "function": (lambda x, w, y: (0.5 * (x @ w - y) ** 2).sum(), {}),
    "np.dot": (lambda x, w, y: 0.5 * np.sum((np.dot(x, w) - y) ** 2), {}),
    "method dot": (lambda x, w, y: ((x.dot(w) - y) ** 2).sum() / 2, {}),
    "product of residuals": (lambda x, w, y: 0.5 * ((x @ w - y) * (x @ w - y)).sum(), {}),
    "transposed": (lambda x, w, y: 0.5 * ((w.T @ x.T - y.T) ** 2).sum(), {}),
    "other sign": (lambda x, w, y: 0.5 * ((y - x @ w) ** 2).sum(), {}),
    "given": (loss, {"given": {"y_pred": forward}}),
    "given text": ("(0.5*(y_pred - y)**2).sum()", {"given": {"y_pred": "x @ w"}}),
    "two givens": (loss, {"given": {"y_pred": lambda z: 1 * z, "z": forward}}),
    "eager functions": (lambda x, w, y: 0.5 * sg.sum(sg.square(sg.matmul(x, w) - y)), {}),
    "quadratic form": (lambda x, w, y: 0.5 * ((x @ w - y).T @ (x @ w - y)).sum(), {}),
    "sum of sums": (lambda x, w, y: ((0.5 * (x @ w - y) ** 2).sum(axis=0)).sum(), {}),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_gradient_in_many_spellings(name):
    spelled, options = SPELLINGS[name]
    assert str(sg.derive(spelled, SHAPES, wrt="w", **options).gradient) == GRADIENT


@pytest.mark.parametrize(
    "expr",
    [
        OneMatrix(1, n) * HadamardPower(X * W - Y, 2) / 2,
        (X * W - Y).T * (X * W - Y) / 2,
        Trace((X * W - Y).T * (X * W - Y)) / 2,
        Trace((X * W - Y) * (X * W - Y).T) / 2,
    ],
    ids=["sum", "product", "trace", "other trace"],
)
def test_sympy_expressions_compute_the_same(expr):
    derived = sg.derive(expr, wrt="w")
    rng = np.random.default_rng(0)
    x, w, y = rng.normal(size=(4, 2)), rng.normal(size=(2, 1)), rng.normal(size=(4, 1))
    value, grads = derived(x=x, w=w, y=y)
    assert value == pytest.approx(0.5 * ((x @ w - y) ** 2).sum())
    np.testing.assert_allclose(grads["w"], x.T @ (x @ w - y), rtol=1e-12)


def test_sympys_trace_prints_the_textbook_gradient():
    assert str(sg.derive(Trace((X * W - Y).T * (X * W - Y)) / 2, wrt="w").gradient) == GRADIENT


def test_sympys_scalars():
    a, b = Symbol("a"), Symbol("b", positive=True)
    derived = sg.derive(
        sympy.exp(a) * b**2 + sympy.sin(a * b) + sympy.Abs(a) + sympy.Max(a, b), wrt=("a", "b")
    )
    value, grads = derived(a=np.float64(0.5), b=np.float64(2.0))
    assert value == pytest.approx(np.exp(0.5) * 4 + np.sin(1) + 0.5 + 2)
    assert grads["a"] == pytest.approx(np.exp(0.5) * 4 + 2 * np.cos(1) + 1)
    assert grads["b"] == pytest.approx(np.exp(0.5) * 4 + 0.5 * np.cos(1) + 1)
    with pytest.raises(UnsupportedError, match="has no rule"):
        sg.derive(sympy.Integral(a, a) + a, wrt="a")


def test_a_module_with_its_criterion():
    model = Weights()
    half = sg.derive(model, {"x": "n d", "y": "n 1"}, criterion=sg.nn.MSELoss(reduction="sum"))
    assert str(half.gradients["w"]) == "2xᵀ(xw − y)"
    assert half.wrt == ("w",)


# Functions in every form ---------------------------------------------------------------------------------


def with_default(x, w, y, scale=0.5):
    return (scale * (x @ w - y) ** 2).sum()


def keyword_only(x, w, *, y):
    return (0.5 * (x @ w - y) ** 2).sum()


def positional_only(x, w, /, y):
    return (0.5 * (x @ w - y) ** 2).sum()


def closure(scale):
    def inner(x, w, y):
        return (scale * (x @ w - y) ** 2).sum()

    return inner


class Model:
    scale = 0.5

    def loss(self, x, w, y):
        return (self.scale * (x @ w - y) ** 2).sum()

    @staticmethod
    def static(x, w, y):
        return (0.5 * (x @ w - y) ** 2).sum()

    @classmethod
    def of_class(cls, x, w, y):
        return (cls.scale * (x @ w - y) ** 2).sum()

    def __call__(self, x, w, y):
        return self.loss(x, w, y)


def with_locals(x, w, y):
    z = x @ w
    r = z - y
    squares = r**2
    return 0.5 * squares.sum()


def with_helper(x, w, y):
    return with_locals(x, w, y) * 1


def other_order(y, w, x):
    return (0.5 * (x @ w - y) ** 2).sum()


FORMS = {
    "default": with_default,
    "keyword only": keyword_only,
    "positional only": positional_only,
    "closure": closure(0.5),
    "method": Model().loss,
    "static method": Model.static,
    "class method": Model.of_class,
    "callable object": Model(),
    "lambda": lambda x, w, y: (0.5 * (x @ w - y) ** 2).sum(),
    "locals": with_locals,
    "helper": with_helper,
    "another order": other_order,
    "wrapped": functools.wraps(with_locals)(lambda x, w, y: with_locals(x, w, y)),
    "partial": functools.partial(with_default, scale=0.5),
}


@pytest.mark.parametrize("name", FORMS)
def test_functions_in_every_form(name):
    assert str(sg.derive(FORMS[name], SHAPES, wrt="w").gradient) == GRADIENT


def test_a_numba_function_is_traced_as_the_python_one():
    numba = pytest.importorskip("numba")
    jitted = numba.njit(with_locals)
    assert str(sg.derive(jitted, SHAPES, wrt="w").gradient) == GRADIENT


def test_a_default_may_be_overridden_by_a_shape():
    derived = sg.derive(with_default, {**SHAPES, "scale": ""}, wrt="w")
    assert [i.name for i in derived.program.inputs] == ["x", "w", "y", "scale"]


def test_options_may_be_branched_on():
    def regularised(w, l2=True):
        return (w**2).sum() if l2 else np.abs(w).sum()

    assert str(sg.derive(regularised, {"w": "n"}, wrt="w").gradient) == "2w"


def test_loops_over_python_lists_are_unrolled():
    def layers(x, w1, w2):
        h = x
        for w in (w1, w2):
            h = np.tanh(h @ w)
        return h.sum()

    derived = sg.derive(layers, {"x": "n d", "w1": "d d", "w2": "d d"}, wrt=("w1", "w2"))
    assert sum(b.op == "matmul" for b in derived.program.only("loss").bindings) == 2


def test_fixed_sizes_are_ints():
    def counted(x):
        assert isinstance(x.shape[0], int)
        assert len(x) == 3
        return sum(x[None, :].sum() * i for i in range(x.shape[0]))

    assert sg.derive(counted, {"x": "3"}, wrt="x")(x=np.ones(3))[0] == 9


def test_sizes_take_part_in_arithmetic():
    def scaled(x):
        return x.sum() * (1 / len(x)) + x.mean() / x.shape[0] ** 2 + 1 / x.size

    value, grads = sg.derive(scaled, {"x": "n"}, wrt="x")(x=np.array([1.0, 3.0]))
    assert value == 2 + 0.5 + 0.5
    np.testing.assert_allclose(grads["x"], [0.625, 0.625])


def test_a_vector_against_a_column_is_warned_of():
    with pytest.warns(SymgradWarning, match=r"\(n,\) with \(n, 1\) broadcasts to \(n, n\)"):
        derived = sg.derive("((x @ w - y)**2).sum()", {"x": "n d", "w": "d 1", "y": "n"}, wrt="w")
    assert len(derived.warnings) == 1
    assert "warning: " in str(derived)
    rng = np.random.default_rng(0)
    x, w, y = rng.normal(size=(3, 2)), rng.normal(size=(2, 1)), rng.normal(size=3)
    assert derived(x=x, w=w, y=y)[0] == pytest.approx(((x @ w - y) ** 2).sum())


@pytest.mark.parametrize(
    ("text", "shapes"),
    [("((x - y)**2).sum()", {"x": "n", "y": "n"}), ("((x - y)**2).sum()", {"x": "n 1", "y": "n 1"}),
     ("((x - y)**2).sum()", {"x": "1", "y": "n 1"}), ("(x*y).sum()", {"x": "d", "y": "n 1"})],
)  # fmt: skip
def test_other_broadcasts_are_not_warned_of(text, shapes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sg.derive(text, shapes, wrt="x").warnings == ()
