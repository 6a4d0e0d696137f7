"""The compiled loop against the tutorial's golden numbers and against plain NumPy."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest

import symgrad as sg
from symgrad import updates
from symgrad.cli import problem
from symgrad.errors import DataError, DivergedError, ShapeError, SpecError, SymgradWarning, UnsupportedError
from symgrad.train import Job, numpy_loop, run

GOLDEN_HALF = (0.07186736, 0.0018385486, 4.7043628e-05, 1.2030218e-06)
GOLDEN_FULL = (0.0034512377, 1.9654874e-06, 1.0552412e-09, 3.8653525e-12)
AT = [49, 99, 149, 199]


def tutorial(factor):
    x, y, w = problem.data()

    def loss(x, w, y):
        return factor * np.sum((np.matmul(x, w) - y) ** 2)

    return sg.minimize(loss, {"w": w}, {"x": x, "y": y}, sg.optim.SGD(lr=0.01), steps=500)


def test_golden_half_squares():
    x, y, w = problem.data()
    made = sg.minimize(
        problem.loss,
        params={"w": w},
        data={"x": x, "y": y},
        optimizer=sg.optim.SGD(lr=0.01),
        steps=500,
        given={"y_pred": problem.forward},
    )
    np.testing.assert_allclose(made.losses[AT], GOLDEN_HALF, rtol=1e-3)
    np.testing.assert_allclose(made.losses[AT[:2]], GOLDEN_HALF[:2], rtol=1e-4)
    np.testing.assert_allclose(made.params["w"], [[2.0000033], [2.9999974]], atol=5e-6)
    assert w.tolist() == [[2], [1]]  # the caller's array is not changed


def test_golden_squares():
    made = tutorial(1)
    np.testing.assert_allclose(made.losses[AT[:2]], GOLDEN_FULL[:2], rtol=1e-4)
    assert made.losses[149] < 1e-8
    assert made.losses[199] < 1e-11
    np.testing.assert_allclose(made.params["w"], [[2.000001], [2.9999993]], atol=5e-6)


def test_without_numba_the_same_numbers_come_out():
    """The kernel file is ordinary Python; a tiny kernel rounds like it, digit by digit."""
    script = """
