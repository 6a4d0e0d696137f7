"""Which loops over elementary functions LLVM turns into vectors: ``python tests/benchmarks/vector_loops.py``.

Times are medians of runs of one thread.  The last column counts the vector instructions in the machine code: 0 means
that the loop runs entry by entry.  ``run.py`` compares the functions with NumPy's and SciPy's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit

from symgrad.compile.source import helper_texts
from symgrad.compile.vector_math import OPTIONS, VECTOR_MATH

SIZE = 8192
REPEATS = 300
FLAGS = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}  # as kernels with loops have them
SHAPES = {
    "out[i] = f(x[i])": "for i in range(n * d):\n  flat[i] = f(line[i])",
    "out[i, j] = f(x[i, j])": "for i in range(n):\n  for j in range(d):\n    out[i, j] = f(x[i, j])",
    "the same, rows of 8": "for i in range(n * d // 8):\n  for j in range(8):\n    thin_out[i, j] = f(thin[i, j])",
    "out[i, j] = f(x[i, j] + b[j])": "for i in range(n):\n  for j in range(d):\n    out[i, j] = f(x[i, j] + b[j])",
    "out[i, j] = f(x[j, i])": "for i in range(d):\n  for j in range(n):\n    turned[i, j] = f(x[j, i])",
    "out[j, i] = f(x[j, i]), j inside": "for i in range(d):\n  for j in range(n):\n    out[j, i] = f(x[j, i])",
    "s += f(x[i]), s in double": "s = 0.0\nfor i in range(n * d):\n  s += f(line[i])\nflat[0] = s",
    "s += f(x[i]), s in the dtype": "s = F(0)\nfor i in range(n * d):\n  s += f(line[i])\nflat[0] = s",
    "out[i] = f(x[i]); s += out[i]": "s = 0.0\nfor i in range(n * d):\n  flat[i] = f(line[i])\n  s += flat[i]\nflat[0] = s",
    "the same as two loops": "s = 0.0\nfor i in range(n * d):\n  flat[i] = f(line[i])\nfor i in range(n * d):\n  s += flat[i]\nflat[0] = s",
    "two loops, 8 partial sums in double": "for i in range(n * d):\n  flat[i] = f(line[i])\nparts[:] = 0\nfor i in range(n * d // 8):\n  for k in range(8):\n    parts[k] += flat[8 * i + k]\nflat[0] = parts.sum()",
    "s[j] += f(x[i, j]), s double": "columns[:] = 0\nfor i in range(n):\n  for j in range(d):\n    columns[j] += f(x[i, j])",
    "s[i] += f(x[i, j]), s double": "rows[:] = 0\nfor i in range(n):\n  for j in range(d):\n    rows[i] += f(x[i, j])",
    "f(x) if x > 0 else c x": "for i in range(n * d):\n  v = line[i]\n  flat[i] = f(v) if v > F(0) else F(0.1) * v",
    "f first, then the choice": "for i in range(n * d):\n  v = line[i]\n  u = f(v)\n  flat[i] = u if v > F(0) else F(0.1) * v",
    "f(f(x)) * (1 - f(x)**2)": "for i in range(n * d):\n  u = f(line[i])\n  flat[i] = f(u) * (F(1) - u * u)",
    "whole numbers: f(F(k[i]))": "for i in range(n * d):\n  flat[i] = f(F(whole[i]))",
    "x[k[i]] gathered": "for i in range(n * d):\n  flat[i] = f(line[places[i]])",
    "four arrays read, three written": "for i in range(n * d):\n  u = f(line[i] + flat[i] * second[i])\n  flat[i] = u\n  second[i] = F(1) - u * u\n  third[i] = u * third[i]",
}


def functions(dtype: str) -> dict[str, Any]:
    """The functions as a kernel file defines them."""
    names: dict[str, Any] = {"np": np, "math": math, "F": np.dtype(dtype).type, "njit": njit}
    names |= {"VECTOR": eval(OPTIONS), "HELPER": {"error_model": "numpy"}, "FLAGS": FLAGS}
    for text in helper_texts(VECTOR_MATH, dtype).values():
        exec(text, names)
    return names


def vector_instructions(compiled: Any) -> int:
    """How many arithmetic instructions work on more than one number."""
    (assembly,) = compiled.inspect_asm().values()
    return len(re.findall(r"^\tv?(?:mul|add|sub|div|fn?m\w+)p[sd]\t", assembly, flags=re.MULTILINE))


def microseconds(run: Callable[[], Any]) -> float:
    """The median of many calls."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return median(times) * 1e6


def compare(dtype: str) -> None:
    """Each function in the plainest loop: does it become vectors, and how long does that take to compile?"""
    names = functions(dtype)
    x = np.random.default_rng(0).uniform(-5, 5, SIZE).astype(dtype)
    print(f"\n{dtype}, {SIZE} entries: µs, seconds to compile, vector instructions")
    for name in VECTOR_MATH:
        arrays = [np.abs(x) if name in ("log", "log1p") else x]
        arrays += [x[::-1].copy()] if name == "logaddexp" else []
        entries = ", ".join(f"a{k}[i]" for k in range(len(arrays)))
        arguments = ", ".join(f"a{k}" for k in range(len(arrays)))
        exec(
            f"@njit(**FLAGS)\ndef over({arguments}, out):\n  for i in range(out.size):\n    out[i] = {name}({entries})",
            names,
        )
        out, loop = np.empty_like(x), names["over"]
        start = perf_counter()
        loop(*arrays, out)
        compiling = perf_counter() - start
        time = microseconds(partial(loop, *arrays, out))
        print(f"{name:10}{time:8.2f}{compiling:8.2f}{vector_instructions(loop):6}")


def shapes(dtype: str, name: str) -> None:
    """One function in loops of many shapes."""
    names = functions(dtype)
    n, d = 64, SIZE // 64
    x = np.random.default_rng(0).uniform(-5, 5, (n, d)).astype(dtype)
    arrays = {
        "x": x, "out": np.empty_like(x), "turned": np.empty((d, n), dtype), "b": np.ones(d, dtype),
        "line": x.ravel(), "flat": np.empty(SIZE, dtype), "second": np.ones(SIZE, dtype), "third": np.ones(SIZE, dtype),
        "thin": x.reshape(-1, 8), "thin_out": np.empty((SIZE // 8, 8), dtype), "columns": np.zeros(d), "rows": np.zeros(n),
        "parts": np.zeros(8), "whole": np.arange(SIZE) % 5, "places": np.random.default_rng(1).permutation(SIZE),
    }  # fmt: skip
    print(f"\n{name} in {dtype}, {SIZE} entries: ns an entry, vector instructions")
    for shape, body in SHAPES.items():
        lines = re.sub(r"\bf\(", f"{name}(", body).replace("\n", "\n  ")
        exec(f"@njit(**FLAGS)\ndef over({', '.join(arrays)}, n, d):\n  {lines}", names)
        loop = names["over"]
        given = (*arrays.values(), n, d)
        loop(*given)
        time = microseconds(partial(loop, *given))
        print(f"{shape:40}{time / SIZE * 1e3:8.2f}{vector_instructions(loop):6}")


if __name__ == "__main__":
    for precision in ("float32", "float64"):
        compare(precision)
    shapes("float32", "tanh")
    shapes("float64", "tanh")
