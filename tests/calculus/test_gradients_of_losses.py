"""Value and gradients of every loss in the table, against NumPy and against SymPy's scalar diff."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.loss_table import LOSSES, SIZES, draw
from calculus.witness import witness

CLOSE = {"rtol": 1e-9, "atol": 1e-11}


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_the_value_is_what_numpy_computes(loss):
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        value, _ = loss.derive()(arrays)
        np.testing.assert_allclose(value, loss.plain()(**arrays), **CLOSE)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_the_gradient_is_the_scalar_derivative(loss):
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        value, grads = loss.derive()(arrays)
        expected, expected_grads = witness(loss.derive().program, loss.wrt, arrays, sizes)
        np.testing.assert_allclose(value, expected, **CLOSE)
        for name in loss.wrt:
            assert grads[name].shape == arrays[name].shape
            np.testing.assert_allclose(
                grads[name], expected_grads[name], **CLOSE, err_msg=f"{name} at {sizes}"
            )
