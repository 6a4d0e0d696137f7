"""Mini-batch training of networks: gather the rows, loss, gradient, update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from contenders import by_jax, by_numpy, by_symgrad, by_torch
from contenders.limits import products_of_network
from contenders.training import Training
from harness.workload import Closeness, Contender, Data, Ratio, Target, Values, Workload
from models import RELU_NETWORK, TANH_CLASSIFIER, TANH_NETWORK, Model, in_double

NOTE = """\
Times are of one step, out of whole runs. Every run gathers the rows of each batch by an array of indices and keeps all
losses. `sg.minimize` also draws the order of the rows in the measured time; the peers are given it. JAX is one jitted
`lax.scan` with optax. torch has its fused optimizers. `torch.compile` has gather, loss, gradient and update in one
function, called for each step. The limit is the five matrix products of a step, in NumPy's BLAS on all cores."""

CLOSE = {"float32": Closeness(2e-3), "float64": Closeness(1e-8)}
"""Rounding errors of early steps change the path a little; Adam divides by small roots, which enlarges them."""


@dataclass(frozen=True)
class Batched:
    """A network that is trained on batches."""

    name: str
    title: str
    shapes: str
    model: Model
    sizes: Mapping[str, int]
    batch: int
    rule: str
    rate: float
    dtype: str = "float32"
    steps: int = 200
    targets: tuple[Target, ...] = ()


def reference(t: Training, data: Data) -> Values:
    """The run in double precision, and a product of the limit."""
    double = in_double(data)
    values = dict(by_numpy.training(t)(double)())
    if "U" not in double:
        X = double["X"][: t.batch]
        values["product"] = X.T @ (X @ double["W"] @ double["V"] @ double["V"].T)
    return values


def workload(p: Batched) -> Workload:
    """The run as a workload."""
    run = Training(p.model, p.steps, p.rule, p.rate, p.batch)
    close = dict.fromkeys(("losses", *p.model.params), CLOSE[p.dtype])
    two_layers = "U" not in p.model.shapes
    products = products_of_network(p.batch, p.steps)
    limit = (Contender("products", products, {"product": CLOSE[p.dtype]}),) if two_layers else ()
    return Workload(
        name=p.name,
        title=p.title,
        shapes=p.shapes,
        data=partial(p.model.draw, p.sizes, p.dtype),
        reference=partial(reference, run),
        contenders=(
            Contender("symgrad", by_symgrad.training(run), close, compiles=True),
            Contender("NumPy", by_numpy.training(run), close),
            Contender("JAX", by_jax.training(run), close, needs=("jax", "optax"), compiles=True),
            Contender("torch", by_torch.training(run), close, needs=("torch",)),
            Contender(
                "torch.compile",
                by_torch.compiled_training(run),
                close,
                needs=("torch",),
                tools=by_torch.COMPILERS,
                compiles=True,
            ),
            *limit,
        ),
        targets=p.targets,
        limit="products" if two_layers else None,
        per=p.steps,
        unit="step",
    )


DIGITS = {"n": 12_800, "d": 784, "h": 128, "k": 10}
TARGETS = (Ratio("JAX", 1.3), Ratio("torch", 3), Ratio("products", 1 / 1.5))
WORKLOADS = tuple(
    workload(p)
    for p in (
        Batched("network-sgd", "tanh network 784-128-10, batch 64, SGD step, float32", "issue",
                TANH_NETWORK, DIGITS, 64, "sgd", 1e-4, targets=TARGETS),
        Batched("network-adam", "tanh network 784-128-10, batch 64, Adam step, float32", "issue",
                TANH_NETWORK, DIGITS, 64, "adam", 1e-4, targets=TARGETS),
        Batched("classifier-sgd", "the same with softmax cross-entropy, SGD step", "issue",
                TANH_CLASSIFIER, DIGITS, 64, "sgd", 0.1),
        Batched("classifier-adam", "tanh network 300-200-7 with softmax cross-entropy, batch 100, Adam step, float32",
                "other", TANH_CLASSIFIER, {"n": 10_000, "d": 300, "h": 200, "k": 7}, 100, "adam", 1e-4),
        Batched("relu-network-sgd", "relu network 100-80-40-3, batch 100, SGD step, float32", "other",
                RELU_NETWORK, {"n": 10_000, "d": 100, "h": 80, "g": 40, "k": 3}, 100, "sgd", 1e-4),
        Batched("network-double", "tanh network 60-30-2, batch 32, Adam step, float64", "other",
                TANH_NETWORK, {"n": 6_400, "d": 60, "h": 30, "k": 2}, 32, "adam", 1e-3, "float64"),
    )
)  # fmt: skip
