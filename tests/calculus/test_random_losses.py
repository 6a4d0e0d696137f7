"""Random losses: values against NumPy, gradients against differences, simplification against both."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from calculus.loss_table import draw as arrays_for
from calculus.random_losses import directions, losses, slope
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import SymgradWarning
from symgrad.program import numpy_callable
from symgrad.render import simplify

SIZES = ({"n": 2, "d": 3}, {"n": 3, "d": 1}, {"n": 1, "d": 2}, {"n": 2, "d": 2}, {"n": 1, "d": 1})
quick = settings(
    max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def derive(loss):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymgradWarning)
        return sg.derive(loss.text, loss.shapes, wrt=loss.wrt)


@quick
@given(losses(), st.sampled_from(SIZES), st.integers(0, 99))
def test_value_and_gradient(loss, sizes, seed):
    arrays = arrays_for(loss, sizes, seed)
    value, grads = derive(loss)(arrays)
    np.testing.assert_allclose(value, loss.plain()(**arrays), rtol=1e-10, atol=1e-12)
    direction = directions(arrays, seed)
    expected, doubt = slope(loss, arrays, direction)
    assume(doubt < 1e-6)  # a kink within reach of the differences
    got = sum((grads[n] * direction[n]).sum() for n in loss.wrt)
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-7), loss.text


@quick
@given(losses(), st.sampled_from(SIZES), st.integers(0, 99))
def test_simplification_keeps_values(loss, sizes, seed):
    program = derive(loss).program
    arrays = arrays_for(loss, sizes, seed)
    inputs = [arrays[i.name] for i in program.inputs]
    value, grads = numpy_callable(program)(*inputs)
    simple_value, simple_grads = numpy_callable(simplify(program))(*inputs)
    np.testing.assert_allclose(simple_value, value, rtol=1e-9, atol=1e-11)
    for name in grads:
        assert np.shape(simple_grads[name]) == np.shape(grads[name])
        np.testing.assert_allclose(simple_grads[name], grads[name], rtol=1e-8, atol=1e-10, err_msg=loss.text)
