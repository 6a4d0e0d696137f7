"""Formulas and steps grow with the loss, not faster: counted in letters and in operations, not in seconds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import symgrad as sg


def nested(depth):
    def loss(x):
        z = x
        for i in range(depth):
            z = np.abs(z - i - 1)
        return z.sum()

    return sg.derive(loss, {"x": "n"}, "x")


def terms(count):
    def loss(x):
        total = 0.0
        for i in range(count):
            total = total + np.sum(np.tanh(x * (i + 1)))
        return total

    return sg.derive(loss, {"x": "n"}, "x")


def layers(depth):
    model = sg.nn.Sequential(*(x for _ in range(depth) for x in (sg.nn.Linear(4, 4), sg.nn.Tanh())))
    return sg.derive(model, {"x": "n 4", "y": "n 4"}, criterion=sg.nn.MSELoss(reduction="sum"))


def rows(count):
    def loss(X, w, y):
        total = 0.0
        for i in range(count):
            total += (X[i] @ w - y[i]) ** 2
        return total

    return sg.derive(loss, {"X": (count, 3), "w": 3, "y": count}, "w")


def most_operations(program):
    """The size of the largest function that was simplified as a whole."""
    return max(int(b.attrs["fn"].count_ops()) for b in program.bindings if b.op == "pointwise")


@pytest.mark.parametrize("make", [terms, layers, rows], ids=lambda f: f.__name__)
def test_lengths_grow_with_the_size(make):
    lengths = []
    for size in (10, 20, 40):
        derivation = make(size)
        steps = sum(len(s.text) for s in derivation.steps)
        lengths.append((len(str(derivation)), steps, len(derivation.document.program.bindings)))
    for small, middle, large in zip(*lengths, strict=True):
        assert large - middle <= 2.5 * (middle - small) + 40


@pytest.mark.parametrize("make", [nested, terms, rows], ids=lambda f: f.__name__)
def test_functions_are_not_joined_without_bound(make):
    sizes = [most_operations(make(size).document.program) for size in (40, 80)]
    assert sizes[1] <= sizes[0] + 10
    assert sizes[1] <= 200


def test_a_part_is_written_once():
    """Each level of nesting used to double the work; that of thirty took hours."""
    derivation = nested(30)
    assert str(derivation).count("|") == 2 * 30 + 2  # the last but one is read by the last and by its sign
    assert [s.phase for s in derivation.steps].count("forward") >= 2


def test_no_depth_is_too_deep_for_the_writer():
    assert len(str(terms(150))) > 150


def calls(work):
    """How many Python functions are called, which the machine's load does not change."""
    count = 0

    def seen(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_the_work_of_printing_grows_with_the_depth():
    """Names were compared with all names before them, and values with all that a recogniser had seen."""
    small, middle, large = (calls(layers(depth).__str__) for depth in (40, 80, 160))
    assert large - middle <= 2.2 * (middle - small)
