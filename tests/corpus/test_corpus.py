"""symgrad on losses that ordinary people write: right, or clearly refused; never wrong.

In the suite every row meets distinct sizes, where the plain function permits them.  ``SYMGRAD_DEEP=1`` adds equal
sizes and each size 1.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from judge import all_rows, derive, judge, judge_row
from numeric import expected_at, quietly

ROWS = all_rows()
DEEP = os.environ.get("SYMGRAD_DEEP") == "1"
AT_LEAST = 220


def test_the_corpus_is_large_and_its_names_are_different():
    names = [r.name for r in ROWS]
    assert len(names) >= AT_LEAST
    assert len(set(names)) == len(names)


def test_numpy_alone_runs_every_row_at_distinct_sizes():
    failed = {r.name: e for r in ROWS if isinstance(e := expected_at(r, r.size_sets()["generic"]), str)}
    assert failed == {}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_right_or_refused(row):
    verdicts = judge_row(row, None if DEEP else ["generic"])
    bad = [v for v in verdicts if v.word in ("wrong", "crash")]
    assert bad == []


def test_equal_sizes_and_ones_are_the_deep_run():
    if not DEEP:
        left_out = sum(len(r.size_sets()) - 1 for r in ROWS)
        pytest.skip(f"{left_out} further sets of sizes; SYMGRAD_DEEP=1 judges them")


def test_the_judge_notices_a_wrong_gradient():
    row = next(r for r in ROWS if r.name == "sum_of_squares")
    right = derive(row)

    def doubled(**arrays):
        value, gradients = right(**arrays)
        return value, {n: 2 * g for n, g in gradients.items()}

    def shifted(**arrays):
        value, gradients = right(**arrays)
        return value + 1e-8, gradients

    assert judge(row, right, "generic").word == "right"
    assert judge(row, doubled, "generic").word == "wrong"
    assert judge(row, shifted, "generic").word == "wrong"


def test_the_numeric_derivative_is_accurate():
    row = next(r for r in ROWS if r.name == "log_sum_exp")
    arrays, _, gradients = expected_at(row, row.size_sets()["generic"])
    z = arrays["X"] @ arrays["w"]
    p = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(gradients["w"], arrays["X"].T @ p, rtol=1e-8)


def test_a_kink_has_no_numeric_derivative():
    row = next(r for r in ROWS if r.name == "lasso")

    def beside_zero(sizes, seed):
        return row.draw(sizes, seed) | {"w": np.full(sizes["d"], 1e-4)}

    class Kinked:
        def __getattr__(self, name):
            return beside_zero if name == "draw" else getattr(row, name)

    assert expected_at(Kinked(), row.size_sets()["generic"]) == "no numeric derivative"


def test_prints_of_a_loss_are_kept_from_the_output(capsys):
    row = replace(next(r for r in ROWS if r.name == "chatty"))
    quietly(row.function, **row.draw(row.size_sets()["generic"], 0))
    assert capsys.readouterr().out == ""
