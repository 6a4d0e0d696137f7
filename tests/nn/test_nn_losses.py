"""Losses against PyTorch and against finite differences of their definitions, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad.autograd as ag
from symgrad import nn
from symgrad.errors import DataError, ShapeError, SpecError

RNG = np.random.default_rng(0)
N, K = 5, 3
REAL = RNG.standard_normal((N, K)) * 3
OTHER = RNG.standard_normal((N, K))
UNIT = RNG.uniform(0.05, 0.95, (N, K))
BITS = RNG.integers(0, 2, (N, K)).astype(float)
LABELS = np.array([0, 2, 1, 1, 2])
PROBS = UNIT / UNIT.sum(axis=1, keepdims=True)
CLASS_WEIGHT = np.array([0.5, 2.0, 1.0])

CASES: list[tuple[str, dict[str, Any], np.ndarray, np.ndarray]] = [
    ("MSELoss", {}, REAL, OTHER),
    ("L1Loss", {}, REAL, OTHER),
    ("SmoothL1Loss", {}, REAL, OTHER),
    ("SmoothL1Loss", {"beta": 0.3}, REAL, OTHER),
    ("SmoothL1Loss", {"beta": 0.0}, REAL, OTHER),
    ("BCELoss", {}, UNIT, BITS),
    ("BCELoss", {"weight": CLASS_WEIGHT}, UNIT, PROBS),
    ("BCEWithLogitsLoss", {}, REAL, BITS),
    ("BCEWithLogitsLoss", {"weight": CLASS_WEIGHT, "pos_weight": CLASS_WEIGHT}, REAL, PROBS),
    ("CrossEntropyLoss", {}, REAL, LABELS),
    ("CrossEntropyLoss", {}, REAL[0], np.array(2)),
    ("CrossEntropyLoss", {"weight": CLASS_WEIGHT}, REAL, LABELS),
    ("CrossEntropyLoss", {"weight": CLASS_WEIGHT, "ignore_index": 1}, REAL, LABELS),
    ("CrossEntropyLoss", {"ignore_index": 2}, REAL, LABELS),
    ("CrossEntropyLoss", {}, REAL, PROBS),
    ("CrossEntropyLoss", {"weight": CLASS_WEIGHT}, REAL, PROBS),
    ("CrossEntropyLoss", {}, REAL[0], PROBS[0]),
    ("NLLLoss", {}, REAL, LABELS),
    ("NLLLoss", {"weight": CLASS_WEIGHT}, REAL, LABELS),
    ("NLLLoss", {"weight": CLASS_WEIGHT}, REAL[0], np.array(1)),
    ("KLDivLoss", {}, np.log(PROBS), PROBS[::-1].copy()),
    ("KLDivLoss", {}, np.log(PROBS), BITS),
    ("KLDivLoss", {"log_target": True}, np.log(PROBS), np.log(PROBS[::-1])),
]


def make(name: str, options: dict[str, Any], reduction: str) -> nn.Module:
    ours = {k: ag.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    return getattr(nn, name)(reduction=reduction, **ours)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options", "x", "target"), CASES)
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
def test_losses_agree_with_torch(
    name: str, options: dict[str, Any], x: np.ndarray, target: np.ndarray, reduction: str
) -> None:
    torch = pytest.importorskip("torch")
    theirs_options = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    peer = getattr(torch.nn, name)(reduction=reduction, **theirs_options)
    a, b = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    soft = target.dtype.kind == "f"
    ta, tb = ag.tensor(target, requires_grad=soft), torch.tensor(target, requires_grad=soft)
    mine, other = make(name, options, reduction)(a, ta), peer(b, tb)
    np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-12, atol=1e-14)
    seed = RNG.standard_normal(mine.shape)
    mine.backward(seed)
    other.backward(torch.tensor(seed))
    assert a.grad is not None
    np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-10, atol=1e-13)
    if soft and not (name == "KLDivLoss" and (target == 0).any()):
        assert ta.grad is not None
        np.testing.assert_allclose(ta.grad.data, tb.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "options", "x", "target"), CASES)
def test_gradients_agree_with_finite_differences(
    name: str, options: dict[str, Any], x: np.ndarray, target: np.ndarray
) -> None:
    loss = make(name, options, "sum")
    t = ag.tensor(target)
    a = ag.tensor(x, requires_grad=True)
    loss(a, t).backward()
    h = 1e-5
    assert a.grad is not None
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slope = (loss(ag.tensor(up), t).item() - loss(ag.tensor(down), t).item()) / (2 * h)
        assert a.grad.data[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(shape=st.lists(st.integers(0, 3), max_size=3).map(tuple), seed=st.integers(0, 100))
def test_mse_is_the_mean_of_squares_at_every_shape(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(shape), rng.standard_normal(shape)
    loss = nn.MSELoss(reduction="sum")(ag.tensor(x), ag.tensor(y)).item()
    assert loss == pytest.approx(sum(r * r for r in (x - y).ravel().tolist()))


COMPARING = ["MSELoss", "L1Loss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss"]


@pytest.mark.parametrize("name", COMPARING)
def test_unequal_shapes_are_refused(name: str) -> None:
    with pytest.raises(ShapeError, match="compares element by element, and the shapes differ"):
        getattr(nn, name)()(ag.rand(4, 1), ag.rand(4))


def test_the_refusal_says_what_broadcasting_would_do() -> None:
    with pytest.raises(ShapeError) as caught:
        nn.MSELoss()(ag.ones(4, 1), ag.ones(4))
    assert str(caught.value) == (
        "mse_loss compares element by element, and the shapes differ\n"
        "  where:    mse_loss(input, target)\n"
        "  expected: equal shapes\n"
        "  got:      (4, 1) and (4,), which would broadcast to (4, 4)\n"
        "  fix:      reshape one to the other's shape, e.g. target.reshape(input.shape)"
    )
    with pytest.raises(ShapeError) as caught:
        nn.MSELoss()(ag.ones(4, 1), ag.ones(3))
    assert caught.value.got == "(4, 1) and (3,), which would broadcast to (4, 3)"
    with pytest.raises(ShapeError) as caught:
        nn.MSELoss()(ag.ones(4), ag.ones(3))
    assert caught.value.got == "(4,) and (3,)"


@pytest.mark.parametrize("name", [*COMPARING, "CrossEntropyLoss", "NLLLoss"])
def test_an_unknown_reduction_is_refused(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        getattr(nn, name)(reduction="average")
    assert str(caught.value) == (
        f"{name} has no such reduction\n"
        f"  where:    {name}, reduction\n"
        "  expected: 'mean', 'sum' or 'none'\n"
        "  got:      'average'"
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.NLLLoss()(ag.ones(4, 3), ag.zeros(4, 1)), ShapeError, "takes one label per row"),
        (lambda: nn.NLLLoss()(ag.ones(4, 3), ag.zeros(4)), DataError, "labels are integers"),
        (lambda: nn.NLLLoss()(ag.ones(2, 3), ag.tensor([0, 3])), DataError, "a label is no class"),
        (lambda: nn.NLLLoss()(ag.ones(2, 3), ag.tensor([0, -1])), DataError, "a label is no class"),
        (
            lambda: nn.NLLLoss(ag.ones(2))(ag.ones(2, 3), ag.tensor([0, 1])),
            ShapeError,
            "one weight per class",
        ),
        (
            lambda: nn.CrossEntropyLoss()(ag.ones(2), ag.tensor([0, 1])),
            DataError,
            "probabilities are floating",
        ),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=0.1)(ag.ones(2), ag.ones(2)),
            SpecError,
            "label smoothing",
        ),
        (lambda: nn.BCELoss()(ag.full((2,), 1.5), ag.ones(2)), DataError, "takes probabilities"),
        (lambda: nn.BCELoss(ag.ones(2, 1))(ag.rand(2), ag.ones(2)), ShapeError, "a weight of binary"),
        (lambda: nn.SmoothL1Loss(beta=-1)(ag.ones(2), ag.ones(2)), SpecError, "needs beta ≥ 0"),
    ],
)
def test_what_losses_refuse(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_bce_at_certainty_is_finite_with_a_finite_gradient() -> None:
    p = ag.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = nn.BCELoss(reduction="none")(p, ag.tensor([0.0, 1.0, 1.0, 0.0]))
    assert loss.tolist() == [0.0, 0.0, 100.0, 100.0]
    loss.sum().backward()
    assert p.grad is not None
    assert np.isfinite(p.grad.data).all()


def test_bce_with_logits_keeps_its_digits_at_large_logits() -> None:
    z = ag.tensor(np.array([100.0, -100.0]), requires_grad=True)
    loss = nn.BCEWithLogitsLoss(reduction="none")(z, ag.tensor([1.0, 0.0]))
    np.testing.assert_allclose(loss.data, np.exp(-100.0), rtol=1e-12)
    loss.sum().backward()
    assert z.grad is not None
    np.testing.assert_allclose(np.abs(z.grad.data), np.exp(-100.0), rtol=1e-12)


def test_ignored_rows_count_nothing_even_when_infinite() -> None:
    x = ag.tensor([[0.0, -np.inf], [0.0, 0.0]], requires_grad=True)
    loss = nn.NLLLoss(ignore_index=1)(x, ag.tensor([1, 0]))
    loss.backward()
    assert loss.item() == 0.0
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 0.0], [-1.0, 0.0]]
