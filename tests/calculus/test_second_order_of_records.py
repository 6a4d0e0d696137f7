"""Second derivatives through every record: rules that are differentiated once more, and stacks of them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from ops.record_checks import SIZES, draw, fits, weighted

from symgrad.calculus import differentiate, jacobian_rows, reshape_output, vector_jacobian
from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.ops.record import ARG
from symgrad.program import Builder, Program, numpy_callable

CASES = [
    pytest.param(op.name, example, sizes, id=f"{op.name}-{i}-{sizes}")
    for op in OPS.values()
    for i, example in enumerate(op.examples)
    if example.shapes
    for sizes in SIZES
    if fits(example, sizes)
]
STEP = 1e-5


def curved(name, example):
    """Σ weight ⊙ sin(op(…)) + ¼ (Σ weight ⊙ op(…))²: no operation is linear in it."""
    program = weighted(name, example)
    builder = Builder.extending(program)
    loss = program.output["loss"]
    by_name = program.by_name
    product = by_name[loss] if by_name[loss].op == "pointwise" else by_name[by_name[loss].args[0]]
    bent = builder.emit("pointwise", *product.args, fn=ARG(0) * sympy.sin(ARG(1)))
    shape = builder.type(bent).shape
    if shape:
        bent = builder.emit("sum", bent, axes=tuple(range(len(shape))), keepdims=False, total=True)
    total = builder.emit("pointwise", bent, loss, fn=ARG(0) + ARG(1) ** 2 / 4)
    return builder.finish([("loss", total)])


def parameters(program):
    return [i.name for i in program.inputs if i.name not in ("weight", "sizes") and i.kind == "real"]


def gradient_of(program: Program, wrt: str) -> Program:
    made = differentiate(program, [wrt]).program
    return Program(
        made.inputs, made.bindings, (("loss", made.output["loss"]), ("gradient", made.output[wrt]))
    )


def call(program, arrays, label):
    ordered = [arrays[i.name] for i in program.inputs]
    return np.asarray(numpy_callable(program.only(label))(*ordered), dtype=float)


@pytest.mark.parametrize(("name", "example", "sizes"), CASES)
def test_the_hessian_is_the_slope_of_the_gradient(name, example, sizes):
    program = curved(name, example)
    arrays = draw(program, sizes)
    rng = np.random.default_rng(1)
    for wrt in parameters(program):
        gradient = gradient_of(program, wrt)
        shape = program.type(wrt).shape
        product = vector_jacobian(gradient, "gradient", wrt, "direction", "hvp")
        direction = rng.standard_normal(arrays[wrt].shape)
        if next(i for i in program.inputs if i.name == wrt).domain == "spd":
            direction = direction + np.swapaxes(direction, -1, -2)
        found = call(product, {**arrays, "direction": direction}, "hvp")
        assert found.shape == arrays[wrt].shape
        up, down = (
            call(gradient, {**arrays, wrt: arrays[wrt] + t * direction}, "gradient") for t in (STEP, -STEP)
        )
        np.testing.assert_allclose(found, (up - down) / (2 * STEP), rtol=1e-5, atol=1e-7, err_msg=wrt)
        rows = jacobian_rows(gradient, "gradient", wrt, "hessian")
        rows = reshape_output(rows, "hessian", (*shape, *shape))
        matrix = call(rows, arrays, "hessian")
        assert matrix.shape == arrays[wrt].shape * 2
        units = np.eye(arrays[wrt].size).reshape(arrays[wrt].size, *arrays[wrt].shape)
        one_by_one = [call(product, {**arrays, "direction": u}, "hvp") for u in units]
        expected = np.array(one_by_one).reshape(matrix.shape)
        np.testing.assert_allclose(matrix, expected, rtol=1e-9, atol=1e-11, err_msg=wrt)


def test_shapes_are_symbolic():
    program = curved("pointwise", OPS["pointwise"].examples[0])
    rows = jacobian_rows(gradient_of(program, "a0"), "gradient", "a0", "hessian")
    n, d = dim_symbol("n"), dim_symbol("d")
    assert rows.type(rows.output["hessian"]).shape == (n, d, n, d)
    assert shape_of((n, d, n, d), {"n": 1, "d": 3}) == (1, 3, 1, 3)
