"""A kernel's source, run as plain Python: the same statements, without the wait for a compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symgrad.compile import bind
from symgrad.ops.dims import shape_of
from symgrad.program import Program


def _as_it_is(*functions: Callable[..., Any], **options: Any) -> Any:
    return functions[0] if functions else _as_it_is


def interpreted(source: str, name: str, order: Callable[[Iterable[int]], Iterable[int]] = list) -> Any:
    """The function ``name`` that the source defines; ``order`` says in which order a ``prange`` runs."""
    text = source.replace("from numba import njit, prange", "").replace("from numba import njit", "")
    names: dict[str, Any] = {"njit": _as_it_is, "CACHE": False, "prange": lambda n: order(range(n))}
    exec(compile(text, "<kernel>", "exec"), names)
    return names[name]


def evaluated(
    program: Program, function: Any, arrays: Mapping[str, Any], dtype: str = "float64"
) -> tuple[Any, dict[str, np.ndarray]]:
    """Loss and gradients by an interpreted kernel."""
    values, sizes = bind(program, arrays, dtype)
    grads = {
        label: np.full(shape_of(program.type(value).shape, sizes), np.nan, dtype)
        for label, value in program.outputs
        if label != "loss"
    }
    with np.errstate(all="ignore"):
        loss = function(*values.values(), *grads.values())
    return loss, grads
