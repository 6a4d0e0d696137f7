"""Texts of traced values: shown they cost nothing; where the function goes on with them they are NumPy's or refused."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import TraceError
from symgrad.trace.loss import trace_loss

LOG = logging.getLogger(__name__)


def by_repr(x):
    return x.sum() * (2.0 if repr(x).startswith("array") else 3.0)


def by_str(x):
    return x.sum() * (2.0 if str(x.sum()).startswith("-") else 3.0)


def by_format(x):
    return x.sum() * len(f"{x}")


def by_format_of_a_scalar(x):
    return x.sum() * (2.0 if f"{x.sum():.1f}" == "0.0" else 3.0)


def by_list(x):
    return x.sum() * (2.0 if "array" in str([x]) else 3.0)


def by_percent(x):
    return x.sum() * (2.0 if "%s" % x == "" else 3.0)  # noqa: UP031 - what students write


def beside_a_print(x):
    print("x"), (kept := repr(x))
    return x.sum() * len(kept)


@pytest.mark.parametrize(
    "loss",
    [by_repr, by_str, by_format, by_format_of_a_scalar, by_list, by_percent, beside_a_print],
    ids=lambda f: f.__name__,
)
def test_a_text_that_decides_is_refused(loss):
    with pytest.raises(TraceError) as caught:
        trace_loss(loss, {"x": "n d"})
    text = str(caught.value)
    assert text.startswith("A traced array has no values yet, and its text is used.\n  where:    <traced ")
    assert "test_texts.py, line " in text
    assert "\n  expected: a text that is printed, logged or raised\n" in text
    assert text.endswith("to branch on a value use np.where(condition, a, b)")


def shown(x):
    print(x, "of", x.shape)
    print(f"{x} {x.sum():.3f} {x.shape[0]}", "%s" % x)  # noqa: UP031 - what students write
    print(
        "on several lines",
        f"{x!r}",
        str([x, x.shape]),
    )
    LOG.info("%s", x)
    LOG.warning(f"value {x}")
    if not x.ndim == 2:
        raise ValueError(f"a matrix is needed, not {x}")
    return (x**2).sum()


def test_what_is_shown_is_described(capsys, caplog):
    caplog.set_level(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d = sg.derive(shown, {"x": "n d"}, wrt="x")
    out = capsys.readouterr().out
    assert "<traced x (n, d)> of (n, d)" in out
    assert "<traced x (n, d)>" in caplog.text
    assert str(d.gradient) == "2x"


def raising(x):
    raise ValueError(f"unusable: {x}")


def test_an_error_of_the_functions_own_names_the_value():
    with pytest.raises(
        TraceError, match=r"raised ValueError while it was traced: unusable: <traced x \(n, d\)>"
    ):
        trace_loss(raising, {"x": "n d"})


def test_texts_of_numbers_are_numpys():
    def loss(x):
        numbers = np.arange(3.0)
        chosen = 2.0 if str(numbers) == "[0. 1. 2.]" and repr(numbers) == "array([0., 1., 2.])" else 3.0
        return (
            x.sum()
            * chosen
            * (1.0 if f"{numbers[1]:.2f}" == "1.00" and f"{np.pi}".startswith("3.14") else 5.0)
        )

    assert str(sg.derive(loss, {"x": "n"}, wrt="x").gradient) == "2 𝟏"


@pytest.mark.parametrize(
    "text",
    [
        lambda x: str(x.shape),
        lambda x: f"{x.shape}",
        lambda x: f"({len(x)}, {x.shape[1]})",
        lambda x: repr(x.shape),
    ],
)
def test_texts_of_sizes_are_texts_of_numbers(text):
    def loss(x):
        return x.sum() * (2.0 if text(x) == "(4, 3)" else 5.0)

    d = sg.derive(loss, {"x": "n d"}, wrt="x")
    for sizes in ((4, 3), (3, 4), (2, 2)):
        x = np.ones(sizes)
        assert d(x=x)[0] == loss(x)
