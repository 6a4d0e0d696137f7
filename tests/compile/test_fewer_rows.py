"""Which losses may be computed from fewer rows, and that they then have the same value and gradients."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import random_rows
from fewer_rows_cases import MORE, PARAMETERS, SAME, SHAPES

import symgrad as sg
from symgrad.calculus import differentiate
from symgrad.compile.fewer_rows import fewer_rows
from symgrad.errors import SymgradError, SymgradWarning
from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.program import numpy_callable
from symgrad.train.compress import short_data

N = dim_symbol("n")
SIZES = {
    "many rows": {"n": 40, "d": 3, "e": 2, "k": 2, "r": 2},
    "one row": {"n": 1, "d": 3, "e": 2, "k": 2, "r": 2},
    "fewer rows than columns": {"n": 3, "d": 5, "e": 4, "k": 2, "r": 3},
    "all sizes equal": {"n": 3, "d": 3, "e": 3, "k": 3, "r": 3},
    "one column": {"n": 20, "d": 1, "e": 1, "k": 1, "r": 1},
}


def derived(text):
    shapes = {n: s for n, s in SHAPES.items() if re.search(rf"\b{n}\b(?!\()", text)}
    wrt = [n for n in shapes if n in PARAMETERS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymgradWarning)
        return sg.derive(text, shapes, wrt), wrt


def arrays_for(program, sizes, seed=0):
    r = np.random.default_rng(seed)
    return {i.name: r.normal(size=shape_of(i.shape, sizes)) for i in program.inputs}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", SAME)
def test_the_same_value_and_gradients(name, sizes):
    d, wrt = derived(SAME[name])
    short = fewer_rows(d.program, wrt, N)
    assert short is not None
    arrays = arrays_for(d.program, SIZES[sizes])
    exact = {n: a.astype(np.longdouble) for n, a in arrays.items()}
    linalg = "linalg.det" in SAME[name]
    with np.errstate(all="ignore"):
        value, grads = numpy_callable(d.program)(*(arrays if linalg else exact).values())
    if not np.isfinite(value):
        return  # the logarithm of 0: one row has no variance
    given, _ = short_data(d.program, short, N, arrays)
    program = differentiate(short.program, wrt).program
    found, slopes = numpy_callable(program)(*(given[i.name] for i in program.inputs))
    size = 1 + sum(float((a**2).sum()) for a in arrays.values())
    assert abs(float(found - value)) <= 1e-13 * size * max(1, abs(float(value)))
    if abs(float(value)) < 1e-9:
        return  # a root of what is 0 but for rounding has no slope
    for n in wrt:
        np.testing.assert_allclose(
            slopes[n].astype(float), grads[n].astype(float), rtol=1e-9, atol=1e-11 * size, err_msg=n
        )


@pytest.mark.parametrize("name", MORE)
def test_more_than_sums_of_products(name):
    d, wrt = derived(MORE[name])
    assert fewer_rows(d.program, wrt, N) is None


def test_a_plain_sum_of_squares_stays_the_program_it_is():
    d, wrt = derived(SAME["squares"])
    short = fewer_rows(d.program, wrt, N)
    assert (
        str(short.program).split()
        == str(sg.derive(SAME["squares"], {"w": "d", "X": "n d", "y": "n"}, wrt).program.only("loss")).split()
    )
    assert (short.count, short.once, short.data.outputs) == (None, (), ())
    assert dict(short.axis) == {"X": 0, "y": 0}


def test_a_bias_needs_ones_and_a_mean_the_number_of_rows():
    d, wrt = derived(SAME["bias"])
    short = fewer_rows(d.program, wrt, N)
    assert set(short.axis) == {"X", "y", "ones"}
    assert short.count == "count"


def test_names_of_the_user_are_left_to_the_user():
    d = sg.derive(
        "np.mean((ones @ w + count - y)**2)", {"ones": "n d", "w": "d", "count": "", "y": "n"}, ["w", "count"]
    )
    short = fewer_rows(d.program, ["w", "count"], N)
    assert set(short.axis) == {"ones", "y", "ones2"}
    assert short.count == "count2"


def test_what_the_data_alone_decides_is_computed_before():
    d, wrt = derived(SAME["standardised"])
    short = fewer_rows(d.program, wrt, N)
    assert len(short.axis) == 3  # the standardised design, y, ones
    assert "X" not in short.axis
    d, wrt = derived("np.sum((X @ w - y)**2) / np.var(y)")
    assert len(fewer_rows(d.program, wrt, N).once) == 1


def compared(text, sizes):
    """Value and gradients on all rows, on the same in more digits, and on fewer; None where fewer will not do."""
    shapes = {n: s for n, s in random_rows.SHAPES.items() if re.search(rf"\b{n}\b", text)}
    wrt = [n for n in shapes if n in random_rows.PARAMETERS]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SymgradWarning)
            d = sg.derive(text, shapes, wrt)
    except SymgradError:
        return None
    short = None if d.sizes.pinned else fewer_rows(d.program, wrt, N)
    if short is None:
        return None
    arrays = arrays_for(d.program, sizes)
    program = differentiate(short.program, wrt).program
    given, _ = short_data(d.program, short, N, arrays)

    def flat(found):
        return np.concatenate([np.ravel(a) for a in (found[0], *found[1].values())])

    with np.errstate(all="ignore"):
        return [
            flat(numpy_callable(d.program)(*arrays.values())),
            flat(numpy_callable(d.program)(*(a.astype(np.longdouble) for a in arrays.values()))),
            flat(numpy_callable(program)(*(given[i.name] for i in program.inputs))),
        ]


@pytest.mark.parametrize("seed", range(60))
def test_random_losses(seed):
    for sizes in ("many rows", "all sizes equal"):
        found = compared(random_rows.loss(seed), SIZES[sizes])
        if found is None or not np.isfinite(found[1]).all():
            continue
        direct, exact, short = found
        rounding = np.abs(direct - exact).max()  # what cancels in the loss as it is written
        np.testing.assert_allclose(
            short, exact.astype(float), rtol=1e-9, atol=float(1e-10 * np.abs(exact).max() + 1e3 * rounding)
        )


def test_half_of_the_random_losses_ask_for_no_more():
    assert sum(compared(random_rows.loss(seed), SIZES["many rows"]) is not None for seed in range(30)) >= 10
