"""What is printed is a simplified program; it has to compute what the derivation computes."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.loss_table import LOSSES, SIZES, draw

from symgrad.program import numpy_callable
from symgrad.render import simplify


def results(program, arrays):
    value, grads = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
    return {"loss": value, **grads}


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_simplified_programs_compute_the_same(loss):
    program = loss.derive().program
    simple = simplify(program)
    assert [label for label, _ in simple.outputs] == [label for label, _ in program.outputs]
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        expected, got = results(program, arrays), results(simple, arrays)
        for label in expected:
            want = np.asarray(expected[label])
            assert np.shape(got[label]) == want.shape, label
            np.testing.assert_allclose(got[label], want, rtol=1e-9, atol=1e-11, err_msg=f"{label} at {sizes}")


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_simplifying_twice_changes_nothing_of_value(loss):
    simple = simplify(loss.derive().program)
    again = simplify(simple)
    arrays = draw(loss, SIZES[0], 5)
    expected, got = results(simple, arrays), results(again, arrays)
    for label in expected:
        np.testing.assert_allclose(got[label], expected[label], rtol=1e-9, atol=1e-11, err_msg=label)
