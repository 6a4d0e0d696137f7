"""What cannot be left out: reading the data once, and the matrix products."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from harness.workload import Call, Data, Values

BLOCK = 2**18


@lru_cache(maxsize=1)
def _summing_loop() -> Any:
    from numba import njit, prange

    @njit(fastmath={"reassoc", "contract", "nsz"})
    def part(line: Any) -> Any:
        total = line.dtype.type(0)
        for i in range(line.size):
            total += line[i]
        return total

    @njit(parallel=True)
    def whole(line: Any, parts: Any) -> Any:
        for k in prange(parts.size):
            parts[k] = part(line[k * BLOCK : (k + 1) * BLOCK])
        return parts.sum()

    return whole


def sum_of(a: np.ndarray) -> float:
    """The sum of a matrix's entries by a numba loop on all cores, which does no more than read it."""
    return float(_summing_loop()(a.reshape(-1), np.empty(-(-a.size // BLOCK))))


def sum_of_data(data: Data) -> Call:
    """Read X once."""
    return lambda: {"sum": sum_of(data["X"])}


def products_of_network(batch: int, steps: int) -> Callable[[Data], Call]:
    """The five matrix products of a network's step, in NumPy's BLAS on all cores, into arrays that are there.

    Args:
        batch: rows of a step.
        steps: how often.
    """

    def make(data: Data) -> Call:
        X, W, V = np.ascontiguousarray(data["X"][:batch]), data["W"], data["V"]
        H, R = X @ W, X @ W @ V
        D, by_W, by_V = np.empty_like(H), np.empty_like(W), np.empty_like(V)

        def call() -> Values:
            for _ in range(steps):
                np.dot(X, W, out=H)
                np.dot(H, V, out=R)
                np.dot(R, V.T, out=D)
                np.dot(X.T, D, out=by_W)
                np.dot(H.T, R, out=by_V)
            return {"product": by_W}

        return call

    return make
