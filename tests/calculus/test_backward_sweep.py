"""The sweep itself: unused parameters, empty arrays, depth, what is shared, and what it refuses."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from calculus.loss_table import EMPTY, LOSSES, draw
from calculus.witness import witness

import symgrad as sg
from symgrad.calculus import differentiate
from symgrad.errors import DataError, ShapeError, SpecError
from symgrad.ops.dims import parse_shape
from symgrad.program import Builder, Input


def network(depth):
    lines = ["def loss(x, y, *, " + ", ".join(f"w{i}" for i in range(depth)) + "):", "    h = x"]
    lines += [f"    h = np.tanh(h @ w{i})" for i in range(depth)]
    lines += ["    return ((h - y)**2).sum()"]
    namespace = {"np": np}
    exec("\n".join(lines), namespace)
    shapes = {"x": "n d", "y": "n d", **{f"w{i}": "d d" for i in range(depth)}}
    return namespace["loss"], shapes


def derive_network(depth):
    loss, shapes = network(depth)
    return sg.derive(loss, shapes, wrt=[n for n in shapes if n.startswith("w")])


def test_a_hundred_layers_are_quick_and_linear():
    derive_network(3)
    start = time.perf_counter()
    deep = derive_network(100)
    text = str(deep)
    assert time.perf_counter() - start < 4  # about half a second alone; two cores may be busy
    per_layer = [len(derive_network(k).program.bindings) / k for k in (25, 50)] + [
        len(deep.program.bindings) / 100
    ]
    assert max(per_layer) - min(per_layer) < 1
    assert len(text) < 200 * 100


def test_a_deep_network_is_still_right():
    d = derive_network(12)
    rng = np.random.default_rng(0)
    arrays = {i.name: rng.normal(0, 0.7, (2, 2)) for i in d.program.inputs}
    _, grads = d(arrays)
    loss, _ = network(12)
    direction = {n: rng.standard_normal((2, 2)) for n in grads}

    def at(t):
        return loss(**{n: a + t * direction[n] if n in direction else a for n, a in arrays.items()})

    slope = (at(1e-5) - at(-1e-5)) / 2e-5
    assert sum((grads[n] * direction[n]).sum() for n in grads) == pytest.approx(slope, rel=1e-7)


def unused(a, b, c):
    return (a**2).sum() + 0 * c.size


@pytest.mark.parametrize("shape", ["n d", "n", ""])
def test_a_parameter_without_effect_has_the_gradient_zero(shape):
    d = sg.derive(unused, {"a": "n", "b": shape, "c": "n d"}, wrt=["a", "b"])
    sizes = {"n": 3, "d": 2}
    actual = tuple(sizes[s] for s in shape.split())
    _, grads = d(a=np.arange(3.0), b=np.ones(actual), c=np.ones((3, 2)))
    assert grads["b"].shape == actual
    assert not grads["b"].any()
    np.testing.assert_array_equal(grads["a"], [0.0, 2.0, 4.0])


def test_a_constant_loss():
    d = sg.derive(lambda a: 3.0, {"a": "n d"}, wrt="a")
    value, grads = d(a=np.ones((2, 3)))
    assert value == 3
    np.testing.assert_array_equal(grads["a"], np.zeros((2, 3)))


def test_gradients_flow_through_real_values_only():
    d = sg.derive("((a > 0)*b).sum() + np.where(a > b, 1.0, 2.0).sum()", {"a": "n", "b": "n"}, wrt=["a", "b"])
    _, grads = d(a=np.array([1.0, -1.0]), b=np.array([2.0, 3.0]))
    np.testing.assert_array_equal(grads["a"], [0, 0])
    np.testing.assert_array_equal(grads["b"], [1, 0])


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_empty_arrays(loss):
    for sizes in EMPTY:
        arrays = draw(loss, sizes)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # the mean of nothing
            expected = np.asarray(loss.plain()(**arrays), dtype=float)
            try:
                value, grads = loss.derive()(arrays)
            except DataError as error:
                assert "divides by a size that is 0" in str(error)
                assert not np.isfinite(expected)
                continue
        np.testing.assert_allclose(value, expected, rtol=1e-9, err_msg=str(sizes))
        for name in loss.wrt:
            assert grads[name].shape == arrays[name].shape
        if np.isfinite(expected):
            _, wanted = witness(loss.derive().program, loss.wrt, arrays, sizes)
            for name in loss.wrt:
                np.testing.assert_allclose(
                    grads[name], wanted[name], rtol=1e-9, atol=1e-12, err_msg=f"{name} {sizes}"
                )


TORCH = ("tutorial", "softmax", "tanh network", "shared weight", "normalised rows", "cubic residual", "quotient",
         "layer of one sample", "three axes", "vector with a column")  # fmt: skip


@pytest.mark.parametrize("loss", [x for x in LOSSES if x.name in TORCH], ids=str)
def test_gradients_are_torchs(loss):
    torch = pytest.importorskip("torch")

    class NumPyNames:
        """The names that the table's texts use, in torch."""

        exp, log, tanh, abs, sqrt, sum = torch.exp, torch.log, torch.tanh, torch.abs, torch.sqrt, torch.sum

    sizes = {"n": 3, "d": 2, "k": 2, "m": 4}
    arrays = draw(loss, sizes)
    tensors = {n: torch.tensor(a, requires_grad=n in loss.wrt) for n, a in arrays.items()}
    text = loss.text.replace("keepdims", "keepdim")
    torch_loss = eval(text, {"np": NumPyNames}, tensors)
    torch_loss.backward()
    value, grads = loss.derive()(arrays)
    np.testing.assert_allclose(value, torch_loss.item(), rtol=1e-12)
    for name in loss.wrt:
        np.testing.assert_allclose(grads[name], tensors[name].grad.numpy(), rtol=1e-10, atol=1e-12)


def test_torch_names_are_in_the_table():
    assert {x.name for x in LOSSES} >= set(TORCH)


def test_shared_values_are_computed_once():
    d = sg.derive("(np.tanh(x @ w)**2).sum() + np.tanh(x @ w).sum()", {"x": "n d", "w": "d k"}, wrt="w")
    ops = [b.op for b in d.program.bindings]
    assert ops.count("matmul") == 2
    assert sum(str(b.attrs.get("fn")) == "tanh(a0)" for b in d.program.bindings) == 1


def test_refusals():
    builder = Builder([Input("x", parse_shape("n"))])
    program = builder.finish([("loss", "x")])
    with pytest.raises(ShapeError) as caught:
        differentiate(program, ["x"])
    assert str(caught.value) == (
        "The loss is not a scalar.\n  where:    loss\n  expected: shape ()\n  got:      shape (n,)\n"
        "  fix:      reduce it with .sum() or .mean()"
    )
    with pytest.raises(SpecError, match="'z' is not an argument of the loss") as caught:
        sg.derive("(x**2).sum()", {"x": "n"}, wrt="z")
    assert caught.value.expected == "x"
