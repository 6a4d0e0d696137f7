"""The graph and the backward pass: depth, sharing, accumulation, freeing, changes in place."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from collections.abc import Callable

import numpy as np
import pytest

import symgrad.autograd as ag
from symgrad.autograd import functions as F
from symgrad.errors import DataError, GradientError, ShapeError, UnsupportedError

DEEP = 100_000


def leaf(*values: float) -> ag.Tensor:
    return ag.tensor(values, dtype=ag.float64, requires_grad=True)


def scalar(value: float) -> ag.Tensor:
    return ag.tensor(value, dtype=ag.float64, requires_grad=True)


def grad(x: ag.Tensor) -> list[float]:
    assert x.grad is not None
    return x.grad.tolist()


def chain(start: ag.Tensor, length: int = DEEP) -> ag.Tensor:
    x = start
    for _ in range(length):
        x = x + 1.0
    return x


def in_small_stack(function: Callable[[], None]) -> None:
    """Run in a thread whose stack has no room for deep recursion in C either."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001  (handed to the test below)
            failures.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failures:
        raise failures[0]


def test_a_deep_graph_goes_backward_without_recursion() -> None:
    def run() -> None:
        x = scalar(0.5)
        y = chain(x)
        y.backward()
        assert grad(x) == 1.0

    in_small_stack(run)


def test_a_deep_graph_is_dropped_without_recursion() -> None:
    def run() -> None:
        y = chain(scalar(0.5))
        del y
        gc.collect()

    in_small_stack(run)


def test_a_deep_graph_is_printed_pickled_and_collected_without_recursion() -> None:
    def run() -> None:
        y = chain(scalar(0.5))
        assert repr(y) == "tensor(100000.5000, dtype=symgrad.float64, grad_fn=<add_backward>)"
        assert repr(y.grad_fn) == "<add_backward>"
        assert pickle.loads(pickle.dumps(y)).item() == 100_000.5
        gc.collect()

    in_small_stack(run)


def test_a_wide_graph_of_shared_nodes_is_walked_once_per_node() -> None:
    x = scalar(1.0)
    y = x
    for _ in range(60):  # 2⁶⁰ paths
        y = y + y
    y.backward()
    assert grad(x) == 2.0**60


def test_a_variable_used_twice_gets_both_gradients() -> None:
    x = leaf(3.0)
    (x * x + x).sum().backward()
    assert grad(x) == [7.0]


def test_one_tensor_in_both_places_of_an_operation() -> None:
    x = leaf(1.0, 2.0)
    F.cat([x, x]).square().sum().backward()
    assert grad(x) == [4.0, 8.0]


def test_gradients_are_summed_over_broadcast_axes() -> None:
    row, column, number = (
        leaf(1.0, 2.0, 3.0),
        ag.ones(2, 1, dtype=ag.float64, requires_grad=True),
        scalar(2.0),
    )
    (row * column + number).sum().backward()
    assert grad(row) == [2.0, 2.0, 2.0]
    assert grad(column) == [[6.0], [6.0]]
    assert grad(number) == 6.0


def test_backward_adds_to_grad() -> None:
    x = leaf(2.0)
    for expected in ([4.0], [8.0]):
        x.square().sum().backward()
        assert grad(x) == expected


def test_leaves_never_share_the_memory_of_a_gradient() -> None:
    x, y = leaf(1.0), leaf(1.0)
    (x + y).sum().backward()
    assert x.grad is not None
    x.grad.zero_()
    assert grad(y) == [1.0]


def test_backward_twice_is_refused() -> None:
    x = leaf(2.0)
    loss = x.square().sum()
    loss.backward()
    with pytest.raises(GradientError) as caught:
        loss.backward()
    assert str(caught.value) == (
        "backward a second time through a graph that was already freed\n"
        "  where:    <sum_backward>\n"
        "  expected: one backward pass per forward pass\n"
        "  fix:      compute the loss again, or call backward(retain_graph=True) the first time"
    )
    assert grad(x) == [4.0]


def test_backward_through_a_part_that_was_freed_is_refused_and_writes_nothing() -> None:
    x, z = leaf(2.0), leaf(1.0)
    shared = x.square()
    shared.sum().backward()
    with pytest.raises(GradientError, match="already freed"):
        (shared * z).sum().backward()
    assert z.grad is None


