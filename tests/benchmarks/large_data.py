"""Loss and gradient of large data: symgrad's kernels beside NumPy, JAX and PyTorch, as ratios.

    python tests/benchmarks/large_data.py [repetitions]

All run in one process, taking turns, on all cores, and only after each has given the same loss and gradients.  There
is a pause before each, as idle threads of the one before would still be spinning.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter, sleep
from typing import Any

import numpy as np

import symgrad as sg

Arrays = Mapping[str, np.ndarray]
Call = Callable[[], tuple[Any, Mapping[str, Any]]]
PAUSE = 0.06


@dataclass(frozen=True)
class Problem:
    """A loss that NumPy, JAX and PyTorch can all run; ``xp`` stands for the library.

    Attributes:
        shapes: of the arguments, in symgrad's words.
        sizes: what the symbols are here.
        wrt: the parameters.
        loss: of the library and the arguments.
    """

    name: str
    shapes: Mapping[str, str]
    sizes: Mapping[str, int]
    wrt: tuple[str, ...]
    loss: Callable[..., Any]

    def arrays(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(0)
        made = {}
        for name, text in self.shapes.items():
            shape = tuple(self.sizes[s] for s in text.split())
            scale = 1 / np.sqrt(shape[0]) if name in self.wrt else 1.0
            made[name] = (rng.normal(size=shape) * scale).astype(np.float32)
        return made


def least_squares(xp: Any, X: Any, w: Any, y: Any) -> Any:
    return 0.5 * ((X @ w - y) ** 2).sum()


def network(xp: Any, X: Any, W: Any, b: Any, V: Any, c: Any, Y: Any) -> Any:
    return 0.5 * ((xp.tanh(X @ W + b) @ V + c - Y) ** 2).sum()


NETWORK = {"X": "n d", "W": "d h", "b": "h", "V": "h k", "c": "k", "Y": "n k"}
PROBLEMS = (
    Problem(
        "least squares", {"X": "n d", "w": "d", "y": "n"}, {"n": 1_000_000, "d": 64}, ("w",), least_squares
    ),
    Problem("tanh network", NETWORK, {"n": 500_000, "d": 20, "h": 32, "k": 1}, ("W", "b", "V", "c"), network),
)


def by_symgrad(p: Problem, arrays: Arrays) -> Call:
    names = ", ".join(p.shapes)
    loss = eval(f"lambda {names}: f(np, {names})", {"f": p.loss, "np": np})
    kernel = sg.derive(loss, p.shapes, wrt=list(p.wrt)).compile("float32")
    return lambda: kernel(arrays)


def by_numpy(p: Problem, arrays: Arrays) -> Call:
    """The derived formulas in plain NumPy."""
    names = ", ".join(p.shapes)
    loss = eval(f"lambda {names}: f(np, {names})", {"f": p.loss, "np": np})
    own = sg.derive(loss, p.shapes, wrt=list(p.wrt))
    return lambda: own(arrays)


def by_jax(p: Problem, arrays: Arrays) -> Call:
    import jax
    import jax.numpy as jnp

    given = {n: jnp.asarray(a) for n, a in arrays.items()}

    def loss(params: Any, data: Any) -> Any:
        return p.loss(jnp, **{n: {**params, **data}[n] for n in p.shapes})

    both = jax.jit(jax.value_and_grad(loss))
    params = {n: given[n] for n in p.wrt}
    data = {n: a for n, a in given.items() if n not in p.wrt}
    return lambda: jax.block_until_ready(both(params, data))


def by_torch(p: Problem, arrays: Arrays) -> Call:
    import torch

    given = {n: torch.from_numpy(a) for n, a in arrays.items()}

    def call() -> tuple[Any, dict[str, Any]]:
        params = {n: given[n].clone().requires_grad_() for n in p.wrt}
        loss = p.loss(torch, **{**given, **params})
        found = torch.autograd.grad(loss, list(params.values()))
        return loss.detach(), dict(zip(params, found, strict=True))

    return call


PEERS = {"symgrad": by_symgrad, "numpy": by_numpy, "jax": by_jax, "torch": by_torch}


def check(name: str, got: tuple[Any, Mapping[str, Any]], expected: tuple[Any, Mapping[str, Any]]) -> None:
    """Refuse to time what computes something else."""
    np.testing.assert_allclose(float(got[0]), float(expected[0]), rtol=1e-4, err_msg=name)
    for n, g in expected[1].items():
        largest = np.abs(g).max()
        np.testing.assert_allclose(
            np.asarray(got[1][n]), g, rtol=0, atol=1e-3 * largest, err_msg=f"{name}, {n}"
        )


def measure(calls: Mapping[str, Call], repetitions: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repetitions):
        for name, call in calls.items():
            sleep(PAUSE)
            call()
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return times


def main() -> int:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for p in PROBLEMS:
        arrays = p.arrays()
        double = {n: a.astype(np.float64) for n, a in arrays.items()}
        expected = by_numpy(p, double)()
        calls = {
            n: make(p, arrays) for n, make in PEERS.items() if n == "symgrad" or find_spec(n) is not None
        }
        first = {}
        for name, call in calls.items():
            start = perf_counter()
            check(name, call(), expected)
            first[name] = perf_counter() - start
        found = measure(calls, repetitions)
        base = statistics.median(found["symgrad"])
        sizes = ", ".join(f"{n} = {s}" for n, s in p.sizes.items())
        print(f"{p.name}, {sizes}, float32")
        for name, times in found.items():
            spread = f"{min(times) * 1e3:.1f} … {max(times) * 1e3:.1f}"
            middle = statistics.median(times)
            print(
                f"  {name:8} {middle * 1e3:8.1f} ms ({spread})  {middle / base:5.2f}×   first call {first[name]:.1f} s"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
