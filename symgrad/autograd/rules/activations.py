"""Nonlinearities of networks.  No form overflows: exponentials are only taken of numbers ≤ 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symgrad.autograd.record import Example, TapeOp, register
from symgrad.autograd.rules.analytic import erfc_array
from symgrad.errors import SpecError

_ONE = (Example(((2, 3),), low=-4.0, high=4.0), Example(((),), low=-4.0, high=4.0))
_SQRT_2 = math.sqrt(2)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
_INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ)."""
    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, small) / (1 + small)


def _logistic_slope(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))  # σ(1 − σ) = e⁻|ˣ| / (1 + e⁻|ˣ|)²: no digits lost where σ is nearly 1
    return small / np.square(1 + small)


sigmoid = register(
    TapeOp(
        "sigmoid",
        ("x",),
        logistic,
        {"x": lambda g, x: g * _logistic_slope(x)},
        _ONE,
        elementwise=True,
        doc="1 / (1 + e⁻ˣ)",
    )
)

relu = register(
    TapeOp(
        "relu",
        ("x",),
        lambda x: np.maximum(x, 0),
        {"x": lambda g, x: np.where(np.less_equal(x, 0), 0, g)},
        _ONE,
        elementwise=True,
        kink_distance=np.abs,
        doc="max(x, 0); the slope at 0 is 0",
    )
)

leaky_relu = register(
    TapeOp(
        "leaky_relu",
        ("x",),
        lambda x, negative_slope: np.where(np.greater(x, 0), x, x * negative_slope),
        {"x": lambda g, x, negative_slope: np.where(np.greater(x, 0), g, g * negative_slope)},
        _ONE,
        params={"negative_slope": 0.01},
        elementwise=True,
        kink_distance=np.abs,
        doc="x where x > 0, else negative_slope · x; the slope at 0 is negative_slope",
        source="A. L. Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013",
    )
)

elu = register(
    TapeOp(
        "elu",
        ("x",),
        lambda x, alpha: np.where(np.greater(x, 0), x, alpha * np.expm1(np.minimum(x, 0))),
        {"x": lambda g, x, alpha: np.where(np.greater(x, 0), g, g * (alpha * np.exp(np.minimum(x, 0))))},
        (Example(((2, 3),)), Example(((2, 3),), {"alpha": 0.5})),
        params={"alpha": 1.0},
        elementwise=True,
        kink_distance=np.abs,
        doc="x where x > 0, else alpha · (eˣ − 1); the slope at 0 is alpha",
        source="D.-A. Clevert, T. Unterthiner, S. Hochreiter, ELU, 2016, eq. 15",
    )
)


def _positive_beta(params: dict[str, Any]) -> dict[str, Any]:
    if not params["beta"] > 0:
        raise SpecError("softplus needs beta > 0", where="softplus, beta", expected="> 0", got=params["beta"])
    return params


softplus = register(
    TapeOp(
        "softplus",
        ("x",),
        lambda x, beta: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(beta * x))) / beta,
        {"x": lambda g, x, beta: g * logistic(beta * x)},
        (*_ONE, Example(((2, 3),), {"beta": 2.5})),
        params={"beta": 1.0},
        elementwise=True,
        canonical=_positive_beta,
        doc="log(1 + exp(beta · x)) / beta, exact for every x (no threshold)",
    )
)

silu = register(
    TapeOp(
        "silu",
        ("x",),
        lambda x: x * logistic(x),
        {"x": lambda g, x: g * (logistic(x) + x * _logistic_slope(x))},
        _ONE,
        elementwise=True,
        doc="x · sigmoid(x)",
        source="S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units, 2018, eqs. 5 and 6",
    )
)


def _gelu(x: np.ndarray, approximate: str) -> np.ndarray:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(_gelu_inner(x)))
    return x * (0.5 * erfc_array(-x / _SQRT_2))


def _gelu_inner(x: np.ndarray) -> np.ndarray:
    return _SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)


def _gelu_rule(g: np.ndarray, x: np.ndarray, approximate: str) -> np.ndarray:
    if approximate == "tanh":
        t = np.tanh(_gelu_inner(x))
        inner_slope = _SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x)
        return g * (0.5 * (1 + t) + 0.5 * x * ((1 - t) * (1 + t)) * inner_slope)
    return g * (0.5 * erfc_array(-x / _SQRT_2) + x * (_INV_SQRT_2PI * np.exp(-0.5 * x * x)))


def _known_form(params: dict[str, Any]) -> dict[str, Any]:
    if params["approximate"] not in ("none", "tanh"):
        raise SpecError(
            "gelu has no such approximation",
            where="gelu, approximate",
            expected="'none' or 'tanh'",
            got=repr(params["approximate"]),
        )
    return params


gelu = register(
    TapeOp(
        "gelu",
        ("x",),
        _gelu,
        {"x": _gelu_rule},
        (Example(((2, 3),)), Example(((2, 3),), {"approximate": "tanh"})),
        params={"approximate": "none"},
        elementwise=True,
        canonical=_known_form,
        doc="x · Φ(x) with the normal distribution function Φ, or its tanh approximation",
        source="D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016, section 2",
    )
)
