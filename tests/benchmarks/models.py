"""The losses that are compared, each in the words of every library, and their gradients by hand in NumPy.

A loss is a function of a :class:`Library`, so that NumPy (which symgrad traces), JAX and PyTorch run the same line with
their own best functions.  The gradients by hand are NumPy's contender, and in double precision the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import workload
from scipy.special import expit

RIDGE = 50.0


@dataclass(frozen=True)
class Library:
    """Functions that each library has under another name.

    Attributes:
        cross_entropy: of logits (n, k) and whole numbers (n,), the mean over the rows.
    """

    tanh: Callable[..., Any]
    relu: Callable[..., Any]
    softplus: Callable[..., Any]
    cross_entropy: Callable[..., Any]


Gradient = Callable[..., tuple[Any, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Model:
    """A loss and its gradient.

    Attributes:
        shapes: of the arguments, in symgrad's words; labels are drawn below the size ``k``.
        params: the arguments that are trained.
        loss: from a library to the loss as a function of the arguments.
        gradient: the loss and its gradients by hand, in NumPy, with the arguments by name.
        labels: arguments that hold whole numbers.
    """

    shapes: Mapping[str, str]
    params: tuple[str, ...]
    loss: Callable[[Library], Callable[..., Any]]
    gradient: Gradient
    labels: tuple[str, ...] = ()

    def draw(self, sizes: Mapping[str, int], dtype: str) -> dict[str, np.ndarray]:
        """Random arrays of all arguments; parameters are small enough for tanh not to saturate."""
        rng = np.random.default_rng(0)
        made: dict[str, np.ndarray] = {}
        for name, text in self.shapes.items():
            shape = tuple(sizes[s] for s in text.split())
            if name in self.labels:
                made[name] = rng.integers(0, sizes["k"], shape)
                continue
            made[name] = rng.standard_normal(shape, np.dtype(dtype).type)
            if name in self.params:
                made[name] /= np.sqrt(shape[0], dtype=dtype)
        return made

    @property
    def data(self) -> tuple[str, ...]:
        """The arguments that are no parameters."""
        return tuple(n for n in self.shapes if n not in self.params)

    def values(self, arrays: workload.Data) -> dict[str, Any]:
        """Loss and gradients by hand, as a contender returns them."""
        loss, gradients = self.gradient(**arrays)
        return {"loss": loss, **gradients}


def in_double(arrays: workload.Data) -> dict[str, np.ndarray]:
    """The same numbers in double precision; whole numbers stay."""
    return {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in arrays.items()}


def numpy_library() -> Library:
    """The words of NumPy: what symgrad reads."""

    def cross_entropy(z: Any, y: Any) -> Any:
        z = z - z.max(axis=1, keepdims=True)
        return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()

    return Library(np.tanh, lambda z: np.maximum(z, 0), lambda z: np.logaddexp(0, z), cross_entropy)


def jax_library() -> Library:
    """The words of JAX and optax."""
    import jax
    import jax.numpy as jnp
    import optax

    def cross_entropy(z: Any, y: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()

    return Library(jnp.tanh, jax.nn.relu, jax.nn.softplus, cross_entropy)


def torch_library() -> Library:
    """The words of PyTorch."""
    import torch
    from torch.nn import functional

    return Library(torch.tanh, torch.relu, functional.softplus, functional.cross_entropy)


# The losses.


def least_squares(lib: Library) -> Callable[..., Any]:
    def loss(X: Any, w: Any, y: Any) -> Any:
        return 0.5 * ((X @ w - y) ** 2).sum()

    return loss


def ridge(lib: Library) -> Callable[..., Any]:
    def loss(X: Any, w: Any, y: Any) -> Any:
        return 0.5 * ((X @ w - y) ** 2).sum() + 0.5 * RIDGE * (w**2).sum()

    return loss


def logistic(lib: Library) -> Callable[..., Any]:
    softplus = lib.softplus

    def loss(X: Any, w: Any, y: Any) -> Any:
        z = X @ w
        return (softplus(z) - y * z).sum()

    return loss


def network(lib: Library) -> Callable[..., Any]:
    tanh = lib.tanh

    def loss(X: Any, W: Any, b: Any, V: Any, c: Any, Y: Any) -> Any:
        return 0.5 * ((tanh(X @ W + b) @ V + c - Y) ** 2).sum()

    return loss


def classifier(lib: Library) -> Callable[..., Any]:
    tanh, cross_entropy = lib.tanh, lib.cross_entropy

    def loss(X: Any, W: Any, b: Any, V: Any, c: Any, y: Any) -> Any:
        return cross_entropy(tanh(X @ W + b) @ V + c, y)

    return loss


def deep(lib: Library) -> Callable[..., Any]:
    relu = lib.relu

    def loss(X: Any, W: Any, b: Any, U: Any, a: Any, V: Any, c: Any, Y: Any) -> Any:
        return 0.5 * ((relu(relu(X @ W + b) @ U + a) @ V + c - Y) ** 2).sum()

    return loss


# Their gradients by hand.


def least_squares_gradient(X: Any, w: Any, y: Any) -> tuple[Any, dict[str, Any]]:
    r = X @ w
    r -= y
    return 0.5 * np.vdot(r, r), {"w": X.T @ r}


def ridge_gradient(X: Any, w: Any, y: Any) -> tuple[Any, dict[str, Any]]:
    loss, gradients = least_squares_gradient(X, w, y)
    return loss + 0.5 * RIDGE * np.vdot(w, w), {"w": gradients["w"] + w.dtype.type(RIDGE) * w}


def logistic_gradient(X: Any, w: Any, y: Any) -> tuple[Any, dict[str, Any]]:
    z = X @ w
    return (np.logaddexp(0, z) - y * z).sum(), {"w": X.T @ (expit(z) - y)}


def network_gradient(X: Any, W: Any, b: Any, V: Any, c: Any, Y: Any) -> tuple[Any, dict[str, Any]]:
    H = X @ W
    H += b
    np.tanh(H, out=H)
    R = H @ V
    R += c
    R -= Y
    return 0.5 * np.vdot(R, R), _through_tanh(X, V, H, R)


def classifier_gradient(X: Any, W: Any, b: Any, V: Any, c: Any, y: Any) -> tuple[Any, dict[str, Any]]:
    H = X @ W
    H += b
    np.tanh(H, out=H)
    Z = H @ V
    Z += c
    Z -= Z.max(axis=1, keepdims=True)
    rows = np.arange(len(y))
    chosen = Z[rows, y]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - chosen).mean()
    Z /= total
    Z[rows, y] -= 1
    Z /= len(y)
    return loss, _through_tanh(X, V, H, Z)


def _through_tanh(X: Any, V: Any, H: Any, R: Any) -> dict[str, Any]:
    """From the gradient R of the last layer's sums to the parameters; H is overwritten."""
    D = R @ V.T
    by_V = H.T @ R
    H *= H
    np.subtract(1, H, out=H)
    D *= H
    return {"W": X.T @ D, "b": D.sum(axis=0), "V": by_V, "c": R.sum(axis=0)}


