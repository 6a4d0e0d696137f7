"""The benchmarks' own machinery: who is refused, what medians and ratios are, what the page says.  Nothing is timed."""

from __future__ import annotations

from dataclasses import replace

import models
import numpy as np
import pytest
from harness.measure import PAUSE, SPAN, WrongError, check, missing, timed, verified
from harness.report import Report, details, duration, durations_table, page, summary
from harness.results import Duration, FirstCall, Result, Spread
from harness.workload import Added, Closeness, Contender, Ratio, Workload

import symgrad as sg

DATA = {"x": np.array([1.0, 2.0, 3.0])}
CLOSE = {"y": Closeness(1e-6)}


def returning(values):
    return lambda data: lambda: values


def contender(name, values, **more):
    return Contender(name, returning(values), CLOSE, **more)


def doubling(*contenders, **more):
    reference = lambda data: {"y": 2 * data["x"]}  # noqa: E731
    return Workload("doubling", "2x", "issue", lambda: DATA, reference, contenders, **more)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"y": np.array([2.0, 4.0, 6.1])}, "off by 0.017, allowed is 1e-06"),
        ({"y": np.array([2.0, 4.0, np.nan])}, "off by nan"),
        ({"y": np.array([[2.0], [4.0], [6.0]])}, r"shape \(3, 1\) instead of \(3,\)"),
        ({"y": np.array([2.0, 4.0])}, "shape"),
        ({}, "returns  instead of y"),
        ({"y": np.array([2.0, 4.0, 6.0]), "z": 0.0}, "returns y, z instead of y"),
    ],
)
def test_wrong_values_are_refused(values, says):
    with pytest.raises(WrongError, match=says):
        check(contender("wrong", values), values, {"y": 2 * DATA["x"]})


def test_closeness_of_each_entry_or_of_the_largest():
    got, right = {"y": np.array([1e-9, 1.0])}, {"y": np.array([2e-9, 1.0])}
    check(contender("largest", got), got, right)
    entrywise = replace(contender("each", got), close={"y": Closeness(1e-6, entrywise=True)})
    with pytest.raises(WrongError, match=r"off by 0\.5"):
        check(entrywise, got, right)


def test_the_wrong_and_the_missing_are_not_timed():
    good = {"y": 2 * DATA["x"]}
    work = doubling(
        contender("symgrad", good),
        contender("wrong", {"y": DATA["x"]}),
        contender("missing", good, needs=("no_such_module",)),
        contender("no tool", good, tools=("no-such-program", "nor-this-one")),
        contender("unwanted", good),
    )
    found = verified(work, DATA, without=["unwanted"])
    assert list(found.calls) == ["symgrad"]
    assert found.wrong == {"wrong": "y is off by 0.5, allowed is 1e-06"}
    assert found.left_out == {
        "missing": "no_such_module is not installed",
        "no tool": "none of no-such-program, nor-this-one is on the path",
        "unwanted": "not wanted",
    }
    assert missing(contender("here", good, needs=("numpy",))) is None


class Clock:
    """Time that only contenders and pauses spend."""

    def __init__(self):
        self.now, self.log = 0.0, []

    def read(self):
        return self.now

    def rest(self, seconds):
        self.now += seconds
        self.log.append("pause")

    def taking(self, name, *seconds):
        """A call that takes so long; the last of several for all further calls."""
        left = list(seconds)

        def call():
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return {}

        return call


def test_contenders_take_turns_with_a_pause_and_an_untimed_call():
    clock = Clock()
    calls = {"a": clock.taking("a", 0.01), "b": clock.taking("b", 0.3)}
    times = timed(calls, 2, clock=clock.read, rest=clock.rest)
    assert times == {"a": pytest.approx((0.01, 0.01)), "b": pytest.approx((0.3, 0.3))}
    turn = ["pause", "a", "a", "pause", "b"]  # b is long, and needs no call before it
    assert clock.log == ["a", "b", *turn, *turn]


def test_short_calls_are_repeated_and_the_untimed_one_does_not_count():
    clock = Clock()
    calls = {"a": clock.taking("a", 0.001, 0.1, 0.001)}
    (found,) = timed(calls, 1, clock=clock.read, rest=clock.rest)["a"]
    assert found == pytest.approx(0.001)
    assert clock.log.count("a") == 1 + 1 + round(SPAN / 0.001)


def test_a_budget_takes_turns_away_but_leaves_three():
    clock = Clock()
    turns = lambda budget: len(timed({"a": clock.taking("a", 1.0)}, 10, budget, clock.read, clock.rest)["a"])  # noqa: E731
    assert turns(100) == 10
    assert turns(5 * (1 + PAUSE) + 0.01) == 5
    assert turns(0.1) == 3


def test_medians_and_quartiles():
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


GOOD = {"y": 2 * DATA["x"]}
WORK = doubling(
    contender("symgrad", GOOD),
    contender("sg.minimize", GOOD),
    contender("NumPy", GOOD),
    contender("JAX", GOOD),
    contender("least", GOOD),
    targets=(Ratio("NumPy", 4), Ratio("JAX", 2.5), Ratio("torch", 2), Added("sg.minimize", 30e-6)),
    limit="least",
    unit="step",
)
TIMES = {
    "symgrad": (1e-3, 2e-3, 1e-3),
    "sg.minimize": (1.02e-3, 2e-3, 1.02e-3),
    "NumPy": (4e-3, 4e-3, 6e-3),
    "JAX": (2e-3, 2e-3, 2e-3),
    "least": (0.9e-3, 1e-3, 0.9e-3),
}
RESULT = Result(
    WORK,
    TIMES,
    {"torch": "torch is not installed"},
    {"mine": "y is off by 0.5, allowed is 1e-06"},
    {"symgrad": FirstCall(1.24, 0.31)},
)


