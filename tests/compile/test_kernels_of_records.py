"""Kernels of every operation: the weighted sum of its result and the gradients are those of the NumPy program.

Interpreted, the kernel's text runs for all examples, in loops with symbolic sizes and written out at fixed ones.
numba compiles one example of each kind of form; ``SYMGRAD_DEEP=1`` compiles all of them, in both dtypes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
import sympy
from ops.record_checks import SIZES, at_sizes, dimension, draw, fits, weighted

from symgrad.calculus import differentiate
from symgrad.compile import as_array, compile_gradient, unrolled
from symgrad.compile.gradient_source import NAME, gradient_source
from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.ops.record import ARG
from symgrad.program import Builder, Input, Program, numpy_callable

DEEP = os.environ.get("SYMGRAD_DEEP") == "1"
DTYPES = ("float64", "float32")
EXAMPLES = [(op.name, i) for op in OPS.values() for i in range(len(op.examples))]
COMPILED = {
    ("matmul", 9), ("einsum", 2), ("max", 2), ("logsumexp", 1), ("take", 3), ("scatter", 3),
    ("concatenate", 1), ("place", 3), ("argsort", 1), ("argmax", 1), ("array", 0), ("pattern", 0), ("norm", 4),
    ("prod_others", 1), ("cofactor", 1), ("solve", 2), ("cholesky", 1), ("eigh_vectors", 2),
    ("svd_sum", 2), ("cumsum", 2), ("diag", 4),
}  # fmt: skip
TOLERANCE = {"float64": 1e-10, "float32": 3e-4}


@cache
def loss_of(name: str, number: int) -> Program:
    """The weighted result and its gradients by every real argument and by the weights."""
    program = weighted(name, OPS[name].examples[number])
    wrt = [i.name for i in program.inputs if i.name != "sizes" and i.kind == "real"]
    return differentiate(program, wrt).program


def interpreted(program: Program, arrays: Mapping[str, np.ndarray], dtype: str):
    """What the text of the kernel computes without numba."""
    text = gradient_source(program, dtype).replace("from numba import njit", "")
    names = {"njit": lambda **options: lambda f: f}
    exec(compile(text, "<kernel>", "exec"), names)
    sizes = {s.name: 0 for i in program.inputs for s in i.shape if isinstance(s, sympy.Symbol)}
    for i in program.inputs:
        sizes |= {s.name: n for s, n in zip(i.shape, arrays[i.name].shape) if isinstance(s, sympy.Symbol)}
    given = [as_array(i.name, arrays[i.name], dtype, i.kind) for i in program.inputs]
    labels = [label for label, _ in program.outputs if label != "loss"]
    grads = {n: np.full(shape_of(program.type(program.output[n]).shape, sizes), 7, dtype) for n in labels}
    return names[NAME](*given, *grads.values()), grads


def check(found, program: Program, arrays: Mapping[str, np.ndarray], dtype: str, where: object) -> None:
    with np.errstate(all="ignore"):
        value, grads = numpy_callable(program)(*(arrays[i.name] for i in program.inputs))
    most = max([abs(float(value)), *(np.abs(g).max(initial=0) for g in grads.values()), 1.0])
    assert math.isfinite(most)
    near = {"rtol": 0, "atol": TOLERANCE[dtype] * most}
    np.testing.assert_allclose(found[0], value, **near, err_msg=f"{where}")
    for label, g in grads.items():
        np.testing.assert_allclose(found[1][label], g, **near, err_msg=f"{label}, {where}")


def drawn(program: Program, sizes: Mapping[str, int], dtype: str) -> dict[str, np.ndarray]:
    """Numbers that are of the dtype, so that both sides are given the same."""
    kinds = {i.name: i.kind for i in program.inputs}
    return {
        n: a.astype(dtype).astype(np.float64) if kinds[n] == "real" else a
        for n, a in draw(program, sizes).items()
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_text_in_loops(name: str, number: int, dtype: str) -> None:
    program, example = loss_of(name, number), OPS[name].examples[number]
    for sizes in SIZES:
        if fits(example, sizes):
            arrays = drawn(program, sizes, dtype)
            with np.errstate(all="ignore"):
                found = interpreted(program, arrays, dtype)
            check(found, program, arrays, dtype, sizes)


def at_fixed_sizes(name: str, number: int, sizes: Mapping[str, int]) -> Program:
    """The same with numbers for the sizes."""
    example = OPS[name].examples[number]
    values = {dim_symbol(n): s for n, s in sizes.items()}

    def fixed(value: object) -> object:
        value = at_sizes(value, values)
        if isinstance(value, tuple):  # sizes and places; the exponent of a norm stays SymPy's
            return tuple(int(v) if isinstance(v, sympy.Integer) else v for v in value)
        return value

    attrs = {k: tuple(dimension(d) for d in v) if k == "shape" else v for k, v in example.attrs.items()}
    shapes = [fixed(tuple(dimension(d) for d in s)) for s in example.shapes]
    domains = [
        f"labels {sizes[d.split()[1]]}" if d.startswith("labels") else d
        for d in example.domains or ("real",) * len(shapes)
    ]
    builder = Builder(
        Input(f"a{i}", s, "int" if d.startswith("labels") else "real", d)
        for i, (s, d) in enumerate(zip(shapes, domains, strict=True))
    )
    operands = [i.name for i in builder.inputs]
    out = builder.emit(name, *operands, **{k: fixed(v) for k, v in attrs.items()})
    shape = builder.type(out).shape
    builder.input(Input("weight", shape))
    total = builder.emit("pointwise", "weight", out, fn=ARG(0) * ARG(1))
    if shape:
        total = builder.emit("sum", total, axes=tuple(range(len(shape))), keepdims=False, total=True)
    program = builder.finish([("loss", total)])
    wrt = [i.name for i in program.inputs if i.kind == "real"]
    return differentiate(program, wrt).program


WHOLE = {"inverse", "solve", "det", "logdet", "det_sign", "cofactor", "cholesky", "matrix_power", "take",
         "scatter", "cumsum", "argsort", "argmax", "argmin", "prod", "prod_others",
         "pinv", "eigvalsh", "eigh_vectors", "eigh_sum", "over_gaps", "svdvals", "svd_sum"}  # fmt: skip
"""What stays in loops at any size, or whose gradient does."""


@pytest.mark.parametrize("sizes", [s for s in SIZES if 0 not in s.values()], ids=str)
@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_text_written_out(name: str, number: int, sizes: dict[str, int]) -> None:
    program = at_fixed_sizes(name, number, sizes)
    written_out = unrolled.cost(program, {}) <= unrolled.LIMIT
    assert written_out or name in WHOLE or max(math.prod(i.shape) for i in program.inputs) > 100
    arrays = drawn(program, {}, "float64")
    with np.errstate(all="ignore"):
        found = interpreted(program, arrays, "float64")
    check(found, program, arrays, "float64", sizes)


CHOSEN = [(n, i, d) for d in DTYPES for n, i in EXAMPLES if DEEP or ((n, i) in COMPILED and d == "float64")]


def test_the_chosen_examples_exist() -> None:
    assert set(EXAMPLES) >= COMPILED
    if not DEEP:
        left_out = len(DTYPES) * len(EXAMPLES) - len(CHOSEN)
        pytest.skip(f"{left_out} further kernels; SYMGRAD_DEEP=1 compiles them")


@pytest.mark.parametrize(("name", "number", "dtype"), CHOSEN)
def test_compiled(name: str, number: int, dtype: str) -> None:
    program, example = loss_of(name, number), OPS[name].examples[number]
    kernel = compile_gradient(program, dtype)
    for sizes in SIZES:
        if fits(example, sizes):
            arrays = drawn(program, sizes, dtype)
            check(kernel(arrays), program, arrays, dtype, sizes)
