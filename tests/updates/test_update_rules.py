"""Update rules against loops written by hand, their printing, and what depends on no array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad import updates
from symgrad.errors import SpecError, SymgradWarning
from symgrad.updates import Assignment, UpdateRule

Array = np.ndarray
Loop = Callable[[Array, Iterator[Array]], Iterator[Array]]


def run(rule: UpdateRule, w: Array, gradients: list[Array]) -> list[Array]:
    state = {name: np.full_like(w, dict(rule.initial).get(name, 0.0)) for name in rule.state}
    path = []
    for t, g in enumerate(gradients, start=1):
        w, state = updates.apply_rule(rule, w, g, t, state)
        path.append(w)
    return path


# The same methods as plain loops, from the table of OneFlow's arithmetic; they share nothing with the rules.


def sgd_loop(
    lr: float, mu: float = 0, tau: float = 0, decay: float = 0, nesterov: bool = False, up: int = 1
) -> Loop:
    def loop(w: Array, gradients: Iterator[Array]) -> Iterator[Array]:
        m = np.zeros_like(w)
        for g in gradients:
            g = g + decay * w
            m = mu * m + (1 - tau) * g
            w = w - up * lr * (g + mu * m if nesterov else m if mu else g)
            yield w

    return loop


def adam_loop(
    lr: float,
    b1: float,
    b2: float,
    eps: float,
    l2: float = 0,
    decay: float = 0,
    ams: bool = False,
    fix: bool = True,
) -> Loop:
    def loop(w: Array, gradients: Iterator[Array]) -> Iterator[Array]:
        m, v, top = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
        for i, g in enumerate(gradients):
            g = g + l2 * w
            m += (1 - b1) * (g - m)
            v += (1 - b2) * (g * g - v)
            top = np.where(v > top, v, top)
            m_hat = m / (1 - b1 ** (i + 1)) if fix else m
            v_hat = (top if ams else v) / ((1 - b2 ** (i + 1)) if fix else 1)
            w = w * (1 - lr * decay) - lr * m_hat / (v_hat**0.5 + eps)
            yield w

    return loop


def rmsprop_loop(lr: float, alpha: float, eps: float, l2: float = 0, centered: bool = False) -> Loop:
    def loop(w: Array, gradients: Iterator[Array]) -> Iterator[Array]:
        v, m = np.zeros_like(w), np.zeros_like(w)
        for g in gradients:
            g = g + l2 * w
            v = alpha * v + (1 - alpha) * g * g
            m = alpha * m + (1 - alpha) * g
            w = w - lr * g * (v - (m * m if centered else 0) + eps) ** -0.5
            yield w

    return loop


def adagrad_loop(lr: float, falling: float, start: float, eps: float) -> Loop:
    def loop(w: Array, gradients: Iterator[Array]) -> Iterator[Array]:
        h = np.full_like(w, start)
        for i, g in enumerate(gradients):
            h = h + g * g
            w = w - lr / (1 + i * falling) * g / (h**0.5 + eps)
            yield w

    return loop


def adadelta_loop(lr: float, rho: float, eps: float, up: int = 1) -> Loop:
    def loop(w: Array, gradients: Iterator[Array]) -> Iterator[Array]:
        h, q = np.zeros_like(w), np.zeros_like(w)
        for g in gradients:
            h = rho * h + (1 - rho) * g * g
            move = ((q + eps) / (h + eps)) ** 0.5 * g
            q = rho * q + (1 - rho) * move * move
            w = w - up * lr * move
            yield w

    return loop


CASES: dict[str, tuple[UpdateRule, Loop]] = {
    "sgd": (updates.sgd(0.1), sgd_loop(0.1)),
    "sgd decay": (updates.sgd(0.1, weight_decay=0.3), sgd_loop(0.1, decay=0.3)),
    "sgd momentum": (updates.sgd(0.1, momentum=0.9), sgd_loop(0.1, 0.9)),
    "sgd dampened": (updates.sgd(0.1, momentum=0.9, dampening=0.4), sgd_loop(0.1, 0.9, 0.4)),
    "sgd nesterov": (
        updates.sgd(0.1, momentum=0.9, weight_decay=0.2, nesterov=True),
        sgd_loop(0.1, 0.9, decay=0.2, nesterov=True),
    ),
    "sgd uphill": (updates.sgd(0.1, maximize=True), sgd_loop(0.1, up=-1)),
    "sgd uphill momentum": (updates.sgd(0.1, momentum=0.5, maximize=True), sgd_loop(0.1, 0.5, up=-1)),
    "adam": (updates.adam(0.1), adam_loop(0.1, 0.9, 0.999, 1e-8)),
    "adam l2": (updates.adam(0.1, (0.8, 0.9), 1e-3, 0.2), adam_loop(0.1, 0.8, 0.9, 1e-3, l2=0.2)),
    "adam amsgrad": (updates.adam(0.1, (0.5, 0.6), amsgrad=True), adam_loop(0.1, 0.5, 0.6, 1e-8, ams=True)),
    "adam uncorrected": (
        updates.adam(0.1, do_bias_correction=False),
        adam_loop(0.1, 0.9, 0.999, 1e-8, fix=False),
    ),
    "adamw": (updates.adamw(0.1, weight_decay=0.2), adam_loop(0.1, 0.9, 0.999, 1e-8, decay=0.2)),
    "rmsprop": (updates.rmsprop(0.1, weight_decay=0.1), rmsprop_loop(0.1, 0.99, 1e-8, l2=0.1)),
    "rmsprop centered": (
        updates.rmsprop(0.1, 0.9, 1e-4, centered=True),
        rmsprop_loop(0.1, 0.9, 1e-4, centered=True),
    ),
    "adagrad": (updates.adagrad(0.1, 0.3, 0.0, 0.5), adagrad_loop(0.1, 0.3, 0.5, 1e-10)),
    "adadelta": (updates.adadelta(0.7), adadelta_loop(0.7, 0.9, 1e-6)),
    "adadelta uphill": (updates.adadelta(maximize=True), adadelta_loop(1.0, 0.9, 1e-6, up=-1)),
}


def differs(rule: UpdateRule, loop: Loop, shape: tuple[int, ...] = (3, 2), seed: int = 0) -> bool:
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape)
    gradients = [rng.standard_normal(shape) for _ in range(6)]
    pairs = zip(run(rule, w, gradients), loop(w, iter(gradients)))
    return not all(np.allclose(a, b, rtol=1e-11, atol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=8, deadline=None)
@given(shape=st.lists(st.integers(0, 3), max_size=3).map(tuple), seed=st.integers(0, 1000))
def test_rules_agree_with_loops_written_by_hand(name: str, shape: tuple[int, ...], seed: int) -> None:
    assert not differs(*CASES[name], shape, seed)


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_assignment_is_caught(name: str) -> None:
    rule, loop = CASES[name]
    for number, step in enumerate(rule.steps):
        slightly = Assignment(step.target, step.value * sympy.Rational(1001, 1000))
        changed = (*rule.steps[:number], slightly, *rule.steps[number + 1 :])
        wrong = UpdateRule(rule.name, rule.hyper, rule.state, changed, rule.source, rule.initial)
        assert differs(wrong, loop), step


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name: str) -> None:
    rule, _ = CASES[name]
    ones = np.ones((2, 2), np.float32)
    w, state = updates.apply_rule(rule, ones, ones, 1, dict.fromkeys(rule.state, ones))
    assert {a.dtype for a in (w, *state.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", CASES)
def test_rules_are_closed_programs_over_real_symbols(name: str) -> None:
    rule, _ = CASES[name]
    known: set[sympy.Symbol] = {updates.PARAMETER, updates.GRADIENT, updates.STEP}
    known |= {updates.hyper_symbol(n) for n in (*dict(rule.hyper), *rule.state)}
    for step in rule.steps:
        assert step.value.free_symbols <= known
        known.add(updates.hyper_symbol(step.target))
    assert rule.steps[-1].target == "w"
    assert all(isinstance(value, float) for _, value in rule.hyper)
    used = {s.name for step in rule.steps for s in step.value.free_symbols}
    assert {n for n, _ in rule.hyper} <= used
    assert hash(rule) == hash(rule)


def test_what_depends_on_no_array() -> None:
    assert updates.adam().scalar_targets == {"a", "b"}
    assert updates.adam(amsgrad=True).temporaries == ("a", "b")
    assert updates.adagrad(lr_decay=0.1).scalar_targets == {"a"}
    assert updates.sgd(momentum=0.9, nesterov=True).scalar_targets == frozenset()
    assert updates.sgd(momentum=0.9, nesterov=True).temporaries == ("p",)


def test_options_that_are_zero_leave_no_trace() -> None:
    assert updates.sgd(0.1).state == ()
    assert updates.sgd(0.1).hyper == (("lr", 0.1),)
    assert updates.adam().state == ("m", "v")
    assert updates.adam(amsgrad=True).state == ("m", "v", "vmax")


def test_a_schedule_overrides_a_hyperparameter() -> None:
    w, _ = updates.apply_rule(updates.sgd(0.1), np.ones(1), np.ones(1), 1, {}, {"lr": 0.5})
    assert w == [0.5]


def test_formulas_read_as_in_a_paper() -> None:
    assert updates.sgd(0.01).formula() == "w ← w − ηg\nwith η = lr = 0.01"
    assert updates.adam().formula() == (
        "m ← β₁m + (1 − β₁)g\n"
        "v ← β₂v + (1 − β₂)g²\n"
        "a ← η/(1 − β₁ᵗ)\n"
        "b ← √(1 − β₂ᵗ)\n"
        "w ← w − a·m/(√v/b + ε)\n"
        "with η = lr = 0.001, β₁ = beta1 = 0.9, β₂ = beta2 = 0.999, ε = eps = 1e-08"
    )
    assert str(updates.sgd(0.1, 0.9, 0.1, 0.2, nesterov=True)).splitlines()[:4] == [
        "d ← g + λw",
        "m ← μm + (1 − τ)d",
        "p ← μm + d",
        "w ← w − ηp",
    ]
    assert updates.adamw(weight_decay=0.1).formula("ascii").splitlines()[4] == (
        "w <- w - a*m/(sqrt(v)/b + eps) - lr*weight_decay*w"
    )
    assert updates.adagrad(lr_decay=0.1, initial_accumulator_value=0.5).formula().splitlines() == [
        "h ← h + g²",
        "a ← η/(1 + ζ(t − 1))",
        "w ← w − a·g/(√h + ε)",
        "with η = lr = 0.001, ε = eps = 1e-10, ζ = lr_decay = 0.1, h = 0.5 at first",
    ]
    assert updates.adam(amsgrad=True).formula().splitlines()[2] == "vₘₐₓ ← max(vₘₐₓ, v)"
    assert updates.adam().formula("latex") == (
        "\\begin{aligned}\n"
        "m &\\leftarrow \\beta_1 m + (1 - \\beta_1) g \\\\\n"
        "v &\\leftarrow \\beta_2 v + (1 - \\beta_2) g^{2} \\\\\n"
        "a &\\leftarrow \\frac{\\eta}{1 - \\beta_1^{t}} \\\\\n"
        "b &\\leftarrow \\sqrt{1 - \\beta_2^{t}} \\\\\n"
        "w &\\leftarrow w - \\frac{a m}{\\frac{\\sqrt{v}}{b} + \\varepsilon}\n"
        "\\end{aligned}"
    )
    with pytest.raises(SpecError, match="a formula has no such style"):
        updates.sgd().formula("html")


@pytest.mark.parametrize("name", CASES)
def test_ascii_formulas_are_ascii_and_mean_the_same(name: str) -> None:
    rule, _ = CASES[name]
    text = rule.formula("ascii")
    assert text.isascii()
    names: dict[str, Any] = {"t": updates.STEP, "max": sympy.Max, "sqrt": sympy.sqrt}
    for word in ("w", "g", *dict(rule.hyper), *rule.state, *rule.temporaries):
        names[word] = updates.hyper_symbol(word)
    for line, step in zip(text.splitlines(), rule.steps):
        target, value = line.split(" <- ")
        assert target == step.target
        assert sympy.simplify(eval(value.replace("^", "**"), names) - step.value) == 0


@pytest.mark.parametrize(
    ("call", "where", "expected", "got"),
    [
        (lambda: updates.sgd(-0.1), "SGD, lr", "a number ≥ 0", "-0.1"),
        (lambda: updates.sgd(float("nan")), "SGD, lr", "a number ≥ 0", "nan"),
        (lambda: updates.sgd("fast"), "SGD, lr", "a number ≥ 0", "'fast' (str)"),
        (lambda: updates.sgd(True), "SGD, lr", "a number ≥ 0", "True (bool)"),
        (lambda: updates.sgd(momentum=-1), "SGD, momentum", "a number ≥ 0", "-1.0"),
        (lambda: updates.sgd(nesterov=True), "SGD, nesterov", "momentum > 0", "momentum = 0"),
        (lambda: updates.adam(betas=(1.0, 0.9)), "Adam, beta1", "a number from 0, below 1", "1.0"),
        (lambda: updates.adam(betas=0.9), "Adam, betas", "(beta1, beta2)", "0.9"),
        (lambda: updates.adamw(eps=-1e-8), "AdamW, eps", "a number ≥ 0", "-1e-08"),
        (lambda: updates.rmsprop(momentum=0.9), "RMSprop, momentum", "0.0", "0.9"),
        (lambda: updates.adadelta(rho=2), "Adadelta, rho", "a number from 0, below 1", "2.0"),
    ],
)
def test_options_out_of_range(call: Callable[[], Any], where: str, expected: str, got: str) -> None:
    with pytest.raises(SpecError) as caught:
        call()
    found = caught.value
    assert (found.where, str(found.expected), str(found.got)) == (where, expected, got)


def test_the_text_of_a_refused_option() -> None:
    with pytest.raises(SpecError) as caught:
        updates.sgd(-0.1)
    assert str(caught.value) == (
        "SGD cannot work with this lr\n"
        "  where:    SGD, lr\n"
        "  expected: a number ≥ 0\n"
        "  got:      -0.1\n"
        "  fix:      to go uphill use maximize=True, not a negative lr"
    )


def test_uphill_with_decay_is_warned_of_or_refused() -> None:
    with pytest.warns(SymgradWarning, match="grows the weights"):
        updates.sgd(0.1, weight_decay=0.1, maximize=True)
    with pytest.raises(SpecError, match="does not combine maximize with weight decay"):
        updates.adadelta(weight_decay=0.1, maximize=True)


def test_a_rule_holds_exact_numbers() -> None:
    with pytest.raises(SpecError) as caught:
        Assignment("w", updates.PARAMETER * 0.5)
    assert str(caught.value) == (
        "an update rule holds exact numbers only\n"
        "  where:    w ← 0.5*w\n"
        "  expected: hyperparameters, integers and sympy.Rational\n"
        "  got:      Float 0.500000000000000\n"
        "  fix:      make it a hyperparameter, or write sympy.Rational(1, 2) for 0.5"
    )
