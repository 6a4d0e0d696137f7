"""What a kernel's plan says."""

from __future__ import annotations

import numpy as np

import symgrad as sg
from symgrad.compile import compile_gradient, plan_training, training_kernel
from symgrad.compile.passes import WHY
from symgrad.compile.plan import Plan
from symgrad.compile.plan_text import amount, memory
from symgrad.compile.rows import best, separations
from symgrad.updates import sgd

LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}


def at(loss: object, shapes: dict[str, str], wrt: tuple[str, ...], sizes: dict[str, int]) -> Plan:
    """The plan of a float32 kernel as a call with these sizes would leave it."""
    kernel = compile_gradient(sg.derive(loss, shapes, wrt).program, "float32")
    program = kernel.planned.program
    kernel._sizes, kernel._last = sizes, best(program, separations(program), sizes)
    return kernel.plan


BEFORE_A_CALL = """\
float32, sizes as given in each call

pass        bindings  sweeps  flops                  bytes
as derived  8         2       4·d·n + 6·n + 3        8·d·n + 8·d + 32·n
scale       8         1       4·d·n + 3·d + 3·n + 3  8·d·n + 16·d + 24·n
nothing to do for fold, cse, drop
scale: A number that is known late weighs sums over rows, not the rows: fewer sweeps, but sums can overflow.

computed  in loops over whole arrays
because   small data; data of 524 288 entries and more goes in blocks along n (1 sweep) or d (2 sweeps)
work      4·d·n + 3·d + 3·n + 3 flops a call, 8·d·n + 16·d + 24·n bytes moved
memory    4·d + 4·n bytes besides arguments and results

value  is                                     shape  lives in     computed by
v1     matmul(x, w)                           n×1    array        a call
v2     v1 - y                                 n×1    array of v1  loops 1
v3     norm(v2)                                      a variable   loops 1
v4     sqrt(n)                                       the text
v5     v3/v4                                         a variable   loops 2
v9     transpose(x)                           d×n    its reader
v6     matmul(v9, v2)                         d×1    array        a call
v10    v6*(v3 != 0)/(v3 + (v3 == 0))/sqrt(n)  d×1    result       loops 3"""

IN_BLOCKS = """\
float32, n = 500000, d = 20, m = 32

pass        bindings  sweeps  flops   bytes
as derived  18        1       1.71 G  930 M
nothing to do for fold, cse, drop

computed  in blocks of rows along n, 1 sweep
because   the data with rows has 10 500 000 entries, and blocks pay from 524 288 on
sweep_1   512 rows a block, 32 shares on threads
work      1.71 G flops a call, 42 M bytes moved; 41 flops a byte, arithmetic is the limit
memory    138 kB in each thread, besides arguments, results and sums
"""


def test_a_plan_before_the_first_call_has_formulas() -> None:
    passes = ("fold", "scale", "cse", "drop", "reuse")
    kernel = sg.derive("np.sqrt(np.mean((x @ w - y)**2))", LINEAR, "w").compile("float32", passes)
    assert str(kernel.plan) == BEFORE_A_CALL


def test_a_plan_in_blocks_tells_sweeps_rows_and_shares() -> None:
    shapes = {"x": "n d", "u": "d m", "b": "m", "v": "m 1", "y": "n 1"}
    plan = at(
        "np.mean((np.tanh(x @ u + b) @ v - y)**2)", shapes, ("u", "b", "v"), {"n": 500000, "d": 20, "m": 32}
    )
    assert str(plan).startswith(IN_BLOCKS)
    assert plan.how == "blocks"
    assert plan.sweeps == 1
    lines = {line.split()[0]: line for line in str(plan).splitlines() if line.startswith("v")}
    tanh = next(line for line in lines.values() if "tanh(" in line)
    assert "sweep_1, loops" in tanh
    assert plan.cost.intensity > 10  # intermediates move nothing


def test_a_tiny_problem_is_said_to_be_unrolled() -> None:
    kernel = sg.derive("((x @ w - y)**2).sum()", {"x": "4 2", "w": "2 1", "y": "4 1"}, "w").compile("float32")
    plan = kernel.plan
    assert plan.how == "scalars"
    assert "because   54 scalar operations, and up to 600 every entry is a variable" in str(plan)
    assert plan.cost.at({}).flops == 48
    assert plan.cost.at({}).bytes == 64


def test_rows_that_mix_are_given_as_the_reason() -> None:
    plan = at("np.sum((x[1:] - w*x[:-1])**2)", {"x": "n", "w": ""}, ("w",), {"n": 10**6})
    assert plan.how == "loops"
    assert plan.why == "rows of the data depend on each other, or nothing is summed over them"


def test_the_plan_of_a_training_run_tells_what_is_hoisted_and_the_size_of_a_batch() -> None:
    def loss(x, w, y):
        return np.mean(((x - x.mean(axis=0)) @ w - y) ** 2)

    p = sg.derive(loss, LINEAR, "w").program
    sizes = {"n": 2000, "d": 5}
    whole = training_kernel(plan_training(p, ["w"], sgd(), "float64", sizes)).described(sizes)
    assert whole.before is not None
    ((name, _),) = whole.before.outputs
    lines = [line for line in str(whole).splitlines() if line.startswith(("hoist", "before"))]
    assert [line.split("  ")[0] for line in lines[:2]] == ["hoist", "before the loop"]
    assert lines[2] == f"hoist: {WHY['hoist']}"
    assert lines[3] == f"before    {name}, once for the whole run"
    assert "a step" in str(whole)
    batches = plan_training(p, ["w"], sgd(), "float64", sizes, ("x", "y"))
    drawn = training_kernel(batches).described(sizes, 64)
    assert str(drawn).startswith("float64, n = 64, d = 5\n")
    assert drawn.why == "mini-batches are small, and are computed whole"
    assert "nothing to do for fold, cse, drop, hoist" in str(drawn)


def test_every_binding_is_listed_once_where_no_part_repeats_it() -> None:
    plan = at("((x @ w - y)**2).sum()", LINEAR, ("w",), {"n": 100, "d": 3})
    listed = [line.split()[0] for line in str(plan).split("value  is")[1].splitlines()[1:]]
    assert listed == [b.name for b in plan.program.bindings]


def test_amounts_have_three_digits() -> None:
    assert [amount(x) for x in (0, 7, 999, 1000, 1_234_567, 10**9)] == [
        "0",
        "7",
        "999",
        "1 k",
        "1.23 M",
        "1 G",
    ]
    assert [memory(x) for x in (12, 1536)] == ["12 B", "1.54 kB"]
