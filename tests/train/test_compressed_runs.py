"""Runs on fewer rows: the losses and parameters of the run on all rows, for less."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad import updates
from symgrad.errors import DataError, DivergedError, SpecError
from symgrad.train import Job, compress, numpy_loop, run

ROWS = 2000


@pytest.fixture(autouse=True)
def small_problems_too(monkeypatch):
    monkeypatch.setattr(compress, "SAVES", 0)


def problem(noise=0.3, dtype="float64", condition=10.0, columns=5, outputs=2):
    r = np.random.default_rng(0)
    q = np.linalg.qr(r.normal(size=(ROWS, columns)))[0] * np.sqrt(ROWS)
    turn = np.linalg.qr(r.normal(size=(columns, columns)))[0]
    x = (q * np.geomspace(1, 1 / condition, columns) @ turn).astype(dtype)
    w = r.normal(size=(columns, outputs))
    y = (x.astype(float) @ w + 1 + noise * r.normal(size=(ROWS, outputs))).astype(dtype)
    return {"x": x, "y": y}, {"w": np.zeros((columns, outputs), dtype), "b": np.zeros(outputs, dtype)}


LOSSES = {
    "mean": "np.mean((x @ w + b - y)**2)",
    "sum": "0.0005 * np.sum((x @ w + b - y)**2)",
    "ridge": "np.mean((x @ w + b - y)**2) + 0.01 * np.sum(w**2)",
    "root": "np.sqrt(np.mean((x @ w + b - y)**2))",
    "for each output": "np.sum(np.exp(b) * np.mean((x @ w - y)**2, axis=0))",
}
RULES = {
    "SGD": updates.sgd(0.2),
    "momentum": updates.sgd(0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": updates.adam(0.05),
    "AMSGrad": updates.adam(0.05, amsgrad=True),
    "AdamW": updates.adamw(0.05, weight_decay=0.1),
    "RMSprop": updates.rmsprop(0.01),
    "Adagrad": updates.adagrad(0.1),
}


def both(loss, rule, dtype="float64", steps=60, **words):
    """The run on fewer rows, and losses and parameters of plain NumPy in float64 on the same data."""
    data, params = problem(dtype=dtype, **words)
    d = sg.derive(LOSSES[loss], {"x": "n d", "w": "d k", "b": "k", "y": "n k"}, ["w", "b"])
    made = run(Job(d.program, params, data, RULES[rule], dtype, steps))
    assert made.notes
    wide = {n: a.astype(float) for n, a in (data | params).items()}
    wanted, losses = numpy_loop(
        d.program, {n: wide[n] for n in params}, {n: wide[n] for n in data}, RULES[rule], steps
    )
    return made, wanted, losses


@pytest.mark.parametrize(
    ("loss", "rule"), [*((loss, "SGD") for loss in LOSSES), *(("ridge", r) for r in RULES)]
)
def test_losses_and_parameters_are_those_of_all_rows(loss, rule):
    made, wanted, losses = both(loss, rule)
    assert made.losses.dtype == np.float64
    np.testing.assert_allclose(made.losses, losses, rtol=1e-11)
    for n, w in wanted.items():
        np.testing.assert_allclose(made.params[n], w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("noise", [1.0, 1e-3, 1e-5, 0.0])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e5, 1e7])
def test_float32_data_to_eight_digits_near_a_residual_of_zero_too(noise, condition):
    made, wanted, losses = both("mean", "SGD", "float32", 400, noise=noise, condition=condition)
    np.testing.assert_allclose(made.losses, losses, rtol=1e-8)
    for n, w in wanted.items():
        assert made.params[n].dtype == np.float32
        np.testing.assert_allclose(made.params[n], w.astype(np.float32), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("noise", [1e-3, 1e-6])
@pytest.mark.parametrize("condition", [1e3, 1e5, 1e7])
def test_float64_data_to_eight_digits(noise, condition):
    made, _, losses = both("mean", "SGD", "float64", 400, noise=noise, condition=condition)
    np.testing.assert_allclose(made.losses, losses, rtol=1e-8)


def test_an_exact_fit_in_float64_ends_at_rounding():
    made, _, losses = both("mean", "SGD", "float64", 400, noise=0.0, condition=1.0)
    assert losses[-1] < 1e-28
    assert made.losses[-1] < 1e-28
    seen = losses > 1e-20
    np.testing.assert_allclose(made.losses[seen], losses[seen], rtol=1e-5)
    np.testing.assert_allclose(made.losses[losses > 1e-12], losses[losses > 1e-12], rtol=1e-8)


def test_collinear_and_empty_columns():
    data, params = problem()
    data["x"] = np.hstack([data["x"], data["x"][:, :2], np.zeros((ROWS, 1)), np.ones((ROWS, 1))])
    params["w"] = np.full((9, 2), 0.1)
    d = sg.derive(LOSSES["ridge"], {"x": "n d", "w": "d k", "b": "k", "y": "n k"}, ["w", "b"])
    made = run(Job(d.program, params, data, RULES["SGD"], "float64", 60))
    assert made.notes
    wanted, losses = numpy_loop(d.program, params, data, RULES["SGD"], 60)
    np.testing.assert_allclose(made.losses, losses, rtol=1e-11)
    np.testing.assert_allclose(made.params["w"], wanted["w"], rtol=1e-9, atol=1e-12)


def train(**words):
    data, params = problem(dtype=words.pop("data_dtype", "float64"))
    words = {"steps": 60, "optimizer": sg.optim.SGD(lr=0.2), "data": data, "params": params} | words
    return sg.minimize(words.pop("loss", LOSSES["mean"]), **words)


def test_the_choice_is_visible_and_can_be_refused():
    made, plain = train(), train(compress=False)
    assert made.notes[0].startswith("2000 rows of data compressed to 8, ")
    assert "compress" in made.timings
    assert "y: (n, 2)" in made.source
    assert plain.notes == ()
    assert "compress" not in plain.timings
    np.testing.assert_allclose(made.losses, plain.losses, rtol=1e-11)


def test_weights_of_rows():
    loss = "np.mean(np.exp(y[:, :1]) * (x @ w + b - y)**2) / np.mean(np.exp(y[:, :1]))"
    made, plain = (train(loss=loss, compress=c, optimizer=sg.optim.SGD(lr=0.02)) for c in (True, False))
    assert made.notes
    np.testing.assert_allclose(made.losses, plain.losses, rtol=1e-11)


def test_schedules():
    rates = {"schedule": lambda step: 0.2 / (1 + step)}
    np.testing.assert_allclose(train(**rates).losses, train(**rates, compress=False).losses, rtol=1e-11)


def test_callbacks_and_validation_are_called_as_before():
    r = np.random.default_rng(5)
    other = {"x": r.normal(size=(30, 5)), "y": r.normal(size=(30, 2))}
    seen = {}
    for words in ({}, {"compress": False}):
        calls = []
        made = train(
            callbacks=[lambda *a, calls=calls: calls.append(a), lambda step, loss, params: step >= 30],
            validation=other,
            every=10,
            **words,
        )
        seen[bool(made.notes)] = made, calls
    (made, calls), (plain, expected) = seen[True], seen[False]
    assert [c[0] for c in calls] == [10, 20, 30] == [c[0] for c in expected]
    for (_, loss, params), (_, wanted, others) in zip(calls, expected, strict=True):
        assert loss == pytest.approx(wanted, rel=1e-11)
        for n in others:
            np.testing.assert_allclose(params[n], others[n], rtol=1e-10)
    assert made.losses.size == plain.losses.size == 30
    np.testing.assert_allclose(made.validation, plain.validation, rtol=1e-10)


def test_callbacks_see_the_dtype_of_the_parameters():
    seen = set()
    made = train(
        data_dtype="float32", callbacks=[lambda s, loss, p: seen.update(a.dtype for a in p.values())]
    )
    assert made.notes
    assert seen == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"batch_size": 100}, "mini-batches read other rows each step"),
        ({"loss": "np.mean(np.abs(x @ w + b - y))"}, "absolute values"),
        ({"loss": "np.mean(np.log(np.cosh(x @ w + b - y)))"}, "log cosh"),
        (
            {"loss": "np.mean((x @ w + b - y)**2) + np.mean(np.abs(x @ w + b - y))"},
            "the residual is used twice",
        ),
        ({"loss": "1e-6 * np.sum(y[:, :1] * (x @ w + b - y)**2)"}, "some weights are negative"),
        ({"steps": 0}, "nothing is saved"),
        ({"steps": 1}, "nothing is saved"),
    ],
)
def test_all_rows_where_fewer_would_not_do(words, why):
    assert train(**words).notes == (), why


def test_one_layer_of_a_module():
    data, _ = problem()
    arrays = tuple(data[n].astype("float32") for n in ("x", "y"))
    runs = []
    for batch_size in (None, ROWS):
        sg.manual_seed(0)
        model = sg.nn.Linear(5, 2)
        rule = sg.optim.Adam(model.parameters(), lr=0.05)
        made = sg.fit(model, arrays, sg.nn.MSELoss(), rule, steps=80, batch_size=batch_size)
        runs.append((made, model.weight.detach().numpy()))
    (short, weight), (whole, other) = runs
    assert short.notes
    assert not whole.notes
    np.testing.assert_allclose(short.losses, whole.losses, rtol=1e-5)
    np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_reported_as_before(bad):
    data, params = problem()
    data["x"][3, 1] = bad
    with pytest.raises(DataError, match=r"'x' holds a number that is not finite.*\n.*x\[3, 1\]"):
        train(data=data)
    data, params = problem()
    params["w"][2, 1] = bad
    with pytest.raises(DataError, match=r"'w' holds a number that is not finite"):
        train(params=params)


def test_a_run_that_diverges_names_the_step():
    with pytest.raises(DivergedError) as short:
        train(optimizer=sg.optim.SGD(lr=9.0), steps=1000)
    with pytest.raises(DivergedError) as whole:
        train(optimizer=sg.optim.SGD(lr=9.0), steps=1000, compress=False)
    assert str(short.value) == str(whole.value)


def test_float32_parameters_that_float32_cannot_hold():
    with pytest.raises(DivergedError, match=r"by step \d+ a parameter is too large for float32"):
        train(data_dtype="float32", optimizer=sg.optim.SGD(lr=9.0), steps=45)


def test_wrong_arrays_are_refused_as_before():
    data, params = problem()
    with pytest.raises(SpecError, match="'y' is missing"):
        run(Job(sg.derive(LOSSES["mean"], {"x": "n d", "w": "d k", "b": "k", "y": "n k"}, ["w", "b"]).program,
                params, {"x": data["x"]}, RULES["SGD"], "float64", 60))  # fmt: skip


def test_integer_data_and_arrays_of_any_layout():
    r = np.random.default_rng(2)
    x = np.asfortranarray(r.integers(-3, 4, size=(ROWS, 5)))
    y = np.repeat(r.normal(size=(ROWS, 1)), 4, axis=1)[::-1, ::2].astype(">f8")
    made, plain = (train(data={"x": x, "y": y}, compress=c) for c in (True, False))
    assert made.notes
    np.testing.assert_allclose(made.losses, plain.losses, rtol=1e-11)


def test_the_callers_arrays_are_left_alone():
    data, params = problem(dtype="float32")
    before = {n: a.copy() for n, a in (data | params).items()}
    assert train(data=data, params=params).notes
    for n, a in (data | params).items():
        np.testing.assert_array_equal(a, before[n])
