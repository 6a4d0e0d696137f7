"""Second derivatives of logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from contenders import by_jax, by_numpy, by_symgrad, by_torch
from harness.workload import Closeness, Contender, Data, Ratio, Target, Values, Workload
from models import LOGISTIC, in_double

NOTE = """\
NumPy computes the closed form, which somebody has derived by hand. JAX is `jit(jax.hessian)`, in double precision
where the data is. torch is `torch.func.hessian`; two more of its ways stand beside it."""

CLOSE = {"float32": Closeness(1e-3), "float64": Closeness(1e-10)}


def reference(data: Data) -> Values:
    """The closed form in double precision."""
    return by_numpy.logistic_hessian(in_double(data))()


def workload(
    name: str, title: str, shapes: str, sizes: Mapping[str, int], dtype: str, targets: tuple[Target, ...] = ()
) -> Workload:
    """The Hessian as a workload."""
    close = {"hessian": CLOSE[dtype]}
    torch, compiler = {"needs": ("torch",)}, {"tools": by_torch.COMPILERS, "compiles": True}
    return Workload(
        name=name,
        title=title,
        shapes=shapes,
        data=partial(LOGISTIC.draw, sizes, dtype),
        reference=reference,
        contenders=(
            Contender("symgrad", by_symgrad.hessian(LOGISTIC, dtype), close, compiles=True),
            Contender("NumPy", by_numpy.logistic_hessian, close),
            Contender("JAX", by_jax.hessian(LOGISTIC), close, needs=("jax", "optax"), compiles=True),
            Contender("torch", by_torch.hessian(LOGISTIC, "func"), close, **torch),
            Contender("torch vectorized", by_torch.hessian(LOGISTIC, "vectorized"), close, **torch),
            Contender("torch.compile", by_torch.hessian(LOGISTIC, "compiled"), close, **torch, **compiler),
        ),
        targets=targets,
    )


WORKLOADS = (
    workload("hessian", "logistic regression Hessian 10 000×100, float64", "issue",
             {"n": 10_000, "d": 100}, "float64", (Ratio("JAX", 3), Ratio("torch", 20))),
    workload("hessian-17", "logistic regression Hessian 50 000×17, float32", "other",
             {"n": 50_000, "d": 17}, "float32"),
)  # fmt: skip
