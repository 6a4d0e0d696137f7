"""The helpers of rounding, logic and special functions compile with numba, in both precisions."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.trace import special

X, Y = np.array([0.3, 1.2, 2.5, 0.7]), np.array([0.45, 0.6, 1.1, 0.2])


def of_numpy(x, y):
    quotients = x // y + x % y + np.fmod(x, y) + np.hypot(x, y) + np.arctan2(x, y) + np.arccosh(1 + x)
    powers = np.exp2(x) + np.cbrt(x) + np.sinc(x) + np.copysign(x, -y) + np.heaviside(x, y) + x**y
    rounded = np.fmax(x, y) * np.fmin(x, y) + np.floor(x) * np.ceil(x) + np.trunc(x) * np.rint(x) * y
    chosen = np.logical_xor(x > 1, y > 1) | np.isnan(x) | np.isinf(y) & np.isfinite(x) | ~(x > 0.5)
    return np.sum(quotients + powers + rounded + np.where(chosen, x * y, x))


def of_scipy(x, y):
    rules, builder = special.SCIPY_SPECIAL, x.builder
    one = [rules[n](builder, x) for n in ("erfc", "gammaln", "digamma", "log_ndtr")]
    two = [rules[n](builder, x, y) for n in ("xlogy", "xlog1py")]
    return sum([*one, *two]).sum()


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-13), ("float32", 2e-5)])
@pytest.mark.parametrize("loss", [of_numpy, of_scipy])
def test_compiled_values_are_the_derivations(loss, dtype, rtol):
    derivation = sg.derive(loss, {"x": "n", "y": "n"}, wrt=["x", "y"])
    value, grads = derivation(x=X, y=Y)
    compiled, slopes = derivation.compile(dtype=dtype)(x=X.astype(dtype), y=Y.astype(dtype))
    np.testing.assert_allclose(compiled, value, rtol=rtol)
    for n in ("x", "y"):
        np.testing.assert_allclose(slopes[n], grads[n], rtol=rtol, err_msg=n)
