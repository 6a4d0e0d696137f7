"""Passes over the programs of the corpus: every one keeps all values and is done after one run.

In the suite every sixth row; ``SYMGRAD_DEEP=1`` takes all.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from judge import all_rows, derive
from numeric import expected_at

from symgrad.compile.passes import PASSES
from symgrad.compile.passes import hoist as hoisting
from symgrad.errors import SymgradError
from symgrad.ops.dims import bind_dims
from symgrad.program import FAILURES, numpy_callable

DEEP = os.environ.get("SYMGRAD_DEEP") == "1"
ROWS = all_rows()[:: 1 if DEEP else 6]


def values(program, arrays):
    with np.errstate(all="ignore"):
        found = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
    first, others = found if len(program.outputs) > 1 else (found, {})
    return [first, *others.values()]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_passes_keep_the_values_of_the_corpus(row, monkeypatch):
    try:
        own = derive(row)
    except SymgradError:
        return
    program = own.program
    made = {}
    for name, one in PASSES.items():
        made[name] = one.run(program)
        assert one.run(made[name]) is made[name]
    monkeypatch.setattr(hoisting, "LEAST", -(10**12))  # all that can be
    wrt = [label for label, _ in program.outputs if label != "loss"][:1]
    for sizes in row.size_sets().values():
        expected = expected_at(row, sizes)
        if isinstance(expected, str):
            continue
        arrays = {n: np.asarray(a) for n, a in expected[0].items()}
        if own.sizes is not None and own.sizes.elsewhere(program, arrays):
            continue
        try:
            wanted = values(program, arrays)
        except FAILURES:
            continue
        known = bind_dims({i.name: i.shape for i in program.inputs}, {n: a.shape for n, a in arrays.items()})
        split = hoisting.hoist(program, wrt, (), known, "float64")
        before = {} if split.before is None else hoisting.evaluate(split.before, arrays, "float64")
        for changed in (*made.values(), split.step):
            if changed is not program:
                for a, b in zip(wanted, values(changed, {**arrays, **before}), strict=True):
                    np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-11)
