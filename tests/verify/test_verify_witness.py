"""The derived gradients against SymPy's scalar derivative, and tests of this tester: planted errors show."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from verify_losses import WITNESSED, Problem

from symgrad.errors import SymgradError
from symgrad.ops import OPS
from symgrad.ops.record import ARG, Type
from verify.witness import check_derivation


def _check(problem: Problem) -> None:
    check_derivation(
        problem.loss, problem.shapes, problem.wrt, problem.given or None, problem.domains or None
    )


@pytest.mark.parametrize("problem", WITNESSED, ids=lambda p: p.name)
def test_derived_gradient_agrees_with_the_scalar_derivative(problem):
    _check(problem)


def _planted(monkeypatch, name: str, **changes: Any) -> None:
    monkeypatch.setitem(OPS, name, dataclasses.replace(OPS[name], **changes))


def _by_name(name: str) -> Problem:
    return next(p for p in WITNESSED if p.name == name)


def _fails(problem: Problem) -> bool:
    try:
        _check(problem)
    except (AssertionError, SymgradError):
        return True
    return False


def test_a_wrong_vjp_of_matmul_shows(monkeypatch):
    right = OPS["matmul"].vjp

    def wrong(e, node, g):
        first, second = right(e, node, g)
        return [first, e.pointwise(2 * ARG(0), second)]

    _planted(monkeypatch, "matmul", vjp=wrong)
    assert _fails(_by_name("linear"))


def test_a_missing_transpose_in_a_vjp_shows(monkeypatch):
    def wrong(e, node, g):
        a, b = node.args
        g = e.full(g, node.shape)
        return [e.emit("matmul", g, b), e.emit("matmul", a, g)]

    _planted(monkeypatch, "matmul", vjp=wrong)
    assert _fails(Problem("square", lambda a, b: ((a @ b) ** 2).sum(), {"a": "n n", "b": "n n"}, ("a", "b")))


def test_a_wrong_vjp_of_sum_shows(monkeypatch):
    _planted(monkeypatch, "sum", vjp=lambda e, node, g: [e.pointwise(-ARG(0), g)])
    assert _fails(_by_name("linear"))


def test_a_vjp_that_forgets_an_argument_shows(monkeypatch):
    right = OPS["pointwise"].vjp
    _planted(monkeypatch, "pointwise", vjp=lambda e, node, g: [*right(e, node, g)[:-1], None])
    assert _fails(_by_name("bias"))


def test_a_wrong_shape_rule_shows(monkeypatch):
    _planted(monkeypatch, "transpose", infer=lambda args, attrs: Type(args[0].shape))
    assert _fails(_by_name("linear"))