import numpy as np, symgrad as sg
from symgrad.cli import problem
x, y, w = problem.data()
words = {"params": {"w": w}, "data": {"x": x, "y": y}, "given": {"y_pred": problem.forward}}
r = sg.minimize(problem.loss, **words, optimizer=sg.optim.Adam(lr=0.01), steps=40)
b = sg.minimize(problem.loss, **words, optimizer=sg.optim.SGD(lr=0.001), steps=5, batch_size=3)
print(*map(float, (*r.losses, *r.params["w"].ravel(), *b.losses)))
"""
    results = []
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
        )
        results.append([float(v) for v in done.stdout.split()])
    assert results[0][:42] == results[1][:42]
    np.testing.assert_allclose(results[0][42:], results[1][42:], rtol=1e-6)


def test_golden_numpy_program():
    w, losses = problem.numpy_program()
    np.testing.assert_allclose(losses[AT], GOLDEN_HALF, rtol=1e-6)
    np.testing.assert_allclose(w, [[2.0000033], [2.9999974]], rtol=1e-7)


def test_the_factor_two():
    """lr .02 on ½Σ is lr .01 on Σ."""
    x, y, w = problem.data()
    half = sg.minimize(
        "0.5*np.sum((x @ w - y)**2)", {"w": w}, {"x": x, "y": y}, sg.optim.SGD(lr=0.02), steps=100
    )
    full = tutorial(1)
    np.testing.assert_allclose(2 * half.losses[:50], full.losses[:50], rtol=1e-4)


NETWORK = sg.derive(
    "np.sum((np.tanh(x @ W + b) @ v - y)**2)/(2*x.shape[0])",
    {"x": "n d", "W": "d h", "b": "h", "v": "h k", "y": "n k"},
    ["W", "b", "v"],
)
RULES = {
    "SGD": updates.sgd(0.1),
    "momentum": updates.sgd(0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": updates.adam(0.01),
    "AMSGrad": updates.adam(0.01, amsgrad=True),
    "AdamW": updates.adamw(0.01, weight_decay=0.1),
    "RMSprop": updates.rmsprop(0.01),
    "Adagrad": updates.adagrad(0.1, initial_accumulator_value=0.1),
}


def network_arrays(rows=23):
    generator = np.random.default_rng(0)
    params = {
        "W": generator.normal(size=(3, 6)),
        "b": np.zeros(6),
        "v": generator.normal(size=(6, 2)),
    }
    return params, {"x": generator.normal(size=(rows, 3)), "y": generator.normal(size=(rows, 2))}


@pytest.mark.parametrize(
    ("name", "batch_size"), [*((name, None) for name in RULES), *((name, 5) for name in ("SGD", "AMSGrad"))]
)
def test_loops_equal_numpy(name, batch_size):
    params, data = network_arrays()
    words = {"batched": ("x", "y"), "batch_size": batch_size}
    made = run(Job(NETWORK.program, params, data, RULES[name], "float64", 40, **words))
    wanted, losses = numpy_loop(NETWORK.program, params, data, RULES[name], 40, "float64", **words)
    np.testing.assert_allclose(made.losses, losses, rtol=1e-11)
    for n, w in wanted.items():
        np.testing.assert_allclose(made.params[n], w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_unrolled_equals_numpy(name):
    derivation = sg.derive(
        "np.sum((x @ w + b - y)**2)", {"x": "4 2", "w": "2", "b": "", "y": "4"}, ["w", "b"]
    )
    generator = np.random.default_rng(1)
    params = {"w": np.zeros(2), "b": np.array(0.5)}
    data = {"x": generator.normal(size=(4, 2)), "y": generator.normal(size=4)}
    made = run(Job(derivation.program, params, data, RULES[name], "float64", 30))
    assert "w_1" in made.source
    wanted, losses = numpy_loop(derivation.program, params, data, RULES[name], 30, "float64")
    np.testing.assert_allclose(made.losses, losses, rtol=1e-11, atol=1e-14)
    for n, w in wanted.items():
        np.testing.assert_allclose(made.params[n], w, rtol=1e-10, atol=1e-13)


def test_all_parameters_move_at_once():
    """Gradients are those of the old parameters: a·b has the gradient (b, a)."""
    made = sg.minimize("a*b", {"a": np.array(2.0), "b": np.array(3.0)}, {}, sg.optim.SGD(lr=0.1), steps=1)
    np.testing.assert_allclose([made.params["a"], made.params["b"]], [1.7, 2.8], rtol=1e-15)


def test_schedule_callbacks_validation_and_chunks():
    params, data = network_arrays()
    seen = []
    words = {"loss": "np.sum((np.tanh(x @ W + b) @ v - y)**2)/(2*x.shape[0])", "params": params, "data": data}
    plain = sg.minimize(**words, optimizer=sg.optim.Adam(lr=0.01), steps=30)
    watched = sg.minimize(
        **words,
        optimizer=sg.optim.Adam(lr=0.01),
        steps=30,
        callbacks=[lambda step, loss, params: seen.append(step)],
        validation=data,
        every=7,
    )
    assert seen == [7, 14, 21, 28, 30]
    np.testing.assert_array_equal(plain.losses, watched.losses)  # chunks do not restart the step count
    assert [s for s, _ in watched.validation] == seen
    np.testing.assert_allclose(watched.validation[0][1], plain.losses[7], rtol=1e-12)
    stopped = sg.minimize(**words, steps=30, callbacks=[lambda s, loss, p: s >= 10], every=5)
    assert stopped.losses.size == 10
    still = sg.minimize(**words, optimizer=sg.optim.SGD(lr=0.1), steps=4, schedule=lambda step: 0.0)
    assert np.ptp(still.losses) == 0


def test_a_scheduler_counts_from_the_rate_that_the_optimizer_was_made_with():
    x, y, w = problem.data()
    words = {"loss": "np.sum((x @ w - y)**2)", "params": {"w": w}, "data": {"x": x, "y": y}, "steps": 8}
    optimizer = sg.optim.SGD([sg.tensor(w, requires_grad=True)], lr=0.004)
    schedule = sg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=4)
    made = sg.minimize(**words, optimizer=optimizer, schedule=schedule)
    by_hand = sg.minimize(
        **words, optimizer=sg.optim.SGD(lr=1.0), schedule=lambda i: 0.004 * (0.25 + 0.75 * min(i, 4) / 4)
    )
    np.testing.assert_allclose(made.losses, by_hand.losses, rtol=1e-6)


def test_callbacks_may_keep_what_they_see():
    kept = []
    x, y, w = problem.data()
    sg.minimize(
        "np.sum((x @ w - y)**2)", {"w": w}, {"x": x, "y": y}, sg.optim.SGD(lr=0.01), steps=2, every=1,
        callbacks=[lambda step, loss, params: kept.append(params["w"])],
    )  # fmt: skip
    assert kept[0].tolist() != kept[1].tolist()


def test_float32_constants_of_a_rule_are_rounded_once():
    """1 − 0.999 in float32 arithmetic would be off by 5e-5 of itself."""
    params, data = network_arrays()
    job = Job(NETWORK.program, params, data, updates.adam(0.01), "float32", 200)
    wanted, _ = numpy_loop(NETWORK.program, params, data, updates.adam(0.01), 200, "float32")
    for n, w in wanted.items():
        np.testing.assert_allclose(run(job).params[n], w, rtol=2e-4, atol=2e-5)


def test_batches_are_a_permutation_of_the_rows_each_epoch():
    from symgrad.train.batches import Batches

    order, counts = Batches(10, 4, seed=3).rows(0, 6)
    assert counts.tolist() == [4, 4, 2, 4, 4, 2]
    epochs = [
        np.concatenate([o[:c] for o, c in zip(order[i : i + 3], counts[i : i + 3], strict=True)])
        for i in (0, 3)
    ]
    assert [sorted(e) for e in epochs] == [list(range(10))] * 2
    assert epochs[0].tolist() != epochs[1].tolist()


def test_diverging_run_names_the_step():
    x, y, w = problem.data()
    with pytest.raises(DivergedError, match=r"at step \d+ the loss or a parameter is not finite") as caught:
        sg.minimize("np.sum((x @ w - y)**2)", {"w": w}, {"x": x, "y": y}, sg.optim.SGD(lr=1.0), steps=500)
    assert "smaller learning rate" in str(caught.value)


def test_nan_in_the_data_is_named():
    x, y, w = problem.data()
    x[2, 1] = np.nan
    with pytest.raises(DataError, match="'x' holds a number that is not finite") as caught:
        sg.minimize("np.sum((x @ w - y)**2)", {"w": w}, {"x": x, "y": y}, steps=5)
    assert caught.value.where == "x[2, 1]"


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        ({"params": {"w": np.zeros((2, 1), int)}}, DataError, "cannot change by small amounts"),
        ({"params": {"w": np.array([None, 1])}}, DataError, "holds no real numbers"),
        ({"params": {}}, SpecError, "nothing to train"),
        ({"optimizer": "adam"}, SpecError, "This is no optimizer"),
        ({"steps": 1.5}, SpecError, "steps is an int"),
        ({"batch_size": 0}, SpecError, "batch size is a positive int"),
        ({"schedule": 3}, SpecError, "A schedule is a function of the step"),
        ({"batched": ["q"]}, SpecError, "'q' is no data"),
        ({"dtype": "int32"}, SpecError, "float32 or float64"),
        ({"dtype": "bogus"}, SpecError, "float32 or float64"),
        ({"seed": -1, "batch_size": 2}, SpecError, "seed is an int of at least 0"),
        ({"schedule": lambda step: "fast"}, SpecError, "something that is no number"),
        ({"schedule": lambda step: np.inf}, SpecError, "a rate that is not finite"),
        ({"callbacks": print}, SpecError, "callbacks is a sequence of functions"),
        ({"params": [np.zeros(2)]}, SpecError, "params is a mapping"),
        ({"given": [np.zeros(2)]}, SpecError, "given is a mapping"),
        ({"data": (np.zeros(2),)}, SpecError, "data is a mapping"),
        ({"params": {"loss": np.zeros(2)}}, SpecError, "No parameter can be called 'loss'"),
        ({"params": {"w": [[1.0], [2.0, 3.0]]}}, DataError, "rows of unequal lengths"),
        ({"params": {"w": np.ma.masked_equal([[1.0], [2.0]], 2)}}, DataError, "masked array"),
    ],
)
def test_refusals(words, error, text):
    x, y, w = problem.data()
    ordinary = {"params": {"w": w}, "data": {"x": x, "y": y}, "steps": 3}
    with pytest.raises(error, match=text):
        sg.minimize("np.sum((x @ w - y)**2)", **{**ordinary, **words})


def test_empty_data_and_undefined_losses_are_told_from_divergence():
    words = {"params": {"w": np.zeros((2, 1))}, "steps": 3}
    empty = {"x": np.zeros((0, 2)), "y": np.zeros((0, 1))}
    with pytest.raises(DataError, match="'x' is empty"):
        sg.minimize("((x @ w - y)**2).mean()", data=empty, **words)
    with pytest.raises(DivergedError, match="The loss is nan at the first values of the parameters"):
        sg.minimize("log(w).sum()", {"w": -np.ones(2)}, steps=3)


def test_broadcasting_to_a_matrix_is_warned_of():
    x, y, w = problem.data()
    with pytest.warns(SymgradWarning, match=r"broadcasts to"):
        sg.minimize("np.sum((x @ w - y)**2)", {"w": w}, {"x": x, "y": y.ravel()}, steps=1)


class TestFit:
    def arrays(self):
        generator = np.random.default_rng(0)
        x = generator.normal(size=(60, 3)).astype(np.float32)
        return x, (x @ np.array([[1.0], [-2.0], [0.5]]) + 0.25).astype(np.float32)

    def test_a_line_is_found(self):
        x, y = self.arrays()
        model = sg.nn.Linear(3, 1)
        made = sg.fit(
            model, (x, y), loss=sg.nn.MSELoss(), optimizer=sg.optim.Adam(model.parameters(), lr=0.05), epochs=60,
            batch_size=16,
        )  # fmt: skip
        assert made.losses.size == 240
        np.testing.assert_allclose(model.weight.numpy(), [[1, -2, 0.5]], atol=1e-2)
        np.testing.assert_allclose(model.bias.numpy(), [0.25], atol=1e-2)

    def test_equals_the_eager_loop(self):
        x, y = self.arrays()
        models = [sg.nn.Sequential(sg.nn.Linear(3, 4), sg.nn.Tanh(), sg.nn.Linear(4, 1)) for _ in range(2)]
        models[1].load_state_dict(models[0].state_dict())
        loss = sg.nn.MSELoss(reduction="sum")
        made = sg.fit(
            models[0], (x, y), loss=loss, optimizer=sg.optim.SGD(models[0].parameters(), lr=0.001), steps=20
        )
        optimizer = sg.optim.SGD(models[1].parameters(), lr=0.001)
        losses = []
        for _ in range(20):
            value = loss(models[1](sg.tensor(x)), sg.tensor(y))
            losses.append(value.item())
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        np.testing.assert_allclose(made.losses, losses, rtol=1e-4)

    def test_frozen_parameters_stay(self):
        x, y = self.arrays()
        model = sg.nn.Linear(3, 1)
        model.bias.requires_grad_(False)
        before = model.bias.numpy().copy()
        sg.fit(model, (x, y), loss=sg.nn.MSELoss(), optimizer=sg.optim.SGD(lr=0.1), steps=5)
        np.testing.assert_array_equal(model.bias.numpy(), before)

    def test_only_the_optimizers_parameters_change(self):
        x, y = self.arrays()
        model = sg.nn.Linear(3, 1)
        before = model.bias.numpy().copy()
        optimizer = sg.optim.SGD([model.weight], lr=0.1)
        made = sg.fit(model, (x, y), loss=sg.nn.MSELoss(), optimizer=optimizer, steps=5)
        assert list(made.params) == ["weight"]
        np.testing.assert_array_equal(model.bias.numpy(), before)

    def test_optimizers_that_do_not_fit(self):
        x, y = self.arrays()
        model, other = sg.nn.Linear(3, 1), sg.nn.Linear(3, 1)
        words = {"loss": sg.nn.MSELoss(), "steps": 1}
        with pytest.raises(SpecError, match="parameters that are not the model's"):
            sg.fit(model, (x, y), optimizer=sg.optim.SGD(other.parameters(), lr=0.1), **words)
        groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": 0.5}]
        with pytest.raises(UnsupportedError, match="groups have different options"):
            sg.fit(model, (x, y), optimizer=sg.optim.SGD(groups, lr=0.1), **words)

    def test_a_vector_against_a_column_is_refused(self):
        x, y = self.arrays()
        model = sg.nn.Linear(3, 1)
        words = {"optimizer": sg.optim.SGD(lr=0.1), "steps": 1}
        with pytest.raises(ShapeError, match="broadcast"):
            sg.fit(model, (x, y.ravel()), loss=sg.nn.MSELoss(), **words)
        with pytest.raises(ShapeError, match="broadcasts one entry against many"):
            sg.fit(model, (x, y.ravel()), loss=lambda p, t: ((p - t) ** 2).sum(), **words)

    def test_data_that_is_one_array(self):
        x, _ = self.arrays()
        with pytest.raises(SpecError, match=r"fit takes its arrays together(.|\n)*got: +ndarray"):
            sg.fit(sg.nn.Linear(3, 1), x, loss=sg.nn.MSELoss(), optimizer=sg.optim.SGD(lr=0.1), steps=1)

    def test_how_long(self):
        x, y = self.arrays()
        model = sg.nn.Linear(3, 1)
        with pytest.raises(SpecError, match="Either epochs or steps"):
            sg.fit(model, (x, y), loss=sg.nn.MSELoss(), optimizer=sg.optim.SGD(lr=0.1))


class TestSecondCall:
    """The same function finds its derivation again; a changed meaning does not."""

    def test_unchanged(self):
        def loss(w):
            return np.sum((w - 3.0) ** 2)

        first, second = (sg.minimize(loss, {"w": np.zeros(2)}, steps=2) for _ in range(2))
        assert first.derivation is second.derivation

    def test_closure(self):
        target = 3.0

        def loss(w):
            return np.sum((w - target) ** 2)

        first = sg.minimize(loss, {"w": np.zeros(2)}, {}, sg.optim.SGD(lr=0.4), steps=50)
        target = 5.0
        second = sg.minimize(loss, {"w": np.zeros(2)}, {}, sg.optim.SGD(lr=0.4), steps=50)
        np.testing.assert_allclose([first.params["w"][0], second.params["w"][0]], [3, 5], rtol=1e-6)

    def test_global_helper_and_default(self):
        scope = {"np": np}
        exec("def helper(w): return (w - 1)**2\ndef loss(w, a=1.0): return np.sum(a*helper(w))", scope)
        first = sg.minimize(scope["loss"], {"w": np.zeros(2)}, steps=1)
        scope["loss"].__defaults__ = (2.0,)
        second = sg.minimize(scope["loss"], {"w": np.zeros(2)}, steps=1)
        exec("def helper(w): return (w - 2)**2", scope)
        third = sg.minimize(scope["loss"], {"w": np.zeros(2)}, steps=1)
        assert [float(r.losses[0]) for r in (first, second, third)] == [2, 4, 16]

    def test_settings_in_objects_are_read_again(self):
        class Settings:
            target = 1.0

        module = types.ModuleType("settings")
        module.target = 1.0
        for where in (Settings, module):

            def loss(w, where=where):
                return np.sum((w - where.target) ** 2)

            first = sg.minimize(lambda w, f=loss: f(w), {"w": np.zeros(2)}, steps=1)
            where.target = 2.0
            second = sg.minimize(lambda w, f=loss: f(w), {"w": np.zeros(2)}, steps=1)
            assert [float(r.losses[0]) for r in (first, second)] == [2, 8]

    @pytest.mark.parametrize(
        "change",
        [
            np.asfortranarray,
            lambda a: a.astype(a.dtype.newbyteorder()),
            lambda a: np.repeat(a, 2, axis=0)[::2],
            lambda a: np.frombuffer(b"-" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),  # not aligned
            lambda a: np.broadcast_to(a, a.shape),  # read-only
            lambda a: a.tolist(),
            lambda a: a.view(type("Own", (np.ndarray,), {})),
        ],
    )
    def test_arrays_of_another_form_give_the_same(self, change):
        x, y, w = (a.astype(np.float64) for a in problem.data())

        def loss(x, y, w):
            return np.sum((x @ w - y) ** 2)

        words = {"optimizer": sg.optim.SGD(lr=0.01), "steps": 20}
        first = sg.minimize(loss, {"w": w}, {"x": x, "y": y}, **words)
        again = sg.minimize(loss, {"w": change(w)}, {"x": change(x), "y": change(y)}, **words)
        np.testing.assert_array_equal(first.losses, again.losses)
        np.testing.assert_array_equal(first.params["w"], again.params["w"])
        np.testing.assert_array_equal(w, problem.data()[2])

    def test_one_array_for_two_parameters(self):
        start = np.ones(2)
        words = {"params": {"a": start, "b": start}, "optimizer": sg.optim.SGD(lr=0.1), "steps": 1}
        for _ in range(2):
            made = sg.minimize("np.sum(a*a + 2*b)", **words)
            np.testing.assert_allclose(made.params["a"], [0.8, 0.8])
            np.testing.assert_allclose(made.params["b"], [0.8, 0.8])

    def test_what_was_refused_is_refused_again(self):
        def loss(x, w):
            return np.sum((x @ w) ** 2)

        good = {"params": {"w": np.ones((2, 1))}, "data": {"x": np.ones((3, 2))}, "steps": 2}
        sg.minimize(loss, **good)
        for _ in range(2):
            with pytest.raises(DataError, match="'x' holds a number that is not finite"):
                sg.minimize(loss, **{**good, "data": {"x": np.full((3, 2), np.inf)}})
            with pytest.raises(DataError, match="cannot change by small amounts"):
                sg.minimize(loss, **{**good, "params": {"w": np.ones((2, 1), int)}})
            with pytest.raises(ShapeError):
                sg.minimize(loss, **{**good, "params": {"w": np.ones((3, 1))}})
            with pytest.raises(SpecError, match="'z' is no argument"):
                sg.minimize(loss, **{**good, "data": {**good["data"], "z": np.ones(3)}})
        sg.minimize(loss, **good)


def test_run_plots_and_prints():
    import matplotlib as mpl

    mpl.use("Agg")
    made = sg.minimize("np.sum((w - 1)**2)", {"w": np.zeros(2)}, steps=3)
    assert repr(made).startswith("<Run of 3 steps, loss 2 → ")
    axes = made.plot()
    assert axes.get_ylabel() == "loss"
    mpl.pyplot.close(axes.figure)
