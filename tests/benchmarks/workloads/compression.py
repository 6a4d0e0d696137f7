"""Full-batch least squares: the data of a run never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from contenders import by_jax, by_numpy, by_symgrad, by_torch
from contenders.training import Training
from harness.workload import Closeness, Contender, Data, Ratio, Target, Values, Workload
from models import LEAST_SQUARES, RIDGE_REGRESSION, SEVERAL_OUTPUTS, Model, in_double

NOTE = """\
A call is the whole run, whatever symgrad does to the data before the first step included. The peers run the loop as it
is written: X is read twice in each step. They could be given XᵀX by hand; no peer does that by itself. symgrad's
losses have to be right to 1e-8 of each loss, the peers' to 1e-3 of the largest."""

EXACT = {"losses": Closeness(1e-8, entrywise=True), "w": Closeness(1e-6)}
"""The losses as they would be in double precision; the parameters are returned in float32."""
NEAR = {"losses": Closeness(1e-3), "w": Closeness(1e-3)}
TARGETS = (Ratio("JAX", 100), Ratio("NumPy", 100))


@dataclass(frozen=True)
class FullBatch:
    """A regression on all rows in each step.

    Attributes:
        noise: what is added to the outputs; 0 leaves only what rounding to the dtype leaves.
        speed: the learning rate, times the number of rows.
    """

    name: str
    title: str
    shapes: str
    model: Model
    sizes: Mapping[str, int]
    noise: float
    dtype: str = "float32"
    steps: int = 1000
    speed: float = 0.05
    targets: tuple[Target, ...] = ()


def arrays(p: FullBatch) -> dict[str, np.ndarray]:
    """X, and y from weights that can be found."""
    made = p.model.draw(p.sizes, p.dtype)
    rng = np.random.default_rng(1)
    found = rng.standard_normal(made["w"].shape)
    exact = made["X"].astype(np.float64) @ found
    y = exact + p.noise * rng.standard_normal(exact.shape)
    return {**made, "y": y.astype(p.dtype)}


def reference(t: Training, data: Data) -> Values:
    """The run in double precision, on the data as it is."""
    return by_numpy.training(t)(in_double(data))()


def workload(p: FullBatch) -> Workload:
    """The run as a workload."""
    run = Training(p.model, p.steps, "sgd", p.speed / p.sizes["n"])
    return Workload(
        name=p.name,
        title=p.title,
        shapes=p.shapes,
        data=partial(arrays, p),
        reference=partial(reference, run),
        contenders=(
            Contender("symgrad", by_symgrad.training(run), EXACT, compiles=True),
            Contender("NumPy", by_numpy.training(run), NEAR),
            Contender("JAX", by_jax.training(run), NEAR, needs=("jax", "optax"), compiles=True),
            Contender("torch", by_torch.training(run), NEAR, needs=("torch",)),
        ),
        targets=p.targets,
        unit="run",
    )


FLAT, OUTPUTS = {"n": 100_000, "d": 64}, {"n": 100_000, "d": 64, "k": 3}
WORKLOADS = tuple(
    workload(p)
    for p in (
        FullBatch("full-batch", "least squares 100 000×64, 1000 full-batch SGD steps, float32", "issue",
                  LEAST_SQUARES, FLAT, 1.0, targets=TARGETS),
        FullBatch("full-batch-exact", "the same, near zero residual", "issue",
                  LEAST_SQUARES, FLAT, 0.0, targets=TARGETS),
        FullBatch("full-batch-ridge", "the same, ridge", "issue",
                  RIDGE_REGRESSION, FLAT, 1.0, targets=TARGETS),
        FullBatch("full-batch-outputs", "the same, 3 outputs", "issue",
                  SEVERAL_OUTPUTS, OUTPUTS, 1.0, targets=TARGETS),
        FullBatch("full-batch-17", "least squares 40 000×17, 600 full-batch SGD steps, float64", "other",
                  LEAST_SQUARES, {"n": 40_000, "d": 17}, 0.1, "float64", 600),
        FullBatch("full-batch-200", "ridge 20 000×200, 400 full-batch SGD steps, float32", "other",
                  RIDGE_REGRESSION, {"n": 20_000, "d": 200}, 0.1, steps=400),
    )
)  # fmt: skip
