"""Hessians and products with them, for every loss in the table: against SymPy's second diff and torch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from calculus.loss_table import EMPTY, LOSSES, draw
from calculus.second_witness import second_witness
from calculus.test_backward_sweep import TORCH

from symgrad.errors import DataError
from symgrad.program import numpy_callable

pytestmark = pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")

CLOSE = {"rtol": 1e-9, "atol": 1e-10}
SIZES = (
    {"n": 2, "d": 2, "k": 1, "m": 2},
    {"n": 2, "d": 1, "k": 2, "m": 1},
    {"n": 1, "d": 1, "k": 1, "m": 1},
)
CASES = [pytest.param(loss, wrt, id=f"{loss}-{wrt}") for loss in LOSSES for wrt in loss.wrt]


@cache
def made(loss, wrt):
    d = loss.derive()
    return d.hessian(wrt), d.hvp(wrt, "along")


@pytest.mark.parametrize(("loss", "wrt"), CASES)
def test_the_hessian_is_the_second_scalar_derivative(loss, wrt):
    hessian, product = made(loss, wrt)
    for seed, sizes in enumerate(SIZES):
        arrays = draw(loss, sizes, seed)
        expected = second_witness(loss.derive().program, wrt, arrays, sizes)
        found = hessian(arrays)
        assert found.shape == arrays[wrt].shape * 2
        np.testing.assert_allclose(found, expected, **CLOSE, err_msg=str(sizes))
        along = np.random.default_rng(seed).standard_normal(arrays[wrt].shape)
        times = product(**arrays, along=along)
        assert times.shape == along.shape
        np.testing.assert_allclose(times, np.tensordot(expected, along, along.ndim), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("loss", "wrt"), CASES)
def test_what_is_printed_has_the_values_that_are_computed(loss, wrt):
    hessian, product = made(loss, wrt)
    sizes = {"n": 3, "d": 2, "k": 2, "m": 4}
    arrays = draw(loss, sizes, 7)
    along = np.random.default_rng(3).standard_normal(arrays[wrt].shape)
    page = shown(hessian, arrays, along)
    whole = hessian(arrays)
    if hessian.closed:
        np.testing.assert_allclose(page.reshape(whole.shape), whole, **CLOSE)
    else:
        np.testing.assert_allclose(page, np.tensordot(whole, along, along.ndim), **CLOSE)
    computed = product(**arrays, along=along)
    np.testing.assert_allclose(shown(product, arrays, along), computed, **CLOSE)


def shown(derived, arrays, along):
    """The printed formula's value; an input that no array is given for is the direction."""
    program = derived.equation.program.only(derived.label)
    values = [arrays.get(i.name, along) for i in program.inputs]
    return np.asarray(numpy_callable(program)(*values))


@pytest.mark.parametrize(("loss", "wrt"), CASES)
def test_empty_arrays(loss, wrt):
    hessian, _ = made(loss, wrt)
    for sizes in EMPTY:
        arrays = draw(loss, sizes)
        with np.errstate(all="ignore"):
            try:
                value, _ = loss.derive()(arrays)
                found = hessian(arrays)
            except DataError as error:
                assert "divides by a size that is 0" in str(error)
                continue
        assert found.shape == arrays[wrt].shape * 2
        if np.isfinite(value):
            expected = second_witness(loss.derive().program, wrt, arrays, sizes)
            np.testing.assert_allclose(found, expected, **CLOSE, err_msg=str(sizes))


@pytest.mark.parametrize("loss", [x for x in LOSSES if x.name in TORCH], ids=str)
def test_hessians_are_torchs(loss):
    torch = pytest.importorskip("torch")

    class NumPyNames:
        """The names that the table's texts use, in torch."""

        exp, log, tanh, abs, sqrt, sum = torch.exp, torch.log, torch.tanh, torch.abs, torch.sqrt, torch.sum

    text = compile(loss.text.replace("keepdims", "keepdim"), "loss", "eval")
    for sizes in ({"n": 3, "d": 2, "k": 2, "m": 4}, {"n": 2, "d": 2, "k": 2, "m": 2}):
        arrays = draw(loss, sizes)
        for wrt in loss.wrt:
            tensors = {n: torch.tensor(a, dtype=torch.float64) for n, a in arrays.items()}
            expected = torch.autograd.functional.hessian(
                lambda value, t=tensors, w=wrt: eval(text, {"np": NumPyNames}, {**t, w: value}), tensors[wrt]
            )
            found = made(loss, wrt)[0](arrays)
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9, atol=1e-11, err_msg=wrt)
