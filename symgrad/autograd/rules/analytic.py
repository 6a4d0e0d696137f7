"""Smooth functions of one variable."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from symgrad.autograd.record import Example, Rule, TapeOp, register

_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


def erf_array(x: np.ndarray) -> np.ndarray:
    """The error function (SciPy's, loaded on first use)."""
    from scipy.special import erf as scipy_erf

    return np.asarray(scipy_erf(x))


def erfc_array(x: np.ndarray) -> np.ndarray:
    """1 − erf(x) without cancellation (SciPy's, loaded on first use)."""
    from scipy.special import erfc

    return np.asarray(erfc(x))


def _smooth(
    name: str, forward: Callable[..., np.ndarray], rule: Rule, doc: str, low: float = -2.0, high: float = 2.0
) -> TapeOp:
    examples = (Example(((2, 3),), low=low, high=high), Example(((),), low=low, high=high))
    return register(
        TapeOp(name, ("x",), forward, {"x": rule}, examples, elementwise=True, analytic=True, doc=doc)
    )


exp = _smooth("exp", np.exp, lambda g, out: g * out, "eˣ")
expm1 = _smooth("expm1", np.expm1, lambda g, out: g * (out + 1), "eˣ − 1, accurate near 0")
log = _smooth("log", np.log, lambda g, x: g / x, "natural logarithm", 0.2, 3.0)
log1p = _smooth("log1p", np.log1p, lambda g, x: g / (1 + x), "log(1 + x), accurate near 0", -0.7, 3.0)
sin = _smooth("sin", np.sin, lambda g, x: g * np.cos(x), "sine")
cos = _smooth("cos", np.cos, lambda g, x: -g * np.sin(x), "cosine")
tanh = _smooth("tanh", np.tanh, lambda g, out: g * ((1 - out) * (1 + out)), "hyperbolic tangent")
arctan = _smooth("arctan", np.arctan, lambda g, x: g / (1 + x * x), "inverse tangent", -3.0, 3.0)
erf = _smooth("erf", erf_array, lambda g, x: g * (_TWO_OVER_SQRT_PI * np.exp(-x * x)), "error function")
