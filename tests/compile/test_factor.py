"""The triangular factor of data: right along every direction, also where almost everything cancels."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from symgrad.compile import factor as module
from symgrad.compile.factor import factor, shorter

ROWS = 3000


def matrix(name: str, dtype: str = "float64") -> np.ndarray:
    r = np.random.default_rng(0)
    x = r.normal(size=(ROWS, 12))
    exact = x @ r.normal(size=(12, 1))
    turned = np.linalg.qr(r.normal(size=(12, 12)))[0]
    basis = np.linalg.qr(x)[0]
    kinds = {
        "plain": x,
        "noise": np.hstack([x, exact + r.normal(size=(ROWS, 1))]),
        "residual 1e-6": np.hstack([x, exact + 1e-6 * r.normal(size=(ROWS, 1))]),
        "residual first": np.hstack([exact + 1e-9 * r.normal(size=(ROWS, 1)), x]),
        "residual 0": np.hstack([x, exact]),
        "condition 1e3": basis * np.geomspace(1, 1e-3, 12) @ turned,
        "condition 1e5": basis * np.geomspace(1, 1e-5, 12) @ turned,
        "condition 1e7": basis * np.geomspace(1, 1e-7, 12) @ turned,
        "condition 1e12": basis * np.geomspace(1, 1e-12, 12) @ turned,
        "gap": basis * np.repeat([1, 1e-7], 6) @ turned,
        "scales": x * np.geomspace(1e-100, 1e100, 12),
        "twice": np.hstack([x, x]),
        "collinear": np.hstack([x, x @ r.normal(size=(12, 5))]),
        "zero columns": np.hstack([np.zeros((ROWS, 2)), x, np.zeros((ROWS, 1))]),
        "zeros": np.zeros((ROWS, 3)),
        "far from 0": x + 1e6,
        "powers": np.vander(np.linspace(0, 1, ROWS), 12),
        "one column": x[:, :1],
        "one row": x[:1],
        "fewer rows than columns": x[:5],
        "as many rows as columns": x[:12],
    }
    return kinds[name].astype(dtype)


KINDS = (
    *("plain", "noise", "residual 1e-6", "residual first", "residual 0", "condition 1e3", "condition 1e5"),
    *("condition 1e7", "condition 1e12", "gap", "scales", "twice", "collinear", "zero columns", "zeros"),
    *("far from 0", "powers", "one column", "one row", "fewer rows than columns", "as many rows as columns"),
)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_lengths_along_every_direction(kind, dtype):
    """‖Sθ‖ is ‖Mθ‖ up to roundings of the columns, also where it is 10⁻¹² of them."""
    if dtype == "float32" and kind == "scales":
        pytest.skip("float32 has no such numbers")
    m = matrix(kind, dtype)
    s, _ = factor([m])
    assert s.shape == (m.shape[1], m.shape[1])
    sizes = np.linalg.norm(m.astype(float), axis=0)
    sizes[sizes == 0] = 1
    directions = np.linalg.svd(m / sizes, full_matrices=len(m) < m.shape[1])[2] / sizes
    exact = np.sqrt(((m.astype(np.longdouble) @ directions.T) ** 2).sum(axis=0))
    got = np.sqrt(((s.astype(np.longdouble) @ directions.T) ** 2).sum(axis=0))
    # Columns are scaled to 1.  Rounding of the columns, and of what was left of them when it was not computed anew.
    assert (np.abs(got - exact) <= 2e-14 + 5e-11 * exact).all()


@pytest.mark.parametrize("kind", ["plain", "residual 1e-6", "condition 1e7"])
def test_relative_errors_stay_small_where_lengths_are_small(kind):
    m = matrix(kind)
    s, _ = factor([m])
    directions = np.linalg.svd(m, full_matrices=False)[2]
    exact = np.sqrt(((m.astype(np.longdouble) @ directions.T) ** 2).sum(axis=0))
    got = np.sqrt(((s.astype(np.longdouble) @ directions.T) ** 2).sum(axis=0))
    np.testing.assert_allclose((got / exact).astype(float), 1, rtol=1e-9)


def test_one_reading_suffices_for_noisy_data_and_two_for_a_small_residual():
    assert factor([matrix("noise")])[1] == 1
    assert factor([matrix("residual 1e-6")])[1] == 2


def test_arrays_of_any_layout_and_dtype():
    r = np.random.default_rng(1)
    a = np.asfortranarray(r.normal(size=(50, 3)))
    b = r.integers(0, 5, size=(50, 2, 2))
    c = (r.normal(size=50) > 0)[::-1]
    d = np.broadcast_to(1.0, (50,))
    found, _ = shorter([a, b, c, d])
    assert [f.shape for f in found] == [(9, 3), (9, 2, 2), (9,), (9,)]
    given = [v.astype(float) for v in (a, b, c, d)]
    for f, g in zip(found, given, strict=True):
        for f2, g2 in zip(found, given, strict=True):
            np.testing.assert_allclose(
                np.tensordot(f, f2, (0, 0)), np.tensordot(g, g2, (0, 0)), rtol=1e-13, atol=1e-13
            )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200, 1e-200])
def test_what_has_no_square_is_left_to_the_caller(bad):
    m = matrix("plain").copy()
    if bad == 1e-200:
        m[:, 3] *= bad
    else:
        m[7, 3] = bad
    assert factor([m]) is None


def test_the_same_to_the_last_bit_for_any_number_of_threads(monkeypatch):
    m = matrix("residual 1e-6", "float32")
    monkeypatch.setattr(module, "_BLOCK", 2**10)
    found = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        found.append(factor([m])[0])
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
