"""exp, tanh and their like on a vector, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import sympy
from harness.workload import Call, Closeness, Contender, Data, Ratio, Target, Values, Workload
from scipy import special

import symgrad as sg
from symgrad.compile.source import helper_texts
from symgrad.compile.vector_math import OPTIONS, VECTOR_MATH

NOTE = """\
symgrad is a loop over the function as kernel files define it. NumPy and SciPy write into an array that is there, too.
`sg.lambdify` is the function from the outside: checks, a new array, and in float32 what the kernel does."""

SIZE = 8192
CLOSE = {"float32": Closeness(1e-6), "float64": Closeness(1e-14)}
"""Some units in the last place of the largest value."""
FLAGS = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}  # as kernels with loops have them
_X = sympy.Symbol("x")
EXPRESSIONS = {
    "exp": sympy.exp(_X),
    "tanh": sympy.tanh(_X),
    "log": sympy.log(_X),
    "log1p": sympy.log(1 + _X),
    "sigmoid": 1 / (1 + sympy.exp(-_X)),
    "softplus": sympy.log(1 + sympy.exp(_X)),
    "erf": sympy.erf(_X),
}


def log_of_sum(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """softplus, as NumPy can compute it."""
    found: np.ndarray = np.logaddexp(0, x, out=out)
    return found


def softplus(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """As SciPy has it since 1.17."""
    found: np.ndarray = special.softplus(x, out=out)
    return found


Peers = Mapping[str, Callable[..., Any]]
PEERS: dict[str, tuple[Peers, float]] = {
    "exp": ({"NumPy": np.exp}, 1.0),
    "tanh": ({"NumPy": np.tanh}, 1 / 1.1),
    "log": ({"NumPy": np.log}, 1 / 1.25),
    "log1p": ({"NumPy": np.log1p}, 1 / 1.25),
    "sigmoid": ({"SciPy": special.expit}, 5.0),
    "softplus": ({"NumPy": log_of_sum, "SciPy": softplus}, 5.0),
    "erf": ({"SciPy": special.erf}, 5.0),
}


def data(name: str, dtype: str, size: int) -> dict[str, np.ndarray]:
    """Numbers from −5 to 5; positive ones for logarithms."""
    x = np.random.default_rng(0).uniform(-5, 5, size).astype(dtype)
    return {"x": np.abs(x) if name.startswith("log") else x}


def kernel_loop(name: str) -> Callable[[Data], Call]:
    """A loop over the function as the file of a kernel defines it."""

    def make(arrays: Data) -> Call:
        import math

        from numba import njit

        x = arrays["x"]
        names: dict[str, Any] = {"np": np, "math": math, "F": x.dtype.type, "njit": njit}
        names |= {"VECTOR": eval(OPTIONS), "HELPER": {"error_model": "numpy"}}
        for text in helper_texts(VECTOR_MATH, str(x.dtype)).values():
            exec(text, names)
        f = names[name]

        @njit(**FLAGS)
        def loop(x: Any, out: Any) -> None:
            for i in range(x.size):
                out[i] = f(x[i])

        out = np.empty_like(x)

        def call() -> Values:
            loop(x, out)
            return {"value": out}

        return call

    return make


def lambdified(name: str) -> Callable[[Data], Call]:
    """The function from the outside."""

    def make(arrays: Data) -> Call:
        x = arrays["x"]
        f = sg.lambdify(_X, EXPRESSIONS[name], dtype=str(x.dtype))
        return lambda: {"value": f(x)}

    return make


def by_ufunc(f: Callable[..., Any]) -> Callable[[Data], Call]:
    """NumPy's or SciPy's function, into an array that is there."""

    def make(arrays: Data) -> Call:
        x = arrays["x"]
        out = np.empty_like(x)
        return lambda: {"value": f(x, out=out)}

    return make


def reference(f: Callable[..., Any], arrays: Data) -> Values:
    """In double precision, by the peer."""
    return {"value": f(arrays["x"].astype(np.float64))}


def workload(name: str, shapes: str, dtype: str, size: int) -> Workload:
    """One function as a workload."""
    peers, least = PEERS[name]
    close = {"value": CLOSE[dtype]}
    targets: tuple[Target, ...] = tuple(Ratio(p, least) for p in peers) if shapes == "issue" else ()
    return Workload(
        name=name if shapes == "issue" else f"{name}-{dtype}",
        title=f"{name} of {size} numbers, {dtype}",
        shapes=shapes,
        data=partial(data, name, dtype, size),
        reference=partial(reference, next(iter(peers.values()))),
        contenders=(
            Contender("symgrad", kernel_loop(name), close),
            *(Contender(p, by_ufunc(f), close) for p, f in peers.items()),
            Contender("sg.lambdify", lambdified(name), close),
        ),
        targets=targets,
    )


WORKLOADS = (
    *(workload(name, "issue", "float32", SIZE) for name in PEERS),
    *(workload(name, "other", "float64", 5000) for name in ("exp", "tanh", "sigmoid")),
)
