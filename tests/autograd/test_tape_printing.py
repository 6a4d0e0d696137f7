"""How tensors print: OneFlow's format, literally, and PyTorch's on drawn arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import symgrad.autograd as ag
from symgrad.errors import SpecError


def test_a_parameter_near_its_optimum_prints_as_in_the_tutorial() -> None:
    w = ag.tensor([[2.000001], [2.9999993]], requires_grad=True)
    assert repr(w) == (
        "tensor([[2.0000],\n        [3.0000]], dtype=symgrad.float32, grad_fn=<accumulate_grad>)"
    )
    assert f"\nw: {w}" == "\nw: " + repr(w)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1.0, 2.0], "tensor([1., 2.], dtype=symgrad.float32)"),
        ([[2.0]], "tensor([[2.]], dtype=symgrad.float32)"),
        ([1.5, -22.25], "tensor([  1.5000, -22.2500], dtype=symgrad.float32)"),
        (3, "tensor(3, dtype=symgrad.int64)"),
        ([True, False], "tensor([ True, False], dtype=symgrad.bool)"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00], dtype=symgrad.float32)"),
        (float("nan"), "tensor(nan, dtype=symgrad.float32)"),
        ([0.0, float("inf")], "tensor([0., inf], dtype=symgrad.float32)"),
        ([], "tensor([], dtype=symgrad.float32)"),
        (np.zeros((0, 3)), "tensor([], size=(0, 3), dtype=symgrad.float64)"),
    ],
)
def test_number_formats(value: object, text: str) -> None:
    assert repr(ag.tensor(value)) == text


def test_results_name_what_made_them() -> None:
    w = ag.tensor([[1.0]], requires_grad=True)
    assert repr(ag.functions.matmul(w, w)) == (
        "tensor([[1.]], dtype=symgrad.float32, grad_fn=<matmul_backward>)"
    )


def test_a_number_in_an_f_string_is_the_python_float() -> None:
    loss = ag.tensor(np.float32(0.0034512377), requires_grad=True)
    assert f"{loss}" == "0.0034512376878410578"
    assert f"{loss:.3e}" == "3.451e-03"
    assert f"{ag.tensor(3)}" == "3"
    with pytest.raises(SpecError, match="only a 0-d tensor takes a format"):
        f"{ag.tensor([1.0]):.3f}"


FLOATS = st.one_of(
    st.floats(-10, 10, width=32),
    st.integers(-2000, 2000).map(float),
    st.sampled_from([np.nan, np.inf, 1e-5, 3e7]),
)


@settings(max_examples=150, deadline=None)
@given(data=arrays(np.float32, array_shapes(min_dims=0, max_dims=4, max_side=9), elements=FLOATS))
def test_elements_print_as_in_torch(data: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    body = re.sub(r",\s+dtype=symgrad\.\w+\)$", ")", repr(ag.tensor(data)))
    assert body == repr(torch.tensor(data))


@pytest.mark.parametrize("shape", [(1001,), (1100, 2), (3, 500), (40, 5, 8)])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_summaries_print_as_in_torch(shape: tuple[int, ...], dtype: type) -> None:
    torch = pytest.importorskip("torch")
    data: np.ndarray = (np.random.default_rng(0).standard_normal(shape) * 50).astype(dtype)
    suffix = r",\s+dtype=(symgrad|torch)\.\w+\)$"
    assert re.sub(suffix, "", repr(ag.tensor(data))) == re.sub(
        suffix, "", repr(torch.tensor(data))
    ).removesuffix(")")


def test_a_long_suffix_goes_on_a_new_line() -> None:
    x = ag.tensor(np.arange(12, dtype=np.float32) + 0.5, requires_grad=True)
    assert repr(x).endswith("11.5000], dtype=symgrad.float32,\n       grad_fn=<accumulate_grad>)")