def test_retain_graph_allows_another_pass() -> None:
    x = leaf(2.0)
    loss = x.square().sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert grad(x) == [8.0]


def test_a_tensor_that_is_no_scalar_needs_a_gradient() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(GradientError) as caught:
        (x * 2).backward()
    assert str(caught.value) == (
        "the gradient of a tensor with several elements is not defined\n"
        "  where:    backward\n"
        "  expected: a scalar\n"
        "  got:      shape (2,)\n"
        "  fix:      reduce it first (.sum(), .mean()), or pass gradient= for a vector-Jacobian product"
    )
    (x * 2).backward(np.array([1.0, 10.0]))
    assert grad(x) == [2.0, 20.0]
    with pytest.raises(ShapeError, match="another shape than the tensor"):
        (x * 2).backward(np.ones(3))


def test_without_anything_that_requires_a_gradient() -> None:
    with pytest.raises(GradientError) as caught:
        ag.tensor(1.0).backward()
    assert str(caught.value) == (
        "this tensor was not computed from anything that requires a gradient\n"
        "  where:    backward\n"
        "  expected: a tensor with requires_grad=True among what it was computed from\n"
        "  got:      tensor(1., dtype=symgrad.float32)\n"
        "  fix:      set requires_grad=True on the parameters, and compute outside of no_grad"
    )


def test_second_derivatives_are_refused() -> None:
    x = leaf(1.0)
    with pytest.raises(UnsupportedError, match="no second derivatives"):
        x.sum().backward(create_graph=True)


def test_backward_from_a_leaf() -> None:
    x = scalar(3.0)
    x.backward()
    assert grad(x) == 1.0


def test_integers_have_no_gradient() -> None:
    with pytest.raises(DataError, match="only floating point tensors can have a gradient"):
        ag.tensor([1, 2], requires_grad=True)
    x = leaf(1.0, 2.0)
    assert not (x > 1).requires_grad
    assert not x.argmax().requires_grad
    assert not x.to(ag.int64).requires_grad


def test_no_grad_as_context_and_decorator() -> None:
    x = leaf(1.0)

    @ag.no_grad()
    def doubled() -> ag.Tensor:
        return x * 2

    with ag.no_grad():
        assert not (x * 2).requires_grad
        with ag.enable_grad():
            assert (x * 2).requires_grad
        assert not ag.is_grad_enabled()
    assert not doubled().requires_grad
    assert ag.is_grad_enabled()


def test_no_grad_holds_in_its_own_thread_only() -> None:
    seen: list[bool] = []
    with ag.no_grad():
        thread = threading.Thread(target=lambda: seen.append(ag.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_shares_memory_and_stops_the_gradient() -> None:
    x = leaf(1.0)
    y = x.detach()
    assert not y.requires_grad
    (x * y).sum().backward()
    assert grad(x) == [1.0]
    y.fill_(5.0)
    assert x.tolist() == [5.0]


def test_a_change_in_place_of_what_backward_needs_is_noticed() -> None:
    x, w = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0], requires_grad=True)
    loss = (x * w).sum()
    x.add_(1.0)
    with pytest.raises(GradientError) as caught:
        loss.backward()
    assert str(caught.value) == (
        "a tensor that the backward pass needs was changed in place\n"
        "  where:    <mul_backward>, argument 'a'\n"
        "  expected: version 0\n"
        "  got:      version 1\n"
        "  fix:      call backward before the change, or compute a new tensor instead"
    )
    assert w.grad is None


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.zero_(),
        lambda x: x.__setitem__(0, 5.0),
        lambda x: x.T.fill_(1.0),
        lambda x: x[1:].add_(1.0),
        lambda x: x.detach().mul_(2.0),
        lambda x: x.copy_(np.zeros(2)),
        lambda x: setattr(x, "data", np.multiply(x.data, 2, out=x.data)),
    ],
)
def test_every_way_to_change_in_place_is_noticed(change: Callable[[ag.Tensor], object]) -> None:
    x, w = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0], requires_grad=True)
    loss = (x * w).sum()
    change(x)
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_a_change_in_place_of_what_backward_does_not_need_is_fine() -> None:
    x, w = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0], requires_grad=True)
    loss = (x + w).sum()
    x.zero_()
    loss.backward()
    assert grad(w) == [1.0, 1.0]


