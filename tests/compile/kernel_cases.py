"""Losses whose kernels are compared with the NumPy program: every operation, every way of placing a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

import symgrad as sg
from symgrad.ops.dims import shape_of
from symgrad.program import Program


@dataclass(frozen=True)
class Case:
    """A loss, the shapes of its arguments, its parameters, and the sizes at which it is tried."""

    loss: str | Callable[..., object]
    shapes: dict[str, str]
    wrt: tuple[str, ...]
    sizes: tuple[dict[str, int], ...]


SIZES = ({"n": 5, "d": 3}, {"n": 1, "d": 1}, {"n": 4, "d": 4})
EMPTY = ({"n": 0, "d": 3}, {"n": 3, "d": 0})
LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}


def network(x, w1, b1, w2, y):
    h = np.tanh(x @ w1 + b1)
    return ((h @ w2 - y) ** 2).mean()


def relu_network(x, w1, b1, w2, y):
    h = np.maximum(x @ w1 + b1, 0)
    return 0.5 * ((h @ w2 - y) ** 2).sum()


def softmax_like(x, w, y):
    z = x @ w
    z = z - z.max(axis=1, keepdims=True)
    return (y * (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)).sum()


def chosen(x, w):
    return np.where(x > w, x * w, w**3).sum()


def reshaped(x, w):
    return ((x.reshape(-1) * 2).reshape(x.shape) @ w.reshape((3, 1))).sum() + (x.T @ x).sum() * (w**5).sum()


def mixed_products(x, u, v):
    return (u @ x @ v) + np.outer(u, v).sum() + (u @ u) * 0.25


def swapped(a, b):
    return (a * b).sum()


def names_that_kernels_use(F, np_, step, lr, losses, loss, rows, i0, math, relu, range_, size_n):
    return (F * step + lr * losses + loss * rows + i0 * math + relu * range_ + size_n).sum()


def expensive_row(x, w):
    return (x * np.exp(w) * np.tanh(x * np.exp(w))).sum()


NET = {"x": "n d", "w1": "d 4", "b1": "4", "w2": "4 2", "y": "n 2"}
CLASHING = ("F", "np_", "step", "lr", "losses", "loss", "rows", "i0", "math", "relu", "range_", "size_n")

CASES: dict[str, Case] = {
    "least squares": Case("(0.5*(x @ w - y)**2).sum()", LINEAR, ("w",), SIZES + EMPTY),
    "vector": Case("((x @ w - y)**2).sum()", {"x": "n d", "w": "d", "y": "n"}, ("w", "x"), SIZES + EMPTY),
    "mean": Case("((x @ w - y)**2).mean()", LINEAR, ("w",), SIZES),
    "bias": Case("((x @ w + b - y)**2).sum()", {**LINEAR, "b": "1"}, ("w", "b"), SIZES),
    "scalar bias": Case("((x @ w + b - y)**2).sum()", {**LINEAR, "b": ""}, ("w", "b"), SIZES),
    "ridge": Case("((x @ w - y)**2).sum() + 0.1*(w**2).sum()", LINEAR, ("w",), SIZES),
    "tanh network": Case(network, NET, ("w1", "b1", "w2"), SIZES),
    "relu network": Case(relu_network, NET, ("w1", "b1", "w2"), SIZES),
    "softmax": Case(softmax_like, {"x": "n d", "w": "d 3", "y": "n 3"}, ("w",), SIZES),
    "where": Case(chosen, {"x": "n d", "w": "d"}, ("w",), SIZES),
    "reshape": Case(reshaped, {"x": "n 3", "w": "3"}, ("w",), SIZES),
    "vector products": Case(mixed_products, {"u": "n", "x": "n d", "v": "d"}, ("u", "v"), SIZES),
    "each other's gradient": Case(swapped, {"a": "n", "b": "n"}, ("a", "b"), SIZES),
    "shared row": Case(expensive_row, {"x": "n d", "w": "d"}, ("w",), SIZES),
    "rank 3": Case("((x*w).sum(axis=1)**2).sum()", {"x": "n d 2", "w": "d 2"}, ("w",), SIZES),
    "no dependence": Case("(x**2).sum() + 0*(w).sum()", {"x": "n", "w": "3"}, ("w",), SIZES),
    "clashing names": Case(
        names_that_kernels_use, dict.fromkeys(CLASHING, "n"), ("F", "lr", "step", "rows"), SIZES
    ),
}


@cache
def program(name: str) -> Program:
    """The differentiated program of a case."""
    case = CASES[name]
    return sg.derive(case.loss, case.shapes, case.wrt).program


def arrays(name: str, sizes: dict[str, int], dtype: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Values of moderate size for every input of a case."""
    random = np.random.default_rng(seed)
    return {i.name: random.normal(size=shape_of(i.shape, sizes)).astype(dtype) for i in program(name).inputs}
