"""The cost model: every operation has a count, and plans of all of them print."""

from __future__ import annotations

import pytest
import sympy
from ops.record_checks import weighted

import symgrad as sg
from symgrad.calculus import differentiate
from symgrad.compile import compile_gradient
from symgrad.compile.costs import FUNCTION, flops, operations, program_cost, size_in_bytes
from symgrad.compile.forms import Call, form_of
from symgrad.ops import OPS
from symgrad.ops.dims import dim_symbol
from symgrad.ops.record import ARG
from symgrad.ops.scalars import functions
from symgrad.program import Program

LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}


def loss_of(name: str, number: int) -> Program:
    program = weighted(name, OPS[name].examples[number])
    wrt = [i.name for i in program.inputs if i.name != "sizes" and i.kind == "real"]
    return differentiate(program, wrt).program


@pytest.mark.parametrize(
    ("name", "number"), [(n, k) for n, op in OPS.items() for k in range(len(op.examples))]
)
def test_every_operation_has_a_cost_and_its_plan_prints(name: str, number: int) -> None:
    program = loss_of(name, number)
    known = {s.name for i in program.inputs for d in i.shape for s in sympy.sympify(d).free_symbols}
    sizes = dict.fromkeys(known, 4)
    for b in program.bindings:
        count = flops(program, b, sizes=sizes)
        assert count >= 0
        if isinstance(form_of(program, b), Call):
            assert count > 0, b
    cost = program_cost(program, "float32").at(sizes)
    assert min(cost.flops, cost.bytes) >= 0
    lines = str(compile_gradient(program).plan).splitlines()
    assert lines[0] == "float64, sizes as given in each call"
    assert max(map(len, lines)) < 200


def test_operations_of_an_entry() -> None:
    a, b = ARG(0), ARG(1)
    counted = {
        a: 0, a + b: 1, a - b: 1, a * b: 1, a / b: 1, a**2: 1, a**3: 2, 1 / a: 1, -a: 0, 2 * a * b + 1: 3,
        sympy.sqrt(a): 1, sympy.tanh(a + b): FUNCTION + 1, functions.Maximum(a, b): 1, a / 3: 1,
    }  # fmt: skip
    assert {fn: operations(fn) for fn in counted} == counted


def test_costs_are_formulas_in_the_sizes() -> None:
    n, d = dim_symbol("n"), dim_symbol("d")
    p = sg.derive("((x @ w - y)**2).sum()", LINEAR, "w").program
    cost = program_cost(p, "float32")
    assert cost.flops == 4 * n * d + 4 * n
    assert cost.at({"n": 10, "d": 3}).flops == 160
    assert [flops(p, b, sizes={"n": 10, "d": 3}) for b in p if b.op == "matmul"] == [60, 60]
    assert cost.bytes.coeff(n * d) == 8  # x is read for the prediction and for the gradient
    assert [size_in_bytes(p, "x", t) for t in ("float32", "float64")] == [4 * n * d, 8 * n * d]


def test_fused_values_move_no_bytes() -> None:
    n = dim_symbol("n")
    one = sg.derive("np.sum(x*w)", {"x": "n", "w": "n"}, "w").program
    more = sg.derive("np.sum(-(x*w*2 + 1))", {"x": "n", "w": "n"}, "w").program
    loss = [program_cost(p.only("loss"), "float64") for p in (one, more)]
    assert [c.bytes for c in loss] == [16 * n, 16 * n]
    assert [c.at({"n": 3}).flops for c in loss] == [6, 12]
