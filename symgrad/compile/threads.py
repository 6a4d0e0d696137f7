"""Threads of the matrix products: one inside a kernel whose own blocks run on threads.

OpenBLAS would start threads of its own in each of them, two to four times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _libraries() -> tuple[Any, ...]:
    """The BLAS libraries that are loaded; a kernel must have been, which loads SciPy's."""
    from threadpoolctl import ThreadpoolController

    return tuple(c for c in ThreadpoolController().lib_controllers if c.user_api == "blas")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let every matrix product run on one thread, for as long as a ``with`` block lasts."""
    before = [(c, c.get_num_threads()) for c in _libraries()]
    changed = [(c, count) for c, count in before if count != 1]
    for c, _ in changed:
        c.set_num_threads(1)
    try:
        yield
    finally:
        for c, count in changed:
            c.set_num_threads(count)
