"""Passes over programs: every one keeps all values, does what it claims, and leaves alone what it cannot improve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import sympy
from calculus.loss_table import LOSSES, SIZES, Loss, draw
from compile.interpreted import interpreted

import symgrad as sg
from symgrad.compile import plan_training
from symgrad.compile.costs import program_cost
from symgrad.compile.passes import PASSES, planned
from symgrad.compile.passes.fold import computed, exact
from symgrad.compile.passes.hoist import evaluate, hoist
from symgrad.compile.rows import separate, separations
from symgrad.compile.training_source import NAME, training_source
from symgrad.errors import DataError, SpecError, SymgradWarning
from symgrad.ops.dims import dim_symbol
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program, numpy_callable
from symgrad.updates import sgd

LINEAR = {"x": "n d", "w": "d 1", "y": "n 1"}
NETWORK = {"x": "n d", "u": "d m", "b": "m", "v": "m 1", "y": "n 1"}


def program(loss: object, shapes: Mapping[str, str], *wrt: str) -> Program:
    return sg.derive(loss, shapes, wrt or "w").program


def values(p: Program, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        found = numpy_callable(p)(*(arrays[i.name] for i in p.inputs))
    first, others = found if len(p.outputs) > 1 else (found, {})
    return [np.asarray(first), *map(np.asarray, others.values())]


def agree(p: Program, q: Program, arrays: Mapping[str, np.ndarray], more: Mapping[str, np.ndarray]) -> None:
    assert [label for label, _ in p.outputs] == [label for label, _ in q.outputs]
    for a, b in zip(values(p, arrays), values(q, {**arrays, **more}), strict=True):
        assert a.shape == b.shape
        size = max(1.0, float(np.abs(a[np.isfinite(a)]).max(initial=0)))
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13 * size)


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_pass_keeps_all_values_and_is_done_after_one_run(loss: Loss) -> None:
    p = loss.derive().program
    for one in PASSES.values():
        q = one.run(p)
        assert one.run(q) is q
        if q is p:
            continue
        for sizes in SIZES:
            agree(p, q, draw(loss, sizes), {})


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_what_is_hoisted_and_the_step_give_the_same_values(loss: Loss) -> None:
    p = loss.derive().program
    sizes = {"n": 40, "d": 5, "k": 3, "m": 4}
    split = hoist(p, loss.wrt[:1], (), sizes, "float64")
    if split.before is None:
        assert split.step is p
        return
    arrays = draw(loss, sizes)
    agree(p, split.step, arrays, evaluate(split.before, arrays, "float64"))
    assert program_cost(split.step, "float64").at(sizes).flops < program_cost(p, "float64").at(sizes).flops
    assert hoist(split.step, loss.wrt[:1], (), sizes, "float64").before is None


# Common subexpressions ---------------------------------------------------------------------------------------


def test_products_of_the_same_two_are_computed_once() -> None:
    builder = Builder(sg.derive("(a*b).sum()", {"a": "n", "b": "n"}, "a").program.inputs)
    one = builder.emit("pointwise", "a", "b", fn=ARG(0) * ARG(1))
    two = builder.emit("pointwise", "b", "a", fn=ARG(0) * ARG(1))
    other = builder.emit("pointwise", "b", "a", fn=ARG(0) - ARG(1))
    both = builder.emit("pointwise", one, two, other, fn=ARG(0) + ARG(1) + ARG(2))
    p = builder.finish([("loss", builder.emit("sum", both, axes=(0,), keepdims=False, total=True))])
    q = PASSES["cse"].run(p)
    assert len(q.bindings) == len(p.bindings) - 1
    agree(p, q, {"a": normal((4,)), "b": normal((4,), 1)}, {})


# Constants ---------------------------------------------------------------------------------------------------


def test_numbers_are_folded_only_where_no_dtype_would_round() -> None:
    assert exact(sympy.Rational(3, 8))
    assert exact(sympy.Integer(0))
    assert exact(sympy.Integer(2**24 - 1))
    assert not exact(sympy.Rational(1, 3))
    assert not exact(sympy.Integer(2**24 + 1))
    assert not exact(sympy.pi)
    assert not exact(sympy.Integer(2) ** 120)
    with sympy.evaluate(False):
        cases = [
            (sympy.Add(1, 2), 3),
            (sympy.Mul(3, sympy.Rational(1, 2)), sympy.Rational(3, 2)),
            (sympy.Add(2**24 - 1, 2), None),  # 2²⁴ + 1 is no float32
            (sympy.Mul(3, sympy.Pow(3, -1)), None),  # 1/3 rounds
            (sympy.log(1), None),
        ]
    for fn, value in cases:
        assert computed(fn) == value


def test_a_factor_of_one_is_left_out_and_one_of_zero_stays() -> None:
    builder = Builder(sg.derive("a.sum()", {"a": "n"}, "a").program.inputs)
    one, zero = builder.constant(1), builder.constant(0)
    same = builder.emit("pointwise", one, "a", fn=ARG(0) * ARG(1))
    nothing = builder.emit("pointwise", zero, same, fn=ARG(0) * ARG(1))
    shifted = builder.emit("pointwise", nothing, zero, fn=ARG(0) + ARG(1))
    p = builder.finish([("loss", builder.emit("sum", shifted, axes=(0,), keepdims=False, total=True))])
    q = PASSES["fold"].run(p)
    assert [str(b.attrs.get("fn")) for b in q if b.op == "pointwise"] == ["a0*a1", "a0 + a1"]
    assert np.isnan(values(q, {"a": np.array([np.inf])})[0])


# Late numbers ------------------------------------------------------------------------------------------------

ONE_SWEEP = {
    "root": ("np.sqrt(np.mean((x @ w - y)**2))", LINEAR, ("w",)),
    "root of more": ("np.sqrt(1 + np.sum((x @ w - y)**2))", LINEAR, ("w",)),
    "norm": ("np.linalg.norm(x @ w - y)", LINEAR, ("w",)),
    "log": ("np.log(((x @ w - y)**2).sum())", LINEAR, ("w",)),
    "network": (
        "np.log(1 + np.mean((np.tanh(x @ u + b) @ v - y)**2)) + 0.1*(u**2).sum()", NETWORK, ("u", "b", "v"),
    ),
    "relu": ("np.sqrt(1 + np.sum((np.maximum(x @ u + b, 0) @ v - y)**2))", NETWORK, ("u", "b", "v")),
    "shared weight": (
        "np.log(1 + np.mean((np.tanh(np.tanh(x @ w) @ w) - y)**2))", {"x": "n d", "w": "d d", "y": "n d"}, ("w",),
    ),
    "vectors": ("np.sqrt(np.sum((x @ w - y)**2))", {"x": "n d", "w": "d", "y": "n"}, ("w",)),
    "kept axes": (
        "np.log(1 + ((x @ w - y)**2).sum(axis=0, keepdims=True)).sum()", LINEAR, ("w",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_SWEEP)
def test_numbers_that_are_known_late_weigh_sums(name: str) -> None:
    loss, shapes, wrt = ONE_SWEEP[name]
    p = program(loss, shapes, *wrt)
    n = dim_symbol("n")
    q = PASSES["scale"].run(p)
    before, after = separate(p, n), separate(q, n)
    assert before is not None
    assert after is not None
    assert (before.sweeps, after.sweeps) == (2, 1)
    sizes = {"n": 9, "d": 3, "m": 4}
    arrays = {
        n: normal(tuple(int(s) if s.isdecimal() else sizes[s] for s in t.split())) for n, t in shapes.items()
    }
    agree(p, q, arrays, {})
    assert (
        program_cost(q, "float32").at({**sizes, "n": 1000}).flops
        <= program_cost(p, "float32").at({**sizes, "n": 1000}).flops
    )
    zero = {name: np.zeros_like(a) for name, a in arrays.items()}
    agree(p, q, zero, {})


@pytest.mark.parametrize(
    ("loss", "wrt"),
    [
        ("np.log(((x @ w - y)**2).sum())", ("x",)),  # the gradient itself has rows
        ("((x @ w - y)**2).sum()", ("w",)),  # nothing is late
        (
            "((x - x.mean(axis=0)) @ w - y).sum()",
            ("w",),
        ),  # no number, but a vector is late, and is subtracted
    ],
)
def test_where_no_sweep_is_saved_rows_stay_as_they_are(loss: str, wrt: tuple[str, ...]) -> None:
    p = program(loss, LINEAR, *wrt)
    assert PASSES["scale"].run(p) is p


def test_a_root_is_differentiated_in_one_sweep_if_asked_for() -> None:
    d = sg.derive("np.sqrt(np.mean((x @ w - y)**2))", LINEAR, "w")
    assert min(s.sweeps for s in separations(d.compile(passes=("scale",)).planned.program)) == 1
    assert min(s.sweeps for s in separations(d.compile().planned.program)) == 2


# Dead values -------------------------------------------------------------------------------------------------


def test_what_nobody_needs_is_dropped() -> None:
    p = program("((x @ w - y)**2).sum()", LINEAR)
    more = Program(
        p.inputs, (*p.bindings, Binding("dead", "constant", (), (("value", sympy.S.One),), ())), p.outputs
    )
    assert PASSES["drop"].run(more) == p
    assert PASSES["drop"].run(p) is p


# Choosing ----------------------------------------------------------------------------------------------------


def test_users_choose_passes_where_they_compile_and_train() -> None:
    d = sg.derive("((x @ w - y)**2).sum()", LINEAR, "w")
    arrays = {"x": normal((3, 2)), "y": normal((3, 1))}
    for call in (
        lambda: d.compile(passes=("inline",)),
        lambda: sg.minimize("((x @ w - y)**2).sum()", {"w": normal((2, 1))}, arrays, passes=["inline"]),
    ):
        with pytest.raises(SpecError, match="'inline' is no pass"):
            call()


def test_passes_are_chosen_by_name() -> None:
    p = program("np.sqrt(np.mean((x @ w - y)**2))", LINEAR)
    assert planned(p, ()).program == p
    assert planned(p, ("fold", "cse")).program == p
    assert planned(p).program == p  # scale is asked for, or left out
    changed = [c.name for c in planned(p, ("scale", "cse")).changes if c.after is not c.before]
    assert changed == ["scale"]
    with pytest.raises(SpecError) as error:
        planned(p, ("scale", "inline"))
    assert str(error.value) == (
        "'inline' is no pass.\n  where:    passes\n  expected: fold, scale, cse, drop, hoist, reuse\n  got:      scale, inline"
    )


@pytest.mark.parametrize(("dtype", "largest"), [("float32", 83.0), ("float64", 703.0)])
def test_sums_of_terms_near_the_largest_number_do_not_overflow(dtype: str, largest: float) -> None:
    x = np.random.default_rng(0).normal(size=(1000, 3)) * 1e4
    w = np.full(3, largest / (x @ np.ones(3)).max())
    with pytest.warns(SymgradWarning, match="overflows"):
        own = sg.derive("np.log(np.exp(x @ w).sum())", {"x": "n d", "w": "d"}, "w")
    _, grads = own.compile(dtype)(x=x, w=w)
    np.testing.assert_allclose(grads["w"], own(x=x, w=w)[1]["w"], rtol=2e-3 if dtype == "float32" else 1e-9)


# Invariants --------------------------------------------------------------------------------------------------


def standardised(x: np.ndarray, w: np.ndarray, y: np.ndarray) -> np.ndarray:
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.mean((z @ w - y) ** 2) + np.sum(w.T @ (x.T @ y))


def trained(
    p: Program, arrays: Mapping[str, np.ndarray], passes: tuple[str, ...], batch: bool
) -> list[np.ndarray]:
    """Parameters and losses of a few steps, the kernel run as plain Python."""
    sizes = {"n": arrays["x"].shape[0], "d": arrays["x"].shape[1]}
    plan = plan_training(p, ["w"], sgd(0.01), "float64", sizes, ("x", "y") if batch else (), False, passes)
    w, losses = arrays["w"].copy(), np.empty(4)
    rows = [np.arange(80).reshape(4, 20) % sizes["n"], np.array([20, 20, 20, 7])] if batch else []
    run = interpreted(training_source(plan), NAME)
    assert run(*plan.data_from(arrays), w, 0.01, np.zeros(1), 0, losses, *rows) == 4
    return [w, losses]


@pytest.mark.parametrize("batch", [False, True])
def test_training_is_the_same_with_and_without_hoisting(batch: bool) -> None:
    p = program(standardised, LINEAR)
    arrays = {"x": normal((60, 3)) * 5 + 2, "w": normal((3, 1)), "y": normal((60, 1))}
    for a, b in zip(trained(p, arrays, ("hoist",), batch), trained(p, arrays, (), batch), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def classes(x: np.ndarray, w: np.ndarray, y: np.ndarray, t: np.ndarray) -> np.ndarray:
    z = x @ w
    top = z.max(axis=1, keepdims=True)
    chosen = t.argmax(axis=1)  # whole numbers
    weights = np.where(y > 0, np.exp(y), np.sqrt(1 + y**2))
    held = (np.exp(y) > 1) & (y < 2)  # truth values
    logs = np.log(np.exp(z - top).sum(axis=1)) + top[:, 0] - z[np.arange(x.shape[0]), chosen]
    return np.mean(np.where(held, weights, 2.0) * logs)


def test_whole_numbers_and_truth_values_are_hoisted_as_what_they_are() -> None:
    p = program(classes, {"x": "n d", "w": "d k", "y": "n", "t": "n k"})
    sizes = {"n": 60, "d": 3, "k": 4}
    split = hoist(p, ["w"], (), sizes, "float32")
    assert split.before is not None
    kinds = {split.before.type(n).kind for n, _ in split.before.outputs}
    assert "int" in kinds
    arrays = {"x": normal((60, 3)), "w": normal((3, 4)), "y": normal((60,)), "t": normal((60, 4), 1)}
    made = evaluate(split.before, arrays, "float64")
    agree(p, split.step, arrays, made)
    for name, a in made.items():
        assert a.dtype == {"int": np.int64, "bool": np.bool_}.get(split.before.type(name).kind, np.float64)
    found = []
    for passes in (("hoist",), ()):
        plan = plan_training(p, ["w"], sgd(0.1), "float64", sizes, (), False, passes)
        w, losses = arrays["w"].copy(), np.empty(3)
        interpreted(training_source(plan), NAME)(*plan.data_from(arrays), w, 0.1, np.zeros(1), 0, losses)
        found.append((w, losses))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)


def test_a_matrix_without_an_inverse_is_refused_before_the_loop() -> None:
    p = program("((np.linalg.solve(a, x) @ w - y)**2).sum()", {**LINEAR, "a": "n n"})
    plan = plan_training(p, ["w"], sgd(), "float64", {"n": 40, "d": 3})
    assert plan.before is not None
    with pytest.raises(DataError) as error:
        plan.data_from(
            {"a": np.zeros((40, 40)), "x": normal((40, 3)), "y": normal((40, 1)), "w": normal((3, 1))}
        )
    assert "where:    v1 = np.linalg.solve(a, x)" in str(error.value)


def test_only_whole_batches_hoist_what_depends_on_rows() -> None:
    p = program(standardised, LINEAR)
    sizes = {"n": 60, "d": 3}
    whole = plan_training(p, ["w"], sgd(), "float64", sizes)
    assert whole.before is not None
    assert {str(whole.before.type(n).shape) for n, _ in whole.before.outputs} == {
        "(n, d)", "(d, 1)", "(1, d)",
    }  # fmt: skip
    assert "norm" not in {b.op for b in whole.program}
    assert plan_training(p, ["w"], sgd(), "float64", sizes, ("x", "y")).before is None


def test_a_batch_hoists_what_depends_on_other_data_alone() -> None:
    def loss(x, w, y, c):
        return np.mean((x @ w - y) ** 2) + np.sum(np.log(c)) * np.sum(w**2)

    p = program(loss, {**LINEAR, "c": "k k"})
    plan = plan_training(p, ["w"], sgd(), "float64", {"n": 60, "d": 3, "k": 20}, ("x", "y"))
    assert plan.before is not None
    assert [i.name for i in plan.before.inputs] == ["c"]


def test_what_would_take_much_memory_stays_in_the_step() -> None:
    p = program(standardised, LINEAR)
    before = [hoist(p, ["w"], (), {"n": n, "d": 64}, "float32").before for n in (2**19, 2**20)]
    assert before[0] is not None
    assert before[1] is None


def test_tiny_problems_and_empty_data_are_not_split() -> None:
    p = program(standardised, LINEAR)
    assert plan_training(p, ["w"], sgd(), "float64", {"n": 4, "d": 2}).before is None
    assert plan_training(p, ["w"], sgd(), "float64", {"n": 0, "d": 200}).before is None


def test_cheap_values_are_not_read_from_memory_instead() -> None:
    p = program("(y*(x @ w - 2*y)**2).sum()", LINEAR)
    assert plan_training(p, ["w"], sgd(), "float64", {"n": 1000, "d": 3}).before is None


def test_what_is_hoisted_has_the_precision_of_one_rounding() -> None:
    p = program(standardised, LINEAR)
    split = hoist(p, ["w"], (), {"n": 5000, "d": 3}, "float32")
    assert split.before is not None
    arrays = {"x": (normal((5000, 3)) + 100).astype(np.float32), "y": normal((5000, 1)).astype(np.float32)}
    made = evaluate(split.before, arrays, "float32")
    exact_values = evaluate(split.before, {n: a.astype(np.float64) for n, a in arrays.items()}, "float64")
    for name, a in made.items():
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, exact_values[name].astype(np.float32))
