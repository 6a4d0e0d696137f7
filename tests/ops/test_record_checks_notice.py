"""The checks of records are worth something: a mistake planted into a record makes them fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ops.record_checks import check_definition, check_magnitude, check_vjp

from symgrad.ops import OPS
from symgrad.ops.record import ARG, INDEX, Access, Definition, Example, Type

SIZES = {"n": 3, "d": 2, "k": 2}
MATMUL = Example((("n", "n"), ("n", "n")))
TANH = OPS["pointwise"].examples[5]
SUM = OPS["sum"].examples[1]


def plant(monkeypatch, name, **changes):
    monkeypatch.setitem(OPS, name, replace(OPS[name], **changes))


def untransposed(e, node, g):
    a, b = node.args
    return [e.emit("matmul", e.full(g, node.shape), b), e.emit("matmul", a, e.full(g, node.shape))]


def test_a_forgotten_transpose_in_a_vjp(monkeypatch):
    check_vjp("matmul", MATMUL, SIZES)
    plant(monkeypatch, "matmul", vjp=untransposed)
    with pytest.raises(AssertionError):
        check_vjp("matmul", MATMUL, SIZES)


def test_a_dropped_factor_in_a_vjp(monkeypatch):
    plant(monkeypatch, "pointwise", vjp=lambda e, node, g: [g] * len(node.args))
    with pytest.raises(AssertionError):
        check_vjp("pointwise", TANH, SIZES)


def test_a_vjp_that_flows_nowhere(monkeypatch):
    plant(monkeypatch, "sum", vjp=lambda e, node, g: [None])
    with pytest.raises(AssertionError):
        check_vjp("sum", SUM, SIZES)


def test_swapped_indices_in_a_definition(monkeypatch):
    def swapped(args, attrs, out):
        k = INDEX(2)
        return Definition(
            2, (Access(0, (k, INDEX(0))), Access(1, (k, INDEX(1)))), ARG(0) * ARG(1), (args[0].shape[-1],)
        )

    plant(monkeypatch, "matmul", define=swapped)
    with pytest.raises(AssertionError):
        check_definition("matmul", MATMUL, SIZES)


def test_another_function_in_a_definition(monkeypatch):
    plant(monkeypatch, "outer", define=lambda args, attrs, out: Definition(
        2, (Access(0, (INDEX(0),)), Access(1, (INDEX(1),))), ARG(0) + ARG(1)
    ))  # fmt: skip
    with pytest.raises(AssertionError):
        check_definition("outer", OPS["outer"].examples[0], SIZES)


def test_a_wrong_shape(monkeypatch):
    plant(monkeypatch, "sum", infer=lambda args, attrs: Type(args[0].shape[::-1]))
    with pytest.raises(AssertionError):
        check_definition("sum", SUM, SIZES)


def test_a_magnitude_that_cancels(monkeypatch):
    plant(monkeypatch, "matmul", magnitude=lambda args, attrs, out: args[0].value @ args[1].value)
    with pytest.raises(AssertionError):
        check_magnitude("matmul", MATMUL, SIZES)
