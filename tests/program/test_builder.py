"""The builder: equal bindings are shared, nothing the user wrote is folded, adjoints stay small."""

from __future__ import annotations

import pytest
import sympy

from symgrad.errors import ShapeError, SpecError
from symgrad.ops.dims import dim_symbol, parse_shape
from symgrad.ops.record import ARG
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder, Input, exact_number

A, B = ARG(0), ARG(1)
N, D = dim_symbol("n"), dim_symbol("d")


@pytest.fixture
def builder():
    return Builder([Input("x", parse_shape("n d")), Input("w", parse_shape("d")), Input("s", ())])


def test_equal_bindings_are_one(builder):
    first = builder.emit("pointwise", "x", "w", fn=A * B)
    assert builder.emit("pointwise", "x", "w", fn=A * B) == first
    assert builder.emit("pointwise", "x", "w", fn=A + B) != first
    assert len(builder.bindings) == 2


def test_a_double_transpose_is_nothing(builder):
    turned = builder.emit("transpose", "x", axes=(1, 0))
    assert builder.emit("transpose", turned, axes=(1, 0)) == "x"


def test_transposes_of_three_axes_are_composed():
    builder = Builder([Input("t", parse_shape("n m d"))])
    once = builder.emit("transpose", "t", axes=(1, 2, 0))
    twice = builder.emit("transpose", once, axes=(1, 2, 0))
    assert builder.type(twice).shape == parse_shape("d n m")
    assert builder.binding(twice).args == ("t",)
    assert builder.emit("transpose", twice, axes=(1, 2, 0)) == "t"


def test_moves_to_the_same_shape_are_nothing(builder):
    assert builder.emit("reshape", "x", shape=parse_shape("n d")) == "x"
    assert builder.emit("broadcast_to", "x", shape=parse_shape("n d")) == "x"


def test_what_the_user_wrote_is_kept(builder):
    one = builder.constant(1)
    there = builder.emit("pointwise", "x", one, fn=A + B)
    back = builder.emit("pointwise", there, one, fn=A - B)
    assert back != "x"
    assert [b.op for b in builder.bindings] == ["constant", "pointwise", "pointwise"]


def test_calculus_folds_its_constants(builder):
    two = builder.emit("broadcast_to", builder.constant(2), shape=parse_shape("n d"))
    scaled = builder.pointwise(A * B, two, "x")
    assert builder.binding(scaled).args == ("x",)
    assert builder.binding(scaled).attrs["fn"] == 2 * A
    assert builder.pointwise(A * B, builder.constant(1), "x") == "x"
    assert builder.constant_value(builder.pointwise(A + B, builder.constant(1), two)) == 3


@pytest.mark.parametrize(
    ("have", "full", "to", "result", "factor"),
    [
        ("n d", "n d", "n d", "n d", None),
        ("n d", "n d", "d", "d", None),
        ("n d", "n d", "1 d", "1 d", None),
        ("n d", "n d", "n 1", "n 1", None),
        ("n d", "n d", "", "", None),
        ("n d", "n d", "1 1", "1 1", None),
        ("", "n d", "d", "", N),
        ("", "n d", "", "", N * D),
        ("d", "n d", "", "", N),
        ("n 1", "n d", "d", "1", None),
        ("n 1", "n d", "n 1", "n 1", D),
        ("", "n d", "n d", "", None),
        ("1 d", "n d", "d", "d", N),
    ],
)
def test_adjoints_are_summed_without_being_written_out(have, full, to, result, factor):
    builder = Builder([Input("g", parse_shape(have))])
    made = builder.sum_to("g", parse_shape(full), parse_shape(to))
    assert builder.type(made).shape == parse_shape(result)
    factors = [b.attrs["fn"] / A for b in builder.bindings if b.op == "pointwise"]
    assert factors == ([] if factor is None else [factor])
    assert not any(b.op == "broadcast_to" for b in builder.bindings)


def test_full_writes_an_adjoint_out(builder):
    assert builder.full("x", parse_shape("n d")) == "x"
    made = builder.full("s", parse_shape("n d"))
    assert builder.type(made).shape == parse_shape("n d")


def test_shapes_are_checked_on_the_way(builder):
    with pytest.raises(ShapeError, match="inner dimensions of matmul differ: d and n"):
        builder.emit("matmul", "x", "x")
    with pytest.raises(ShapeError, match="not scalars"):
        builder.emit("matmul", "x", "s")


def test_finish_drops_what_is_not_needed_and_numbers_the_rest(builder):
    builder.emit("pointwise", "x", fn=sympy.exp(A))
    kept = builder.emit("pointwise", "x", fn=A**2)
    total = builder.emit("sum", kept, **sum_attrs(2, (0, 1)))
    program = builder.finish([("loss", total)])
    assert [b.name for b in program.bindings] == ["v1", "v2"]
    assert str(program).splitlines()[-1] == "loss = v2"
    assert [i.name for i in program.inputs] == ["x", "w", "s"]


@pytest.mark.parametrize(
    ("label", "name"), [("hidden", "hidden"), ("v1", "v1"), ("lambda", "v1"), ("x", "v1"), ("a b", "v1")]
)
def test_labels_become_names_where_they_can(builder, label, name):
    value = builder.emit("pointwise", "x", fn=A**2)
    builder.label(value, label)
    builder.label(value, "second")
    program = builder.finish([("out", value)])
    assert program.output["out"] == name
    assert program.bindings[0].label == label


def test_programs_are_values(builder):
    def make():
        b = Builder([Input("x", parse_shape("n d"))])
        return b.finish([("loss", b.emit("sum", "x", **sum_attrs(2, (0, 1))))])

    assert make() == make()
    assert len({make(), make()}) == 1


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (1, sympy.Integer(1)),
        (True, sympy.Integer(1)),
        (0.5, sympy.Rational(1, 2)),
        (0.1, sympy.Rational(*(0.1).as_integer_ratio())),
        (sympy.Rational(1, 3), sympy.Rational(1, 3)),
        (sympy.pi, sympy.pi),
        (sympy.Float(0.25), sympy.Rational(1, 4)),
        (0.5 * sympy.pi, sympy.pi / 2),
        (1e-320, sympy.Rational(*(1e-320).as_integer_ratio())),
    ],
    ids=repr,
)
def test_numbers_are_exact(value, exact):
    assert exact_number(value) == exact


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1.5x", None, 1j, [1, 2]], ids=repr)
def test_other_numbers_are_refused(value):
    with pytest.raises(SpecError, match="finite real number"):
        exact_number(value)
