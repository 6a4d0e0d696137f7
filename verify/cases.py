"""The fixed cases that every check runs, a proof included: few, quick, and where mistakes like to hide."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symgrad.ops.dims import shape_of
from symgrad.program import Input, at_sizes
from verify.drawing import Case, lay_out, symbols_of, values
from verify.sizes import Plan

UNEQUAL = (4, 3, 2, 5, 6, 7)
LARGER = (37, 11, 8, 9, 10, 13)
"""For what acts otherwise beyond a handful of rows, as a blocked loop may."""


def fixed_cases(inputs: Sequence[Input], dtype: Any, seed: int, plan: Plan | None = None) -> Iterator[Case]:
    """Unequal, equal, 1 and 0 sizes; integers, ordinary and scaled values; all layouts."""
    symbols = symbols_of(inputs)
    unequal = {s: UNEQUAL[i % len(UNEQUAL)] for i, s in enumerate(symbols)}
    larger = {s: LARGER[i % len(LARGER)] for i, s in enumerate(symbols)}
    equal = dict.fromkeys(symbols, 3)
    one = dict.fromkeys(symbols, 1)
    plans: list[tuple[str, dict[str, int], str, str]] = [
        ("unequal sizes, integers", unequal, "integers", "plain"),
        ("unequal sizes, ordinary values", unequal, "ordinary", "strided"),
        ("equal sizes", equal, "ordinary", "transposed"),
        ("all sizes 1", one, "ordinary", "plain"),
        ("values near 30", unequal, "large", "read-only"),
        ("values near 1e8", unequal, "huge", "plain"),
        ("values near 1e-8", unequal, "small", "plain"),
        ("zeros", unequal, "zeros", "plain"),
        ("larger sizes", larger, "ordinary", "plain"),
    ]
    if symbols:
        plans.append((f"{symbols[0]} = 1", {**unequal, symbols[0]: 1}, "integers", "plain"))
        plans.append((f"{symbols[0]} = 0", {**unequal, symbols[0]: 0}, "ordinary", "plain"))
    for label, wanted, kind, layout in plans:
        sizes = (plan or Plan()).fit(wanted, inputs)
        generator = np.random.default_rng([seed, zlib.crc32(label.encode())])
        arrays = {
            i.name: lay_out(
                values(generator, shape_of(i.shape, sizes), kind, at_sizes(i.domain, sizes), dtype), layout
            )
            for i in inputs
        }
        yield Case(arrays, label)
