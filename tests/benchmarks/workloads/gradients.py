"""Loss and gradient of large data, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod

from contenders import by_jax, by_numpy, by_symgrad, by_torch
from contenders.limits import sum_of_data
from harness.workload import Closeness, Contender, Data, Ratio, Target, Values, Workload
from models import (
    LEAST_SQUARES,
    LOGISTIC,
    RELU_NETWORK,
    SEVERAL_OUTPUTS,
    TANH_CLASSIFIER,
    TANH_NETWORK,
    Model,
    in_double,
)

NOTE = """\
All return the loss and the gradients by all parameters. NumPy has the gradient by hand, on whole arrays that are
overwritten where they can be. JAX is `jit(value_and_grad)`, on arrays that it already holds. The limit is a numba loop
on all cores that adds up the entries of X and does nothing else."""

CLOSE = {"float32": Closeness(1e-3), "float64": Closeness(1e-10)}
"""Libraries add up to a million terms in one line each of a few registers: √n to n roundings of 6e-8 and 1e-16."""
SUM = Closeness(1e-3)


@dataclass(frozen=True)
class Large:
    """A model at some sizes."""

    name: str
    title: str
    shapes: str
    model: Model
    sizes: Mapping[str, int]
    dtype: str = "float32"
    targets: tuple[Target, ...] = ()


def reference(model: Model, data: Data) -> Values:
    """Loss and gradients in double precision, and the sum of X that the limit computes."""
    double = in_double(data)
    return {**model.values(double), "sum": double["X"].sum()}


def workload(p: Large) -> Workload:
    """The gradient as a workload."""
    close = dict.fromkeys(("loss", *p.model.params), CLOSE[p.dtype])
    limited = prod(p.sizes[s] for s in ("n", "d")) >= 2**25
    limit = (Contender("sum of X", sum_of_data, {"sum": SUM}),) if limited else ()
    return Workload(
        name=p.name,
        title=p.title,
        shapes=p.shapes,
        data=partial(p.model.draw, p.sizes, p.dtype),
        reference=partial(reference, p.model),
        contenders=(
            Contender("symgrad", by_symgrad.gradient(p.model, p.dtype), close, compiles=True),
            Contender("NumPy", by_numpy.gradient(p.model), close),
            Contender("JAX", by_jax.gradient(p.model), close, needs=("jax", "optax"), compiles=True),
            Contender("torch", by_torch.gradient(p.model), close, needs=("torch",)),
            Contender(
                "torch.compile",
                by_torch.gradient(p.model, compiled=True),
                close,
                needs=("torch",),
                tools=by_torch.COMPILERS,
                compiles=True,
            ),
            *limit,
        ),
        targets=p.targets,
        limit="sum of X" if limited else None,
    )


WORKLOADS = tuple(
    workload(p)
    for p in (
        Large("least-squares", "least-squares gradient 1 000 000×64, float32", "issue",
              LEAST_SQUARES, {"n": 1_000_000, "d": 64}, targets=(
                  Ratio("sum of X", 0.9), Ratio("NumPy", 2.3), Ratio("torch", 3.3), Ratio("JAX", 4.5))),
        Large("tanh-network", "tanh network 20-32-1, 500 000 rows, gradient, float32", "issue",
              TANH_NETWORK, {"n": 500_000, "d": 20, "h": 32, "k": 1}, targets=(
                  Ratio("JAX", 4), Ratio("NumPy", 6), Ratio("torch", 8))),
        Large("least-squares-17", "least-squares gradient 2 000 000×17, float32", "other",
              LEAST_SQUARES, {"n": 2_000_000, "d": 17}),
        Large("least-squares-200", "least-squares gradient 200 000×200, float64", "other",
              LEAST_SQUARES, {"n": 200_000, "d": 200}, "float64"),
        Large("least-squares-3-outputs", "least-squares gradient 700 000×48, 3 outputs, float32", "other",
              SEVERAL_OUTPUTS, {"n": 700_000, "d": 48, "k": 3}),
        Large("logistic", "logistic regression gradient 600 000×30, float32", "other",
              LOGISTIC, {"n": 600_000, "d": 30}),
        Large("relu-network", "relu network 24-48-16-3, 200 000 rows, gradient, float32", "other",
              RELU_NETWORK, {"n": 200_000, "d": 24, "h": 48, "g": 16, "k": 3}),
        Large("classifier", "tanh network 40-64-7 with softmax cross-entropy, 150 000 rows, gradient, float64", "other",
              TANH_CLASSIFIER, {"n": 150_000, "d": 40, "h": 64, "k": 7}, "float64"),
    )
)  # fmt: skip
