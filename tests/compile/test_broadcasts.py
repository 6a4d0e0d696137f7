"""Parts of elementwise functions that have fewer axes are computed once; the values stay what they were."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile.broadcasts import hoisted, upright
from symgrad.program import numpy_callable

SHAPES = {"X": "n d", "y": "n", "w": "d", "s": ""}
GENERATOR = np.random.default_rng(0)
VALUES = {
    "X": GENERATOR.normal(size=(7, 3)),
    "y": GENERATOR.uniform(0.5, 2, 7),
    "w": GENERATOR.uniform(0.5, 2, 3),
    "s": np.array(0.75),
}
LOSSES = {
    "logistic": "mean(logaddexp(0, X @ w) - y*(X @ w))*s",
    "weighted": "0.5*sum(y*(X @ w)**2) + s*sum(w**2)",
    "negative weights": "sum(sin(X @ w)*y) + s",
    "columns": "sum(exp(X*w)/y[:, None]) + s",
    "distances": "sum(exp(-s*sum((X - w)**2, axis=1))*y)",
    "scaled": "sum(tanh((X - w)/exp(w))*exp(s)) + sum(y)",
    "two vectors": "sum(X*X*exp(y)[:, None]*cos(w)) + s",
}


def second_order(text):
    d = sg.derive(text, SHAPES, "w")
    return d.hessian("w"), d.hvp("w", "v")


def values(program):
    extra = {"v": np.array([1.0, -2.0, 0.5])}
    known = VALUES | extra
    return numpy_callable(program)(*(known[i.name] for i in program.inputs))


@pytest.mark.parametrize("name", LOSSES)
def test_values_stay(name):
    for derived in second_order(LOSSES[name]):
        before = values(derived.program)
        for made in (hoisted(derived.program), upright(derived.program), upright(hoisted(derived.program))):
            np.testing.assert_allclose(values(made), before, rtol=1e-13, atol=1e-14)
        given = {i.name: (VALUES | {"v": np.array([1.0, -2.0, 0.5])})[i.name] for i in derived.program.inputs}
        np.testing.assert_allclose(derived.compile()(given), before, rtol=1e-12, atol=1e-13)


def costly(program):
    """The shapes over which functions such as exp are computed."""
    return {
        b.shape for b in program.bindings if b.op == "pointwise" and not b.attrs["fn"].is_rational_function()
    }


def test_a_function_of_rows_is_computed_once_for_each_row():
    program = second_order(LOSSES["logistic"])[0].program
    n, d = program.inputs[0].shape
    assert costly(program) == {(d, n)}
    assert costly(hoisted(program)) == {(n,)}


def test_factors_with_equal_axes_become_one_value():
    program = sg.derive(LOSSES["two vectors"], SHAPES, "X").program
    n, d = program.inputs[0].shape
    assert costly(hoisted(program)) <= {(n,), (d,), (n, 1)}


def test_terms_of_a_sum_are_not_put_together():
    """(X + y) + w is not X + (y + w): the user's sums keep their order."""
    d = sg.derive("sum(tanh((X + s) + w))*sum(y)", SHAPES, "X")
    fns = [b.attrs["fn"] for b in hoisted(d.program).bindings if b.op == "pointwise" and b.attrs["fn"].is_Add]
    before = [b.attrs["fn"] for b in d.program.bindings if b.op == "pointwise" and b.attrs["fn"].is_Add]
    assert fns == before


def test_a_scaled_transpose_is_a_transpose_for_blas():
    program = upright(hoisted(second_order(LOSSES["logistic"])[0].program))
    (product,) = [b for b in program.bindings if b.op == "matmul" and len(b.shape) == 2]
    assert program.by_name[product.args[0]].op == "transpose"
    source = second_order(LOSSES["logistic"])[0].compile().source
    assert ".T, X, " in source


def test_what_others_than_products_read_stays():
    d = sg.derive("sum((X.T*y) @ X) + sum(X.T*y) + s*sum(w)", SHAPES, "s")
    assert upright(d.program) == d.program