def test_ratios_are_of_medians_and_their_spread_of_turns():
    assert RESULT.ratio("NumPy") == Spread(pytest.approx(4.0), pytest.approx(3.0), pytest.approx(5.0))
    assert RESULT.ratio("torch") is None
    assert Result(WORK, {"NumPy": (1.0,)}).ratio("NumPy") is None


def test_targets():
    assert [v.found for v in RESULT.verdicts()] == [
        pytest.approx(4.0),
        pytest.approx(2.0),
        None,
        pytest.approx(20e-6),
    ]
    assert [v.reached for v in RESULT.verdicts()] == [True, False, False, True]
    assert not Duration("import", (0.1, 0.3, 0.2), 0.15).reached
    assert Duration("import", (0.1, 0.3, 0.14), 0.15).reached


def test_what_a_run_comes_to():
    reached = Result(replace(WORK, targets=WORK.targets[:1]), TIMES)
    report = Report([reached], [Duration("import", (0.1,), 0.15)], {}, {}, "", 3)
    assert report.reached
    assert not report.wrong
    assert not replace(report, results=[RESULT]).reached
    assert replace(report, results=[RESULT]).wrong
    assert not replace(report, durations=[Duration("import", (0.2,), 0.15)]).reached


def test_times_in_words():
    assert [duration(t) for t in (12.345, 0.5, 1.5e-3, 2.34e-5, 3e-8, -2e-5, 123.4)] == [
        "12.3 s", "500 ms", "1.5 ms", "23.4 µs", "30 ns", "-20 µs", "123 s",
    ]  # fmt: skip


SUMMARY = """\
| work | symgrad | NumPy | JAX | share of the limit | targets |
| --- | --- | --- | --- | --- | --- |
| 2x | 1 ms a step | 4× (3 to 5) | 2× (1.5 to 2) | 90% of least | NumPy ≥ 4×: reached<br>JAX ≥ 2.5×: **not reached**<br>\
torch ≥ 2×: **not measured**<br>sg.minimize at most 30 µs longer: 20 µs, reached |"""
DETAILS = """\
| contender | a step | half of the turns | ratio | first call | next process |
| --- | --- | --- | --- | --- | --- |
| symgrad | 1 ms | 1 ms to 1.5 ms | 1× (1 to 1) | 1.2 s | 0.3 s |
| sg.minimize | 1.02 ms | 1.02 ms to 1.51 ms | 1.02× (1.01 to 1.02) | – | – |
| NumPy | 4 ms | 4 ms to 5 ms | 4× (3 to 5) | – | – |
| JAX | 2 ms | 2 ms to 2 ms | 2× (1.5 to 2) | – | – |
| least | 900 µs | 900 µs to 950 µs | 0.9× (0.7 to 0.9) | – | – |

- torch is left out: torch is not installed
- mine is **wrong**, and not timed: y is off by 0.5, allowed is 1e-06"""
DURATIONS = """\
| what | median | all | target |
| --- | --- | --- | --- |
| import | 140 ms | 100 ms to 300 ms | at most 150 ms: reached |
| other | 2 s | 2 s to 2 s | – |"""


def test_the_page():
    found = [Duration("import", (0.1, 0.3, 0.14), 0.15), Duration("other", (2.0,))]
    assert summary([RESULT]) == SUMMARY
    assert details(RESULT) == DETAILS
    assert durations_table(found) == DURATIONS
    report = Report([RESULT], found, {"cores": "2"}, {"numpy": "2.4"}, "2026-01-02", 15)
    facts = "- date: 2026-01-02\n- cores: 2\n- versions: numpy 2.4\n- turns: at most 15"
    assert page(report, "# Benchmarks\n", {"doubling": "A note."}) == (
        f"# Benchmarks\n\n## The machine\n\n{facts}\n\n## Ratios\n\n{SUMMARY}\n\n"
        f"## Compiling and starting\n\n{DURATIONS}\n\n"
        f"## Every contender\n\n### 2x\n\nA note.\n\n{DETAILS}\n"
    )


def test_the_workloads_are_consistent():
    from workloads import NOTES, WORKLOADS

    names = [w.name for w in WORKLOADS]
    assert len(set(names)) == len(names)
    assert set(NOTES) == set(names)
    for w in WORKLOADS:
        contenders = [c.name for c in w.contenders]
        assert contenders[0] == w.own == "symgrad"
        assert len(set(contenders)) == len(contenders)
        assert {t.contender for t in w.targets} <= set(contenders)
        assert w.limit is None or w.limit in contenders
        assert w.shapes == "issue" or not w.targets


MODELS = {
    "least squares": models.LEAST_SQUARES,
    "several outputs": models.SEVERAL_OUTPUTS,
    "ridge": models.RIDGE_REGRESSION,
    "logistic": models.LOGISTIC,
    "tanh network": models.TANH_NETWORK,
    "classifier": models.TANH_CLASSIFIER,
    "relu network": models.RELU_NETWORK,
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_references_by_hand_agree_with_the_derivation(model):
    arrays = model.draw({"n": 7, "d": 4, "h": 3, "g": 5, "k": 2}, "float64")
    before = {n: a.copy() for n, a in arrays.items()}
    by_hand = model.values(arrays)
    loss = model.loss(models.numpy_library())
    value, gradients = sg.derive(loss, model.shapes, wrt=list(model.params))(**arrays)
    np.testing.assert_allclose(by_hand["loss"], value, rtol=1e-12)
    for n in model.params:
        np.testing.assert_allclose(by_hand[n], gradients[n], rtol=1e-11, atol=1e-12)
    for n, a in arrays.items():
        np.testing.assert_array_equal(a, before[n])
