"""Losses of the corpus: the printed program, and the lines of the steps, compute what the derivation computes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "corpus"))

from judge import all_rows, derive
from numeric import quietly

from symgrad.errors import SymgradError
from symgrad.program import numpy_callable

ROWS = all_rows()


def settled(row):
    """The derivation at the row's generic sizes, data, and what its program computes; skipped where it is refused.

    A call of the derivation might derive anew for the kinds of the data, which is not what was printed.
    """
    sizes = row.size_sets()["generic"]
    try:
        derivation = derive(row, sizes)
        arrays = {n: np.asarray(a) for n, a in row.draw(sizes, 0).items()}
        program = derivation.program
        value, gradients = quietly(numpy_callable(program), *(arrays[i.name] for i in program.inputs))
    except SymgradError:
        pytest.skip("refused")
    return derivation, arrays, value, gradients


def agree(found, expected, what):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape, what
    scale = max(1e-3, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * scale, err_msg=what)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_printed_programs_and_steps(row):
    derivation, arrays, value, gradients = settled(row)
    program = derivation.document.program
    for style in ("text", "ascii", "latex"):
        assert all(line.right for line in derivation.document.lines(style))
    found, printed = quietly(numpy_callable(program), *(arrays[i.name] for i in program.inputs))
    agree(found, value, "loss")
    for name in row.wrt:
        agree(printed[name], gradients[name], name)
    known = dict(arrays)
    for s in derivation.steps:
        if s.program is not None:
            known[s.name] = quietly(numpy_callable(s.program), *(known[i.name] for i in s.program.inputs))
            if s.phase == "backward" and s.value in gradients:
                agree(known[s.name], gradients[s.value], s.text)
