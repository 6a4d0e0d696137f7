"""The derived gradients against SymPy's scalar derivative, and tests of this tester: planted errors show."""

from __future__ import annotations

import dataclasses
from math import prod
from typing import Any

import numpy as np
import pytest
import sympy
from verify_losses import WITNESSED, Problem

from symgrad.errors import SymgradError
from symgrad.ops import OPS
from symgrad.ops.record import ARG, Access, Definition, Example, Type
from symgrad.program import Binding, Input, Program, numpy_callable
from symgrad.program.scalarise import scalar_expressions
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


def test_a_wrong_defining_sum_shows(monkeypatch):
    def wrong(args, attrs, out):
        right = OPS_MATMUL.define(args, attrs, out)
        return Definition(right.rank, right.access, 2 * right.fn, right.reduce)

    OPS_MATMUL = OPS["matmul"]
    _planted(monkeypatch, "matmul", define=wrong)
    assert any(not _record_agrees("matmul", e) for e in OPS["matmul"].examples)


def test_a_wrong_access_in_a_definition_shows(monkeypatch):
    right = OPS["transpose"].define

    def wrong(args, attrs, out):
        definition = right(args, attrs, out)
        return Definition(definition.rank, (Access(0, definition.access[0].index[::-1]),), definition.fn)

    _planted(monkeypatch, "transpose", define=wrong)
    assert not _record_agrees("transpose", Example((("n", "n"),), {"axes": (1, 0)}))


# Each record's defining sum against NumPy ------------------------------------------------------------------

SIZES = {"n": 3, "d": 2, "k": 4}


def _attrs(example: Any) -> dict[str, Any]:
    """The example's attributes at fixed sizes."""
    attrs = dict(example.attrs)
    if "shape" in attrs:
        attrs["shape"] = tuple(_fixed(d) for d in attrs["shape"])
    return attrs


def _fixed(dim: Any) -> int:
    return prod(SIZES.get(part) or int(part) for part in str(dim).split("*"))


def _record_agrees(name: str, example: Any) -> bool:
    attrs = _attrs(example)
    inputs = tuple(Input(f"a{i}", tuple(_fixed(d) for d in s)) for i, s in enumerate(example.shapes))
    result = OPS[name].infer([i.type for i in inputs], attrs)
    names = tuple(i.name for i in inputs)
    binding = Binding("out", name, names, tuple(sorted(attrs.items())), result.shape, result.kind)
    program = Program(inputs, (binding,), (("out", "out"),))
    generator = np.random.default_rng(3)
    arrays = {i.name: generator.standard_normal(i.shape) for i in inputs}
    entries = {
        (n, at): sympy.Float(repr(float(v)), 30) for n, a in arrays.items() for at, v in np.ndenumerate(a)
    }
    expected = np.asarray(numpy_callable.__wrapped__(program)(*arrays.values()))
    written = scalar_expressions(program, {}, entries)
    if expected.shape != result.shape:
        return False
    got = np.array([float(written["out", at]) for at in np.ndindex(expected.shape)]).reshape(expected.shape)
    return np.allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "example"), [(n, e) for n, op in OPS.items() for e in op.examples], ids=lambda v: str(v)[:60]
)
def test_defining_sum_is_what_numpy_computes(name, example):
    assert _record_agrees(name, example)
