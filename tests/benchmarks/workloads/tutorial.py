"""A tiny problem, hundreds of steps of SGD: what is left is the cost of the loop itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from contenders import by_jax, by_numpy, by_torch
from contenders.training import Training
from harness.workload import Added, Call, Closeness, Contender, Data, Ratio, Target, Values, Workload
from models import LEAST_SQUARES, SEVERAL_OUTPUTS, Model, in_double, numpy_library

import symgrad as sg
from symgrad.cli import problem
from symgrad.compile import bind, plan_training, training_kernel

NOTE = """\
The ratios are to the call of the compiled loop alone; `sg.minimize` is the same from the outside, called again with the
same function. NumPy runs the tutorial's own loop, with the gradient by hand. The others are given their arrays and keep
all losses, too. A call is the whole run."""

CLOSE = {"losses": Closeness(1e-4), "w": Closeness(1e-4)}
"""float32 over hundreds of steps: the rounding errors of early steps are forgotten, those of each step are 1e-7."""


@dataclass(frozen=True)
class Tiny:
    """A least-squares problem with few numbers."""

    name: str
    title: str
    shapes: str
    arrays: Callable[[], dict[str, np.ndarray]]
    model: Model
    steps: int
    rate: float
    targets: tuple[Target, ...] = ()

    @property
    def run(self) -> Training:
        """What is trained."""
        return Training(self.model, self.steps, "sgd", self.rate)


def tutorial_arrays() -> dict[str, np.ndarray]:
    """Four points and the first weights of the tutorial."""
    x, y, w = problem.data()
    return {"X": x, "w": w, "y": y}


def kernel_call(t: Training) -> Callable[[Data], Call]:
    """The compiled loop without anything around it."""

    def make(data: Data) -> Call:
        loss = t.model.loss(numpy_library())
        program = sg.derive(loss, {n: a.shape for n, a in data.items()}, ["w"]).program
        arrays, sizes = bind(program, data, "float32")
        kernel = training_kernel(
            plan_training(program, ("w",), sg.optim.SGD(lr=t.rate).rule, "float32", sizes)
        )
        others, hyper = [arrays[n] for n in kernel.plan.data], np.zeros(1)
        kernel.prepare((*others, arrays["w"].copy(), t.rate, hyper, 0, np.empty(t.steps, np.float32)))

        def call() -> Values:
            w, losses = arrays["w"].copy(), np.empty(t.steps, np.float32)
            kernel.run((*others, w, t.rate, hyper, 0, losses))
            return {"losses": losses, "w": w}

        return call

    return make


def whole_call(t: Training) -> Callable[[Data], Call]:
    """``sg.minimize`` from the outside."""

    def make(data: Data) -> Call:
        loss, optimizer = t.model.loss(numpy_library()), sg.optim.SGD(lr=t.rate)
        params, others = {"w": data["w"]}, {"X": data["X"], "y": data["y"]}

        def call() -> Values:
            run = sg.minimize(loss, params, others, optimizer, t.steps)
            return {"losses": run.losses, **run.params}

        return call

    return make


def numpy_program(t: Training) -> Callable[[Data], Call]:
    """The tutorial's own loop, with the gradient by hand and the losses kept."""

    def make(data: Data) -> Call:
        X, y = data["X"], data["y"]
        rate = X.dtype.type(t.rate)

        def call() -> Values:
            w, losses = data["w"].copy(), np.empty(t.steps, X.dtype)
            for step in range(t.steps):
                y_pred = problem.forward(X, w)
                losses[step] = problem.loss(y_pred, y)
                w -= rate * problem.gradient(X, y, y_pred)
            return {"losses": losses, "w": w}

        return call

    return make


def reference(t: Training, data: Data) -> Values:
    """The run in double precision."""
    return by_numpy.training(t)(in_double(data))()


def workload(p: Tiny) -> Workload:
    """The tiny problem as a workload."""
    run = p.run
    return Workload(
        name=p.name,
        title=p.title,
        shapes=p.shapes,
        data=p.arrays,
        reference=partial(reference, run),
        contenders=(
            Contender("symgrad", kernel_call(run), CLOSE, compiles=True),
            Contender("sg.minimize", whole_call(run), CLOSE),
            Contender("NumPy", numpy_program(run), CLOSE),
            Contender("JAX", by_jax.training(run), CLOSE, needs=("jax", "optax"), compiles=True),
            Contender("torch", by_torch.training(run), CLOSE, needs=("torch",)),
        ),
        targets=p.targets,
        unit="run",
    )


def drawn(model: Model, **sizes: Any) -> Callable[[], dict[str, np.ndarray]]:
    """Random arrays in float32."""
    return lambda: model.draw(sizes, "float32")


WORKLOADS = tuple(
    workload(p)
    for p in (
        Tiny(
            "tutorial",
            "tutorial's problem 4×2, 500 SGD steps, float32",
            "issue",
            tutorial_arrays,
            SEVERAL_OUTPUTS,
            problem.STEPS,
            problem.LEARNING_RATE,
            (Ratio("JAX", 4), Ratio("NumPy", 300), Ratio("torch", 5000), Added("sg.minimize", 30e-6)),
        ),
        Tiny("tiny-5x3", "least squares 5×3, 700 SGD steps, float32", "other",
             drawn(LEAST_SQUARES, n=5, d=3), LEAST_SQUARES, 700, 0.02),
        Tiny("tiny-12x4x2", "least squares 12×4, 2 outputs, 300 SGD steps, float32", "other",
             drawn(SEVERAL_OUTPUTS, n=12, d=4, k=2), SEVERAL_OUTPUTS, 300, 0.01),
    )
)  # fmt: skip
