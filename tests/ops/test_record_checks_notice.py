"""The checks of records are worth something: a mistake planted into a record makes them fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from calculus.deep_run import program_of as random_program
from calculus.gradient_check import WrongGradientError
from calculus.gradient_check import check as check_random
from ops import test_elementary_functions as elementary
from ops.planted import FAILURES, FAULTS, any_numbers, doubled_vjp
from ops.record_checks import SIZES as ALL_SIZES
from ops.record_checks import check_definition, check_magnitude, check_vjp, fits

from symgrad.ops import OPS, pointwise
from symgrad.ops.record import ARG, INDEX, Access, Definition, Example, Type
from symgrad.ops.scalars import ELEMENTARY

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


# Every kind of mistake in every record ------------------------------------------------------------------------

NOTHING_FLOWS = "nothing flows back through it, so there is no adjoint to spoil"
NO_ORDER = "its results are single numbers in every example, and have no axes to exchange"
GENERIC = "real numbers are in this domain unless they are chosen not to be: no draw leaves it"
UNNOTICED = {
    **{(kind, op): NOTHING_FLOWS for kind in ("doubled_vjp", "missing_vjp", "flipped_vjp")
       for op in ("argmax", "argmin", "argsort", "det_sign")},
    **{("reversed_shape", op): NO_ORDER for op in ("constant", "det", "logdet", "det_sign", "trace")},
    ("swapped_definition", "constant"): NO_ORDER,
    ("swapped_definition", "det_sign"): "all determinants of the examples are positive, in any order",
    **{("any_numbers", op): GENERIC for op in ("pinv", "inverse", "solve", "det", "cofactor", "logdet", "det_sign")},
}  # fmt: skip
"""Kinds of mistakes that no check can notice in a record, and why."""

AT = (ALL_SIZES[0], ALL_SIZES[3])
PLANTED = [
    pytest.param(kind, check, op.name, id=f"{kind.__name__}-{op.name}")
    for kind, check in FAULTS.items()
    for op in OPS.values()
]


def noticed(monkeypatch, check, wrong):
    """Whether the check, which accepts the record, refuses the one with the mistake at some example."""
    right = OPS[wrong.name]
    for sizes in AT:
        for good, bad in zip(right.examples, wrong.examples, strict=True):
            if not fits(bad, sizes):
                continue
            monkeypatch.setitem(OPS, wrong.name, wrong)
            try:
                with np.errstate(all="ignore"):
                    check(wrong.name, bad, sizes)
            except FAILURES:
                monkeypatch.setitem(OPS, wrong.name, right)
                check(wrong.name, good, sizes)
                return True
            finally:
                monkeypatch.setitem(OPS, wrong.name, right)
    return False


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("kind", "check", "name"), PLANTED)
def test_every_mistake_in_every_record(monkeypatch, kind, check, name):
    for wrong in kind(OPS[name]):
        assert noticed(monkeypatch, check, wrong) == ((kind.__name__, name) not in UNNOTICED)


def test_an_adjoint_where_nothing_flows(monkeypatch):
    plant(monkeypatch, "det_sign", vjp=lambda e, node, g: [node.args[0]])
    with pytest.raises(AssertionError):
        check_vjp("det_sign", OPS["det_sign"].examples[0], SIZES)


def test_the_list_of_what_goes_unnoticed_names_records():
    assert {name for _, name in UNNOTICED} <= set(OPS)
    assert all(any(k is any_numbers or k.__name__ == kind for k in FAULTS) for kind, _ in UNNOTICED)


# The table of elementwise functions ---------------------------------------------------------------------------

NARROW = {"positive", "unit", "above-minus-one", "above-one"}
REAL_BEYOND = ("tan", "digamma")  # their domains only keep away from poles
FLAT = ("heaviside",)  # its slope is not 0 at one point only, which is a kink
ROWS = [pytest.param(e, id=e.name) for e in ELEMENTARY]
OURS = [
    pytest.param(e, id=e.name)
    for e in ELEMENTARY
    if e.meaning is not None
    and e.name not in FLAT
    and any(sympy.diff(e.expr, ARG(i)) != 0 for i in range(e.arity))
]


@pytest.mark.parametrize("row", ROWS)
def test_another_function_in_a_row_of_the_table(row):
    with pytest.raises(FAILURES):
        elementary.test_expression_and_meaning_agree(
            replace(
                row,
                expr=1 + 2 * row.expr,
                meaning_of=lambda: row.expr if row.meaning is None else row.meaning,
            )
        )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "row", [r for r in ROWS if NARROW & set(r.values[0].domain) and r.id not in REAL_BEYOND]
)
def test_a_domain_that_is_too_wide(row):
    with pytest.raises(FAILURES), np.errstate(all="ignore"):
        elementary.test_expression_and_meaning_agree(replace(row, domain=("real",) * row.arity))


@pytest.mark.parametrize("row", OURS)
def test_a_wrong_slope_of_a_function(monkeypatch, row):
    inner = next(e for e in sympy.preorder_traversal(row.expr) if type(e).__module__.startswith("symgrad"))
    right = type(inner).fdiff
    elementary.test_partial_derivatives_are_high_precision_differences(row)
    monkeypatch.setattr(type(inner), "fdiff", lambda self, argindex=1: 3 * right(self, argindex))
    _forget()
    try:
        with pytest.raises(FAILURES):
            elementary.test_partial_derivatives_are_high_precision_differences(row)
    finally:
        monkeypatch.undo()
        _forget()


def _forget():
    sympy.core.cache.clear_cache()
    pointwise.partial.cache_clear()


# Random programs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["matmul", "sum", "take", "solve", "logsumexp", "pointwise", "norm", "concatenate"]
)
def test_random_programs_notice_a_wrong_vjp(monkeypatch, name):
    cases = (random_program(seed) for seed in range(400))
    wrong = next(iter(doubled_vjp(OPS[name])))
    for case in (c for c in cases if c is not None and name in c.drawn):
        check_random(case)
        monkeypatch.setitem(OPS, name, wrong)
        try:
            check_random(case)
        except WrongGradientError:
            return
        monkeypatch.undo()
    pytest.fail("no random program noticed it")
