"""The losses that derivations, simplification and printed formulas are tested on.

Each is one line of NumPy syntax, so that it can be read as text, run as a function, and evaluated by NumPy alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import special

import symgrad as sg
from symgrad.errors import SymgradWarning


@dataclass(frozen=True)
class Loss:
    """A loss and its parameters; ``positive`` names the data that has to be above 0."""

    name: str
    text: str
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    positive: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def function(self, sigmoid: Any = None) -> Callable[..., Any]:
        """The loss as a Python function; it names symgrad's functions, or NumPy's alone for ``plain``."""
        return _define(self.text, tuple(self.shapes), False)

    def plain(self) -> Callable[..., Any]:
        """The loss in NumPy and SciPy, without symgrad."""
        return _define(self.text, tuple(self.shapes), True)

    def derive(self) -> sg.Derivation:
        return _derive(self)

    def __hash__(self) -> int:
        return hash(self.name)


class PlainFunctions:
    """Elementwise functions that NumPy lacks, written down a second time."""

    sigmoid = staticmethod(special.expit)
    erf = staticmethod(special.erf)

    @staticmethod
    def relu(x):
        return np.where(x > 0, x, 0.0)

    @staticmethod
    def softplus(x):
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)

    @staticmethod
    def silu(x):
        return x * special.expit(x)

    @staticmethod
    def gelu(x):
        return x * special.ndtr(x)


def _define(text: str, names: tuple[str, ...], plain: bool) -> Callable[..., Any]:
    namespace = {"np": np, "sg": PlainFunctions if plain else sg}
    exec(f"def loss({', '.join(names)}):\n    return {text}\n", namespace)
    return namespace["loss"]


@cache
def _derive(loss: Loss) -> sg.Derivation:
    with warnings.catch_warnings():
        # The table has forms that overflow, and the warnings of them are tested in trace/test_advice.py.
        warnings.filterwarnings("ignore", r"(log|exp)\(", SymgradWarning)
        return sg.derive(loss.text, loss.shapes, wrt=loss.wrt)


LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}
VECTOR = {"x": "n d", "w": "d", "y": "n"}
SEVERAL = {"x": "n d", "w": "d k", "y": "n k"}
BIAS = {**SEVERAL, "b": "k"}
DEEP = {"x": "n d", "w1": "d m", "b1": "m", "w2": "m k", "b2": "k", "y": "n k"}
MATRIX = {"a": "n d"}
PAIR = {"a": "n d", "b": "n d"}

LOSSES: tuple[Loss, ...] = (
    Loss("tutorial", "(0.5*(x @ w - y)**2).sum()", LINEAR, ("w",)),
    Loss("vectors", "((x @ w - y)**2).sum()", VECTOR, ("w", "x", "y")),
    Loss("several outputs", "0.5*((x @ w - y)**2).sum()", SEVERAL, ("w", "x")),
    Loss("mean", "np.mean((x @ w - y)**2)", SEVERAL, ("w",)),
    Loss("mean over rows", "((x @ w - y)**2).sum()/x.shape[0]", SEVERAL, ("w", "y")),
    Loss("bias", "((x @ w + b - y)**2).mean()", BIAS, ("w", "b")),
    Loss("bias in a row", "((x @ w + b - y)**2).sum()", {**SEVERAL, "b": "1 k"}, ("w", "b")),
    Loss("scalar bias", "((x @ w + b - y)**2).sum()", {**VECTOR, "b": ""}, ("w", "b")),
    Loss("bias of one output", "((x @ w + b - y)**2).sum()", {**LINEAR, "b": "1"}, ("w", "b")),
    Loss("ridge", "0.5*((x @ w - y)**2).sum() + 0.5*lam*(w**2).sum()", {**LINEAR, "lam": ""}, ("w", "lam")),
    Loss("ridge with a product", "((x @ w - y)**2).sum() + lam*(w.T @ w).sum()", {**LINEAR, "lam": ""}, ("w",)),
    Loss("lasso", "((x @ w - y)**2).sum() + np.abs(w).sum()", LINEAR, ("w",)),
    Loss("weighted", "(c*(x @ w - y)**2).sum()", {**LINEAR, "c": "n 1"}, ("w", "c")),
    Loss("sigmoid neuron", "(0.5*(sg.sigmoid(x @ w) - y)**2).sum()", LINEAR, ("w",)),
    Loss("written sigmoid", "(0.5*(1/(1 + np.exp(-(x @ w))) - y)**2).sum()", LINEAR, ("w",)),
    Loss("logistic", "(sg.softplus(x @ w) - y*(x @ w)).sum()", LINEAR, ("w",)),
    Loss("logistic in logs", "-(y*np.log(sg.sigmoid(x @ w)) + (1 - y)*np.log(1 - sg.sigmoid(x @ w))).sum()",
         LINEAR, ("w",)),
    Loss("hinge", "np.maximum(0, 1 - y*(x @ w)).mean()", LINEAR, ("w",)),
    Loss("poisson", "(np.exp(x @ w) - y*(x @ w)).mean()", LINEAR, ("w",)),
    Loss("tanh network", "0.5*((np.tanh(x @ w1 + b1) @ w2 + b2 - y)**2).sum()", DEEP, ("w1", "b1", "w2", "b2")),
    Loss("relu network", "((np.maximum(x @ w1 + b1, 0) @ w2 + b2 - y)**2).mean()", DEEP,
         ("w1", "b1", "w2", "b2", "x")),
    Loss("gelu network", "((sg.gelu(x @ w1 + b1) @ w2 + b2 - y)**2).sum()", DEEP, ("w1", "b1")),
    Loss("silu network", "((sg.silu(x @ w1) @ w2 - y)**2).sum()",
         {"x": "n d", "w1": "d m", "w2": "m k", "y": "n k"}, ("w1", "w2")),
    Loss("three layers", "0.5*((np.tanh(np.tanh(x @ u) @ v) @ w - y)**2).sum()",
         {"x": "n d", "u": "d m", "v": "m m", "w": "m 1", "y": "n 1"}, ("u", "v", "w")),
    Loss("shared weight", "((np.tanh(np.tanh(x @ w) @ w) - y)**2).sum()",
         {"x": "n d", "w": "d d", "y": "n d"}, ("w",)),
    Loss("tied autoencoder", "((x @ w @ w.T - x)**2).sum()", {"x": "n d", "w": "d k"}, ("w", "x")),
    Loss("factorisation", "((u @ v.T - a)**2).sum() + 0.1*(u**2).sum()",
         {"u": "n k", "v": "d k", "a": "n d"}, ("u", "v")),
    Loss("quadratic form", "w @ q @ w", {"w": "d", "q": "d d"}, ("w", "q")),
    Loss("bilinear form", "u @ q @ v", {"u": "n", "q": "n d", "v": "d"}, ("u", "q", "v")),
    Loss("dot with itself", "v @ v", {"v": "n"}, ("v",)),
    Loss("trace", "(a*b).sum()", PAIR, ("a", "b")),
    Loss("gram", "((a.T @ a)**2).sum()", MATRIX, ("a",)),
    Loss("outer product", "((np.outer(u, v) - a)**2).sum()", {"u": "n", "v": "d", "a": "n d"}, ("u", "v")),
    Loss("column times row", "(u*v).sum() + ((u*v)**2).sum()", {"u": "n 1", "v": "d"}, ("u", "v")),
    Loss("log of sums", "np.log(np.exp(a).sum(axis=1)).sum()", MATRIX, ("a",)),
    Loss("softmax", "-(b*(a - np.log(np.exp(a).sum(axis=1, keepdims=True)))).sum()", PAIR, ("a", "b")),
    Loss("centred rows", "((a - a.mean(axis=1, keepdims=True))**2).sum()", MATRIX, ("a",)),
    Loss("centred columns", "((a - a.mean(axis=0))**2).mean()", MATRIX, ("a",)),
    Loss("sum of column sums squared", "(a.sum(axis=0)**2).sum()", MATRIX, ("a",)),
    Loss("sum of row sums squared", "(a.sum(axis=1)**2).sum() + (a.sum(axis=1, keepdims=True)**3).sum()", MATRIX,
         ("a",)),
    Loss("kept both axes", "(a*a.sum(keepdims=True)).sum()", MATRIX, ("a",)),
    Loss("negative axis", "(a.sum(axis=-1)*a.sum(-1)).sum()", MATRIX, ("a",)),
    Loss("total squared", "a.sum()**2 + a.mean()", MATRIX, ("a",)),
    Loss("quotient", "(a/(1 + b**2)).sum()", PAIR, ("a", "b")),
    Loss("quotient of sums", "a.sum()/(1 + (b**2).sum())", PAIR, ("a", "b")),
    Loss("norm", "np.sqrt(1 + (a**2).sum())", MATRIX, ("a",)),
    Loss("normalised rows", "(b*a/np.sqrt(1 + (a**2).sum(axis=1, keepdims=True))).sum()", PAIR, ("a", "b")),
    Loss("powers", "(a**3 - 2*a**2 + a**-2.0).sum()", MATRIX, ("a",), positive=("a",)),
    Loss("power of arrays", "(a**b).sum()", PAIR, ("a", "b"), positive=("a",)),
    Loss("half powers", "(a**1.5 + np.sqrt(a) + 1/np.sqrt(a)).sum()", MATRIX, ("a",), positive=("a",)),
    Loss("trigonometry", "(np.sin(a)*np.cos(b) + np.arctan(a*b)).sum()", PAIR, ("a", "b")),
    Loss("hyperbolas", "(np.sinh(a)/np.cosh(b) + np.arcsinh(a)).sum()", PAIR, ("a", "b")),
    Loss("logs", "(np.log1p(a) + np.log2(a) - np.log10(a)*b).sum()", PAIR, ("a", "b"), positive=("a",)),
    Loss("expm1", "(np.expm1(a)*b).sum()", PAIR, ("a", "b")),
    Loss("huber", "np.where(np.abs(a - b) <= 1, 0.5*(a - b)**2, np.abs(a - b) - 0.5).sum()", PAIR, ("a", "b")),
    Loss("maximum of two", "(np.maximum(a, b)*np.minimum(a, 2*b)).sum()", PAIR, ("a", "b")),
    Loss("clipped", "(np.clip(a, -0.5, 0.5)*b).sum()", PAIR, ("a", "b")),
    Loss("transposes", "((a.T + b.T)*(a.T)).sum()", PAIR, ("a", "b")),
    Loss("transposed product", "(b.T @ a).sum() + (a @ b.T).sum()", PAIR, ("a", "b")),
    Loss("product of ones", "(a @ np.ones_like(b).T).sum()", PAIR, ("a",)),
    Loss("reshaped", "(a.reshape(-1)*b.ravel()).sum() + (a.reshape((-1, 1))**2).sum()", PAIR, ("a", "b")),
    Loss("new axis", "((v[:, None] - u[None, :])**2).sum()", {"u": "d", "v": "n"}, ("u", "v")),
    Loss("vector with a column", "((u - v)**2).sum()", {"u": "n", "v": "d 1"}, ("u", "v")),
    Loss("broadcast", "(np.broadcast_to(u, a.shape)*a).sum()", {"u": "d", "a": "n d"}, ("u", "a")),
    Loss("scalars", "(s*t - t**2)**2 + np.exp(s/2)", {"s": "", "t": ""}, ("s", "t")),
    Loss("scalar and array", "(s*a + a/(1 + s**2)).sum()", {"s": "", "a": "n d"}, ("s", "a")),
    Loss("ones and a scalar", "(s + np.ones_like(a)).sum()", {"s": "", "a": "n d"}, ("s", "a")),
    Loss("cancelled array", "(np.exp(v) + (a - a)).sum() + (a - np.abs(a - a)).sum()", {"v": "d", "a": "n d"}, ("v", "a")),
    Loss("an input itself", "s", {"s": ""}, ("s",)),
    Loss("gone again", "(a - a).sum() + (0*a).sum() + (a**0).sum()", MATRIX, ("a",)),
    Loss("used often", "(a*b + a*b*a + b/(2 + a**2)).sum() + a.sum()*b.sum()", PAIR, ("a", "b")),
    Loss("sizes", "(a*x_count).sum()*1.0/(1 + a.size)".replace("x_count", "a.shape[0]"), MATRIX, ("a",)),
    Loss("negated", "-(-a - (-b)).sum() - (a*-b).sum()", PAIR, ("a", "b")),
    Loss("steps and signs", "(np.sign(a)*b + (a > b)*a).sum()", PAIR, ("a", "b")),
    Loss("cubic residual", "(np.abs(a @ w)**3).sum()", {"a": "n d", "w": "d"}, ("w", "a")),
    Loss("log of a squared norm", "np.log(1 + np.sum((x @ w - y)**2))", LINEAR, ("w", "x")),
    Loss("products of residuals", "((x @ w - y)*(x @ u - y)).sum()", {**LINEAR, "u": "d 1"}, ("w", "u")),
    Loss("chain of matrices", "(a @ b @ c).sum()", {"a": "n d", "b": "d m", "c": "m k"}, ("a", "b", "c")),
    Loss("vector through a matrix", "np.tanh(v @ w).sum()", {"v": "n", "w": "n d"}, ("v", "w")),
    Loss("layer of one sample", "((np.tanh(w1 @ x + b1) @ w2 - t)**2)",
         {"w1": "m d", "x": "d", "b1": "m", "w2": "m", "t": ""}, ("w1", "b1", "w2", "x")),
    Loss("fixed size", "((x @ w - y)**2).sum()", {"x": "n 3", "w": "3 2", "y": "n 2"}, ("w",)),
    Loss("three axes", "(t.sum(axis=1)*a).sum() + (t.sum(axis=(0, 2))**2).sum()", {"t": "n m d", "a": "n d"},
         ("t", "a")),
    Loss("axes moved", "(np.transpose(t, (2, 0, 1))*t.transpose(2, 0, 1)).sum()", {"t": "n m d"}, ("t",)),
)  # fmt: skip

SIZES: tuple[dict[str, int], ...] = (
    {"n": 3, "d": 2, "k": 2, "m": 3},
    {"n": 2, "d": 2, "k": 2, "m": 2},
    {"n": 1, "d": 1, "k": 1, "m": 1},
    {"n": 1, "d": 3, "k": 2, "m": 1},
    {"n": 2, "d": 1, "k": 1, "m": 2},
)
EMPTY: tuple[dict[str, int], ...] = ({"n": 0, "d": 2, "k": 2, "m": 2}, {"n": 2, "d": 0, "k": 2, "m": 2})


def draw(loss: Loss, sizes: Mapping[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of these sizes."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, shape in loss.shapes.items():
        actual = tuple(int(s) if s.isdecimal() else sizes[s] for s in shape.split())
        values = rng.uniform(0.2, 2, actual) if name in loss.positive else rng.uniform(-1.5, 1.5, actual)
        out[name] = np.asarray(values)
    return out
