"""What a function may not do while it is traced, and what the error says."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import ShapeError, SpecError, SymgradError, TraceError, UnsupportedError

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}


def in_place_sum(x, w, y):
    r = x @ w
    r -= y
    return (r**2).sum()


def in_place_entry(x, w, y):
    r = x @ w - y
    r[0] = 0
    return (r**2).sum()


def branch(x, w, y):
    r = (x @ w - y).sum()
    return r if r > 0 else -r


def branch_on_size(x, w, y):
    return (x @ w - y).sum() if x.shape[0] > 10 else (x @ w - y).mean()


def loop(x, w, y):
    return sum(((xi @ w) ** 2).sum() for xi in x) + y.sum()


def loop_over_size(x, w, y):
    total = 0
    for i in range(x.shape[0]):
        total = total + i
    return total + (x @ w - y).sum()


def object_array(x, w, y):
    return np.array([x.sum(), w.sum(), y.sum()]).sum()


def converted(x, w, y):
    return np.asarray(x @ w - y).sum()


def random_numbers(x, w, y):
    return (x @ w - y + np.random.rand()).sum()  # noqa: NPY002 - what students write


def unknown_ufunc(x, w, y):
    return np.cbrt(x @ w - y).sum()


def unknown_function(x, w, y):
    return np.linalg.norm(x @ w - y)


def other_reduction(x, w, y):
    return np.max(x @ w - y)


def out_option(x, w, y):
    return np.add(x @ w, y, out=np.zeros((3, 1))).sum()


def dtype_option(x, w, y):
    return np.sum(x @ w - y, dtype=np.float32)


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


def indexing(x, w, y):
    return (x[0] @ w).sum() + y.sum()


def with_a_string(x, w, y):
    return (x @ w - y + "a").sum()


def with_none(x, w, y):
    return (x @ w - y + None).sum()


def array_constant(x, w, y):
    return (x @ w - y * np.array([1.0, 2.0, 3.0])).sum()


def with_a_list(x, w, y):
    return (x @ w - y + ["a"]).sum()


def infinite(x, w, y):
    return (x @ w - y + np.inf).sum()


def endless(x, w, y):
    return endless(x, w, y)


def dtype(x, w, y):
    return (x @ w - y).astype(np.float32).sum()


def integer(x, w, y):
    return int((x @ w - y).sum())


def unknown_method(x, w, y):
    return (x @ w - y).cumsum().sum()


CASES = [
    (in_place_sum, UnsupportedError, "A traced array is not changed in place."),
    (in_place_entry, UnsupportedError, "A traced array is not changed in place."),
    (branch, TraceError, "A branch on the data cannot be traced."),
    (branch_on_size, TraceError, "A branch on a size that is a symbol cannot be traced."),
    (loop, UnsupportedError, "A traced array is not looped over."),
    (loop_over_size, TraceError, "A symbolic size cannot count or index."),
    (object_array, TraceError, "A traced array cannot become an ordinary or object array."),
    (converted, TraceError, "A traced array cannot become an ordinary or object array."),
    (random_numbers, TraceError, "The function computes another formula when it is called again."),
    (unknown_ufunc, UnsupportedError, "np.cbrt has no rule."),
    (unknown_function, UnsupportedError, "np.linalg.norm has no rule."),
    (other_reduction, UnsupportedError, "np.max"),
    (out_option, UnsupportedError, "A traced array is not changed in place."),
    (dtype_option, UnsupportedError, "np.sum is not traced with these options."),
    (mismatch, ShapeError, "The inner dimensions of matmul differ: d and n."),
    (no_scalar, ShapeError, "The loss is not a scalar."),
    (nothing, TraceError, "The loss did not return a traced value."),
    (text, TraceError, "The loss did not return a traced value."),
    (pair, TraceError, "The loss did not return a traced value."),
    (raises, TraceError, "raises raised KeyError while it was traced: 'weights'"),
    (divides, TraceError, "The formula divides by 0."),
    (indexing, UnsupportedError, "Indexing has no rule yet."),
    (with_a_string, TraceError, "no number"),
    (with_none, TraceError, "no number"),
    (array_constant, UnsupportedError, "An array constant cannot take part in a formula."),
    (with_a_list, TraceError, "An array of this dtype cannot take part."),
    (infinite, TraceError, "no finite real number"),
    (endless, TraceError, "The function never ends."),
    (dtype, SymgradError, "astype"),
    (integer, TraceError, "A traced array has no value yet."),
    (unknown_method, SymgradError, "cumsum"),
]


@pytest.mark.parametrize(("loss", "error", "words"), CASES, ids=[c[0].__name__ for c in CASES])
def test_refusals_name_the_cause_and_the_line(loss, error, words):
    with pytest.raises(error) as caught:
        sg.derive(loss, SHAPES, wrt="w")
    assert words in str(caught.value)
    if loss not in (no_scalar, nothing, text, pair, random_numbers):
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
        return x.sum()

    sg.derive(first, {"x": "n"}, wrt="x")
    with pytest.raises(TraceError, match="belongs to another function"):
        sg.derive(lambda x: (x * kept[0]).sum(), {"x": "n"}, wrt="x")


def test_a_rank_that_numpy_would_refuse_is_refused():
    with pytest.raises(UnsupportedError, match="stacks of matrices"):
        sg.derive("(t @ w).sum()", {"t": "k n d", "w": "d m"}, wrt="w")
