"""The table of elementwise functions: expression, meaning, NumPy's function and derivative say the same."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
import sympy

from symgrad.ops.pointwise import partial
from symgrad.ops.record import ARG, OUT
from symgrad.ops.scalars import BY_NAME, BY_UFUNC, ELEMENTARY, in_own_terms, numpy_function

ROWS = [pytest.param(e, id=e.name) for e in ELEMENTARY]
WITH_UFUNC = [pytest.param(e, id=e.name) for e in ELEMENTARY if e.ufunc]
POINTS = {
    "real": (-3.5, -1.25, -0.3, 0.4, 1.75, 2.5),
    "positive": (0.05, 0.3, 0.9, 1.5, 4.0, 20.0),
    "unit": (-0.95, -0.5, -0.1, 0.2, 0.6, 0.9),
    "nonzero": (-3.0, -0.7, -0.1, 0.2, 1.1, 5.0),
    "above-minus-one": (-0.9, -0.4, -0.001, 0.01, 0.7, 9.0),
    "above-one": (1.05, 1.3, 2.0, 3.5, 10.0, 40.0),
    "fraction": (-3.3, -1.23, -0.3, 0.4, 1.75, 2.6),
    "bool": (0.0, 1.0, 1.0, 0.0, 1.0, 0.0),
}
EXTREME = np.array([0.0, -0.0, 1e-300, -1e-300, 1.0, -1.0, 37.5, -37.5, 750.0, -750.0, 1e30, -1e30])
INFINITE = np.array([np.inf, -np.inf, np.nan])
STABLE = (
    "sigmoid",
    "softplus",
    "tanh",
    "relu",
    "erf",
    "silu",
    "gelu",
    "arctan",
    "abs",
    "sign",
    "step",
    "elu",
)


def arguments(row):
    """Points of the row's domain; the second argument runs another way, so that pairs differ."""
    return [np.array(POINTS[d][i:] + POINTS[d][:i]) for i, d in enumerate(row.domain)]


def evaluate(row, *arrays):
    return numpy_function([ARG(i) for i in range(row.arity)], [row.expr])(*arrays)[0]


def in_high_precision(expr, point):
    symbols = [ARG(i) for i in range(len(point))]
    with mpmath.workdps(40):
        return sympy.lambdify(symbols, expr, "mpmath")(*(mpmath.mpf(float(p)) for p in point))


@pytest.mark.parametrize("row", ROWS)
def test_expression_and_meaning_agree(row):
    meaning = row.meaning if row.meaning is not None else row.expr
    points = arguments(row)
    got = np.asarray(evaluate(row, *points), dtype=float)
    expected = [float(in_high_precision(meaning, p)) for p in zip(*points)]
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("row", WITH_UFUNC)
def test_expression_is_numpys_function(row):
    points = arguments(row)
    ufunc = getattr(np, row.ufunc)
    np.testing.assert_allclose(
        np.asarray(evaluate(row, *points), dtype=float), ufunc(*points).astype(float), rtol=4e-15, atol=0
    )


@pytest.mark.parametrize("row", WITH_UFUNC)
@pytest.mark.parametrize("values", [EXTREME, INFINITE], ids=["extreme", "infinite"])
def test_extreme_arguments_are_numpys(row, values):
    points = [a.ravel() for a in np.meshgrid(*[values] * row.arity)]
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(np, row.ufunc)(*points), dtype=float)
        got = np.asarray(evaluate(row, *points), dtype=float)
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("name", STABLE)
def test_stable_forms_neither_overflow_nor_warn(name):
    row = BY_NAME[name]
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        got = np.asarray(evaluate(row, EXTREME), dtype=float)
        slope = partial(row.expr, 0)
        slopes = numpy_function([ARG(0), OUT], [slope])(EXTREME, got)[0]
    assert np.isfinite(got).all()
    assert np.isfinite(np.asarray(slopes, dtype=float)).all()
    meaning = in_own_terms(row.meaning if row.meaning is not None else row.expr)
    expected = [float(in_high_precision(meaning, [x])) for x in EXTREME]
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-290)


