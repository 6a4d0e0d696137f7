"""A gradient kernel computes what the NumPy source of the same program computes."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DataError, ShapeError, SpecError

LOSSES = {
    "tanh network": (
        "np.sum((np.tanh(x @ W + b) @ v - y)**2)/(2*x.shape[0])",
        {"x": "n d", "W": "d h", "b": "h", "v": "h k", "y": "n k"},
        ["W", "b", "v"],
    ),
    "elementwise": (
        "np.mean(softplus(x)*np.maximum(x, 0) + sigmoid(x)*np.abs(x - y) + np.minimum(x, y)**3 + erf(x))",
        {"x": "n d", "y": "d"},
        ["x", "y"],
    ),
    "axes": (
        "np.sum(x.mean(axis=1, keepdims=True)*x.sum(axis=0)*np.exp(-x**2/2)) + np.sum(x.T @ x)",
        {"x": "n d"},
        ["x"],
    ),
    "scalars": (
        "lam*np.sum(w**2) + np.dot(w, w)*np.sum(np.where(w > 0, w, lam*w)) + np.sum(np.outer(w, x) @ x)",
        {"w": "n", "x": "d", "lam": ""},
        ["w", "lam", "x"],
    ),
    "linear in its parameter": ("np.sum(x @ w)", {"x": "n d", "w": "d 1"}, ["x", "w"]),
    "gradient that is an input": ("np.sum(x*w)", {"x": "n d", "w": "n d"}, ["x", "w"]),
    "unused parameter": ("np.sum(x) + 0*np.sum(w)", {"x": "n", "w": "d"}, ["w"]),
}
SIZES = ({"n": 4, "d": 3, "h": 5, "k": 2}, {"n": 1, "d": 1, "h": 1, "k": 1}, {"n": 0, "d": 2, "h": 2, "k": 2})


def arrays_of(program, sizes, dtype, seed=0):
    generator = np.random.default_rng(seed)
    return {
        i.name: generator.normal(size=tuple(sizes.get(str(d), d) for d in i.shape)).astype(dtype)
        for i in program.inputs
    }


@pytest.fixture(scope="session")
def kernels():
    """Each loss once in each dtype; the compiled code is shared by all tests."""
    found = {}

    def get(name, dtype):
        if (name, dtype) not in found:
            derivation = sg.derive(*LOSSES[name])
            found[name, dtype] = derivation, derivation.compile(dtype)
        return found[name, dtype]

    return get


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_kernel_equals_numpy(kernels, name, dtype):
    derivation, kernel = kernels(name, dtype)
    for seed, sizes in enumerate(SIZES):
        values = arrays_of(derivation.program, sizes, dtype, seed)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing
            value, grads = kernel(values)
            expected, wanted = derivation({n: v.astype(np.float64) for n, v in values.items()})
        tolerance = {"rtol": 2e-4, "atol": 2e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
        np.testing.assert_allclose(value, expected, **tolerance)
        for parameter, g in grads.items():
            assert g.dtype == dtype
            assert g.shape == values[parameter].shape
            np.testing.assert_allclose(g, wanted[parameter], **tolerance)


def test_extreme_values_do_not_overflow(kernels):
    _, kernel = kernels("elementwise", "float32")
    x = np.array([[-1e4, 1e4, 0.0], [-90.0, 90.0, 1e-30]], np.float32)
    _, grads = kernel(x=x, y=np.zeros(3, np.float32))
    assert np.isfinite(grads["x"]).all()


def test_nan_passes_through_kinks(kernels):
    _, kernel = kernels("elementwise", "float64")
    x = np.array([[np.nan, 1.0]])
    value, _ = kernel(x=x, y=np.zeros(2))
    assert np.isnan(value)


def test_layouts_and_integers(kernels):
    derivation, kernel = kernels("tanh network", "float64")
    values = arrays_of(derivation.program, SIZES[0], "float64")
    expected = kernel(values)[0]
    turned = dict(values, x=np.asfortranarray(values["x"]), W=np.repeat(values["W"], 2, axis=1)[:, ::2])
    turned["y"] = values["y"].astype(values["y"].dtype.newbyteorder(">"))
    turned["b"] = values["b"].copy()
    turned["b"].flags.writeable = False
    assert kernel(turned)[0] == expected
    whole = dict(values, x=np.ones((4, 3), np.int64))
    assert kernel(whole)[0] == kernel(dict(values, x=np.ones((4, 3))))[0]


def test_gradients_are_new_arrays(kernels):
    _, kernel = kernels("gradient that is an input", "float64")
    x, w = np.ones((2, 2)), np.ones((2, 2))
    _, grads = kernel(x=x, w=w)
    _, again = kernel(x=x, w=w)
    assert not np.shares_memory(grads["x"], w)
    assert not np.shares_memory(grads["x"], again["x"])


def test_interpreted_equals_compiled():
    script = """
import sys, numpy as np, symgrad as sg
d = sg.derive("np.sum((np.tanh(x @ w) - y)**2) + np.sum(softplus(w))", {"x": "n d", "w": "d", "y": "n"}, "w")
x = np.arange(6, dtype=np.float32).reshape(3, 2)/7
value, grads = d.compile("float32")(x=x, w=np.array([.5, -1], np.float32), y=np.ones(3, np.float32))
assert grads["w"].dtype == np.float32
print(float(value), *map(float, grads["w"]))
"""
    results = []
    for disabled in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={**__import__("os").environ, "NUMBA_DISABLE_JIT": disabled},
        )
        results.append([float(x) for x in done.stdout.split()])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.ones((4, 3), complex)}, DataError, "holds no real numbers"),
        ({"x": np.array([[None]])}, DataError, "dtype object"),
        ({"x": np.ones((4, 2))}, ShapeError, "cannot be 2 and 3 at once"),
        ({"x": np.ones(4)}, ShapeError, "'x' has 1 axes"),
        ({"q": np.ones(4)}, SpecError, "'q' is no input of the loss"),
    ],
)
def test_refusals(kernels, change, error, text):
    derivation, kernel = kernels("tanh network", "float64")
    values = arrays_of(derivation.program, SIZES[0], "float64")
    with pytest.raises(error, match=text):
        kernel({**values, **change})


def test_missing_input_and_dtype(kernels):
    derivation, kernel = kernels("tanh network", "float64")
    with pytest.raises(SpecError, match="'x' is missing"):
        kernel({})
    with pytest.raises(SpecError, match="float32 or float64"):
        derivation.compile("float16")
