"""Vector mathematics: errors against higher precision, the ends of the range, the same without numba."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp
from numba import njit

import symgrad as sg
from symgrad.compile.source import helper_texts
from symgrad.compile.vector_math import OPTIONS, UNROLLED_OPTIONS, VECTOR_MATH, VectorFunction

ROOT = Path(__file__).parents[2]
DTYPES = ("float32", "float64")
EXACT: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "logaddexp": lambda a, b: max(a, b) + mpmath.log1p(mpmath.exp(-abs(a - b))),
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}
LOWEST = {"log": 0.0, "log1p": -1.0}


def functions(dtype: str, compiled: bool) -> dict[str, Any]:
    """Every function, as a kernel file defines it."""
    names: dict[str, Any] = {"np": np, "math": math, "F": np.dtype(dtype).type}
    names["njit"] = njit if compiled else lambda **options: lambda f: f
    names["VECTOR"] = eval(OPTIONS)
    names["HELPER"] = {"error_model": "numpy"}
    for text in helper_texts(VECTOR_MATH, dtype).values():
        exec(text, names)
    return names


@cache
def on_arrays(name: str, dtype: str) -> Callable[..., Any]:
    """The compiled function on arrays."""
    names = functions(dtype, compiled=True)
    arguments = "x, y" if name == "logaddexp" else "x"
    entries = ", ".join(f"{a}[i]" for a in arguments.split(", "))
    exec(
        f"@njit\ndef over({arguments}, out):\n  for i in range(x.size):\n    out[i] = {name}({entries})",
        names,
    )

    def run(*arrays: Any) -> Any:
        out = np.empty_like(arrays[0])
        names["over"](*arrays, out)
        return out

    return run


def ulps(name: str, dtype: str, rows: list[Any], got: Any) -> float:
    """The largest error in units in the last place; the exact result rounds to inf where it is too large."""
    digits, lowest = {"float32": (24, -149), "float64": (53, -1074)}[dtype]
    largest = float(np.finfo(dtype).max)
    worst = 0.0
    with mp.workprec(160):
        for row, found in zip(rows, got.tolist(), strict=True):
            exact = EXACT[name](*map(mpmath.mpf, row))
            if abs(exact) > largest:
                assert math.isinf(found) or abs(exact) < largest * (1 + 2.0 ** (1 - digits)), (name, row)
                continue
            size = max(map(abs, (exact, *row))) if name == "logaddexp" else exact
            unit = mpmath.mpf(2) ** max(mpmath.frexp(size)[1] - digits, lowest) if size else 2.0**lowest
            assert math.isfinite(found), (name, row)
            assert math.copysign(1, found) == mpmath.sign(exact) or exact == 0 or name == "logaddexp", (
                name,
                row,
            )
            worst = max(worst, float(abs(found - exact) / unit))
    return worst


def arguments(name: str, dtype: str) -> list[Any]:
    """Random numbers of every size, and neighbours of the places where something changes."""
    rng = np.random.default_rng(7)
    info = np.finfo(dtype)
    high = float(np.log(info.max))
    bits = {"float32": np.int32, "float64": np.int64}[dtype]
    any_bits = rng.integers(np.iinfo(bits).min, np.iinfo(bits).max, 600, dtype=bits).view(dtype)
    parts = [any_bits, *(rng.uniform(-s, s, 400) for s in (1e-3, 0.5, 1, 3, 10, high))]
    places = [0.0, float(info.tiny), float(info.smallest_subnormal), float(info.eps), math.log(2) / 2, 0.4142,
              1, math.sqrt(2), 2, 4, 6, 9.1, 19.1, -0.2929, high, 104, 80, 745, 700, 2.0**23, 2.0**47, 2.0**71,
              2.0**119, math.pi, math.pi / 2, 1e22 if dtype == "float64" else 16367173 * 2.0**72]  # fmt: skip
    for place in (*places, *(-p for p in places)):
        at = np.dtype(dtype).type(place)
        parts.append(np.array([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf)]))
    parts[0] = any_bits[np.isfinite(any_bits)]
    x = np.concatenate(parts).astype(dtype)
    x = x[np.isfinite(x) & (x > LOWEST.get(name, -np.inf))]
    if name == "logaddexp":
        x = x[np.abs(x) < high]
        return [x, (x + rng.normal(size=x.size) * rng.choice([0, 1e-3, 1, 30], x.size)).astype(dtype)]
    return [x]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", VECTOR_MATH.values(), ids=lambda f: f.name)
def test_errors(f: VectorFunction, dtype: str) -> None:
    arrays = arguments(f.name, dtype)
    rows = list(zip(*(a.tolist() for a in arrays), strict=True))
    assert ulps(f.name, dtype, rows, on_arrays(f.name, dtype)(*arrays)) <= f.ulp[dtype] <= 4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", VECTOR_MATH.values(), ids=lambda f: f.name)
def test_the_same_without_numba(f: VectorFunction, dtype: str) -> None:
    arrays = [a[::8] for a in arguments(f.name, dtype)]
    plain = functions(dtype, compiled=False)[f.name]
    with np.errstate(all="ignore"):
        found = [plain(*row) for row in zip(*arrays, strict=True)]
    assert {type(x) for x in found} == {np.dtype(dtype).type}
    rows = list(zip(*(a.tolist() for a in arrays), strict=True))
    assert ulps(f.name, dtype, rows, np.array(found)) <= f.ulp[dtype] + 0.5  # no fused product and sum


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", VECTOR_MATH.values(), ids=lambda f: f.name)
def test_special_arguments(f: VectorFunction, dtype: str) -> None:
    columns = [np.array(c, dtype) for c in zip(*(row for row, _ in f.at), strict=True)]
    expected = np.array([value for _, value in f.at], dtype)
    plain = functions(dtype, compiled=False)[f.name]
    with np.errstate(all="ignore"):
        interpreted = np.array([plain(*row) for row in zip(*columns, strict=True)])
    for got in (on_arrays(f.name, dtype)(*columns), interpreted):
        np.testing.assert_array_equal(got, expected)
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "expm1", "tanh", "sigmoid", "softplus", "erf", "log", "log1p"])
def test_neighbours_keep_their_order_at_the_ends(name: str, dtype: str) -> None:
    """Beyond rounding: where a function saturates, overflows or vanishes it does not turn back."""
    info = np.finfo(dtype)
    high = float(np.log(info.max))
    low = float(np.log(info.smallest_subnormal))
    for place in (high, low, -low, float(np.log(info.tiny)), 9.01, 19.06, 3.92, 5.92, -17.3, -36.7, 1.0):
        if place <= LOWEST.get(name, -np.inf):
            continue
        x = np.array([place], dtype).view(f"i{info.bits // 8}") + np.arange(-300, 300)
        y = on_arrays(name, dtype)(np.sort(x.astype(f"i{info.bits // 8}").view(dtype)))
        assert not np.isnan(y).any()
        steps = 4 * float(info.eps) * np.minimum(np.abs(y), info.max / 8)[1:]
        with np.errstate(invalid="ignore"):  # inf - inf
            assert not (np.diff(y) < -steps).any(), (name, place)
        if name in ("tanh", "sigmoid", "erf"):
            assert np.abs(y).max() <= 1


def test_a_kernel_holds_what_it_uses() -> None:
    d = sg.derive("np.sum(np.tanh(x @ w))", {"x": "n d", "w": "d"}, "w")
    source = d.compile("float32").source
    assert "def tanh(x):" in source
    assert "np.tanh(" not in source
    assert not any(f"def {name}(" in source for name in VECTOR_MATH if name != "tanh")
    assert f"VECTOR = {OPTIONS}" in source
    assert "VECTOR" not in sg.derive("np.sum(x*w)", {"x": "n", "w": "n"}, "w").compile().source


def test_in_unrolled_code_some_are_libm_s() -> None:
    source = sg.derive("np.sum(np.exp(x) + np.tanh(x))", {"x": "2"}, "x").compile().source
    assert "return np.exp(x)" in source
    assert "np.tanh(" not in source
    assert f"VECTOR = {UNROLLED_OPTIONS}" in source


def test_the_largest_arguments_of_sin() -> None:
    x = np.array([3.4028235e38, 1e22, 2.0**47, 2.0**120, -(2.0**100)], np.float32)
    exact = [float(mpmath.sin(v)) for v in x.tolist()]
    np.testing.assert_allclose(on_arrays("sin", "float32")(x), exact, rtol=2e-7)


def _script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def test_coefficients_are_those_of_the_script() -> None:
    script = _script("make_coefficients")
    text = script.PAGE.read_text(encoding="utf-8")
    (fit,) = (f for f in script.FITS if f.name == "cos")
    for number in (*script.coefficients(fit, "float32"), *script.two_over_pi()):
        assert f"        {number!r},\n" in text


def test_the_page_is_fresh() -> None:
    script = _script("make_math")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run python docs/make_math.py"
