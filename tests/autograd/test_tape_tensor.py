"""Making tensors, their types, NumPy beside them, and what is refused."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import symgrad.autograd as ag
from symgrad.autograd import functions as F
from symgrad.errors import DataError, ShapeError, SpecError


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, ag.float32),
        ([1, 2], ag.int64),
        ([[1, 2.5]], ag.float32),
        ([True], ag.bool_),
        (np.ones(2), ag.float64),
        (np.float64(1), ag.float64),
        ([np.float64(1), 2.0], ag.float64),
        (np.arange(2, dtype=np.int32), ag.int32),
        ([], ag.float32),
    ],
)
def test_element_types(data: Any, dtype: ag.DType) -> None:
    assert ag.tensor(data).dtype is dtype


def test_a_dtype_is_numpys_under_another_name() -> None:
    assert repr(ag.float32) == "symgrad.float32"
    assert ag.float32 == np.float32
    assert ag.float32 == "float32"
    assert ag.float32 != ag.float64
    assert np.dtype(ag.int64) == np.int64
    assert np.zeros(2, dtype=ag.float32).dtype == np.float32
    assert hash(ag.float32) == hash(np.dtype(np.float32))
    assert copy.deepcopy(ag.float32) is ag.float32
    assert pickle.loads(pickle.dumps(ag.bool_)) is ag.bool_


@pytest.mark.parametrize(
    "make",
    [
        lambda: ag.tensor([[1.0], [1.0, 2.0]]),
        lambda: ag.tensor(["a"]),
        lambda: ag.tensor([None]),
        lambda: ag.tensor(1j),
        lambda: ag.from_numpy(np.array([object()])),
        lambda: ag.zeros(2, dtype=complex),
        lambda: ag.zeros(2, dtype="nonsense"),
        lambda: ag.Tensor([1.0]),  # type: ignore[arg-type]
        lambda: ag.randn(2, dtype=ag.int64),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(make: Any) -> None:
    with pytest.raises(DataError):
        make()


def test_constructors() -> None:
    assert ag.zeros(2, 3).shape == ag.ones((2, 3)).shape == ag.randn(2, 3).shape == (2, 3)
    assert ag.full((2,), 7).tolist() == [7, 7]
    assert ag.arange(3).tolist() == [0, 1, 2]
    assert ag.arange(0.0, 1.0, 0.5).dtype is ag.float32
    assert ag.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert ag.zeros_like(ag.ones(2, dtype=ag.float64)).dtype is ag.float64
    assert ag.ones_like(np.zeros(3, np.float32)).tolist() == [1.0] * 3
    with pytest.raises(SpecError, match="cannot be negative"):
        ag.zeros(-1)
    with pytest.raises(SpecError, match="needs integers"):
        ag.zeros(2.5)


def test_from_numpy_shares_memory_and_tensor_copies() -> None:
    array = np.zeros(2)
    shared, copied = ag.from_numpy(array), ag.tensor(array)
    array[0] = 1
    assert shared.tolist() == [1.0, 0.0]
    assert copied.tolist() == [0.0, 0.0]


def test_a_seed_repeats_the_random_numbers_in_every_type() -> None:
    ag.manual_seed(3)
    first = ag.randn(4)
    ag.manual_seed(3)
    again = ag.randn(4, dtype=ag.float64)
    assert first.tolist() == again.to(ag.float32).tolist()
    assert 0 <= ag.rand(1).item() < 1


@pytest.mark.parametrize("left", [np.ones((2, 2), np.float32), np.float32(1.0), 1.0, 1, True])
@pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
def test_numpy_and_numbers_on_the_left_give_a_recorded_tensor(left: Any, sign: str) -> None:
    x = ag.ones(2, 2, requires_grad=True)
    calls = {"+": lambda: left + x, "-": lambda: left - x, "*": lambda: left * x, "/": lambda: left / x}
    result = calls[sign]()
    assert isinstance(result, ag.Tensor)
    assert result.requires_grad
    assert result.dtype is ag.float32


def test_matrix_product_and_comparison_with_an_array_on_the_left() -> None:
    x = ag.ones(2, 2, requires_grad=True)
    assert isinstance(np.ones((2, 2)) @ x, ag.Tensor)
    assert isinstance(np.zeros((2, 2)) < x, ag.Tensor)
    assert (x == 1).tolist() == [[True, True], [True, True]]
    assert (x == None) is False  # noqa: E711


def test_a_numpy_function_never_drops_the_gradient_silently() -> None:
    with pytest.raises(TypeError):
        np.tanh(ag.ones(2, requires_grad=True))


def test_asarray() -> None:
    x = ag.ones(2)
    assert np.asarray(x) is not None
    assert np.shares_memory(np.asarray(x), x.data)
    assert np.asarray(x, dtype=np.float64).dtype == np.float64


def test_promotion_is_numpys() -> None:
    assert (ag.ones(2) * 2.5).dtype is ag.float32
    assert (ag.ones(2) * ag.ones(2, dtype=ag.float64)).dtype is ag.float64
    assert (ag.tensor([1]) / 2).dtype is ag.float64


def test_item_and_conversions() -> None:
    assert ag.tensor([[2.5]]).item() == 2.5
    assert float(ag.tensor(2.5)) == 2.5
    assert int(ag.tensor(2)) == [0, 1, 2][ag.tensor(2)]
    with pytest.raises(ShapeError) as caught:
        ag.ones(3).item()
    assert str(caught.value) == (
        "only a tensor with one element is a number\n"
        "  where:    item\n"
        "  expected: one element\n"
        "  got:      3 elements, shape (3,)\n"
        "  fix:      use tolist(), or reduce it first: .sum(), .mean()"
    )
    with pytest.raises(DataError, match="only an integer"):
        [0, 1][ag.tensor(1.0)]
    with pytest.raises(ShapeError, match="no length"):
        len(ag.tensor(1.0))


def test_methods_in_the_spelling_of_torch() -> None:
    x = ag.arange(6, dtype=ag.float32).reshape(2, 3)
    assert x.view(3, -1).shape == x.T.shape == x.transpose(0, 1).shape == x.permute(1, 0).shape == (3, 2)
    assert x.sum(dim=1, keepdim=True).shape == (2, 1)
    assert x.mean(0).tolist() == [1.5, 2.5, 3.5]
    assert x.max().item() == 5.0
    assert x.max(dim=1).indices.tolist() == [2, 2]
    assert x.max(1, keepdim=True).values.tolist() == [[2.0], [5.0]]
    assert x.min(dim=0).values.tolist() == [0.0, 1.0, 2.0]
    assert x.argmax(dim=1).tolist() == [2, 2]
    assert x.clamp(min=1, max=4).tolist() == [[1.0, 1.0, 2.0], [3.0, 4.0, 4.0]]
    assert x[0].expand(4, -1).shape == (4, 3)
    assert (x.dim(), x.numel(), x.size(1), x.size(), len(x)) == (2, 6, 3, (2, 3), 2)
    assert [row.tolist() for row in x] == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert F.add(input=x, other=1).shape == (2, 3)
    assert x.double().dtype is ag.float64
    assert x.long().dtype is ag.int64
    assert (x > 2).float().sum().item() == 3.0
    assert (x @ x.T).shape == (2, 2)
    assert (-x).abs().tolist() == abs(x).tolist() == x.tolist()
    assert (2**x).tolist()[0] == [1.0, 2.0, 4.0]


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError) as caught:
        F.matmul(ag.ones(4, 2), ag.ones(3, 1))
    assert caught.value.what == "matmul cannot take these shapes"
    assert caught.value.where == "matmul(a, b)"
    assert caught.value.expected == "(n, k) and (k, m), or vectors; the inner lengths equal"
    assert str(caught.value.got).startswith("(4, 2) and (3, 1) (")
    for call in (
        lambda: ag.ones(2) + ag.ones(3),
        lambda: ag.ones(2, 3).reshape(4),
        lambda: ag.ones(2).sum(axis=1),
        lambda: ag.ones(2)[5],
        lambda: F.cat([ag.ones(2, 2), ag.ones(3)]),
        lambda: F.take_along_axis(ag.ones(2, 3), np.zeros((1, 1), int), axis=1),
        lambda: ag.zeros(0).max(),
    ):
        with pytest.raises(ShapeError):
            call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.sum(ag.ones(2), foo=1), "sum has no argument 'foo'"),
        (lambda: F.sum(ag.ones(2), 0, axis=1), "sum got 'axis' twice"),
        (lambda: F.reshape(ag.ones(2)), "reshape lacks its 'shape'"),
        (lambda: F.exp(ag.ones(2), 1), "exp takes 1 arguments, 2 were given"),
        (lambda: F.gelu(ag.ones(2), approximate="erf"), "gelu has no such approximation"),
        (lambda: F.clip(ag.ones(2)), "clip needs a bound"),
        (lambda: F.clip(ag.ones(2), min=ag.ones(2)), "a bound of clip is no number"),
        (lambda: F.softplus(ag.ones(2), beta=0), "softplus needs beta > 0"),
        (lambda: F.sum(ag.ones(2), axis="x"), "an axis is no integer"),
    ],
)
def test_calls_that_are_off(call: Any, message: str) -> None:
    with pytest.raises(SpecError, match="^" + message.replace("(", r"\(")):
        call()


def test_operands_that_are_no_tensors() -> None:
    with pytest.raises(DataError, match="got something that is no tensor"):
        F.add(ag.ones(2), "x")
    with pytest.raises(TypeError):
        ag.ones(2) + "x"
    with pytest.raises(DataError, match="is not defined for these types"):
        F.sub(ag.tensor([True]), ag.tensor([True]))
    with pytest.raises(DataError, match="is not defined for these types"):
        ag.tensor([1]) + 10**30
    with pytest.raises(DataError, match="takes a list of tensors"):
        F.cat(ag.ones(2))


def test_import_is_light() -> None:
    code = (
        "import sys, symgrad.autograd, symgrad.nn\n"
        "heavy = {'sympy', 'scipy', 'numba', 'hypothesis', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
