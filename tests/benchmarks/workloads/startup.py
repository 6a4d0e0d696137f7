"""Compiling and starting, each in processes of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from harness.processes import code_duration, command_duration
from harness.results import Duration

IMPORT = """
from time import perf_counter
begin = perf_counter()
import symgrad
print(perf_counter() - begin)
"""

LEAST_SQUARES = """
import numba, sympy
import numpy as np
from time import perf_counter
begin = perf_counter()
import symgrad as sg
shapes = {"X": "n d", "w": "d", "y": "n"}
kernel = sg.derive("0.5*((X @ w - y)**2).sum()", shapes, wrt="w").compile("float32")
kernel(X=np.ones((100_000, 64), "f4"), w=np.ones(64, "f4"), y=np.ones(100_000, "f4"))
"""
TANH_NETWORK = """
import numba, sympy
import numpy as np
from time import perf_counter
begin = perf_counter()
import symgrad as sg
shapes = {"X": "n d", "W": "d h", "b": "h", "V": "h k", "c": "k", "Y": "n k"}
loss = "0.5*((tanh(X @ W + b) @ V + c - Y)**2).sum()"
kernel = sg.derive(loss, shapes, wrt="W, b, V, c".split(", ")).compile("float32")
sizes = {"n": 100_000, "d": 20, "h": 32, "k": 1}
kernel({name: np.ones([sizes[s] for s in text.split()], "f4") for name, text in shapes.items()})
"""
TRAINING = """
import numba, sympy
import numpy as np
from time import perf_counter
begin = perf_counter()
import symgrad as sg
params = {"W": np.ones((784, 128), "f4"), "b": np.ones(128, "f4"), "V": np.ones((128, 10), "f4"), "c": np.ones(10, "f4")}
data = {"X": np.ones((640, 784), "f4"), "Y": np.ones((640, 10), "f4")}
loss = "0.5*((tanh(X @ W + b) @ V + c - Y)**2).sum()"
run = sg.minimize(loss, params, data, sg.optim.RULE(lr=1e-6), 1, batch_size=64)
"""
COMPILE = "print(kernel.timings['compile'])"
WHOLE = "print(perf_counter() - begin)"
BEFORE_RUN = "print(perf_counter() - begin - run.timings['run'])"


@dataclass(frozen=True)
class Code:
    """A text of Python that prints seconds."""

    title: str
    code: str
    at_most: float | None
    warm: bool


CODES = (
    Code("import symgrad", IMPORT, 0.15, True),
    Code("cold compile: least-squares gradient, one parallel region", LEAST_SQUARES + COMPILE, 1.5, False),
    Code("cold compile: tanh network's gradient, one parallel region", TANH_NETWORK + COMPILE, 1.5, False),
    Code("cold, all before the run: tanh network's training, SGD", TRAINING.replace("RULE", "SGD") + BEFORE_RUN, 3.0, False),
    Code("cold, all before the run: tanh network's training, Adam", TRAINING.replace("RULE", "Adam") + BEFORE_RUN, 3.0, False),
    Code("second process: least-squares gradient, the kernel from the cache", LEAST_SQUARES + COMPILE, 0.5, True),
    Code("the same from `import symgrad` to the result, after importing numba and SymPy", LEAST_SQUARES + WHOLE, None, True),
    Code("second process: tanh network's training, all before the run", TRAINING.replace("RULE", "SGD") + BEFORE_RUN, None, True),
)  # fmt: skip
DERIVE = [
    sys.executable, "-m", "symgrad", "derive", "(0.5*(x @ w - y)**2).sum()",
    "--shapes", "x: n d, w: d 1, y: n 1", "--wrt", "w",
]  # fmt: skip


def durations(times: int) -> Iterator[Duration]:
    """Measure all, each in so many processes."""
    for c in CODES:
        yield code_duration(c.title, c.code, times, c.at_most, c.warm)
    yield command_duration("`symgrad derive` on the tutorial's loss, whole process", DERIVE, times, 0.8)
