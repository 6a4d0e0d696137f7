"""The tutorial's problem: linear regression on four points, with the gradient written by hand.

Source: OneFlow documentation, "反向传播与 optimizer".  y = 2·x₁ + 3·x₂, so w tends to (2, 3).
"""

from __future__ import annotations

import numpy as np

LEARNING_RATE = 0.01
STEPS = 500
SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}


def forward(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The prediction."""
    return np.matmul(x, w)


def loss(y_pred: np.ndarray, y: np.ndarray) -> np.ndarray:
    """½ Σ (y_pred − y)²."""
    result: np.ndarray = (0.5 * (y_pred - y) ** 2).sum()
    return result


def gradient(x: np.ndarray, y: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """The gradient by w, written by hand."""
    return np.matmul(x.T, (y_pred - y))


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (4, 2), y (4, 1) and the first w (2, 1)."""
    x = np.array([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=np.float32)
    y = np.array([[8], [13], [26], [9]], dtype=np.float32)
    w = np.array([[2], [1]], dtype=np.float32)
    return x, y, w


def numpy_program(steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """The tutorial's own loop: the parameter at the end, and the loss before each update."""
    x, y, w = data()
    losses = np.empty(steps, np.float32)
    for i in range(steps):
        y_pred = forward(x, w)
        losses[i] = loss(y_pred, y)
        w -= LEARNING_RATE * gradient(x, y, y_pred)
    return w, losses
