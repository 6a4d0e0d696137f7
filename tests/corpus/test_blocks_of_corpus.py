"""Losses of the corpus in blocks of two or three rows: what the whole gives, where they separate.

In the suite every sixth row; ``SYMGRAD_DEEP=1`` takes all.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from compile import interpreted
from compile.interpreted import evaluated
from judge import all_rows, derive
from numeric import expected_at, quietly

from symgrad.compile import sweeping
from symgrad.compile.rows import separations
from symgrad.errors import SymgradError

DEEP = os.environ.get("SYMGRAD_DEEP") == "1"
ROWS = all_rows()[:: 1 if DEEP else 6]


def in_blocks(row):
    """A loss's derivation and its kernels in blocks; None where it is refused or its rows mix."""
    try:
        own = derive(row)
    except SymgradError:
        return None
    found = separations(own.program)
    if not found or (own.sizes is not None and own.sizes.pinned):
        return None
    return own, [interpreted.in_blocks(own.program, "float64", made) for made in found]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_blocks_give_what_the_whole_gives(row, monkeypatch):
    monkeypatch.setattr(sweeping, "SIZES", dict.fromkeys(sweeping.SIZES, sweeping.BlockSize(1, 3, 3)))
    monkeypatch.setattr(sweeping, "SHARES", 3)
    made = in_blocks(row)
    if made is None:
        return
    own, kernels = made
    for sizes in row.size_sets().values():
        expected = expected_at(row, sizes)
        if isinstance(expected, str):
            continue
        arrays = expected[0]
        if own.sizes is not None and own.sizes.elsewhere(
            own.program, {i.name: np.asarray(arrays[i.name]) for i in own.program.inputs}
        ):
            continue
        value, grads = quietly(own, arrays)
        for kernel in kernels:
            got, found = evaluated(own.program, kernel, arrays)
            np.testing.assert_allclose(got, value, rtol=1e-9)
            for n, g in grads.items():
                np.testing.assert_allclose(found[n], g, rtol=1e-7, atol=1e-10)


def test_a_third_of_them_separates():
    assert sum(in_blocks(row) is not None for row in ROWS) >= len(ROWS) // 3
