"""Every row of the table: the printed form letter by letter, its value against differences of the loss."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from textbook import ROWS

import symgrad as sg
from symgrad.program import numpy_callable


def derived(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.SymgradWarning)
        return row.derive()


def test_the_table_is_long_enough_and_cites_its_sources():
    assert len(ROWS) >= 40
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.source and row.book for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_printed_form(row):
    assert tuple(str(line) for line in derived(row).document.lines()) == row.ours


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_printed_is_the_gradient(row):
    """The printed program, evaluated, against central differences of the plain NumPy loss."""
    program = derived(row).document.program
    arrays = row.draw()
    loss, gradients = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
    function = row.function()
    np.testing.assert_allclose(loss, float(function(**arrays)), rtol=1e-9)
    for name in row.wrt:
        found = differences(function, arrays, name)
        assert np.shape(gradients[name]) == found.shape
        scale = max(1.0, float(np.abs(found).max()))
        np.testing.assert_allclose(gradients[name], found, rtol=0, atol=1e-6 * scale, err_msg=name)


def differences(function, arrays, name, step=1e-6):
    base = np.array(arrays[name], dtype=float)
    out = np.zeros(base.shape)
    for index in np.ndindex(*base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[index] += sign * step
            ends.append(float(function(**{**arrays, name: moved})))
        out[index] = (ends[0] - ends[1]) / (2 * step)
    return out


def test_the_page_is_fresh():
    source = Path(__file__).resolve().parents[2] / "docs" / "make_textbook.py"
    spec = importlib.util.spec_from_file_location("make_textbook", source)
    assert spec is not None
    assert spec.loader is not None
    make_textbook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_textbook)
    assert make_textbook.PAGE.read_text(encoding="utf-8") == make_textbook.page(), (
        "run python docs/make_textbook.py"
    )
