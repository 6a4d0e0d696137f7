"""What the numbers were measured on: processor, memory, versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "sympy", "jax", "jaxlib", "optax", "torch")


def machine() -> dict[str, str]:
    """The processor, its cores, vector instructions, memory bandwidth, and the threading layer."""
    facts = {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "reads memory at": f"{bandwidth() / 1e9:.0f} GB/s on all cores",
    }
    import numba

    return {**facts, "numba's threads": numba.threading_layer(), "BLAS": blas()}


def versions() -> dict[str, str]:
    """Of Python and the packages that take part."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor() -> str:
    """The model's name, as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    facts = dict(_pair(line) for line in lines if ":" in line)
    name = facts.get("model name") or platform.processor() or platform.machine()
    widest = [flag for flag in ("avx512f", "avx2", "avx") if flag in facts.get("flags", "").split()]
    details = [f"family {facts['cpu family']} model {facts['model']}"] if "cpu family" in facts else []
    return ", ".join([name, *details, *widest[:1]])


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def blas() -> str:
    """The BLAS libraries that are loaded, with their threads."""
    from threadpoolctl import threadpool_info

    found: Mapping[str, None] = {
        f"{i['internal_api']} {i['version']}, {i['num_threads']} threads": None
        for i in threadpool_info()
        if i["user_api"] == "blas"
    }
    return "; ".join(found)


def bandwidth() -> float:
    """Bytes a second that a loop on all cores reads from an array far larger than the caches."""
    from contenders.limits import sum_of

    large = np.ones((2**20, 64), np.float32)
    sum_of(large)
    times = []
    for _ in range(15):
        begin = perf_counter()
        sum_of(large)
        times.append(perf_counter() - begin)
    return large.nbytes / median(times)
