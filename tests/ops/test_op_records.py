"""Every record, on every example, at sizes that differ, agree, are 1 and are 0."""

from __future__ import annotations

import pytest
from ops.record_checks import SIZES, check_definition, check_magnitude, check_vjp, fits, program_of, weighted

from symgrad.ops import OPS
from symgrad.ops.dims import shape_of

CASES = [
    pytest.param(op.name, example, id=f"{op.name}-{i}")
    for op in OPS.values()
    for i, example in enumerate(op.examples)
]

SIZED = [
    pytest.param(*case.values, sizes, id=f"{case.id}-{sizes}")
    for case in CASES
    for sizes in SIZES
    if fits(case.values[1], sizes)
]

SUMS = (
    "matmul",
    "sum",
    "scatter",
    "cumsum",
    "logsumexp",
    "prod",
    "prod_others",
    "einsum",
    "inverse",
    "solve",
    "det",
    "cofactor",
    "logdet",
    "cholesky",
    "matrix_power",
    "trace",
    "norm",
    "pinv",
)


def test_every_record_has_examples_and_words():
    for key, op in OPS.items():
        assert key == op.name
        assert op.examples
        assert op.rule
        assert op.source
        assert op.why or op.name == "constant"


@pytest.mark.parametrize(("name", "example", "sizes"), SIZED)
def test_definition_and_shape_are_numpys(name, example, sizes):
    check_definition(name, example, sizes)


@pytest.mark.parametrize(("name", "example", "sizes"), SIZED)
def test_vjp_is_the_scalar_derivative(name, example, sizes):
    check_vjp(name, example, sizes)


@pytest.mark.parametrize(("name", "example", "sizes"), SIZED)
def test_magnitude_bounds_the_value(name, example, sizes):
    check_magnitude(name, example, sizes)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_roundings_grow_with_what_is_summed(name, example):
    program = program_of(name, example)
    few, many = (
        OPS[name].roundings([shape_of(i.shape, dict.fromkeys("ndk", s)) for i in program.inputs], b.attrs)
        for s in (2, 20)
        for b in program.bindings
    )
    assert 0 <= few <= many
    assert (few < many) == (name in SUMS)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_explanations_are_given_for_every_argument(name, example):
    (binding,) = program_of(name, example).bindings
    for position in range(len(binding.args)):
        for broadcast in (False, True):
            rule, why = OPS[name].explanation(binding.attrs, position, broadcast)
            assert "⇒" in rule
            assert len(why.split()) > 3


def test_weighted_losses_read_every_argument():
    for case in CASES:
        name, example = case.values
        program = weighted(name, example)
        assert all(program.uses[i.name] for i in program.inputs if i.name != "sizes")
