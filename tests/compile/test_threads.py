"""Shares of the rows on threads: every call once, errors out, several callers, a fork after a run."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile import rows, threads
from symgrad.compile.threads import run_shares
from symgrad.errors import DataError


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    threads._helpers.cache_clear()
    yield
    threads._helpers(os.getpid()).shutdown()
    threads._helpers.cache_clear()


def test_every_call_is_made_once():
    seen = []
    run_shares(lambda *a: seen.append(a), [(k, k * k) for k in range(100)])
    assert sorted(seen) == [(k, k * k) for k in range(100)]


def test_the_calls_run_at_the_same_time():
    together = threading.Barrier(3, timeout=20)
    run_shares(lambda k: together.wait(), [(k,) for k in range(3)])


def test_an_error_comes_out_and_nothing_more_begins():
    seen = []

    def call(k):
        seen.append(k)
        if k == 2:
            raise ValueError("two")

    with pytest.raises(ValueError, match="two"):
        run_shares(call, [(k,) for k in range(1000)])
    assert len(seen) < 1000


def test_no_calls():
    run_shares(lambda: 1 / 0, [])


def test_callers_that_are_threads_themselves():
    def total(n):
        seen = []
        run_shares(lambda k: seen.append(k), [(k,) for k in range(n)])
        return sum(seen)

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(total, range(40))) == [n * (n - 1) // 2 for n in range(40)]


def network(X, W, v, y):
    return np.mean((np.tanh(X @ W) @ v - y) ** 2)


def data(n, seed):
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(n, 5)), "W": rng.normal(size=(5, 4)), "v": rng.normal(size=4), "y": rng.normal(size=n),
    }  # fmt: skip


SHAPES = {"X": "n d", "W": "d h", "v": "h", "y": "n"}


def test_one_kernel_called_from_several_threads(monkeypatch):
    monkeypatch.setattr(rows, "LARGE", 100)
    kernel = sg.derive(network, SHAPES, wrt=["W", "v"]).compile()
    given = [data(50 + 7 * k, k) for k in range(12)]
    alone = [kernel(a) for a in given]
    with ThreadPoolExecutor(6) as callers:
        for _ in range(5):
            for (value, grads), (expected, wanted) in zip(callers.map(kernel, given), alone, strict=True):
                assert value == expected
                for n in wanted:
                    np.testing.assert_array_equal(grads[n], wanted[n])


def test_an_error_in_a_share_is_explained_and_the_next_call_is_right(monkeypatch):
    monkeypatch.setattr(rows, "LARGE", 100)

    def picked(E, i, y):
        return np.sum((E[i] - y) ** 2)

    own = sg.derive(picked, {"E": "m", "i": "n", "y": "n"}, wrt="E")
    kernel = own.compile()
    arrays = {"E": np.arange(3.0), "i": np.zeros(400, int), "y": np.ones(400)}
    expected = kernel(arrays)
    wrong = {**arrays, "i": np.full(400, 5)}
    with pytest.raises(DataError, match="outside"):
        kernel(wrong)
    assert kernel(arrays)[0] == expected[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_runs_the_kernel_again():
    program = textwrap.dedent("""
        import os, sys, warnings
        import numpy as np
        import symgrad as sg
        from symgrad.compile import rows
        rows.LARGE = 100
        kernel = sg.derive("((x * w - y)**2).sum()", {"x": "n", "w": "", "y": "n"}, wrt="w").compile()
        arrays = {"x": np.arange(3000.0), "w": np.array(2.0), "y": np.ones(3000)}
        value = kernel(arrays)[0]
        warnings.simplefilter("ignore")
        child = os.fork()
        if child == 0:
            os._exit(0 if kernel(arrays)[0] == value else 3)
        assert os.waitpid(child, 0)[1] == 0
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
