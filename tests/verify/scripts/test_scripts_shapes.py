"""The shape rules against NumPy itself: what is read must be what NumPy makes."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from verify.scripts.definitions import define
from verify.scripts.flow import Flow
from verify.scripts.kinds import Number, axes_of
from verify.scripts.rules import new_shapes
from verify.scripts.source import load

SETUP = """
import numpy as np
from numpy import random as nr
N, D = 5, 3
rng = np.random.default_rng(0)
x = np.array([[1., 2., 3.], [4., 5., 6.], [7., 8., 9.], [1., 1., 2.], [0., 2., 1.]])
y = np.array([[1], [2], [3], [4], [5]], dtype=np.float32)
v = np.float64([1, 2, 3])
labels = np.array([0, 2, 1, 1, 0])
t = np.zeros((2, 5, 3))
"""

EXPRESSIONS = """
x
x.T
y.T
x @ x.T
x.T @ y
x @ v
v @ v
v @ x.T
np.dot(x, v)
np.dot(2.0, x)
np.matmul(x.T, x)
x.dot(v)
np.outer(v, y[:, 0])
x + 1
x * y
x - v
-x
+x
x ** 2
2 ** x
x / x.sum(axis=1, keepdims=True)
x > 0
np.exp(x)
np.maximum(0, x)
np.where(x > 0, x, 0)
np.clip(x, 0, 1)
x.clip(0, 1)
np.power(x, 2)
x.sum()
x.sum(0)
x.sum(axis=1)
x.sum(axis=-1, keepdims=True)
np.sum(x, axis=0)
np.sum(x, axis=(0, 1))
np.mean(x, 1)
x.mean(keepdims=True)
np.max(x, axis=1)
x.argmax(1)
np.linalg.norm(x)
np.linalg.norm(x, axis=1)
x.reshape(3, 5)
x.reshape(-1)
x.reshape(-1, 1)
x.reshape((15, 1))
x.reshape(5, -1)
np.reshape(x, (1, 15))
x.reshape(x.shape)
v.reshape(3, 1)
v.reshape(1, -1)
v.reshape(D, 1)
x.ravel()
y.flatten()
y.squeeze()
np.expand_dims(v, 0)
np.expand_dims(v, axis=-1)
x.astype(np.float32)
x.copy()
x[0]
x[1:]
x[1:3]
x[:, 0]
x[:, 1:]
x[:, :2]
x[::2]
x[-1]
x[None]
x[:, None]
x[:, np.newaxis, :]
v[:, None] * v
x[labels]
np.eye(3)[labels]
t[0]
np.transpose(x)
np.hstack([x, y])
np.hstack((np.ones((5, 1)), x))
np.vstack([x, x])
np.concatenate([x, y], axis=1)
np.concatenate((v, v))
np.column_stack((y[:, 0], x))
np.c_[np.ones(5), x]
np.zeros(3)
np.zeros((N, D))
np.ones((2, 1), dtype=np.float32)
np.full((4, 2), 0.5)
np.empty((1, 7))
np.eye(4)
np.eye(2, 3)
np.identity(2)
np.zeros_like(x)
np.ones_like(v)
np.linspace(0, 1, 7)
np.linspace(0, 1)
np.linspace(0, 1, num=N)
np.arange(6)
np.arange(2, 9)
np.arange(0, 1, 0.25)
np.arange(6).reshape(2, 3)
np.random.rand(2, 1)
np.random.rand()
np.random.randn(N, D)
nr.uniform(-1, 1, (2, 1))
np.random.uniform(-1, 1, size=4)
np.random.normal(0, 1, (3, 2))
np.random.normal()
np.random.random((2, 2))
np.random.randint(0, 9, (4, 2))
rng.normal(size=(2, 1))
rng.random((3, 4))
rng.standard_normal((6, 2))
rng.uniform(-1, 1, (2, 5))
rng.integers(0, 5, size=7)
np.random.permutation(6)
x.shape[0]
x.shape[1]
x.size
len(x)
np.shape(x)[1]
np.zeros((x.shape[1], 1))
np.zeros(x.shape)
np.array([1, 2, 3])
np.array([v, v])
np.array([[1], [2]]).T
np.asarray(((1, 2), (3, 4)))
np.float32([[1, 2]])
float(y[0, 0])
N * D
np.zeros(N * 2)
x.std(axis=0)
np.log1p(np.exp(x)).mean(axis=0)
np.logaddexp(0, x)
np.cumsum(v)
"""


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_rule(expression: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SETUP + f"result = {expression}\n")
    source = load(path)
    flow = Flow(source, define(source))
    flow.run()
    shapes = new_shapes(flow.names)
    kind = shapes.read(flow.module.names["result"])
    names: dict[str, object] = {}
    exec(compile(ast.parse(source.text), "script", "exec"), names)
    real = names["result"]
    axes = axes_of(kind)
    assert axes is not None
    assert tuple(map(shapes.dims.size, axes)) == np.shape(real)  # type: ignore[arg-type]
    if isinstance(kind, Number) and kind.value is not None:
        assert kind.value == real
    assert not shapes.dims.clashes
