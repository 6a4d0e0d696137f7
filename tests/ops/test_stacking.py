"""``stack`` of every record: the operation on a stack of arguments is the stack of its results."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ops.record_checks import SIZES, draw, fits, program_of

from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol
from symgrad.program import Builder, Input, numpy_callable

STACK = 3

CASES = [
    pytest.param(op.name, example, sizes, id=f"{op.name}-{i}-{sizes}")
    for op in OPS.values()
    if op.stack is not None
    for i, example in enumerate(op.examples)
    if example.shapes
    for sizes in SIZES
    if fits(example, sizes)
]


def stacked_program(program, stacked):
    """The operation of a one-operation program with a new first axis on those arguments."""
    (binding,) = program.bindings
    front = dict(zip(binding.args, stacked, strict=True))
    inputs = [
        Input(i.name, ((dim_symbol("m"), *i.shape) if front.get(i.name) else i.shape), i.kind)
        for i in program.inputs
    ]
    builder = Builder(inputs)
    made = binding.record.stack(builder, binding, binding.args, stacked)
    assert builder.type(made).shape == (dim_symbol("m"), *binding.shape)
    return builder.finish([("loss", made)])


@pytest.mark.parametrize("size", [STACK, 1, 0])
@pytest.mark.parametrize(("name", "example", "sizes"), CASES)
def test_a_stacked_operation_is_the_stack_of_operations(name, example, sizes, size):
    single = program_of(name, example)
    (binding,) = single.bindings
    for stacked in product((False, True), repeat=len(binding.args)):
        whole = [s for a, s in zip(binding.args, stacked, strict=True) if single.type(a).kind != "real"]
        if not any(stacked) or any(whole):  # whole numbers have no derivative, hence no stacks
            continue
        drawn = [draw(single, sizes, seed) for seed in range(max(size, 1))]
        arrays, slices = {}, [dict(drawn[0]) for _ in range(size)]
        for i in single.inputs:
            if i.name in binding.args and stacked[binding.args.index(i.name)]:
                whole = np.stack([d[i.name] for d in drawn])[:size]
                arrays[i.name] = whole
                for row, one in zip(slices, whole, strict=True):
                    row[i.name] = one
            else:
                arrays[i.name] = drawn[0][i.name]
        result = numpy_callable(stacked_program(single, stacked))(*arrays.values())
        one_by_one = [np.asarray(numpy_callable(single)(*s.values())) for s in slices]
        if one_by_one:
            np.testing.assert_allclose(result, np.stack(one_by_one), rtol=1e-12, atol=1e-13)
        else:
            assert result.shape[0] == 0


def test_a_constant_is_the_same_in_every_slice():
    builder = Builder([])
    name = builder.constant(3)
    made = OPS["constant"].stack(builder, builder.binding(name), (), ())
    assert builder.constant_value(made) == 3


def test_every_record_can_be_stacked():
    without = {op.name for op in OPS.values() if op.stack is None and any(x.shapes for x in op.examples)}
    assert not without, f"no Jacobian goes through {sorted(without)}"
