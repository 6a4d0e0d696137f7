"""What a function may not do while it is traced, and what the error says."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import ShapeError, SpecError, SymgradError, TraceError, UnsupportedError

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}


def branch(x, w, y):
    r = (x @ w - y).sum()
    return r if r > 0 else -r


def random_numbers(x, w, y):
    return (x @ w - y + np.random.rand()).sum()  # noqa: NPY002 - what students write


calls = iter(range(100))


def counting(x, w, y):
    return (x @ w - y).sum() * (1 + next(calls))


def into_an_argument(x, w, y):
    y -= x @ w
    return (y**2).sum()


def unknown_ufunc(x, w, y):
    return np.spacing(x @ w - y).sum()


def unknown_function(x, w, y):
    return np.unwrap(x @ w - y).sum()


def data_sized(x, w, y):
    return np.unique(x @ w - y).sum()


def dtype_option(x, w, y):
    return np.sum(x @ w - y, dtype=np.float16)


def mismatch(x, w, y):
    return (x @ y - w).sum()


def no_scalar(x, w, y):
    return x @ w - y


def nothing(x, w, y):
    (x @ w - y).sum()


def text(x, w, y):
    return "loss"


def pair(x, w, y):
    return (x @ w - y).sum(), 0.0


def raises(x, w, y):
    raise KeyError("weights")


def divides(x, w, y):
    return (x @ w - y).sum() / 0


def with_a_string(x, w, y):
    return (x @ w - y + "a").sum()


def with_none(x, w, y):
    return (x @ w - y + None).sum()


def with_a_list(x, w, y):
    return (x @ w - y + ["a"]).sum()


def infinite(x, w, y):
    return (x @ w - y + np.inf).sum()


def endless(x, w, y):
    return endless(x, w, y)


def integer(x, w, y):
    return int((x @ w - y).sum())


CASES = [
    (branch, TraceError, "A branch on the data cannot be traced."),
    (random_numbers, TraceError, "A loss with random numbers has no gradient to derive."),
    (counting, TraceError, "The function computes another formula when it is called again."),
    (into_an_argument, TraceError, "The function writes into the argument y."),
    (unknown_ufunc, UnsupportedError, "np.spacing has no rule."),
    (unknown_function, UnsupportedError, "np.unwrap has no rule."),
    (data_sized, SymgradError, "size"),
    (dtype_option, UnsupportedError, "np.sum is not traced with these options."),
    (mismatch, ShapeError, "The inner dimensions of matmul differ: d and n."),
    (no_scalar, ShapeError, "The loss is not a scalar."),
    (nothing, TraceError, "The loss did not return a traced value."),
    (text, TraceError, "The loss did not return a traced value."),
    (pair, TraceError, "The loss did not return a traced value."),
    (raises, TraceError, "raises raised KeyError while it was traced: 'weights'"),
    (divides, TraceError, "The formula divides by 0."),
    (with_a_string, TraceError, "no number"),
    (with_none, TraceError, "no number"),
    (with_a_list, TraceError, "An array of this dtype cannot take part."),
    (infinite, TraceError, "Arithmetic with an infinite constant is not traced."),
    (endless, TraceError, "The function never ends."),
    (integer, TraceError, "A traced array has no value yet."),
]


@pytest.mark.parametrize(("loss", "error", "words"), CASES, ids=[c[0].__name__ for c in CASES])
def test_refusals_name_the_cause_and_the_line(loss, error, words):
    with pytest.raises(error) as caught:
        sg.derive(loss, SHAPES, wrt="w")
    assert words in str(caught.value)
    if loss not in (no_scalar, nothing, text, pair, counting):
        assert "test_function_refusals.py, line " in str(caught.value)


def test_a_message_in_full():
    with pytest.raises(ShapeError) as caught:
        sg.derive(mismatch, SHAPES, wrt="w")
    lines = str(caught.value).splitlines()
    assert lines[0] == "The inner dimensions of matmul differ: d and n."
    assert lines[1].startswith("  where:    matmul (")
    assert lines[1].endswith("return (x @ y - w).sum())")
    assert lines[2:] == [
        "  expected: (n, k) @ (k, 1)",
        "  got:      (n, d) @ (n, 1)",
        "  fix:      transpose one side (.T), or give equal sizes the same name in shapes",
    ]


def plain(x, w, y):
    return ((x @ w - y) ** 2).sum()


def starred(x, *rest):
    return x.sum()


def double_starred(x, **rest):
    return x.sum()


@pytest.mark.parametrize(
    ("loss", "options", "words"),
    [
        (plain, {"shapes": {"x": "n d", "w": "d 1"}}, "Nothing says what 'y' is."),
        (plain, {"shapes": {**SHAPES, "z": "n"}}, "'z' is no argument of the loss."),
        (plain, {"shapes": SHAPES, "wrt": "z"}, "'z' is not an argument of the loss."),
        (plain, {"shapes": SHAPES, "wrt": ()}, "wrt names each parameter once."),
        (plain, {"shapes": SHAPES, "wrt": ("w", "w")}, "wrt names each parameter once."),
        (plain, {"shapes": SHAPES, "wrt": None}, "Nothing says which argument is the parameter."),
        (plain, {"shapes": {**SHAPES, "y": "n -1"}}, "A dimension is an int or a name."),
        (plain, {"shapes": SHAPES, "given": {"y": lambda x: x.sum()}}, "'y' has a shape and is also given"),
        (plain, {"shapes": SHAPES, "given": {"z": lambda x: x.sum()}}, "'z' is no argument of the loss."),
        (plain, {"shapes": SHAPES, "domains": {"z": "binary"}}, "'z' has a domain but no shape."),
        (plain, {"shapes": SHAPES, "domains": {"y": "complex"}}, "There is no such domain."),
        (plain, {"shapes": SHAPES, "criterion": plain}, "A criterion belongs to a module."),
        (starred, {"shapes": {"x": "n"}, "wrt": "x"}, "starred takes *rest."),
        (double_starred, {"shapes": {"x": "n"}, "wrt": "x"}, "double_starred takes *"),
        (max, {"shapes": {"x": "n"}, "wrt": "x"}, "The arguments of this callable are not known."),
        (3.5, {"shapes": {"x": "n"}, "wrt": "x"}, "the loss cannot be traced."),
        (None, {"shapes": {"x": "n"}, "wrt": "x"}, "the loss cannot be traced."),
    ],
)  # fmt: skip
def test_refused_calls(loss, options, words):
    with pytest.raises(SymgradError) as caught:
        sg.derive(loss, **{"wrt": "w", **options})
    assert words in str(caught.value)


def test_given_functions_may_not_need_each_other():
    with pytest.raises(SpecError) as caught:
        sg.derive(
            lambda a: a.sum(), {"x": "n"}, wrt="x", given={"a": lambda b, x: b + x, "b": lambda a: 2 * a}
        )
    assert "The functions in given need each other." in str(caught.value)
    assert "a → b → a" in str(caught.value)


def test_a_traced_array_does_not_leave_its_derivation():
    kept = []

    def first(x):
        kept.append(x)
        return kept[0].sum()

    assert str(sg.derive(first, {"x": "n"}, wrt="x").gradient) == "𝟏"
    assert kept == []
