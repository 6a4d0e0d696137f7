"""Kernels where numbers are large, infinite, NaN or absent, and what kernels refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile import bind, compile_gradient, plan_training
from symgrad.compile.forms import form_of
from symgrad.errors import DataError, UnsupportedError
from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol
from symgrad.program import Builder, Input, Program
from symgrad.updates import sgd


@pytest.fixture(scope="module")
def rows():
    """log Σ exp, the largest, the smallest and the product of each row, weighted."""
    text = "np.sum(w*(logsumexp(x, axis=1) + np.max(x, axis=1) - 2*np.min(x, axis=1) + np.prod(x, axis=1)))"
    d = sg.derive(text, {"x": "n d", "w": "n"}, ["x", "w"])
    return d, d.compile()


@pytest.mark.parametrize(
    "row", [(1e4, 1e4 - 1, -1e4), (-1e5, -1e5, -2e5), (np.nan, 1.0, 2.0), (2.0, 1.0, np.nan),
            (np.inf, 1.0, 2.0), (-np.inf, 1.0, 2.0), (0.0, 0.0, 3.0), (2.0, 2.0, 2.0)]
)  # fmt: skip
def test_rows(rows, row) -> None:
    d, kernel = rows
    x, w = np.array([[0.5, -1.0, 2.0], row]), np.array([1.5, -0.5])
    value, grads = kernel(x=x, w=w)
    with np.errstate(all="ignore"):
        expected, others = d(x=x, w=w)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for n in ("x", "w"):
        np.testing.assert_allclose(grads[n], others[n], rtol=1e-9, atol=1e-12)


def test_nothing_to_choose_from(rows) -> None:
    _, kernel = rows
    assert kernel(x=np.ones((0, 3)), w=np.ones(0))[0] == 0
    with pytest.raises(DataError, match=r"max of no entries(.|\n)*expected: d > 0(.|\n)*got: +d = 0"):
        kernel(x=np.ones((2, 0)), w=np.ones(2))
    program = sg.derive("np.max(x)*w**2", {"w": "", "x": "n"}, "w").program
    with pytest.raises(DataError, match="max of no entries"):
        plan_training(program, ["w"], sgd(), "float64", {"n": 0})


def test_whole_numbers_keep_their_digits_in_float32() -> None:
    d = sg.derive("w*np.sum(y == 16777217)", {"w": "", "y": "n"}, "w", domains={"y": "int"})
    value, _ = d.compile("float32")(w=1.0, y=np.array([16_777_216, 16_777_217, 5]))
    assert value == 1


def test_arrays_of_each_kind() -> None:
    n = (dim_symbol("n"),)
    inputs = (Input("a", n), Input("i", n, "int"), Input("m", n, "bool"))
    program = Program(inputs, (), (("loss", "a"),))
    made, _ = bind(program, {"a": [1, 2], "i": np.array([3.0, -1.0]), "m": [1, 0]}, "float32")
    assert [a.dtype.name for a in made.values()] == ["float32", "int64", "bool"]
    for name, bad in (("i", [0.5, 1]), ("m", [2, 0])):
        with pytest.raises(DataError, match=f"'{name}' has to hold"):
            bind(program, {"a": [1, 2], "i": [1, 1], "m": [1, 0], name: bad}, "float32")


def test_triangles_drop_what_is_infinite() -> None:
    d = sg.derive("np.sum(np.tril(x)*w)", {"x": "n n", "w": "n n"}, "w")
    x = np.array([[1.0, np.inf], [2.0, 3.0]])
    value, grads = d.compile()(x=x, w=np.ones((2, 2)))
    assert value == 6
    assert grads["w"].tolist() == [[1, 0], [2, 3]]


def test_operations_without_a_form_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    record = OPS["inverse"]
    monkeypatch.setitem(OPS, "pseudo_inverse", replace(record, name="pseudo_inverse"))
    builder = Builder([Input("a", (dim_symbol("n"),) * 2)])
    made = builder.emit("pseudo_inverse", "a")
    program = builder.finish([("loss", made)])
    with pytest.raises(UnsupportedError, match=r"pseudo_inverse has no compiled form(.|\n)*fix: .*d\(x=…\)"):
        compile_gradient(program)
    with pytest.raises(UnsupportedError, match="pseudo_inverse"):
        form_of(program, program.bindings[0])
