"""NumPy's contenders, written by hand; in double precision they are the references."""

from __future__ import annotations

from collections.abc import Callable

import models
import numpy as np
from harness.workload import Call, Data, Values
from scipy.special import expit

from contenders.training import BETAS, EPSILON, Training


def gradient(model: models.Model) -> Callable[[Data], Call]:
    """The gradient by hand."""
    return lambda data: lambda: model.values(data)


def training(t: Training) -> Callable[[Data], Call]:
    """A loop over the steps, with the gradient by hand."""

    def make(data: Data) -> Call:
        rows = len(data[t.model.data[0]])
        order = None if t.batch is None else t.order(rows)
        kind = data[t.model.params[0]].dtype.type

        def call() -> Values:
            params = {n: data[n].copy() for n in t.model.params}
            others = {n: data[n] for n in t.model.data}
            state = {n: (np.zeros_like(p), np.zeros_like(p)) for n, p in params.items()}
            losses = np.empty(t.steps, kind)
            for step in range(t.steps):
                batch = others if order is None else {n: a.take(order[step], 0) for n, a in others.items()}
                losses[step], gradients = t.model.gradient(**batch, **params)
                for n, g in gradients.items():
                    if t.rule == "adam":
                        g = _adam(*state[n], g, step + 1)
                    params[n] -= kind(t.rate) * g
            return {"losses": losses, **params}

        return call

    return make


def _adam(m: np.ndarray, v: np.ndarray, g: np.ndarray, step: int) -> np.ndarray:
    """The direction of Adam's step (Kingma and Ba 2015, algorithm 1); m and v are brought up to date."""
    kind = m.dtype.type
    first, second = BETAS
    m *= kind(first)
    m += kind(1 - first) * g
    v *= kind(second)
    g *= g
    v += kind(1 - second) * g
    root = np.sqrt(v * kind(1 / (1 - second**step)))
    root += kind(EPSILON)
    return m * kind(1 / (1 - first**step)) / root


def logistic_hessian(data: Data) -> Call:
    """The closed form of logistic regression's Hessian, Xᵀ diag(p(1 − p)) X."""
    X, w = data["X"], data["w"]

    def call() -> Values:
        p = expit(X @ w)
        return {"hessian": (X * (p * (1 - p))[:, None]).T @ X}

    return call
