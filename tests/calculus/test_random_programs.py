"""Gradients of random programs are the scalar derivatives: exactly, or to 30 digits; and NumPy runs them."""

from __future__ import annotations

import random

import pytest
from calculus.choices import Seeded
from calculus.gradient_check import WrongGradientError, check
from calculus.random_programs import cases, grown
from calculus.shrinking import shrunk
from hypothesis import HealthCheck, given, settings

from symgrad.render import simplify

SEEDS = 150


def fails(case, *how):
    try:
        check(case, *how)
    except WrongGradientError:
        return True
    return False


@pytest.mark.parametrize("block", range(10))
def test_a_fixed_sample(block):
    for seed in range(block, SEEDS, 10):
        case = grown(Seeded(random.Random(seed)))
        if case is not None and fails(case):
            check(shrunk(case, fails))


@pytest.mark.parametrize("block", range(4))
def test_what_is_printed_is_the_derivative_too(block):
    for seed in range(1000 + block, 1060, 4):
        case = grown(Seeded(random.Random(seed)))
        if case is not None and fails(case, simplify):
            check(shrunk(case, lambda smaller: fails(smaller, simplify)), simplify)


@settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(cases(most=6))
def test_short_programs_that_hypothesis_can_shrink(case):
    if case is not None:
        check(case)
