"""The arrays of a call of a lambdified function: how they broadcast, and what is remembered of the last call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from symgrad.errors import ShapeError

if TYPE_CHECKING:
    from symgrad.compile.compiled import Compiled

Pattern: TypeAlias = tuple[tuple[bool, ...], ...]
"""For each argument, for each axis that a call broadcasts over, whether the argument has it."""


@dataclass(frozen=True)
class Again:
    """A call that has been made, to be made again with arrays of the same layouts.

    Attributes:
        layout: shape, dtype and flags of each argument.
        variant: the kernel.
        ready: the shape in which the kernel takes each argument, None for their own.
        dtype: of the results.
        made: the shapes of the results as the kernel fills them.
        seen: their shapes in the end, None for the same.
    """

    layout: list[tuple[tuple[int, ...], np.dtype[Any], int]]
    variant: Compiled
    ready: list[tuple[int, ...]] | None
    dtype: np.dtype[Any]
    made: list[tuple[int, ...]]
    seen: list[tuple[int, ...]] | None


def common_shape(names: Sequence[str], arrays: Sequence[np.ndarray]) -> tuple[int, ...]:
    """NumPy's common shape.

    Raises:
        ShapeError: there is none.
    """
    shapes = {a.shape for a in arrays}
    if len(shapes) == 1:
        return shapes.pop()
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        got = ", ".join(f"{n} {a.shape}" for n, a in zip(names, arrays, strict=True))
        raise ShapeError(
            "The arguments do not broadcast.",
            where="call",
            expected="equal sizes, or 1, on every axis counted from the right",
            got=got,
        ) from None


def collapsed(shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> tuple[Pattern, list[int]]:
    """Neighbouring axes that the same arguments have are one; axes of size 1 are none.

    Returns:
        For each argument which of the axes it has, and their sizes.
    """
    axes: list[tuple[bool, ...]] = []
    sizes: list[int] = []
    rank = len(shape)
    full = [(1,) * (rank - len(s)) + s for s in shapes]
    for k, size in enumerate(shape):
        if size == 1 and (axes or k < rank - 1):
            continue
        own = tuple(s[k] == size for s in full)
        if axes and axes[-1] == own:
            sizes[-1] *= size
        else:
            axes.append(own)
            sizes.append(size)
    return tuple(zip(*axes, strict=True)), sizes
