"""Losses for the tests of verify: plain NumPy functions with their shapes and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A loss, the shapes of its arguments, and its parameters."""

    name: str
    loss: Any
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    domains: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def tanh_net(x, w1, b1, w2, b2, y):
    h = np.tanh(x @ w1 + b1)
    return ((h @ w2 + b2 - y) ** 2).sum() / x.shape[0]


def relu_net(x, w1, w2, y):
    h = np.maximum(x @ w1, 0)
    return 0.5 * ((h @ w2 - y) ** 2).sum()


def deep_tanh(x, w1, w2, w3, y):
    h1 = np.tanh(x @ w1)
    h2 = np.tanh(h1 @ w2)
    return 0.5 * ((h2 @ w3 - y) ** 2).sum()


LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}
VECTOR = {"x": "n d", "w": "d", "y": "n"}
SEVERAL = {"x": "n d", "w": "d k", "y": "n k"}
BIAS = {"x": "n d", "w": "d k", "b": "k", "y": "n k"}

PROBLEMS: tuple[Problem, ...] = (
    Problem("linear", lambda x, w, y: 0.5 * ((x @ w - y) ** 2).sum(), LINEAR, ("w",)),
    Problem("linear in vectors", lambda x, w, y: ((x @ w - y) ** 2).sum(), VECTOR, ("w", "x")),
    Problem("mean over all", lambda x, w, y: ((x @ w - y) ** 2).mean(), SEVERAL, ("w",)),
    Problem("mean over rows", lambda x, w, y: ((x @ w - y) ** 2).sum() / x.shape[0], SEVERAL, ("w", "y")),
    Problem("bias", lambda x, w, b, y: ((x @ w + b - y) ** 2).sum(), BIAS, ("w", "b")),
    Problem("scalar bias", lambda x, w, b, y: ((x @ w + b - y) ** 2).mean(), {**VECTOR, "b": ""}, ("w", "b")),
    Problem("row bias", lambda x, w, b, y: ((x @ w + b - y) ** 2).sum(), {**SEVERAL, "b": "1 k"}, ("b", "w")),
    Problem("column bias", lambda x, c: np.exp(x * c).sum(), {"x": "n d", "c": "n 1"}, ("c", "x")),
    Problem(
        "ridge",
        lambda x, w, y, lam: ((x @ w - y) ** 2).sum() + lam * (w**2).sum(),
        {**LINEAR, "lam": ""},
        ("w", "lam"),
    ),
    Problem("fixed ridge", lambda x, w, y: ((x @ w - y) ** 2).mean() + 0.1 * (w * w).sum(), LINEAR, ("w",)),
    Problem("neuron", lambda x, w, y: ((sigmoid(x @ w) - y) ** 2).sum(), LINEAR, ("w",)),
    Problem(
        "cross-entropy",
        lambda x, w, y: -(y * np.log(sigmoid(x @ w)) + (1 - y) * np.log(1 - sigmoid(x @ w))).mean(),
        LINEAR,
        ("w",),
        {"y": "binary"},
    ),
    Problem(
        "tanh net",
        tanh_net,
        {"x": "n d", "w1": "d h", "b1": "h", "w2": "h k", "b2": "k", "y": "n k"},
        ("w1", "b1", "w2", "b2"),
    ),
    Problem("relu net", relu_net, {"x": "n d", "w1": "d h", "w2": "h k", "y": "n k"}, ("w1", "w2")),
    Problem(
        "deep tanh",
        deep_tanh,
        {"x": "n d", "w1": "d h", "w2": "h h", "w3": "h 1", "y": "n 1"},
        ("w1", "w2", "w3"),
    ),
    Problem("column mean", lambda x: ((x - x.mean(axis=0)) ** 2).sum(), {"x": "n d"}, ("x",)),
    Problem("row mean", lambda x: ((x - x.mean(axis=1, keepdims=True)) ** 2).sum(), {"x": "n d"}, ("x",)),
    Problem("column sums", lambda x, a: (x.sum(axis=0) * a).sum(), {"x": "n d", "a": "d"}, ("x", "a")),
    Problem("row sums", lambda x, a: np.tanh(x.sum(axis=1) * a).sum(), {"x": "n d", "a": "n"}, ("x", "a")),
    Problem(
        "outer", lambda u, v, m: (np.outer(u, v) * m).sum(), {"u": "n", "v": "d", "m": "n d"}, ("u", "v")
    ),
    Problem("inner", lambda u, v: (u @ v) ** 2, {"u": "n", "v": "n"}, ("u", "v")),
    Problem("quadratic form", lambda u, a: u @ a @ u, {"u": "n", "a": "n n"}, ("u", "a")),
    Problem("trace of AᵀA", lambda a: (a.T @ a * np.ones_like(a.T @ a)).sum(), {"a": "n d"}, ("a",)),
    Problem("exp and log", lambda x: np.log(np.exp(x).sum()), {"x": "n"}, ("x",)),
    Problem(
        "softmax rows",
        lambda z, y: -(y * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))).sum(),
        {"z": "n k", "y": "n k"},
        ("z",),
        {"y": "onehot"},
    ),
    Problem(
        "log of positives",
        lambda x, a: (a * np.log(x)).sum(),
        {"x": "n", "a": "n"},
        ("x", "a"),
        {"x": "positive"},
    ),
    Problem("square root", lambda x: np.sqrt((x**2).sum() + 1), {"x": "n d"}, ("x",)),
    Problem("norm", lambda x: np.sqrt((x**2).sum()), {"x": "n"}, ("x",)),
    Problem("quotient", lambda x, a: (x / (1 + a**2)).sum(), {"x": "n d", "a": "d"}, ("x", "a")),
    Problem("cube", lambda x: (x**3).mean(axis=0).sum(), {"x": "n d"}, ("x",)),
    Problem("absolute", lambda x, w, y: np.abs(x @ w - y).sum(), LINEAR, ("w",)),
    Problem("maximum", lambda a, b: np.maximum(a, b).sum(), {"a": "n d", "b": "d"}, ("a", "b")),
    Problem("where", lambda x: np.where(x > 0, x**2, np.sin(x)).sum(), {"x": "n"}, ("x",)),
    Problem("reshape", lambda x, a: (x.reshape(-1) * a).sum(), {"x": "n d", "a": "6"}, ("a",)),
    Problem("vector against column", lambda u, v: ((u - v) ** 2).sum(), {"u": "n", "v": "m 1"}, ("u", "v")),
    Problem("used twice", lambda w, x: (np.tanh(w * x) + w).sum(), {"w": "n", "x": "n"}, ("w",)),
)
"""Every kind of operation, broadcasting and reduction that can be derived; ``reshape`` needs n·d = 6."""

WITNESSED = tuple(p for p in PROBLEMS if p.name != "reshape")
