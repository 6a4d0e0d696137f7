"""Labels of the losses of ``sg.nn`` in derivations: which are classes, which count, against the tape."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DataError

K = 4
X = np.random.default_rng(0).normal(size=(5, 3))
W = np.random.default_rng(1).normal(size=(3, K))


def taped(y, **options):
    w = sg.tensor(W, requires_grad=True)
    loss = sg.nn.functional.cross_entropy(sg.matmul(sg.tensor(X), w), sg.tensor(y), **options)
    loss.backward()
    return loss.item(), w.grad.numpy()


def derived(**options):
    def loss(x, w, y):
        return sg.nn.functional.cross_entropy(x @ w, y, **options)

    return sg.derive(loss, {"x": "n d", "w": "d k", "y": "n"}, wrt="w")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weight", [None, np.array([1.0, 0.5, 2.0, 3.0])])
@pytest.mark.parametrize("mark", [-100, -1, 0, 255])
def test_rows_that_do_not_count(mark, weight, reduction):
    options = {"ignore_index": mark, "reduction": reduction}
    if weight is not None:
        options["weight"] = sg.tensor(weight)
    own = derived(**options)
    labels = [0, 1, 3, 2, 1] if mark == -100 else [3, mark, 1, 2, mark]
    y = np.array(labels)
    value, grads = own(x=X, w=W, y=y)
    expected, slope = taped(y, **options)
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(grads["w"], slope, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bad", [-1, K, -100])
def test_a_label_that_is_no_class_is_refused(bad):
    y = np.array([0, 1, bad, 2, 1])
    own = derived()
    message = rf"A label is no class\.\n  where:    y\[2\]\n  expected: 0 … 3\n  got:      {bad}"
    with pytest.raises(DataError, match=message):
        own(x=X, w=W, y=y)
    with pytest.raises(DataError, match=message):
        own.compile()(x=X, w=W, y=y)
    with pytest.raises(DataError, match=r"0 … 3, or 7\n"):
        derived(ignore_index=7)(x=X, w=W, y=y)


def test_labels_of_a_domain_are_checked_too():
    def loss(z, y):
        return -np.sum(z[np.arange(len(y)), y])

    shapes = {"z": "n k", "y": "n"}
    free = sg.derive(loss, shapes, wrt="z")
    bound = sg.derive(loss, shapes, wrt="z", domains={"y": "labels k"})
    z = np.ones((2, 3))
    value, _ = free(z=z, y=[0, -1])  # NumPy's last class
    assert value == -2
    with pytest.raises(DataError, match="A label is no class"):
        bound(z=z, y=[0, -1])
    assert bound(z=z, y=[0, 2])[0] == -2


def test_a_module_with_its_criterion_checks_labels():
    own = sg.derive(sg.nn.Linear(3, K), {"x": "n 3", "y": "n"}, criterion=sg.nn.CrossEntropyLoss())
    data = {"x": X, "weight": W.T, "bias": np.zeros(K)}
    with pytest.raises(DataError, match="A label is no class"):
        own(data, y=[0, 1, -1, 2, 0])
    value, grads = own(data, y=[0, 1, 3, 2, 0])
    expected, slope = taped(np.array([0, 1, 3, 2, 0]))
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(grads["weight"].T, slope, rtol=1e-13, atol=1e-15)
