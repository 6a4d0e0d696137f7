"""``symgrad info``."""

from __future__ import annotations

import json
import platform
import textwrap
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from symgrad import __version__
from symgrad.cli.cache import described, megabytes
from symgrad.cli.output import say, table
from symgrad.errors import SymgradError

PACKAGES = ("numpy", "scipy", "sympy", "numba", "llvmlite", "hypothesis")


@click.command("info")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> None:
    """Print versions, the processor, BLAS and its threads, the kernel cache."""
    found = collected()
    say(json.dumps(found, indent=2) if as_json else _text(found))


def collected() -> dict[str, Any]:
    """What shapes the speed and the digits of a run on this machine."""
    import llvmlite.binding as llvm

    from symgrad.compile.threads import thread_count

    features = llvm.get_host_cpu_features()
    return {
        "symgrad": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "cpu": {
            "name": llvm.get_host_cpu_name(),
            "features": sorted(name for name, there in features.items() if there),
            "cores": thread_count(),
        },
        "blas": _blas(),
        "cache": _cache(),
    }


def _cache() -> dict[str, Any]:
    try:
        return described()
    except SymgradError as error:  # a setting that is wrong; the rest is what one looks here for
        return {"problem": str(error)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _blas() -> list[dict[str, Any]]:
    """The BLAS libraries of NumPy, and of SciPy, which kernels call."""
    import numpy  # noqa: F401 - loads its library
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    found = []
    for library in threadpool_info():
        if library["user_api"] == "blas":
            user = next((p for p in ("numpy", "scipy") if f"{p}.libs" in library["filepath"]), None)
            found.append(
                {
                    "of": user,
                    "name": library["internal_api"],
                    "version": library["version"],
                    "architecture": library.get("architecture"),
                    "threads": library["num_threads"],
                }
            )
    return found


def _text(found: dict[str, Any]) -> str:
    cpu, cache = found["cpu"], found["cache"]
    rows = [("symgrad", found["symgrad"]), ("Python", f"{found['python']} on {found['system']}")]
    rows += [(name, number or "not installed") for name, number in found["packages"].items()]
    rows += [("processor", cpu["name"]), ("", textwrap.fill(" ".join(cpu["features"]), 84))]
    rows += [("cores", f"{cpu['cores']} for kernels with threads")]
    for blas in found["blas"]:
        words = (blas["name"], blas["version"], blas["architecture"])
        of = f", {blas['of']}'s" if blas["of"] else ""
        rows += [("BLAS", f"{' '.join(w for w in words if w)}, threads: {blas['threads']}{of}")]
    if not found["blas"]:
        rows += [("BLAS", "none that threadpoolctl knows")]
    if "problem" in cache:
        return table([*rows, ("cache", cache["problem"].partition("\n")[0])])
    rows += [("cache", cache["folder"] or "none")]
    count = f"{cache['kernels']} kernel{'' if cache['kernels'] == 1 else 's'}"
    rows += [("", f"{count}, {megabytes(cache['bytes'])} of {megabytes(cache['limit'])}")]
    return table(rows)