def deep_gradient(
    X: Any, W: Any, b: Any, U: Any, a: Any, V: Any, c: Any, Y: Any
) -> tuple[Any, dict[str, Any]]:
    H = X @ W
    H += b
    np.maximum(H, 0, out=H)
    G = H @ U
    G += a
    np.maximum(G, 0, out=G)
    R = G @ V
    R += c
    R -= Y
    E = R @ V.T
    E *= G > 0
    D = E @ U.T
    D *= H > 0
    gradients = {"W": X.T @ D, "b": D.sum(axis=0), "U": H.T @ E, "a": E.sum(axis=0)}
    return 0.5 * np.vdot(R, R), {**gradients, "V": G.T @ R, "c": R.sum(axis=0)}


NETWORK = {"X": "n d", "W": "d h", "b": "h", "V": "h k", "c": "k"}
TWO_LAYERS = {"X": "n d", "W": "d h", "b": "h", "U": "h g", "a": "g", "V": "g k", "c": "k", "Y": "n k"}
LINE = {"X": "n d", "w": "d", "y": "n"}

LEAST_SQUARES = Model(LINE, ("w",), least_squares, least_squares_gradient)
SEVERAL_OUTPUTS = Model({"X": "n d", "w": "d k", "y": "n k"}, ("w",), least_squares, least_squares_gradient)
RIDGE_REGRESSION = Model(LINE, ("w",), ridge, ridge_gradient)
LOGISTIC = Model(LINE, ("w",), logistic, logistic_gradient)
TANH_NETWORK = Model({**NETWORK, "Y": "n k"}, ("W", "b", "V", "c"), network, network_gradient)
TANH_CLASSIFIER = Model(
    {**NETWORK, "y": "n"}, ("W", "b", "V", "c"), classifier, classifier_gradient, labels=("y",)
)
RELU_NETWORK = Model(TWO_LAYERS, ("W", "b", "U", "a", "V", "c"), deep, deep_gradient)
