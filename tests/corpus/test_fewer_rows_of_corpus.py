"""Losses of the corpus on fewer rows: what all rows give, where sums of products are all that is asked of them.

In the suite every sixth row; ``SYMGRAD_DEEP=1`` takes all.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import sympy
from judge import all_rows, derive
from numeric import expected_at, quietly

from symgrad.calculus import differentiate
from symgrad.compile import bind
from symgrad.compile.fewer_rows import fewer_rows
from symgrad.errors import SymgradError
from symgrad.program import numpy_callable
from symgrad.train.compress import short_data

DEEP = os.environ.get("SYMGRAD_DEEP") == "1"
ROWS = all_rows()[:: 1 if DEEP else 6]
CERTAIN = {"ridge", "multi_output", "mse_with_bias", "elastic_net", "polynomial", "sum_of_squares"}


def shortened(row):
    """A loss's derivation, and for each size that data alone has its program on fewer rows, if there is one."""
    try:
        own = derive(row)
    except SymgradError:
        return None, []
    if own.sizes is not None and own.sizes.pinned:
        return None, []
    sizes = {
        kind: {
            d
            for i in own.program.inputs
            if (i.name in row.wrt) == kind
            for d in i.shape
            if isinstance(d, sympy.Symbol)
        }
        for kind in (False, True)
    }
    found = [(s, fewer_rows(own.program, row.wrt, s)) for s in sorted(sizes[False] - sizes[True], key=str)]
    return own, [(s, short) for s, short in found if short is not None]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_fewer_rows_give_what_all_rows_give(row):
    own, found = shortened(row)
    for symbol, short in found:
        program = differentiate(short.program, row.wrt).program
        for sizes in row.size_sets().values():
            expected = expected_at(row, sizes)
            if isinstance(expected, str):
                continue
            drawn = {i.name: np.asarray(expected[0][i.name]) for i in own.program.inputs}
            if own.sizes is not None and own.sizes.elsewhere(own.program, drawn):
                continue
            arrays, _ = bind(own.program, drawn, "float64")
            value, grads = quietly(own, arrays)
            given, _ = short_data(own.program, short, symbol, arrays)
            got, slopes = quietly(numpy_callable(program), *(given[i.name] for i in program.inputs))
            np.testing.assert_allclose(got, value, rtol=1e-9, atol=1e-12)
            for n, g in grads.items():
                np.testing.assert_allclose(slopes[n], g, rtol=1e-7, atol=1e-10)


def test_least_squares_are_among_them():
    named = {row.name: row for row in all_rows()}
    assert all(shortened(named[name])[1] for name in CERTAIN)
