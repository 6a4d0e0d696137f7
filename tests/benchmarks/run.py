"""The tutorial's problem, 500 steps of SGD: symgrad's loop beside NumPy, JAX and PyTorch, as ratios.

    python tests/benchmarks/run.py [repetitions]

All run in one process, taking turns, and only after each has given the same losses.  JAX and PyTorch take part
where they are installed (``pip install '.[bench]'``).  Times vary between machines; the ratios are what matters.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter

import numpy as np

import symgrad as sg
from symgrad.cli import problem
from symgrad.compile import bind, plan_training, training_kernel

STEPS, RATE = problem.STEPS, problem.LEARNING_RATE
LEAST = {"NumPy program": 250.0, "JAX lax.scan": 3.0}
Contender = Callable[[], tuple[np.ndarray, np.ndarray]]
"""Trains from the first weights; returns the losses and the last weights."""


def derivation() -> sg.Derivation:
    """The tutorial's loss at its own sizes."""
    x, y, w = problem.data()
    shapes = {"x": x.shape, "y": y.shape, "w": w.shape}
    return sg.derive(problem.loss, shapes, "w", given={"y_pred": problem.forward})


def compiled_loop() -> Contender:
    """The kernel call alone, as a training run makes it."""
    x, y, first = problem.data()
    program = derivation().program
    arrays, sizes = bind(program, {"x": x, "y": y, "w": first}, "float32")
    rule = sg.optim.SGD(lr=RATE).rule
    kernel = training_kernel(plan_training(program, ("w",), rule, "float32", sizes))
    data = [arrays[n] for n in kernel.plan.data]
    hyper = np.zeros(1)
    kernel.prepare((*data, first.copy(), RATE, hyper, 0, np.empty(STEPS, np.float32)))

    def train() -> tuple[np.ndarray, np.ndarray]:
        w, losses = first.copy(), np.empty(STEPS, np.float32)
        kernel.run((*data, w, RATE, hyper, 0, losses))
        return losses, w

    return train


def whole_call() -> Contender:
    """``sg.minimize`` from the outside, its second call and later ones."""
    x, y, first = problem.data()
    optimizer = sg.optim.SGD(lr=RATE)

    def train() -> tuple[np.ndarray, np.ndarray]:
        run = sg.minimize(
            problem.loss, {"w": first}, {"x": x, "y": y}, optimizer, STEPS, given={"y_pred": problem.forward}
        )
        return run.losses, run.params["w"]

    return train


def numpy_program() -> Contender:
    """The tutorial's own loop, its gradient written by hand, with the losses kept."""
    x, y, first = problem.data()

    def train() -> tuple[np.ndarray, np.ndarray]:
        w, losses = first.copy(), np.empty(STEPS, np.float32)
        for step in range(STEPS):
            y_pred = problem.forward(x, w)
            losses[step] = problem.loss(y_pred, y)
            w -= np.float32(RATE) * problem.gradient(x, y, y_pred)
        return losses, w

    return train


def jax_scan() -> Contender:
    """One jitted ``lax.scan`` over the steps, on the CPU."""
    import jax
    import jax.numpy as jnp

    x, y, first = (jnp.asarray(a) for a in problem.data())
    gradient = jax.value_and_grad(lambda w, x, y: (0.5 * (x @ w - y) ** 2).sum())

    @jax.jit
    def loop(w: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        def step(w: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
            loss, g = gradient(w, x, y)
            return w - RATE * g, loss

        return jax.lax.scan(step, w, None, length=STEPS)

    def train() -> tuple[np.ndarray, np.ndarray]:
        w, losses = jax.block_until_ready(loop(first, x, y))
        return np.asarray(losses), np.asarray(w)

    return train


def torch_eager() -> Contender:
    """PyTorch as its tutorials write it, on one thread."""
    import torch

    torch.set_num_threads(1)
    x, y, first = (torch.from_numpy(a) for a in problem.data())

    def train() -> tuple[np.ndarray, np.ndarray]:
        w = first.clone().requires_grad_()
        optimizer = torch.optim.SGD([w], lr=RATE)
        losses = np.empty(STEPS, np.float32)
        for step in range(STEPS):
            loss = (0.5 * (x @ w - y) ** 2).sum()
            losses[step] = loss.item()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return losses, w.detach().numpy()

    return train


CONTENDERS: tuple[tuple[str, str, Callable[[], Contender]], ...] = (
    ("symgrad kernel", "numba", compiled_loop),
    ("symgrad minimize", "numba", whole_call),
    ("NumPy program", "numpy", numpy_program),
    ("JAX lax.scan", "jax", jax_scan),
    ("torch eager", "torch", torch_eager),
)


def check(name: str, train: Contender) -> None:
    """Refuse to time what does not compute the golden numbers."""
    losses, w = train()
    np.testing.assert_allclose(
        losses[[49, 99, 149]], [0.07186736, 0.0018385486, 4.7043628e-05], rtol=2e-3, err_msg=name
    )
    np.testing.assert_allclose(w.ravel(), [2, 3], atol=1e-5, err_msg=name)


def measure(contenders: dict[str, Contender], repetitions: int) -> dict[str, float]:
    """The median seconds of each; they take turns, slow ones less often."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repetitions):
        for name, train in contenders.items():
            if times[name] and statistics.median(times[name]) > 2e-3 and turn % 10:
                continue
            train()  # the caches are warm again after the others
            start = perf_counter()
            train()
            times[name].append(perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def main() -> int:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    contenders = {name: make() for name, module, make in CONTENDERS if find_spec(module) is not None}
    for name, train in contenders.items():
        check(name, train)
    medians = measure(contenders, repetitions)
    base = medians["symgrad kernel"]
    short = []
    print(f"{STEPS} steps, 4×2, float32, {repetitions} turns, medians")
    for name, seconds in medians.items():
        ratio = seconds / base
        wanted = LEAST.get(name)
        note = "" if wanted is None else f"   wanted: at least {wanted:g}×"
        if wanted is not None and ratio < wanted:
            short.append(name)
            note += "   NOT REACHED"
        print(f"  {name:18} {seconds * 1e6:10.1f} µs  {ratio:9.1f}×{note}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
