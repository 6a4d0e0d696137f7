"""Every rule of the table against numerical derivatives, at its own examples and at drawn shapes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tape_checks import rule_error

from symgrad.autograd import OPS, Tensor, functions
from symgrad.autograd.record import Example, TapeOp

EXAMPLES = [
    pytest.param(op, example, id=f"{name}-{number}")
    for name, op in OPS.items()
    for number, example in enumerate(op.examples)
    if op.vjps
]
DIFFERENTIABLE = [op for op in OPS.values() if op.vjps]
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LENGTHS = st.sampled_from([0, 1, 2, 3])


@pytest.mark.parametrize(("op", "example"), EXAMPLES)
def test_gradient_agrees_with_numerical_derivative(op: TapeOp, example: Example) -> None:
    assert rule_error(op, example, np.random.default_rng(0)) is None


@st.composite
def broadcasting_shapes(draw: Any, count: int) -> tuple[tuple[int, ...], ...]:
    full = draw(st.lists(LENGTHS, max_size=3).map(tuple))
    shapes = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full))) :]
        shapes.append(tuple(1 if draw(st.booleans()) else length for length in kept))
    return tuple(shapes)


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.elementwise], ids=lambda op: op.name)
@QUICK
@given(data=st.data())
def test_elementwise_gradients_at_drawn_shapes(op: TapeOp, data: st.DataObject) -> None:
    example = op.examples[0]
    shapes = data.draw(broadcasting_shapes(len(op.operands)))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    fixed: dict[str, Any] = {}
    if "condition" in op.operands:
        fixed["condition"] = rng.integers(0, 2, shapes[0]).astype(bool)
    drawn = dataclasses.replace(example, shapes=shapes, operands=fixed)
    assert rule_error(op, drawn, rng) is None


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "logsumexp", "softmax", "log_softmax"])
@QUICK
@given(data=st.data())
def test_reductions_at_drawn_shapes_and_axes(name: str, data: st.DataObject) -> None:
    op = OPS[name]
    lengths = st.sampled_from([1, 2, 3]) if name in ("amax", "amin", "mean", "logsumexp") else LENGTHS
    shape = data.draw(st.lists(lengths, min_size=1, max_size=3).map(tuple))
    params: dict[str, Any] = {"axis": data.draw(st.integers(-len(shape), len(shape) - 1))}
    if "keepdims" in op.params:
        params["axis"] = data.draw(st.sampled_from([None, params["axis"], tuple(range(len(shape)))]))
        params["keepdims"] = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    assert rule_error(op, Example((shape,), params), rng) is None


@QUICK
@given(data=st.data())
def test_matmul_at_drawn_shapes(data: st.DataObject) -> None:
    n, k, m = (data.draw(LENGTHS) for _ in range(3))
    batch = data.draw(broadcasting_shapes(2))
    left = data.draw(st.sampled_from([(k,), (*batch[0], n, k)]))
    right = data.draw(st.sampled_from([(k,), (*batch[1], k, m)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    assert rule_error(OPS["matmul"], Example((left, right)), rng) is None


def planted(op: TapeOp, operand: str, factor: float) -> TapeOp:
    """The record with one rule made wrong."""
    right = op.vjps[operand]

    @functools.wraps(right)
    def wrong(*args: Any, **kwargs: Any) -> np.ndarray:
        return right(*args, **kwargs) * factor + (0.01 if op.name == "sign" else 0.0)

    return dataclasses.replace(op, vjps={**op.vjps, operand: wrong})


@pytest.mark.parametrize("factor", [-1.0, 1.001])
@pytest.mark.parametrize(
    ("op", "operand"),
    [(op, operand) for op in DIFFERENTIABLE for operand in op.vjps],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_wrong_rule_is_caught(op: TapeOp, operand: str, factor: float) -> None:
    wrong = planted(op, operand, factor)
    errors = [rule_error(wrong, example, np.random.default_rng(0)) for example in op.examples]
    assert any(errors)


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.name != "cast"], ids=lambda op: op.name)
def test_float32_stays_float32(op: TapeOp) -> None:
    example = op.examples[0]
    rng = np.random.default_rng(0)
    floats = [
        Tensor(rng.uniform(example.low, example.high, s).astype(np.float32), True) for s in example.shapes
    ]
    given = [example.operands.get(name, tensor) for name, tensor in zip(op.operands, floats)]
    out = op(floats, **example.params) if op.variadic else op(*given, **example.params)
    assert out.data.dtype == np.float32
    out.backward(np.ones(out.shape, np.float32))
    assert {t.grad.data.dtype for t in floats if t.grad is not None} == {np.dtype(np.float32)}


def test_every_operation_is_exported() -> None:
    assert all(getattr(functions, name) is op for name, op in OPS.items())
    assert all(op.examples and op.doc for op in OPS.values())


def grad_of(function: Any, value: Any) -> Any:
    x = Tensor(np.array(value), requires_grad=True)
    function(x).sum().backward()
    assert x.grad is not None
    return x.grad.data.tolist()


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (functions.relu, 0.0, 0.0),
        (functions.abs, 0.0, 0.0),
        (functions.sign, 0.0, 0.0),
        (lambda x: functions.leaky_relu(x, negative_slope=0.25), 0.0, 0.25),
        (lambda x: functions.elu(x, alpha=0.5), 0.0, 0.5),
        (lambda x: functions.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: functions.minimum(x, 0.0), 0.0, 0.5),
        (lambda x: functions.clip(x, min=0.0), 0.0, 1.0),
        (functions.amax, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (functions.amin, [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
        (lambda x: functions.max(x, 0).values, [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
        (functions.sqrt, 0.0, float("inf")),
        (lambda x: functions.pow(x, 2), 0.0, 0.0),
        (lambda x: functions.pow(x, 0), 0.0, 0.0),
        (lambda x: functions.pow(x, 1), 0.0, 1.0),
        (lambda x: functions.pow(0.0, x), 2.0, 0.0),
    ],
)
def test_conventions_at_kinks(function: Any, value: Any, expected: Any) -> None:
    assert grad_of(function, value) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name", ["sigmoid", "softplus", "silu", "gelu", "tanh", "elu", "logsumexp", "softmax", "log_softmax"]
)
def test_stable_forms_neither_overflow_nor_lose_themselves(name: str, dtype: type) -> None:
    op = OPS[name]
    x: np.ndarray = np.array([-1e4, -800.0, -90.0, 0.0, 90.0, 800.0, 1e4], dtype)
    params = dict(op.params)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        out = np.asarray(op.forward(x, **params))
        known = {"x": x, "out": out, "x_shape": x.shape, **params}
        g = np.ones_like(out)
        found = op.vjps["x"](g, **{read: known[read] for read in op.reads["x"]})
    assert np.isfinite(out).all()
    assert np.isfinite(found).all()


def test_sigmoid_keeps_its_slope_where_it_is_nearly_one() -> None:
    assert grad_of(functions.sigmoid, 40.0) == pytest.approx(np.exp(-40.0), rel=1e-12)


def test_softplus_is_exact_beyond_any_threshold() -> None:
    assert functions.softplus(Tensor(np.array(25.0))).item() == 25.0 + np.log1p(np.exp(-25.0))


def test_logsumexp_of_minus_infinity() -> None:
    x = Tensor(np.full(3, -np.inf))
    assert functions.logsumexp(x).item() == -np.inf


def test_nan_passes_through() -> None:
    assert np.isnan(functions.maximum(Tensor(np.array(np.nan)), 0.0).item())
    assert np.isnan(functions.relu(Tensor(np.array(np.nan))).item())
