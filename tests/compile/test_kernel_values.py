"""Kernels against the NumPy program: values, shapes, dtypes, unusual arrays, unusual sizes."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import CASES, arrays, program

import symgrad as sg
from symgrad.compile import Kernel, compile_gradient
from symgrad.errors import DataError, ShapeError, SpecError
from symgrad.program import numpy_callable

TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


@pytest.fixture(scope="session")
def kernels() -> dict[tuple[str, str], Kernel]:
    return {}


def kernel_of(kernels: dict[tuple[str, str], Kernel], name: str, dtype: str) -> Kernel:
    if (name, dtype) not in kernels:
        kernels[name, dtype] = compile_gradient(program(name), dtype)
    return kernels[name, dtype]


SINGLE = ("least squares", "relu network")  # the structure is the same in both dtypes


@pytest.mark.parametrize(
    ("name", "dtype"), [*((n, "float64") for n in CASES), *((n, "float32") for n in SINGLE)]
)
def test_kernels_agree_with_numpy(name: str, dtype: str, kernels: dict[tuple[str, str], Kernel]) -> None:
    kernel = kernel_of(kernels, name, dtype)
    for sizes in CASES[name].sizes:
        given = arrays(name, sizes, dtype)
        value, grads = kernel(given)
        expected, expected_grads = numpy_callable(program(name))(*given.values())
        assert value.dtype == dtype
        assert value == pytest.approx(float(expected), rel=TOLERANCE[dtype], abs=TOLERANCE[dtype]), sizes
        for label in CASES[name].wrt:
            want = np.asarray(expected_grads[label])
            scale = max(1.0, float(np.abs(want).max(initial=0)))
            assert grads[label].dtype == dtype
            assert grads[label].shape == want.shape == given[label].shape
            np.testing.assert_allclose(grads[label], want, rtol=0, atol=10 * TOLERANCE[dtype] * scale)


def test_arrays_of_any_layout_give_the_same(kernels: dict[tuple[str, str], Kernel]) -> None:
    kernel = kernel_of(kernels, "least squares", "float64")
    given = arrays("least squares", {"n": 5, "d": 3}, "float64")
    value, grads = kernel(given)
    frozen = given["y"].copy()
    frozen.flags.writeable = False
    wide = np.repeat(given["x"], 2, axis=0)
    odd = {"x": np.asfortranarray(given["x"]), "w": given["w"].astype(">f8"), "y": frozen}
    for case in (odd, {**given, "x": wide[::2]}, {**given, "x": given["x"][::-1][::-1]}):
        again, others = kernel(case)
        assert again == value
        np.testing.assert_array_equal(others["w"], grads["w"])


def test_gradients_never_alias_inputs_or_each_other(kernels: dict[tuple[str, str], Kernel]) -> None:
    kernel = kernel_of(kernels, "each other's gradient", "float64")
    a = np.arange(3.0)
    _, grads = kernel(a=a, b=a)
    grads["a"][:] = 7
    assert a.tolist() == [0, 1, 2]
    assert grads["b"].tolist() == [0, 1, 2]
    _, later = kernel(a=a, b=a)
    assert later["a"].tolist() == [0, 1, 2]


def test_integers_floats_of_other_width_and_booleans_are_cast(kernels: dict[tuple[str, str], Kernel]) -> None:
    kernel = kernel_of(kernels, "least squares", "float64")
    x, w, y = [[1, 2], [3, 4]], [[1.0], [0.5]], [[True], [False]]
    value, grads = kernel(x=np.array(x), w=np.array(w, np.float32), y=np.array(y))
    expected, others = kernel(x=np.array(x, float), w=np.array(w), y=np.array([[1.0], [0.0]]))
    assert value == expected
    np.testing.assert_array_equal(grads["w"], others["w"])


def test_nan_passes_through_every_kink(kernels: dict[tuple[str, str], Kernel]) -> None:
    for name in ("relu network", "where"):
        kernel = kernel_of(kernels, name, "float64")
        given = arrays(name, {"n": 4, "d": 3}, "float64")
        given["x"][1, 1] = np.nan
        value, grads = kernel(given)
        with np.errstate(all="ignore"):
            expected, others = numpy_callable(program(name))(*given.values())
        assert np.isnan(value) == np.isnan(expected)
        for label in CASES[name].wrt:
            np.testing.assert_array_equal(np.isnan(grads[label]), np.isnan(others[label]))


EDGES = np.array([0.0, -0.0, 1e-8, 3.0, -3.0, 90.0, -90.0, 800.0, -800.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize(
    "text", ["sigmoid(x)", "softplus(x)", "relu(x)", "tanh(x)", "abs(x)", "maximum(x, 1)", "minimum(1, x)",
             "sign(x)", "erf(x)", "expm1(x)", "gelu(x)", "elu(x)"]
)  # fmt: skip
def test_functions_at_the_ends_of_their_range(text: str) -> None:
    d = sg.derive(f"({text}).sum()", {"x": "1"}, "x")
    kernel = d.compile("float64")
    with np.errstate(all="ignore"):
        for x in EDGES:
            value, grads = kernel(x=np.array([x]))
            expected, others = d(x=np.array([x]))
            np.testing.assert_allclose(value, expected, rtol=1e-14, err_msg=f"{text} at {x}")
            np.testing.assert_allclose(
                grads["x"], others["x"], rtol=1e-14, atol=1e-300, err_msg=f"slope of {text} at {x}"
            )


def test_sums_keep_their_digits_in_float32() -> None:
    d = sg.derive("(x*w).sum()", {"x": "n", "w": ""}, "w")
    x = np.full(200_000, 0.1, np.float32)
    value, grads = d.compile("float32")(x=x, w=np.float32(1))
    assert value == pytest.approx(20_000.000298, rel=1e-7)
    assert grads["w"] == pytest.approx(20_000.000298, rel=1e-7)


def test_source_and_timings_tell_what_ran(kernels: dict[tuple[str, str], Kernel]) -> None:
    kernel = kernel_of(kernels, "least squares", "float64")
    kernel(arrays("least squares", {"n": 2, "d": 2}, "float64"))
    assert set(kernel.timings) == {"plan", "compile", "run"}
    assert "x: (n, d)" in kernel.source
    assert "matmul(x, w)" in kernel.source


class TestRefusals:
    """What a kernel does not take, in words."""

    @pytest.fixture
    def kernel(self, kernels: dict[tuple[str, str], Kernel]) -> Kernel:
        return kernel_of(kernels, "least squares", "float64")

    def test_missing_and_unknown_names(self, kernel: Kernel) -> None:
        with pytest.raises(SpecError, match=r"'y' is missing\.(.|\n)*expected: x, w, y\n *got: +x, w"):
            kernel(x=np.ones((2, 2)), w=np.ones((2, 1)))
        with pytest.raises(SpecError, match="'z' is no input"):
            kernel(x=np.ones((2, 2)), w=np.ones((2, 1)), y=np.ones((2, 1)), z=1)

    def test_sizes(self, kernel: Kernel) -> None:
        with pytest.raises(ShapeError, match="The dimension d cannot be 2 and 3 at once"):
            kernel(x=np.ones((2, 2)), w=np.ones((3, 1)), y=np.ones((2, 1)))
        with pytest.raises(ShapeError, match="'y' has 1 axes"):
            kernel(x=np.ones((2, 2)), w=np.ones((2, 1)), y=np.ones(2))

    @pytest.mark.parametrize(
        "bad", [np.ones((2, 1), complex), np.array([["a"], ["b"]]), np.array([[None], [1]], object)]
    )
    def test_what_holds_no_real_numbers(self, kernel: Kernel, bad: np.ndarray) -> None:
        with pytest.raises(DataError, match=r"holds no real numbers(.|\n)*where: +y(.|\n)*got: +dtype"):
            kernel(x=np.ones((2, 2)), w=np.ones((2, 1)), y=bad)

    def test_masked_arrays(self, kernel: Kernel) -> None:
        masked = np.ma.masked_equal(np.array([[1.0], [2.0]]), 2.0)
        with pytest.raises(DataError, match=r"masked(.|\n)*fix: +.*filled"):
            kernel(x=np.ones((2, 2)), w=np.ones((2, 1)), y=masked)

    def test_other_dtypes(self) -> None:
        with pytest.raises(SpecError, match=r"float32 or float64(.|\n)*got: +float16"):
            compile_gradient(program("least squares"), "float16")
