"""How a tensor prints: four decimals, as PyTorch and OneFlow do it.

Integral floats print as `2.`, a range that four decimals cannot show in scientific notation, more than a
thousand elements by their edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LINE_WIDTH = 80
THRESHOLD = 1000  # more elements than this are summarised
EDGE = 3  # by this many at each end of an axis
_PREFIX = "tensor("


def tensor_text(data: np.ndarray, suffixes: list[str]) -> str:
    """The text of a tensor.

    Args:
        data: its elements.
        suffixes: what follows them, such as `dtype=symgrad.float32`.
    """
    indent = len(_PREFIX)
    summarise = data.size > THRESHOLD
    if data.size == 0:
        text = _PREFIX + "[]"
        suffixes = suffixes if data.ndim == 1 else [f"size={data.shape}", *suffixes]
    else:
        form, width = _number_format(_edges(data) if summarise else data)
        text = _PREFIX + _block(data, indent, form, width, summarise)
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > LINE_WIDTH:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _number_format(values: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """A function from an element to its text, and the width to pad to."""
    if values.dtype.kind != "f":
        return str, max(len(str(value)) for value in values.ravel().tolist())
    numbers = values.ravel().astype(np.float64)
    shown = numbers[np.isfinite(numbers) & (numbers != 0)]
    if shown.size == 0:
        return _integral, 1
    sizes = np.abs(shown)
    integral = bool(np.all(shown == np.ceil(shown)))
    with np.errstate(over="ignore"):
        wide = sizes.max() / sizes.min() > 1e3 or sizes.max() > 1e8
    if wide or (not integral and sizes.min() < 1e-4):
        form: Callable[[Any], str] = "{:.4e}".format
    else:
        form = _integral if integral else "{:.4f}".format
    return form, max(len(form(value)) for value in shown.tolist())


def _integral(value: float) -> str:
    return f"{value:.0f}." if np.isfinite(value) else f"{value}"


def _edges(data: np.ndarray) -> np.ndarray:
    """Only the elements that a summary shows."""
    for axis, size in enumerate(data.shape):
        if size > 2 * EDGE:
            data = np.take(data, [*range(EDGE), *range(size - EDGE, size)], axis=axis)
    return data


def _block(data: np.ndarray, indent: int, form: Callable[[Any], str], width: int, summarise: bool) -> str:
    if data.ndim == 0:
        return form(data.item()).rjust(width)
    shortened = summarise and len(data) > 2 * EDGE
    rows: Iterator[np.ndarray] = iter([*data[:EDGE], *data[-EDGE:]] if shortened else data)
    newline = "\n" + " " * (indent + 1)
    if data.ndim > 1:
        blocks = [_block(row, indent + 1, form, width, summarise) for row in rows]
        if shortened:
            blocks.insert(EDGE, "...")
        return "[" + ("," + "\n" * (data.ndim - 2) + newline).join(blocks) + "]"
    items = [form(value.item()).rjust(width) for value in rows]
    if shortened:
        items.insert(EDGE, " ...")
    per_line = max(1, (LINE_WIDTH - indent) // (width + 2))
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + ("," + newline).join(lines) + "]"