@pytest.mark.parametrize("row", ROWS)
def test_partial_derivatives_are_high_precision_differences(row):
    meaning = row.meaning if row.meaning is not None else row.expr
    points = arguments(row)
    out = np.asarray(evaluate(row, *points), dtype=float)
    for position, domain in enumerate(row.domain):
        if domain == "bool":
            continue
        slope = partial(row.expr, position)
        symbols = [*(ARG(i) for i in range(row.arity)), OUT]
        got = np.broadcast_to(numpy_function(symbols, [slope])(*points, out)[0], out.shape)
        for k, point in enumerate(zip(*points)):
            with mpmath.workdps(40):
                step = mpmath.mpf(10) ** -12
                ahead, behind = list(map(mpmath.mpf, point)), list(map(mpmath.mpf, point))
                ahead[position] += step
                behind[position] -= step
                f = sympy.lambdify([ARG(i) for i in range(row.arity)], meaning, "mpmath")
                expected = float((f(*ahead) - f(*behind)) / (2 * step))
            assert got[k] == pytest.approx(expected, rel=1e-11, abs=1e-13), point


@pytest.mark.parametrize(
    ("name", "point", "slopes"),
    [
        ("abs", (0.0,), (0.0,)),
        ("sign", (0.0,), (0.0,)),
        ("relu", (0.0,), (0.0,)),
        ("step", (0.0,), (0.0,)),
        ("maximum", (2.0, 2.0), (0.5, 0.5)),
        ("minimum", (2.0, 2.0), (0.5, 0.5)),
        ("elu", (0.0,), (1.0,)),
        ("hypot", (0.0, 0.0), (0.0, 0.0)),
        ("fmax", (2.0, 2.0), (0.5, 0.5)),
        ("fmin", (2.0, 2.0), (0.5, 0.5)),
        ("copysign", (0.0, -1.0), (0.0, 0.0)),
        ("heaviside", (0.0, 0.5), (0.0, 1.0)),
        ("floor", (2.0,), (0.0,)),
        ("remainder", (4.0, 2.0), (1.0, -2.0)),
        ("fmod", (4.0, 2.0), (1.0, -2.0)),
        ("sinc", (0.0,), (0.0,)),
        ("xlogy", (0.0, 2.0), (math.log(2), 0.0)),
        ("xlog1py", (0.0, 1.0), (math.log(2), 0.0)),
    ],
)
def test_conventions_at_kinks(name, point, slopes):
    row = BY_NAME[name]
    arrays = [np.array(p) for p in point]
    for position, expected in enumerate(slopes):
        symbols = [*(ARG(i) for i in range(row.arity)), OUT]
        got = numpy_function(symbols, [partial(row.expr, position)])(*arrays, evaluate(row, *arrays))[0]
        assert float(got) == expected


@pytest.mark.parametrize("row", ROWS)
def test_own_terms_hold_no_class_of_ours(row):
    ours = {
        e for e in in_own_terms(row.expr).atoms(sympy.Function) if type(e).__module__.startswith("symgrad")
    }
    meaning = row.meaning
    if meaning is not None and not ours:
        points = arguments(row)
        for point in zip(*points):
            same = in_high_precision(in_own_terms(row.expr), point) - in_high_precision(meaning, point)
            assert abs(float(same)) < 1e-30
    assert not ours


@pytest.mark.parametrize("row", [p for p in ROWS if p.id != "above"])  # a slope of bools; gradients are cast
def test_float32_stays_float32(row):
    points = [p.astype(np.float32) for p in arguments(row)]
    result = np.asarray(evaluate(row, *points))
    assert result.dtype in (np.dtype(np.float32), np.dtype(bool))


def test_names_are_unique():
    assert len(BY_NAME) == len(ELEMENTARY)
    assert len(BY_UFUNC) == sum(e.ufunc is not None for e in ELEMENTARY)


def test_kinks_name_their_convention_where_a_slope_is_used():
    for row in ELEMENTARY:
        slopes = [partial(row.expr, i) for i in range(row.arity)]
        if row.kink is not None and any(s != 0 for s in slopes):
            assert row.convention, row.name