def test_a_step_between_forward_and_backward_is_noticed() -> None:
    w = leaf(1.0, 2.0)
    loss = w.square().sum()
    loss.backward(retain_graph=True)
    with ag.no_grad():
        w -= 0.1 * np.asarray(w.grad)
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_updating_a_leaf_needs_no_grad() -> None:
    w = leaf(1.0)
    with pytest.raises(GradientError) as caught:
        w -= 0.1
    assert str(caught.value) == (
        "a leaf that requires a gradient cannot be changed in place while operations are recorded\n"
        "  where:    in-place operation\n"
        "  fix:      write y = y + x, or change it inside `with symgrad.no_grad():`"
    )
    with ag.no_grad():
        w -= 0.5
    assert w.tolist() == [0.5]
    assert w.requires_grad
    assert w.is_leaf


def test_a_running_total_is_recorded() -> None:
    x = leaf(1.0, 2.0)
    total = ag.tensor(0.0, dtype=ag.float64)
    for i in range(3):
        total += (x * i).sum()
    total *= total
    total.backward()
    assert total.item() == 81.0
    assert grad(x) == [54.0, 54.0]


def test_a_recorded_change_of_a_tensor_with_views_is_refused() -> None:
    x = leaf(1.0, 2.0)
    y = x * 1
    first = y[0]
    with pytest.raises(GradientError, match="shares memory with a view"):
        y += x
    with pytest.raises(GradientError, match="shares memory with a view"):
        first += x[0]
    with pytest.raises(GradientError, match="cannot be overwritten"):
        y[0] = 1.0


def test_a_change_in_place_keeps_shape_and_type() -> None:
    x = ag.tensor([1, 2])
    with pytest.raises(DataError, match="keeps the element type"):
        x += 0.5
    y = ag.tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match="keeps the shape"):
        y += ag.ones(3, 2)
    with pytest.raises(DataError, match="only numbers can be written"):
        y[0] = 1j
    with pytest.raises(ShapeError, match="the values do not fit"):
        y[0] = [1.0, 2.0, 3.0]
    with pytest.raises(DataError, match="read-only"):
        ag.zeros(1).expand(3).add_(1.0)


def test_numpy_of_a_tensor_with_a_gradient_cannot_be_written() -> None:
    x = leaf(1.0)
    with pytest.raises(ValueError, match="read-only"):
        x.numpy()[0] = 2.0
    assert np.array(x, copy=True).flags.writeable


def test_retain_grad_keeps_the_gradient_of_a_computed_tensor() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    y.square().sum().backward()
    assert grad(y) == [6.0, 12.0]
    assert grad(x) == [18.0, 36.0]


def test_grad_returns_gradients_and_leaves_the_leaves_alone() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    dx, dy = ag.grad(y.square().sum(), [x, y])
    assert dx is not None
    assert dy is not None
    assert dx.tolist() == [18.0, 64.0]
    assert dy.tolist() == [6.0, 16.0]
    assert x.grad is None
    (vjp,) = ag.grad(x * w, x, grad_outputs=ag.tensor([1.0, 0.0]))
    assert vjp is not None
    assert vjp.tolist() == [3.0, 0.0]


def test_grad_of_an_unused_input() -> None:
    x, unused = leaf(1.0), leaf(1.0)
    with pytest.raises(GradientError, match="do not depend on this input"):
        ag.grad(x.sum(), [x, unused])
    assert ag.grad(x.sum(), [x, unused], allow_unused=True)[1] is None
    (own,) = ag.grad(scalar(2.0), [x], allow_unused=True)
    assert own is None


def test_copies_carry_data_and_not_the_graph() -> None:
    x = leaf(1.0)
    x.sum().backward()
    twin = copy.deepcopy(x)
    assert (twin.tolist(), twin.requires_grad, grad(twin)) == ([1.0], True, [1.0])
    with pytest.raises(GradientError, match="only leaves"):
        copy.deepcopy(x * 2)
    restored = pickle.loads(pickle.dumps(x * 2))
    assert restored.is_leaf
    assert restored.requires_grad
    with pytest.raises(GradientError, match="cannot be copied or pickled"):
        pickle.dumps((x * 2).grad_fn)


def test_a_gradient_has_the_shape_of_its_tensor() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match="has the shape of its tensor"):
        x.grad = ag.zeros(3)
    with pytest.raises(DataError, match="a tensor or None"):
        x.grad = np.zeros(2)  # type: ignore[assignment]
