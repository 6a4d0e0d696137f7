"""Losses and gradients as NumPy alone computes them: what symgrad is measured against."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rows import Loss


def quietly(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call without the warnings and prints of the losses."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return f(*args, **kwargs)


def plain_value(row: Loss, arrays: Mapping[str, np.ndarray]) -> float:
    """The loss as NumPy computes it."""
    return float(quietly(row.function, **{n: a.copy() for n, a in arrays.items()}))


def numeric_gradient(
    row: Loss, arrays: Mapping[str, np.ndarray], name: str, first: float
) -> tuple[np.ndarray, float]:
    """Central differences, extrapolated four times (Ridders 1982), and how far the last two levels differ."""
    out, error = np.zeros(arrays[name].shape), 0.0
    for i in np.ndindex(arrays[name].shape):
        levels: list[list[float]] = []
        for k in range(5):
            step = first / 2**k
            ends = []
            for sign in (1, -1):
                moved = {n: a.copy() for n, a in arrays.items()}
                moved[name][i] += sign * step
                ends.append(plain_value(row, moved))
            line = [(ends[0] - ends[1]) / (2 * step)]
            for j in range(k):
                line.append(line[j] + (line[j] - levels[-1][j]) / (4.0 ** (j + 1) - 1))
            levels.append(line)
        out[i] = levels[-1][-1]
        error = max(error, abs(levels[-1][-1] - levels[-2][-1]), abs(levels[-1][-1] - levels[-1][-2]))
    return out, error


def expected_at(
    row: Loss, sizes: Mapping[str, int]
) -> tuple[dict[str, np.ndarray], float, dict[str, np.ndarray]] | str:
    """Data away from kinks, the loss there and its gradients; or why there is none."""
    why = ""
    if min(sizes.values(), default=0) < 0:
        return "a size would be negative"
    for seed in range(6):
        arrays = row.draw(sizes, seed)
        try:
            value = plain_value(row, arrays)
        except Exception as error:  # noqa: BLE001 - the plain function decides which sizes it permits
            return f"NumPy itself: {type(error).__name__}"
        if not np.isfinite(value):
            why = "the loss is not finite"
            continue
        for first in (0.04, 0.004, 0.0005):
            found = {n: numeric_gradient(row, arrays, n, first) for n in row.wrt}
            largest = max([np.abs(g).max(initial=0.0) for g, _ in found.values()])
            if all(e <= 1e-7 * max(largest, 1e-3 * abs(value), 1e-6) for _, e in found.values()):
                return arrays, value, {n: g for n, (g, _) in found.items()}
        why = "no numeric derivative"
    return why
