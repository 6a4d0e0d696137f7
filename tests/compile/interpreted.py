"""A kernel's source, run as plain Python: the same statements, without the wait for a compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symgrad.compile import bind
from symgrad.compile.block_source import block_plan
from symgrad.compile.rows import Separation
from symgrad.compile.sweeping import Evaluation
from symgrad.ops.dims import shape_of
from symgrad.program import Program


def _as_it_is(*functions: Callable[..., Any], **options: Any) -> Any:
    return functions[0] if functions else _as_it_is


def module(source: str) -> dict[str, Any]:
    """What the source defines."""
    text = source.replace("from numba import njit, prange", "").replace("from numba import njit", "")
    names: dict[str, Any] = {"njit": _as_it_is, "prange": range}
    exec(compile(text, "<kernel>", "exec"), names)
    return names


def interpreted(source: str, name: str) -> Any:
    """The function ``name`` that the source defines."""
    return module(source)[name]


def in_blocks(
    program: Program, dtype: str, found: Separation, order: Callable[[Iterable[Any]], Iterable[Any]] = list
) -> Callable[..., Any]:
    """A separated program through blocks of rows; ``order`` says in which order the shares are computed."""
    plan = block_plan(program, dtype, found)
    functions = module(plan.source())
    labels = [label for label, _ in program.outputs if label != "loss"]

    def shared(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> None:
        for arguments in order(calls):
            function(*arguments)

    def run(*arrays: np.ndarray) -> Any:
        count = len(program.inputs)
        outputs = dict(zip(labels, arrays[count:], strict=True))
        return Evaluation(plan, functions, arrays[:count], outputs).run(shared)

    return run


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
