"""What the tests of the tape share: numerical derivatives, and the check of one rule against them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.autograd import Tensor
from symgrad.autograd.record import Example, TapeOp

STEP = 2e-3
KINK_MARGIN = 4 * STEP
COMPLEX_STEP = 1e-30


def draw_operands(op: TapeOp, example: Example, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Operands inside the example's domain and away from kinks, by name; a variadic op's by number."""
    names = [str(i) for i in range(len(example.shapes))] if op.variadic else list(op.operands)
    for _ in range(200):
        drawn = {
            name: rng.uniform(example.low, example.high, shape) for name, shape in zip(names, example.shapes)
        }
        drawn.update(example.operands)
        if op.kink_distance is None:
            return drawn
        asked = inspect.signature(op.kink_distance).parameters
        known = {**op.params, **example.params}
        if isinstance(op.kink_distance, np.ufunc):
            distance = op.kink_distance(*drawn.values())
        else:
            distance = op.kink_distance(*drawn.values(), **{k: v for k, v in known.items() if k in asked})
        if np.min(distance, initial=np.inf) > KINK_MARGIN:
            return drawn
    raise AssertionError(f"no operands away from the kinks of {op.name}")


def forward(op: TapeOp, arrays: list[Any], params: dict[str, Any]) -> np.ndarray:
    with np.errstate(divide="ignore"):  # log of an empty sum
        return np.asarray(op.forward(*arrays, **params))


def finite_difference(f: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """Derivative of a scalar function, entry by entry, by the five-point formula (error of order STEP⁴)."""
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        values = []
        for shift in (-2, -1, 1, 2):
            moved = x.copy()
            moved[index] += shift * STEP
            values.append(f(moved))
        found[index] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * STEP)
    return found


def complex_difference(f: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """Derivative of an analytic scalar function by a step along the imaginary axis: no cancellation at
    all."""
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += COMPLEX_STEP * 1j
        found[index] = np.imag(f(moved)) / COMPLEX_STEP
    return found


def rule_error(op: TapeOp, example: Example, rng: np.random.Generator) -> str | None:
    """Compare the tape's gradients of one example with numerical ones; the first difference as text."""
    operands = draw_operands(op, example, rng)
    params = op.bind((None,) * len(op.operands), example.params)[1]
    if op.canonical is not None:
        params = op.canonical(params)
    names = list(operands)
    tensors = {
        name: Tensor(np.asarray(value), requires_grad=value.dtype.kind == "f")
        for name, value in operands.items()
    }
    given = (list(tensors.values()),) if op.variadic else tuple(tensors.values())
    out = op(*given, **example.params)
    plain = forward(op, list(operands.values()), params)
    if not np.array_equal(out.data, plain, equal_nan=True):
        return f"{op.name}: the tape computes another value"
    seed = rng.standard_normal(out.shape)
    out.backward(seed)
    for name in names:
        if tensors[name].requires_grad and (op.variadic or name in op.vjps):
            tape = tensors[name].grad
            assert tape is not None

            def along(value: np.ndarray, name: str = name) -> Any:
                return (seed * forward(op, [*({**operands, name: value}).values()], params)).sum()

            methods: list[tuple[Callable[..., np.ndarray], float]] = [(finite_difference, 1e-7)]
            if op.analytic:
                methods.append((complex_difference, 1e-12))
            for method, tolerance in methods:
                expected = method(along, operands[name])
                scale = 1 + np.max(np.abs(expected), initial=0)
                if not np.allclose(tape.data, expected, rtol=tolerance, atol=tolerance * scale):
                    return f"{op.name}, {name}, {method.__name__}: {tape.data} is not {expected}"
    return None
