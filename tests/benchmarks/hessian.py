"""The Hessian of logistic regression, float64: symgrad's kernel beside NumPy, SciPy's BLAS, JAX and PyTorch.

    python tests/benchmarks/hessian.py [rows] [columns] [repetitions]

All give the same numbers before any is timed; they take turns in one process, with a pause in which the threads of
the one before go to sleep, and one call that is not timed.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter, sleep

import numpy as np
from scipy.linalg import blas

import symgrad as sg

PAUSE = 0.06
LEAST = {"JAX hessian": 3.0, "torch hessian": 20.0}
Contender = Callable[[], np.ndarray]
Problem = tuple[np.ndarray, np.ndarray, np.ndarray]


def problem(rows: int, columns: int) -> Problem:
    """X, labels, weights."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, columns))
    y = (generator.random(rows) < 0.5).astype(np.float64)
    return x, y, 0.1 * generator.normal(size=columns)


def loss(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The mean negative log-likelihood."""
    z = X @ w
    return np.mean(np.logaddexp(0, z) - y * z)


def symgrad_kernel(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Contender:
    """The compiled Hessian of the derived gradient."""
    kernel = sg.derive(loss, {"X": "n d", "y": "n", "w": "d"}, "w").hessian("w").compile()
    return lambda: kernel(X=x, y=y, w=w)


def numpy_formula(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Contender:
    """Xᵀ diag(p(1 − p)) X / n, as a textbook has it."""

    def hessian() -> np.ndarray:
        p = 1 / (1 + np.exp(-(x @ w)))
        return (x * (p * (1 - p))[:, None]).T @ x / len(x)

    return hessian


def scipy_syrk(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Contender:
    """The same with half of the operations."""

    def hessian() -> np.ndarray:
        p = 1 / (1 + np.exp(-(x @ w)))
        upper = blas.dsyrk(1 / len(x), (x * np.sqrt(p * (1 - p))[:, None]).T)
        return upper + np.triu(upper, 1).T

    return hessian


def jax_hessian(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Contender:
    """``jax.jit(jax.hessian(…))`` on the CPU."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def value(w: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
        z = x @ w
        return jnp.mean(jnp.logaddexp(0, z) - y * z)

    compiled = jax.jit(jax.hessian(value))
    arrays = [jnp.asarray(a) for a in (w, x, y)]
    return lambda: np.asarray(jax.block_until_ready(compiled(*arrays)))


def torch_hessian(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Contender:
    """``torch.autograd.functional.hessian``."""
    import torch

    xt, yt, wt = (torch.from_numpy(a) for a in (x, y, w))

    def value(w: torch.Tensor) -> torch.Tensor:
        z = xt @ w
        return (torch.nn.functional.softplus(z) - yt * z).mean()

    return lambda: torch.autograd.functional.hessian(value, wt).numpy()


CONTENDERS: tuple[tuple[str, str, Callable[..., Contender]], ...] = (
    ("symgrad kernel", "numba", symgrad_kernel),
    ("NumPy formula", "numpy", numpy_formula),
    ("SciPy syrk", "scipy", scipy_syrk),
    ("JAX hessian", "jax", jax_hessian),
    ("torch hessian", "torch", torch_hessian),
)


def measure(contenders: dict[str, Contender], repetitions: int) -> dict[str, list[float]]:
    """The seconds of each; they take turns, slow ones less often."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repetitions):
        for name, hessian in contenders.items():
            if times[name] and statistics.median(times[name]) > 0.1 and turn % 5:
                continue
            sleep(PAUSE)
            hessian()
            start = perf_counter()
            hessian()
            times[name].append(perf_counter() - start)
    return times


def main() -> int:
    rows, columns, repetitions = ([int(a) for a in sys.argv[1:]] + [10_000, 100, 30][len(sys.argv) - 1 :])[:3]
    arrays = problem(rows, columns)
    contenders = {name: make(*arrays) for name, module, make in CONTENDERS if find_spec(module) is not None}
    wanted = numpy_formula(*arrays)()
    for name, hessian in contenders.items():
        np.testing.assert_allclose(hessian(), wanted, rtol=1e-9, atol=1e-12, err_msg=name)
    times = measure(contenders, repetitions)
    base = statistics.median(times["symgrad kernel"])
    short = []
    print(f"logistic regression, {rows}×{columns}, float64, {repetitions} turns: median, least")
    for name, t in times.items():
        ratio = statistics.median(t) / base
        wanted_ratio = LEAST.get(name)
        note = "" if wanted_ratio is None else f"   wanted: at least {wanted_ratio:g}×"
        if wanted_ratio is not None and ratio < wanted_ratio:
            short.append(name)
            note += "   NOT REACHED"
        print(f"  {name:16} {statistics.median(t) * 1e3:9.2f} ms {min(t) * 1e3:9.2f} ms {ratio:8.1f}×{note}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
