"""Every function of the table has a kernel spelling that computes what NumPy computes, its derivative too."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import sympy

from symgrad.compile.names import Namer
from symgrad.compile.scalar_code import balanced_sum, kernel_text
from symgrad.compile.source import helper_texts
from symgrad.errors import UnsupportedError
from symgrad.ops.record import ARG
from symgrad.ops.scalars import numpy_function
from symgrad.ops.scalars.table import ELEMENTARY, Elementary
from symgrad.program import Builder, Input

VALUES = {
    "real": [-2.5, -0.75, 0.0, 0.5, 3.0],
    "positive": [0.25, 0.5, 1.0, 2.0, 7.0],
    "unit": [-0.9, -0.25, 0.0, 0.5, 0.75],
    "nonzero": [-2.0, -0.5, 0.5, 1.0, 4.0],
    "above-minus-one": [-0.5, -0.25, 0.0, 1.0, 5.0],
    "above-one": [1.25, 1.5, 2.0, 5.0, 30.0],
    "fraction": [-3.3, -1.2, 0.4, 1.75, 2.6],
    "bool": [0.0, 1.0, 1.0, 0.0, 1.0],
}


def interpreted(text: str, helpers: set[str]) -> object:
    """The text as a function of a0, a1, …, without numba."""
    names = {
        "np": np,
        "math": math,
        "F": np.float64,
        "HELPER": {},
        "VECTOR": {},
        "njit": lambda **options: lambda f: f,
    }
    for helper in helper_texts(helpers, "float64").values():
        exec(helper, names)
    return eval(f"lambda *a: (lambda a0, a1=0, a2=0: {text})(*a)", names)


@pytest.mark.parametrize("e", ELEMENTARY, ids=lambda e: e.name)
def test_functions_and_derivatives(e: Elementary) -> None:
    arguments = [ARG(i) for i in range(e.arity)]
    columns = [np.roll(VALUES[d], i) for i, d in enumerate(e.domain)]
    for expr in (e.expr, *(sympy.diff(e.expr, a) for a in arguments)):
        helpers: set[str] = set()
        function = interpreted(kernel_text(expr, {a: a.name for a in arguments}, helpers), helpers)
        (expected,) = numpy_function(arguments, [expr])(*columns)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = [function(*map(np.float64, row)) for row in zip(*columns, strict=True)]
        np.testing.assert_allclose(
            found, np.broadcast_to(expected, 5), rtol=1e-14, atol=1e-15, err_msg=str(expr)
        )


def test_numbers_carry_the_dtype() -> None:
    text = kernel_text(ARG(0) / 3 + sympy.Rational(1, 2) * sympy.pi, {ARG(0): "x"}, set())
    assert "F(" in text
    assert eval(text, {"F": np.float32, "x": np.float32(1)}).dtype == np.float32


def test_unknown_functions_are_named() -> None:
    with pytest.raises(UnsupportedError, match="besselj"):
        kernel_text(sympy.besselj(1, ARG(0)), {ARG(0): "x"}, set())


@pytest.mark.parametrize("count", [0, 1, 2, 5, 8])
def test_sums_are_balanced(count: int) -> None:
    text = balanced_sum([f"x{i}" for i in range(count)])
    assert eval(text, {"F": float, **{f"x{i}": 2.0**i for i in range(count)}}) == 2.0**count - 1
    depth = max((text[:i].count("(") - text[:i].count(")") for i in range(len(text))), default=0)
    assert depth <= max(1, count - 1).bit_length()


def test_names_hide_neither_each_other_nor_the_kernels_own() -> None:
    builder = Builder([Input(n, ()) for n in ("np", "F", "range", "relu", "i0", "lambda", "w.0", "0.w")])
    namer = Namer(builder.finish([("loss", "np")]))
    given = list(namer.values.values())
    assert len(set(given)) == len(given)
    assert not {"np", "F", "range", "relu", "i0", "lambda"} & set(given)
    assert all(name.isidentifier() for name in given)
    assert namer.fresh("step") == "step"
    assert namer.fresh("step") == "step_2"
