"""Threads for shares of the rows, and one thread for each matrix product in them.

The threads are Python's: a compiled function that releases the interpreter's lock runs on them as fast as on numba's,
takes a third of the time to compile, and may be called from several threads, or after a fork.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


def thread_count() -> int:
    """The threads that a kernel may use: the cores of this process, or the variable ``NUMBA_NUM_THREADS``."""
    import numba

    return int(numba.config.NUMBA_NUM_THREADS)


@lru_cache(maxsize=1)
def _helpers(process: int) -> ThreadPoolExecutor:
    """Threads besides the caller's; a forked process has none of its parent's."""
    return ThreadPoolExecutor(max(1, thread_count() - 1), thread_name_prefix="symgrad")


def run_shares(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> None:
    """Make every call, on as many threads as may be used; each thread takes the next when it has finished one.

    Raises:
        Exception: what a call raises; the calls that have not begun are not made.
    """
    waiting = iter(calls)  # a thread takes the next one under the interpreter's lock

    def work() -> None:
        try:
            for arguments in waiting:
                function(*arguments)
        finally:
            for _ in waiting:  # after an error nothing is left to take
                pass

    count = min(thread_count(), len(calls)) - 1
    others = [_helpers(os.getpid()).submit(work) for _ in range(count)]
    try:
        work()
    finally:
        for other in others:
            if not other.cancel():
                other.result()


@lru_cache(maxsize=1)
def _libraries() -> tuple[Any, ...]:
    """The BLAS libraries that are loaded, SciPy's among them, which kernels call."""
    import scipy.linalg  # noqa: F401 - loads it
    from threadpoolctl import ThreadpoolController

    return tuple(c for c in ThreadpoolController().lib_controllers if c.user_api == "blas")


@contextmanager
def one_blas_thread(needed: bool = True) -> Iterator[None]:
    """Let every matrix product run on one thread, for as long as a ``with`` block lasts, if there are products.

    OpenBLAS would start threads of its own in each of ours, two to four times slower.
    """
    before = [(c, c.get_num_threads()) for c in (_libraries() if needed else ())]
    changed = [(c, count) for c, count in before if count != 1]
    for c, _ in changed:
        c.set_num_threads(1)
    try:
        yield
    finally:
        for c, count in changed:
            c.set_num_threads(count)
