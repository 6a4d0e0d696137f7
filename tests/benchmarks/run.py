"""symgrad beside NumPy, SciPy, JAX and PyTorch: ``python tests/benchmarks/run.py [--quick] [names]``.

Every contender is verified against a reference in double precision before it is timed.  They take turns in one
process, one at a time.  Exits with 1 if a target is not reached, or a contender computes something else.  The peers
come with ``pip install '.[bench]'``; one that is missing is named, and its targets are not reached.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.machine import machine, versions
from harness.measure import measured, verified
from harness.processes import first_calls, seconds_before_running
from harness.report import Report, details, durations_table, page, summary
from harness.results import Duration, Result
from harness.workload import Workload
from workloads import NOTES, WORKLOADS
from workloads.startup import durations

STARTUP = "startup"
TURNS, QUICK_TURNS = 15, 3
BUDGET = 60.0
"""Seconds for the turns of one workload."""
PROCESSES = 3
HEAD = """\
# Benchmarks

Written by `python tests/benchmarks/run.py --shapes all --write docs/benchmarks.md` after `pip install '.[bench]'`. Do
not edit it: run it again.

Every contender does the same work on the same numbers, and is written as somebody would who knows the library and wants
it fast: compiled where it can be, on all cores, on arrays that it already holds. Before it is timed, each is held against
a reference in double precision, written by hand in NumPy; one that is off is not timed. Then they take turns in one
process, one at a time, with a pause and an untimed call before each, as idle threads of the one before spin for a
while. Short calls are repeated until they last 5 ms.

A ratio says how many times as long as symgrad a contender takes: the ratio of the medians, and in brackets the
quartiles of the ratios turn by turn. The share of the limit is the time of the part that nobody can leave out, as a
part of symgrad's time. "First call" is what a first call takes longer than a second one with empty caches, after the
libraries are imported; "next process" is the same in a new process that finds the cache filled. For symgrad both
include derivation.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("names", nargs="*", help="workloads to run; all of the chosen shapes if none is named")
    p.add_argument("--shapes", choices=("issue", "other", "all"), default="issue")
    p.add_argument("--quick", action="store_true", help="three turns, no first calls: does everything work?")
    p.add_argument("--verify", action="store_true", help="only hold every contender against the reference")
    p.add_argument("--turns", type=int, help=f"turns of each contender; {TURNS} if not given")
    p.add_argument("--without", action="append", default=[], metavar="CONTENDER", help="leave one out")
    p.add_argument("--write", type=Path, metavar="FILE", help="write the page")
    p.add_argument("--list", action="store_true", help="print the names of the workloads")
    p.add_argument("--first-call", nargs=2, metavar=("WORKLOAD", "CONTENDER"), help=argparse.SUPPRESS)
    return p


def verify(chosen: Sequence[Workload], without: Sequence[str]) -> int:
    """Print who computes the right values; 1 if somebody does not."""
    wrong = 0
    for workload in chosen:
        found = verified(workload, workload.data(), without)
        print(f"{workload.name}: right are {', '.join(found.calls)}", flush=True)
        for name, reason in [*found.wrong.items(), *found.left_out.items()]:
            print(f"  {name}: {reason}", flush=True)
        wrong += len(found.wrong)
        gc.collect()
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    command = parser()
    given = command.parse_args(arguments)
    known = {w.name: w for w in WORKLOADS}
    if given.first_call:
        name, contender = given.first_call
        print(seconds_before_running(known[name], contender))
        return 0
    if given.list:
        print("\n".join([*(f"{w.name:24} {w.shapes:6} {w.title}" for w in WORKLOADS), STARTUP]))
        return 0
    unknown = set(given.names) - set(known) - {STARTUP}
    if unknown:
        command.error(f"no workload is called {', '.join(sorted(unknown))}; --list prints the names")
    chosen = [w for w in WORKLOADS if given.shapes in (w.shapes, "all")]
    if given.names:
        chosen = [known[n] for n in given.names if n in known]
    if given.verify:
        return verify(chosen, given.without)
    turns = given.turns or (QUICK_TURNS if given.quick else TURNS)

    results: list[Result] = []
    for workload in chosen:
        print(f"{workload.name}: {workload.title}", flush=True)
        result = measured(workload, turns, BUDGET, tuple(given.without))
        if not given.quick:
            result = result.with_first(first_calls(workload, list(result.times)))
        print(f"\n{details(result)}\n", flush=True)
        results.append(result)
        gc.collect()
    found: list[Duration] = []
    if STARTUP in given.names or (not given.names and given.shapes != "other"):
        for duration in durations(1 if given.quick else PROCESSES):
            print(f"{duration.title}: {min(duration.seconds):.2f} s", flush=True)
            found.append(duration)

    date = datetime.now(UTC).date().isoformat()
    report = Report(results, found, machine(), versions(), date, turns)
    if results:
        print(f"\n{summary(results)}")
    if found:
        print(f"\n{durations_table(found)}")
    if given.write:
        given.write.write_text(page(report, HEAD, NOTES), encoding="utf-8")
    return 0 if report.reached and not report.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
