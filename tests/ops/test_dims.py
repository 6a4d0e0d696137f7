"""Dimensions and shapes: reading, broadcasting, and binding to actual sizes, with the errors word for word."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symgrad.errors import ShapeError, SpecError
from symgrad.ops.dims import (
    as_dim,
    bind_dims,
    broadcast,
    dim_symbol,
    format_shape,
    parse_shape,
    product,
    same,
    shape_of,
    size_of,
)

N, D = dim_symbol("n"), dim_symbol("d")


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ("n d", (N, D)),
        ("n, d", (N, D)),
        ("(n, d)", (N, D)),
        ("n", (N,)),
        ("", ()),
        ("()", ()),
        ("n 1", (N, 1)),
        ("3 4", (3, 4)),
        (("n", 3), (N, 3)),
        (["n", "d"], (N, D)),
        ((), ()),
        (5, (5,)),
        (np.int64(5), (5,)),
        ((np.int32(2), "d"), (2, D)),
        (N, (N,)),
        ((sympy.Symbol("n"), 2 * sympy.Symbol("d")), (N, 2 * D)),
        (sympy.Integer(4), (4,)),
    ],
    ids=repr,
)
def test_shapes_are_read(spec, shape):
    assert parse_shape(spec) == shape


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("n*d", ["A dimension is an int or a name.", "such as 3 or n", "'n*d'"]),
        ("n -1", ["A dimension is an int or a name.", "'-1'"]),
        ((-1,), ["A dimension is not negative.", "-1"]),
        ((True,), ["A dimension is an int or a name.", "True"]),
        ((2.5,), ["A dimension is an int or a name.", "2.5"]),
        ((None,), ["A dimension is an int or a name.", "None"]),
        (None, ["A shape is a text or a tuple.", "None"]),
        (2.5, ["A shape is a text or a tuple.", "2.5"]),
    ],
    ids=repr,
)
def test_other_shapes_are_refused(spec, words):
    with pytest.raises(SpecError) as caught:
        parse_shape(spec)
    for word in words:
        assert word in str(caught.value)


def test_a_name_is_one_symbol_whatever_its_assumptions():
    assert as_dim(sympy.Symbol("n", positive=True)) == as_dim("n") == N
    assert same(as_dim("n"), N)
    assert not same(N, D)
    assert not same(N, 1)


def test_products():
    assert product(()) == 1
    assert product((2, 3)) == 6
    assert product((N, D)) == product((D, N))
    assert product((N, 0)) == 0


def test_shapes_print_like_numpys():
    assert [format_shape(s) for s in ((), (N,), (N, 1), (3, D, 2))] == ["()", "(n,)", "(n, 1)", "(3, d, 2)"]


@pytest.mark.parametrize(
    ("shapes", "result"),
    [
        (["n d", "n d"], "n d"),
        (["n d", "d"], "n d"),
        (["n d", ""], "n d"),
        (["n 1", "d"], "n d"),
        (["n", "n 1"], "n n"),
        (["1", "n d"], "n d"),
        (["1 1", "n 1"], "n 1"),
        (["k n d", "n 1"], "k n d"),
        (["n", "1", ""], "n"),
        ([], ""),
    ],
    ids=str,
)
def test_broadcasting(shapes, result):
    parsed = [parse_shape(s) for s in shapes]
    assert broadcast(parsed, "here") == parse_shape(result)
    assert broadcast(parsed[::-1], "here") == parse_shape(result)
    sizes = {"n": 3, "d": 4, "k": 2}
    numeric = [shape_of(s, sizes) for s in parsed]
    assert np.broadcast_shapes(*numeric) == shape_of(parse_shape(result), sizes)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ShapeError) as caught:
        broadcast([parse_shape("n d"), parse_shape("n k")], "add")
    assert str(caught.value) == (
        "These shapes do not broadcast.\n"
        "  where:    add\n"
        "  expected: equal sizes, or 1, on every axis counted from the right\n"
        "  got:      (n, d) and (n, k)\n"
        "  fix:      if d and k are meant to be the same size, give them the same name"
    )
    assert caught.value.clash == (D, dim_symbol("k"))
    with pytest.raises(ShapeError):
        broadcast([(2,), (3,)], "add")
    with pytest.raises(ShapeError):
        broadcast([(N,), (3,)], "add")


def test_sizes_are_bound():
    shapes = {"x": parse_shape("n d"), "w": parse_shape("d 1"), "s": ()}
    assert bind_dims(shapes, {"x": (4, 2), "w": (2, 1), "s": ()}) == {"n": 4, "d": 2}
    assert bind_dims(shapes, {"x": (0, 0), "w": (0, 1), "s": ()}) == {"n": 0, "d": 0}


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        ({"x": (4,), "w": (2, 1)}, "'x' has 1 axes.\n  where:    x\n  expected: (n, d)\n  got:      (4,)"),
        (
            {"x": (4, 2), "w": (3, 1)},
            "The dimension d cannot be 2 and 3 at once.\n  where:    w\n"
            "  expected: (d, 1) with d = 2, as 'x' has it\n  got:      (3, 1)",
        ),
        (
            {"x": (4, 2), "w": (2, 2)},
            "'w' has the wrong size.\n  where:    w\n  expected: (d, 1)\n  got:      (2, 2)",
        ),
    ],
)
def test_sizes_that_do_not_fit(actual, message):
    with pytest.raises(ShapeError) as caught:
        bind_dims({"x": parse_shape("n d"), "w": parse_shape("d 1")}, actual)
    assert str(caught.value) == message


def test_sizes_of_expressions():
    assert size_of(2 * N + D, {"n": 3, "d": 1}) == 7
    with pytest.raises(ShapeError, match="The size n is not known"):
        size_of(N, {"d": 1})
