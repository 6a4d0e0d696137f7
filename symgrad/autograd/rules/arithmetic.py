"""Arithmetic, element by element.  Kinks as in PyTorch: abs'(0) = 0, ties of a maximum share its
gradient equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.autograd.record import Example, TapeOp, register
from symgrad.errors import SpecError

_PAIR = (Example(((2, 3), (2, 3))), Example(((2, 3), (3,))), Example(((4, 1), (1, 3))), Example(((), (2,))))
_ONE = (Example(((2, 3),)), Example(((),)))


def _positive(*shapes: tuple[int, ...]) -> Example:
    return Example(shapes, low=0.3, high=2.5)


add = register(
    TapeOp(
        "add",
        ("a", "b"),
        np.add,
        {"a": lambda g: g, "b": lambda g: g},
        _PAIR,
        elementwise=True,
        analytic=True,
        doc="a + b",
    )
)

sub = register(
    TapeOp(
        "sub",
        ("a", "b"),
        np.subtract,
        {"a": lambda g: g, "b": lambda g: -g},
        _PAIR,
        elementwise=True,
        analytic=True,
        doc="a − b",
    )
)

mul = register(
    TapeOp(
        "mul",
        ("a", "b"),
        np.multiply,
        {"a": lambda g, b: g * b, "b": lambda g, a: g * a},
        _PAIR,
        elementwise=True,
        analytic=True,
        doc="a · b, element by element",
    )
)

div = register(
    TapeOp(
        "div",
        ("a", "b"),
        np.true_divide,
        {"a": lambda g, b: g / b, "b": lambda g, out, b: -g * (out / b)},
        (_positive((2, 3), (3,)), _positive((4, 1), (1, 3)), _positive((2,), ())),
        elementwise=True,
        analytic=True,
        doc="a / b",
    )
)

neg = register(
    TapeOp("neg", ("x",), np.negative, {"x": lambda g: -g}, _ONE, elementwise=True, analytic=True, doc="−x")
)

square = register(
    TapeOp(
        "square",
        ("x",),
        np.square,
        {"x": lambda g, x: 2 * x * g},
        _ONE,
        elementwise=True,
        analytic=True,
        doc="x²",
    )
)

sqrt = register(
    TapeOp(
        "sqrt",
        ("x",),
        np.sqrt,
        {"x": lambda g, out: g / (2 * out)},
        (_positive((2, 3)),),
        elementwise=True,
        analytic=True,
        doc="√x; the slope at 0 is inf",
    )
)


def _pow_base(g: np.ndarray, a: Any, b: Any) -> np.ndarray:
    # where b = 0 the power is the constant 1, also at a = 0, where 0 · a^(−1) would be nan
    return np.where(
        np.equal(b, 0), 0, g * (b * np.power(a, np.where(np.equal(b, 0), 1, b - 1).astype(g.dtype)))
    )


def _pow_exponent(g: np.ndarray, a: Any, b: Any, out: np.ndarray) -> np.ndarray:
    # 0^b is the constant 0 for b > 0; 0 · log 0 would be nan
    flat = np.logical_and(np.equal(a, 0), np.greater_equal(b, 0))
    return np.where(flat, 0, g * out * np.log(np.where(flat, 1, a)))


pow = register(
    TapeOp(
        "pow",
        ("a", "b"),
        np.power,
        {"a": _pow_base, "b": _pow_exponent},
        (_positive((2, 3), (3,)), _positive((3, 1), (1, 2)), _positive((2,), ())),
        elementwise=True,
        analytic=True,
        doc="a to the power b; a negative base needs an integer exponent",
    )
)

abs = register(
    TapeOp(
        "abs",
        ("x",),
        np.abs,
        {"x": lambda g, x: g * np.sign(x)},
        _ONE,
        elementwise=True,
        kink_distance=np.abs,
        doc="|x|; the slope at 0 is 0",
    )
)

sign = register(
    TapeOp(
        "sign",
        ("x",),
        np.sign,
        {"x": lambda g: np.zeros_like(g)},
        _ONE,
        elementwise=True,
        kink_distance=np.abs,
        doc="−1, 0 or 1; the slope is 0 everywhere",
    )
)


def _gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(np.subtract(a, b))


def _winner(g: np.ndarray, wins: np.ndarray, ties: np.ndarray) -> np.ndarray:
    return np.where(ties, g / 2, np.where(wins, g, 0))


maximum = register(
    TapeOp(
        "maximum",
        ("a", "b"),
        np.maximum,
        {
            "a": lambda g, a, b: _winner(g, np.greater(a, b), np.equal(a, b)),
            "b": lambda g, a, b: _winner(g, np.greater(b, a), np.equal(a, b)),
        },
        _PAIR,
        elementwise=True,
        kink_distance=_gap,
        doc="the larger of a and b; on a tie each gets half the gradient",
    )
)

minimum = register(
    TapeOp(
        "minimum",
        ("a", "b"),
        np.minimum,
        {
            "a": lambda g, a, b: _winner(g, np.less(a, b), np.equal(a, b)),
            "b": lambda g, a, b: _winner(g, np.less(b, a), np.equal(a, b)),
        },
        _PAIR,
        elementwise=True,
        kink_distance=_gap,
        doc="the smaller of a and b; on a tie each gets half the gradient",
    )
)


def _bounds(params: dict[str, Any]) -> dict[str, Any]:
    if params["min"] is None and params["max"] is None:
        raise SpecError("clip needs a bound", where="clip", expected="min=, max= or both")
    for name in ("min", "max"):
        if not isinstance(params[name], int | float | np.floating | np.integer | None):
            raise SpecError(
                "a bound of clip is no number",
                where=f"clip, {name}",
                expected="a number or None",
                got=type(params[name]).__name__,
                fix="for arrays of bounds use maximum and minimum",
            )
    return params


def _inside(x: np.ndarray, min: float | None, max: float | None) -> np.ndarray:
    low = True if min is None else np.greater_equal(x, min)
    high = True if max is None else np.less_equal(x, max)
    return np.logical_and(low, high)


def _bound_distance(x: np.ndarray, min: float | None, max: float | None) -> np.ndarray:
    bounds = [bound for bound in (min, max) if bound is not None]
    return np.min([np.abs(np.subtract(x, bound)) for bound in bounds], axis=0)


clip = register(
    TapeOp(
        "clip",
        ("x",),
        np.clip,
        {"x": lambda g, x, min, max: np.where(_inside(x, min, max), g, 0)},
        (
            Example(((2, 3),), {"min": -1.0, "max": 0.5}),
            Example(((4,),), {"min": 0.0, "max": None}),
            Example(((4,),), {"min": None, "max": 0.0}),
        ),
        params={"min": None, "max": None},
        elementwise=True,
        kink_distance=_bound_distance,
        canonical=_bounds,
        doc="x held between min and max; on a bound the slope is 1",
    )
)

_CONDITION = np.array([[True, False, True], [False, False, True]])

where = register(
    TapeOp(
        "where",
        ("condition", "a", "b"),
        lambda condition, a, b: np.where(np.not_equal(condition, 0), a, b),
        {
            "a": lambda g, condition: np.where(np.not_equal(condition, 0), g, 0),
            "b": lambda g, condition: np.where(np.not_equal(condition, 0), 0, g),
        },
        (
            Example(((2, 3), (2, 3), (2, 3)), operands={"condition": _CONDITION}),
            Example(((2, 3), (3,), (2, 1)), operands={"condition": _CONDITION}),
        ),
        elementwise=True,
        doc="a where the condition holds, else b",
    )
)
