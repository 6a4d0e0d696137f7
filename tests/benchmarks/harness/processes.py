"""Times that need a process of their own: first calls with an empty and with a filled cache, imports, commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter

from harness.results import Duration, FirstCall
from harness.workload import Workload

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).resolve().parents[1] / "run.py"


def environment(folder: str) -> dict[str, str]:
    """This process's environment, with every compiler's cache in a folder."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "SYMGRAD_CACHE_DIR": os.path.join(folder, "symgrad"),
        "JAX_COMPILATION_CACHE_DIR": os.path.join(folder, "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "torch"),
    }


def printed(command: Sequence[str], folder: str) -> str:
    """The last line that a command prints, with its caches in the folder.

    Raises:
        RuntimeError: it failed; the message has its errors.
    """
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} … failed:\n{done.stderr}")
    return done.stdout.strip().rpartition("\n")[2]


def seconds_before_running(workload: Workload, name: str) -> float:
    """In this process, where nothing has been compiled: how much longer the first call takes than the second.

    What is imported first is not counted: the library itself, or numba and SymPy for symgrad.
    """
    contender = next(c for c in workload.contenders if c.name == name)
    for module in contender.needs or ("numba", "sympy"):
        import_module(module)
    data = workload.data()
    begin = perf_counter()
    call = contender.make(data)
    call()
    first = perf_counter() - begin
    begin = perf_counter()
    call()
    return first - (perf_counter() - begin)


def first_calls(workload: Workload, names: Sequence[str]) -> dict[str, FirstCall]:
    """The first calls of contenders that compile: with an empty folder, then in the next process."""
    found = {}
    for contender in workload.contenders:
        if contender.name in names and contender.compiles:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, str(SCRIPT), "--first-call", workload.name, contender.name]
                cold, warm = (float(printed(command, folder)) for _ in range(2))
            found[contender.name] = FirstCall(cold, warm)
    return found


def code_duration(title: str, code: str, times: int, at_most: float | None, warm: bool) -> Duration:
    """Run a text of Python that prints seconds, each time in a new process.

    Args:
        title, at_most: of the result.
        code: its last printed line is the number.
        times: how often.
        warm: whether all share one cache folder, which an uncounted run fills; else each finds it empty.
    """
    return _duration(title, [sys.executable, "-c", code], times, at_most, warm, whole=False)


def command_duration(title: str, command: Sequence[str], times: int, at_most: float | None) -> Duration:
    """The whole time of a command, from start to end, with filled caches."""
    return _duration(title, command, times, at_most, warm=True, whole=True)


def _duration(
    title: str, command: Sequence[str], times: int, at_most: float | None, warm: bool, whole: bool
) -> Duration:
    def once(folder: str) -> float:
        begin = perf_counter()
        line = printed(command, folder)
        return perf_counter() - begin if whole else float(line)

    if warm:
        with tempfile.TemporaryDirectory() as folder:
            once(folder)
            return Duration(title, tuple(once(folder) for _ in range(times)), at_most)
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            found.append(once(folder))
    return Duration(title, tuple(found), at_most)
