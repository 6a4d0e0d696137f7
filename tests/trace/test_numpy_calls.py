"""NumPy's functions and ufuncs, traced: the same function run on arrays and through a derivation."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import symgrad as sg
from symgrad.trace import (
    grids,
    joining,
    linalg,
    moving,
    polynomials,
    products,
    reductions,
    sequences,
    special,
    spectral,
    statistics,
)
from symgrad.trace.numpy_functions import NUMPY_FUNCTIONS, UFUNCS

RNG = np.random.default_rng(3)
A, B, V = RNG.uniform(0.1, 0.9, (3, 2)), RNG.uniform(0.1, 0.9, (3, 2)), RNG.uniform(0.1, 0.9, 2)
ARRAYS = {"a": A, "b": B, "v": V}
SHAPES = {"a": "n d", "b": "n d", "v": "d"}

TWO = ("add", "subtract", "multiply", "true_divide", "divide", "power", "float_power", "maximum", "minimum",
       "logaddexp", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "floor_divide", "remainder", "fmod", "mod", "hypot",
       "arctan2", "copysign", "heaviside", "fmax", "fmin", "logaddexp2", "logical_and", "logical_or",
       "logical_xor")  # fmt: skip
TESTED_WITH_PRODUCTS = {"matmul", "vecdot", "matvec", "vecmat"}
TESTED_WITH_LOGIC = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert"}
SHIFTED = {"arccosh": 1.0}  # where the values below are no arguments

FUNCTIONS = {
    "sum": lambda a, b, v: np.sum(a) + np.sum(a, axis=0) @ v + np.sum(b, 1, keepdims=True).sum(),
    "mean": lambda a, b, v: np.mean(a) + np.mean(a, axis=0) @ v + np.mean(b, axis=(0, 1)),
    "average": lambda a, b, v: np.average(a) + np.average(b, axis=0) @ v,
    "dot": lambda a, b, v: np.dot(a, v).sum() + np.dot(a.T, b).sum() + np.dot(2.0, v).sum() + np.dot(v, v),
    "vdot": lambda a, b, v: np.vdot(a, b) + np.vdot(v, v),
    "inner": lambda a, b, v: np.inner(a, b).sum() + np.inner(v, v) + np.inner(a, v).sum(),
    "outer": lambda a, v: np.outer(v, v).sum() + np.outer(a, v).sum(),
    "transpose": lambda a, b, v: (np.transpose(a) @ b).sum() + np.transpose(a, (1, 0)).sum() + np.transpose(v) @ v,
    "reshape": lambda a, b: np.reshape(a, -1) @ np.reshape(b, (-1,)) + np.reshape(a, (-1, 1)).sum(),
    "ravel": lambda a, b: np.ravel(a) @ b.ravel() + a.flatten().sum(),
    "squeeze": lambda a, b: (np.squeeze(a[:, None, :]) * b).sum() + np.squeeze(a[None], axis=0).sum(),
    "expand_dims": lambda a, v: (np.expand_dims(v, 0) * a).sum() + (np.expand_dims(v, 1) * a.T).sum(),
    "broadcast_to": lambda a, v: (np.broadcast_to(v, a.shape) * a).sum(),
    "where": lambda a, b, v: np.where(a > b, a, 2 * b).sum() + np.where(a > 0.5, 1.0, v).sum(),
    "clip": lambda a, b: np.clip(a, 0.2, 0.7).sum() + np.clip(a, None, b).sum() + np.clip(a, a_min=b, a_max=None).sum(),
    "ones_like": lambda a, v: (np.ones_like(a) @ v).sum(),
    "zeros_like": lambda a, b: (np.zeros_like(a) + b).sum(),
    "full_like": lambda a, b: (np.full_like(a, 2.5) * b).sum(),
    "shape": lambda a: a.sum() / np.shape(a)[0],
    "ndim": lambda a: a.sum() * np.ndim(a),
    "size": lambda a: a.sum() / np.size(a),
    "copy": lambda a: np.copy(a).sum(),
}  # fmt: skip

METHODS = {
    "sum": lambda a, v: a.sum() + (a.sum(0) * v).sum() + a.sum(axis=-1, keepdims=True).sum(),
    "mean": lambda a, v: a.mean() + a.mean(0) @ v + a.mean(axis=1, keepdims=True).sum(),
    "transpose": lambda a, b: (a.transpose() @ b).sum() + (a.transpose(1, 0) @ b).sum() + (a.T @ b).sum(),
    "dot": lambda a, v: a.dot(v).sum(),
    "reshape": lambda a, b: a.reshape(-1) @ b.reshape((-1,)) + a.reshape(-1, 1).sum(),
    "copy": lambda a: a.copy().sum(),
    "operators": lambda a, b, v: (-a + b - 2 * a / b + 1 / b + 2**a + a**2 + +b + abs(-a) + (3 - a) @ v[:, None]).sum(),
    "comparisons": lambda a, b: ((a > b) * a + (a <= b) * b + (a == b) + (a != 2)).sum(),
    "constants": lambda a, v: (a + np.ones(1)).sum() + (np.full((1, 1), 0.5) * a).sum() + np.float32(0.5) * v.sum(),
    "len": lambda a: a.sum() / len(a),
    "builtin sum": lambda a, b, v: sum([a, b, 2 * a]).sum() + sum(v),
    "float": lambda a: float(a.sum()),
    "ndim": lambda a: a.sum() * a.ndim if a.ndim == 2 else a.sum(),
    "size": lambda a: a.sum() / a.size,
    "shape": lambda a: (a.sum() * a.shape[0]) / a.shape[1],
    "new axes": lambda a, v: (a[:, :, None] * v[None, None, :]).sum() + a[..., None].sum() + v[np.newaxis].sum(),
}  # fmt: skip


def agree(function, arrays, shapes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        derivation = sg.derive(function, shapes, wrt=list(shapes))
    value, grads = derivation(arrays)
    np.testing.assert_allclose(value, function(**arrays), rtol=1e-13)
    direction = {n: RNG.standard_normal(a.shape) for n, a in arrays.items()}

    def at(t):
        return function(**{n: a + t * direction[n] for n, a in arrays.items()})

    slope = (at(1e-6) - at(-1e-6)) / 2e-6
    assert sum((grads[n] * direction[n]).sum() for n in arrays) == pytest.approx(slope, rel=1e-6, abs=1e-7)


def agree_on_its_arguments(function):
    names = inspect.signature(function).parameters
    agree(function, {n: ARRAYS[n] for n in names}, {n: SHAPES[n] for n in names})


@pytest.mark.parametrize(
    "name", sorted(set(UFUNCS) - set(TWO) - TESTED_WITH_PRODUCTS - TESTED_WITH_LOGIC - {"divmod"})
)
def test_ufuncs_of_one_array(name):
    ufunc = getattr(np, name)
    agree(lambda a: (ufunc(a + SHIFTED.get(name, 0.0)) * 1.5).sum(), {"a": A}, {"a": "n d"})


@pytest.mark.parametrize("name", sorted(TWO))
def test_ufuncs_of_two_arrays(name):
    ufunc = getattr(np, name)
    agree(lambda a, b, v: (ufunc(a, b) + 0.1 * ufunc(a, v) + ufunc(0.3, a) + ufunc(b, 0.3)).sum(),
          ARRAYS, SHAPES)  # fmt: skip


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name):
    agree_on_its_arguments(FUNCTIONS[name])


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_and_operators(name):
    agree_on_its_arguments(METHODS[name])


def test_quotient_and_remainder_at_once():
    agree(lambda a, b: (divmod(a, b / 3)[0] * b + np.divmod(a, 0.37)[1] * a).sum(),
          {"a": A, "b": B}, {"a": "n d", "b": "n d"})  # fmt: skip


def test_every_traced_function_is_in_this_file_or_has_a_table_of_its_own():
    tables = (
        grids,
        joining,
        linalg,
        moving,
        polynomials,
        products,
        reductions,
        sequences,
        special,
        spectral,
        statistics,
    )
    elsewhere = {f.__name__ for table in tables for f in table.NUMPY}
    assert {f.__name__ for f in NUMPY_FUNCTIONS} - elsewhere <= set(FUNCTIONS)
    assert set(TWO) < set(UFUNCS)


def test_matmul_in_every_rank():
    agree(lambda a, b, v: (np.matmul(a, v) ** 2).sum() + (v @ a.T).sum() + (a.T @ b).sum() + v @ v,
          ARRAYS, SHAPES)  # fmt: skip
