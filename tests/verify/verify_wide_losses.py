"""Losses over labels, extrema, linear algebra, slices and loops, with right gradients and planted mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Gradient = Callable[..., Any]


@dataclass(frozen=True)
class Wide:
    """A loss with gradients in several spellings, and with wrong ones."""

    name: str
    loss: Any
    shapes: Mapping[str, str]
    wrt: str
    right: tuple[Gradient, ...]
    wrong: tuple[Gradient, ...]
    domains: Mapping[str, str] = field(default_factory=dict)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(W, X, y):
    z = X @ W
    z = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()


def cross_entropy_by_rows(W, X, y):
    total = 0.0
    for i in range(X.shape[0]):
        scores = X[i] @ W
        total += -np.log(np.exp(scores[y[i]]) / np.sum(np.exp(scores)))
    return total / X.shape[0]


def less_at_the_label(W, X, y):
    p = softmax(X @ W)
    p[np.arange(len(y)), y] -= 1
    return X.T @ p / len(y)


def less_in_a_range(W, X, y):
    p = softmax(X @ W)
    p[range(len(y)), y] -= 1
    return X.T @ (p / X.shape[0])


def less_the_onehot(W, X, y):
    return X.T @ (softmax(X @ W) - np.eye(W.shape[1])[y]) / len(X)


def not_averaged(W, X, y):
    return X.T @ (softmax(X @ W) - np.eye(W.shape[1])[y])


def nothing_less(W, X, y):
    return X.T @ softmax(X @ W) / len(y)


def other_axis(W, X, y):
    return X.T @ (softmax((X @ W).T).T - np.eye(W.shape[1])[y]) / len(y)


def logsumexp(x):
    m = x.max()
    return m + np.log(np.exp(x - m).sum())


def inv(a):
    return np.linalg.inv(a)


def two_parts(t, x):
    return x @ t[:6].reshape(3, 2) + t[6:]


def flat(t, x, y):
    r = 2 * (two_parts(t, x) - y)
    return np.concatenate([(x.T @ r).ravel(), r.sum(axis=0)])


def flat_by_place(t, x, y):
    r = 2 * (two_parts(t, x) - y)
    out = np.zeros_like(t)
    out[:6] = (x.T @ r).reshape(-1)
    out[6:] = r.sum(axis=0)
    return out


def flat_turned(t, x, y):
    r = 2 * (two_parts(t, x) - y)
    return np.concatenate([(x.T @ r).T.ravel(), r.sum(axis=0)])


def steps(x):
    d = 2 * (x[1:] - x[:-1])
    out = np.zeros_like(x)
    out[1:] += d
    out[:-1] -= d
    return out


def steps_shifted(x):
    d = 2 * (x[1:] - x[:-1])
    out = np.zeros_like(x)
    out[:-1] += d
    out[1:] -= d
    return out


def largest(x):
    return (x == x.max(axis=1, keepdims=True)) * 1.0


def attention(Q, K, V):
    return (softmax(Q @ K.T / 2) @ V).sum()


def attention_by_v(Q, K, V):
    return softmax(Q @ K.T / 2).T @ np.ones((len(Q), V.shape[1]))


def attention_by_q(Q, K, V):
    p = softmax(Q @ K.T / 2)
    g = np.ones((len(Q), V.shape[1])) @ V.T
    return p * (g - (p * g).sum(axis=1, keepdims=True)) @ K / 2


def hinge(w, x, y):
    return np.maximum(0, 1 - y * (x @ w)).mean()


def windows(w, x, y):
    return ((np.convolve(x, w, "valid") - y) ** 2).sum()


CLASSES = {"W": "d k", "X": "n d", "y": "n"}
LABELLED = (less_at_the_label, less_in_a_range, less_the_onehot)
MISLABELLED = (not_averaged, nothing_less, other_axis)
SPD = {"A": "spd"}

WIDE: tuple[Wide, ...] = (
    Wide("cross-entropy", cross_entropy, CLASSES, "W", LABELLED, MISLABELLED),
    Wide("labels in a domain", cross_entropy, CLASSES, "W", LABELLED, MISLABELLED, {"y": "labels k"}),
    Wide("loop over rows", cross_entropy_by_rows, CLASSES, "W", LABELLED, MISLABELLED),
    Wide(
        "logsumexp",
        logsumexp,
        {"x": "n"},
        "x",
        (
            lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
            lambda x: np.exp(x - logsumexp(x)),
            lambda x: 1 / np.exp(x[None, :] - x[:, None]).sum(axis=1),
        ),
        (lambda x: np.exp(x - x.max()), lambda x: np.exp(x - logsumexp(x)) / len(x)),
    ),
    Wide(
        "norm",
        lambda x: np.linalg.norm(x),
        {"x": "n"},
        "x",
        (
            lambda x: x / np.linalg.norm(x),
            lambda x: x / np.sqrt((x * x).sum()),
            lambda x: x / max(np.linalg.norm(x), 1e-30),
        ),
        (lambda x: 2 * x / np.linalg.norm(x), lambda x: x, lambda x: -x / np.linalg.norm(x)),
    ),
    Wide(
        "largest of each row",
        lambda x: x.max(axis=1).sum(),
        {"x": "n d"},
        "x",
        (
            lambda x: largest(x) / largest(x).sum(axis=1, keepdims=True),
            lambda x: np.eye(x.shape[1])[x.argmax(axis=1)],
            lambda x: (np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]) * 1.0,
        ),
        (
            largest,  # all of the adjoint to each of equal entries
            lambda x: (x == x.max(axis=0)) * 1.0,
            lambda x: 0.5 * np.eye(x.shape[1])[x.argmax(axis=1)],
            lambda x: np.eye(x.shape[1])[x.argmin(axis=1)],
        ),
    ),
    Wide(
        "trace of the inverse",
        lambda A: np.trace(np.linalg.inv(A)),
        {"A": "n n"},
        "A",
        (
            lambda A: -np.linalg.matrix_power(inv(A).T, 2),
            lambda A: -inv(A).T @ inv(A).T,
            lambda A: -np.linalg.solve(A.T, inv(A.T)),
        ),
        (lambda A: inv(A).T @ inv(A).T, lambda A: -inv(A) @ inv(A), lambda A: -inv(A).T @ inv(A)),
    ),
    Wide(
        "quadratic form of the inverse",
        lambda A, b: b @ np.linalg.inv(A) @ b,
        {"A": "n n", "b": "n"},
        "A",
        (
            lambda A, b: -np.outer(np.linalg.solve(A.T, b), np.linalg.solve(A, b)),
            lambda A, b: -inv(A).T @ np.outer(b, b) @ inv(A).T,
            lambda A, b: -(inv(A).T @ b)[:, None] * (inv(A) @ b),
        ),
        (
            lambda A, b: -inv(A) @ np.outer(b, b) @ inv(A),
            lambda A, b: np.outer(np.linalg.solve(A.T, b), np.linalg.solve(A, b)),
        ),
    ),
    Wide(
        "solve",
        lambda A, b: (np.linalg.solve(A, b) ** 2).sum(),
        {"A": "n n", "b": "n"},
        "b",
        (
            lambda A, b: 2 * np.linalg.solve(A.T, np.linalg.solve(A, b)),
            lambda A, b: 2 * inv(A).T @ np.linalg.solve(A, b),
            lambda A, b: 2 * inv(A @ A.T) @ b,
        ),
        (
            lambda A, b: 2 * np.linalg.solve(A, np.linalg.solve(A, b)),
            lambda A, b: np.linalg.solve(A.T, np.linalg.solve(A, b)),
        ),
    ),
    Wide(
        "logarithm of the determinant",
        lambda A: np.linalg.slogdet(A)[1],
        {"A": "n n"},
        "A",
        (lambda A: inv(A).T, lambda A: inv(A.T), lambda A: np.linalg.solve(A.T, np.eye(len(A)))),
        (lambda A: 2 * inv(A) - np.diag(np.diag(inv(A))), lambda A: -inv(A).T),
        SPD,
    ),
    Wide(
        "determinant",
        lambda A: np.linalg.det(A),
        {"A": "n n"},
        "A",
        (
            lambda A: np.linalg.det(A) * inv(A).T,
            lambda A: np.linalg.solve(A.T, np.linalg.det(A) * np.eye(len(A))),
            lambda A: inv(A).T / np.linalg.det(inv(A)),
        ),
        (lambda A: inv(A).T, lambda A: np.linalg.det(A) * inv(A)),
    ),
    Wide(
        "quadratic form",
        lambda x, A: np.einsum("i,ij,j->", x, A, x),
        {"x": "n", "A": "n n"},
        "x",
        (
            lambda x, A: A @ x + A.T @ x,
            lambda x, A: (A + A.T) @ x,
            lambda x, A: np.einsum("ij,j->i", A, x) + np.einsum("ij,i->j", A, x),
        ),
        (lambda x, A: 2 * A @ x, lambda x, A: A @ x),
    ),
    Wide(
        "running sums",
        lambda x: (np.cumsum(x) ** 2).sum(),
        {"x": "n"},
        "x",
        (
            lambda x: 2 * np.cumsum(np.cumsum(x)[::-1])[::-1],
            lambda x: 2 * (np.tri(len(x)).T @ np.cumsum(x)),
            lambda x: 2 * np.flip(np.cumsum(np.flip(np.cumsum(x)))),
        ),
        (lambda x: 2 * np.cumsum(np.cumsum(x)), lambda x: np.cumsum(np.cumsum(x)[::-1])[::-1]),
    ),
    Wide(
        "steps",
        lambda x: ((x[1:] - x[:-1]) ** 2).sum(),
        {"x": "n"},
        "x",
        (
            steps,
            lambda x: 2 * (np.concatenate([[0.0], np.diff(x)]) - np.concatenate([np.diff(x), [0.0]])),
            lambda x: 2 * (np.pad(x[1:] - x[:-1], (1, 0)) - np.pad(x[1:] - x[:-1], (0, 1))),
        ),
        (steps_shifted, lambda x: steps(x) / 2),
    ),
    Wide(
        "flat parameters",
        lambda t, x, y: ((two_parts(t, x) - y) ** 2).sum(),
        {"t": "8", "x": "n 3", "y": "n 2"},
        "t",
        (flat, flat_by_place, lambda t, x, y: 2 * flat(t, x, y) / 2),
        (flat_turned, lambda t, x, y: np.concatenate([flat(t, x, y)[2:], flat(t, x, y)[:2]])),
    ),
    Wide(
        "hinge",
        hinge,
        {"w": "d", "x": "n d", "y": "n"},
        "w",
        (
            lambda w, x, y: -(x.T @ (y * (y * (x @ w) < 1))) / len(y),
            lambda w, x, y: -(x * (y * ((1 - y * (x @ w)) >= 0))[:, None]).mean(axis=0),
            lambda w, x, y: np.where((y * (x @ w) < 1)[:, None], -y[:, None] * x, 0).sum(axis=0) / len(y),
        ),
        (
            lambda w, x, y: -(x.T @ (y * (y * (x @ w) < 1))),
            lambda w, x, y: -(x.T @ (y * (y * (x @ w) < 0))) / len(y),
        ),
    ),
    Wide(
        "mask",
        lambda x, m: (x[m] ** 2).sum(),
        {"x": "n", "m": "n"},
        "x",
        (
            lambda x, m: 2 * x * m,
            lambda x, m: np.where(m, 2 * x, 0),
            lambda x, m: 2 * np.where(m, x, np.zeros_like(x)),
        ),
        (lambda x, m: 2 * x, lambda x, m: 2 * x * ~m),
        {"m": "bool"},
    ),
    Wide(
        "attention by values",
        attention,
        {"Q": "n 4", "K": "m 4", "V": "m e"},
        "V",
        (
            attention_by_v,
            lambda Q, K, V: np.repeat(softmax(Q @ K.T / 2).sum(axis=0)[:, None], V.shape[1], axis=1),
            lambda Q, K, V: softmax(Q @ K.T / 2).sum(axis=0)[:, None] + 0 * V,
        ),
        (lambda Q, K, V: softmax(Q @ K.T).T @ np.ones((len(Q), V.shape[1])),),
    ),
    Wide(
        "attention by queries",
        attention,
        {"Q": "n 4", "K": "m 4", "V": "m e"},
        "Q",
        (
            attention_by_q,
            lambda Q, K, V: attention_by_q(Q, K, V.sum(axis=1, keepdims=True)),
            lambda Q, K, V: np.array(attention_by_q(Q, K, V)),
        ),
        (lambda Q, K, V: 2 * attention_by_q(Q, K, V),),
    ),
    Wide(
        "convolution",
        windows,
        {"w": "k", "x": "n", "y": "m"},
        "w",
        (
            lambda w, x, y: 2 * np.convolve(x[::-1], np.convolve(x, w, "valid") - y, "valid"),
            lambda w, x, y: 2 * np.correlate(x, np.convolve(x, w, "valid") - y, "valid")[::-1],
            lambda w, x, y: 2 * np.flip(np.correlate(x, np.convolve(x, w, "valid") - y, "valid")),
        ),
        (lambda w, x, y: 2 * np.correlate(x, np.convolve(x, w, "valid") - y, "valid"),),
    ),
    Wide(
        "clip",
        lambda x: np.clip(x, -1, 1).sum(),
        {"x": "n"},
        "x",
        (
            lambda x: ((x > -1) & (x < 1)) * 1.0,
            lambda x: ((x >= -1) & (x <= 1)) * 1.0,
            lambda x: np.where(np.abs(x) < 1, 1.0, 0.0),
        ),
        (lambda x: (x < 1) * 1.0, lambda x: ((x > 0) & (x < 1)) * 1.0),
    ),
)
