"""NumPy source is Python whatever the arrays are called, and is what evaluation runs."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import sympy

from symgrad.calculus import differentiate
from symgrad.ops.dims import dim_symbol, parse_shape
from symgrad.ops.record import ARG
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder, Input, identifiers, numpy_callable, numpy_source


def mean_of_squares(name, shape="n d"):
    """The program of ``(x**2).sum()/n`` for an input of any name."""
    builder = Builder([Input(name, parse_shape(shape))])
    squares = builder.emit("pointwise", name, fn=ARG(0) ** 2)
    total = builder.emit("sum", squares, **sum_attrs(2, (0, 1)))
    size = builder.constant(dim_symbol("n"))
    loss = builder.emit("pointwise", total, size, fn=ARG(0) / ARG(1))
    return differentiate(builder.finish([("loss", loss)]), [name]).program


@pytest.mark.parametrize(
    "name", ["x", "0.weight", "np", "lambda", "n", "erf", "expit", "θ", "a-b", "layers.0.b", "v1"]
)
def test_any_name_makes_a_function(name):
    program = mean_of_squares(name)
    ast.parse(numpy_source(program))
    x = np.arange(6.0).reshape(2, 3)
    loss, grads = numpy_callable(program)(x)
    assert loss == (x**2).sum() / 2
    np.testing.assert_array_equal(grads[name], x)


def test_names_are_made_pythons():
    program = mean_of_squares("0.weight")
    assert identifiers(program)["0.weight"] == "weight_0"
    assert identifiers(mean_of_squares("np"))["np"] == "np_2"
    assert identifiers(mean_of_squares("lambda"))["lambda"] == "_lambda"


def test_names_that_would_meet_are_kept_apart():
    builder = Builder([Input(n, ()) for n in ("a.b", "b_a", "a_b", "np", "np_2")])
    total = "a.b"
    for other in ("b_a", "a_b", "np", "np_2"):
        total = builder.emit("pointwise", total, other, fn=ARG(0) * 2 + ARG(1))
    program = builder.finish([("loss", total)])
    names = identifiers(program)
    assert len(set(names.values())) == len(names)
    assert numpy_callable(program)(1.0, 2.0, 3.0, 4.0, 5.0) == 16 + 16 + 12 + 8 + 5


def test_a_dimension_may_be_called_like_an_array():
    builder = Builder([Input("n", parse_shape("d")), Input("d", parse_shape("n"))])
    both = builder.emit(
        "pointwise", "n", builder.constant(dim_symbol("n") + 10 * dim_symbol("d")), fn=ARG(0) * ARG(1)
    )
    other = builder.emit("sum", "d", **sum_attrs(1, (0,)))
    total = builder.emit("sum", both, **sum_attrs(1, (0,)))
    loss = builder.emit("pointwise", total, other, fn=ARG(0) + ARG(1))
    program = builder.finish([("loss", loss)])
    assert numpy_callable(program)(np.ones(2), np.ones(3)) == 2 * (3 + 20) + 3


def test_a_dimension_and_its_stand_in_may_both_be_arrays():
    builder = Builder([Input("n", parse_shape("n")), Input("n_", parse_shape("n"))])
    product = builder.emit(
        "pointwise", "n", "n_", builder.constant(dim_symbol("n")), fn=ARG(0) * ARG(1) * ARG(2)
    )
    program = builder.finish([("loss", builder.emit("sum", product, **sum_attrs(1, (0,))))])
    assert numpy_callable(program)(np.ones(3), np.full(3, 2.0)) == 18


@pytest.mark.parametrize("name", ["np", "lambda", "erf", "v1", "x"])
def test_a_dimension_may_have_any_name(name):
    x = np.arange(6.0).reshape(2, 3)
    builder = Builder([Input("x", parse_shape((name, "d")))])
    total = builder.emit("sum", "x", **sum_attrs(2, (0, 1)))
    loss = builder.emit("pointwise", total, builder.constant(dim_symbol(name)), fn=sympy.erf(ARG(0)) * ARG(1))
    program = builder.finish([("loss", loss)])
    assert numpy_callable(program)(x) == 2


def test_the_source_reads_like_a_person_wrote_it():
    assert numpy_source(mean_of_squares("x")) == (
        "import numpy as np\n\n\n"
        "def loss_and_gradient(x):\n"
        "    n = x.shape[0]\n"
        "    v1 = x**2\n"
        "    v2 = np.sum(v1)\n"
        "    v4 = v2/n\n"
        "    v7 = 2*x/n\n"
        "    return v4, {'x': v7}\n"
    )


def test_scipy_is_imported_only_where_it_is_used():
    builder = Builder([Input("x", ())])
    program = builder.finish([("loss", builder.emit("pointwise", "x", fn=sympy.erf(ARG(0))))])
    assert "from scipy.special import erf\n" in numpy_source(program)
    assert "scipy" not in numpy_source(mean_of_squares("x"))
