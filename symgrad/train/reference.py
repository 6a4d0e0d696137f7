"""The same run as a plain NumPy loop: what it is compared with in the demo, and a witness in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.compile import bind
from symgrad.program import Program, numpy_callable
from symgrad.train.batches import Batches
from symgrad.updates import UpdateRule, apply_rule


def numpy_loop(
    program: Program,
    params: Mapping[str, Any],
    data: Mapping[str, Any],
    rule: UpdateRule,
    steps: int,
    dtype: str = "float64",
    batched: tuple[str, ...] = (),
    batch_size: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parameters after ``steps`` updates, and the loss before each."""
    arrays, _ = bind(program, {**data, **params}, dtype)
    values = {n: a.copy() for n, a in arrays.items()}
    function = numpy_callable(program)
    initial = dict(rule.initial)
    state = {n: {s: np.full_like(values[n], initial.get(s, 0.0)) for s in rule.state} for n in params}
    batches = None
    if batch_size is not None:
        rows = arrays[batched[0]].shape[0]
        batches = Batches(rows, min(batch_size, rows), seed)
    losses = np.empty(steps)
    for step in range(steps):
        seen = dict(values)
        if batches is not None:
            order, counts = batches.rows(step, step + 1)
            chosen = order[0, : counts[0]]
            seen |= {n: values[n][chosen] for n in batched}
        losses[step], grads = function(*seen.values())
        for n in params:
            values[n], state[n] = apply_rule(rule, values[n], grads[n], step + 1, state[n])
    return {n: values[n] for n in params}, losses
