"""Many random programs: ``python -m calculus.deep_run --programs 10000 --seed 0 --jobs 2`` in ``tests``.

Prints how the gradients were compared, how often each operation took part, what was refused, and every wrong
gradient or foreign exception with the smallest part of the program that shows it.  The exit status is 1 where
there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from calculus.choices import Seeded
from calculus.gradient_check import WrongGradientError, check
from calculus.random_programs import Case, grown
from calculus.shrinking import shrunk

from symgrad.errors import SymgradError


@dataclass(frozen=True)
class Report:
    """What became of one program; ``outcome`` is how it was compared, or ``wrong``, ``refused``, ``nothing``."""

    outcome: str
    ops: tuple[str, ...] = ()
    detail: str = ""


@dataclass
class Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    ops: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, seed: int, report: Report) -> None:
        self.outcomes[report.outcome] += 1
        self.ops.update(report.ops)
        self.lengths[len(report.ops)] += 1
        if report.outcome == "wrong":
            self.failures.append(f"seed {seed}: {report.detail}")

    def __str__(self) -> str:
        lines = [f"{n:7} {what}" for what, n in self.outcomes.most_common()]
        lines += ["operations: " + ", ".join(f"{op} {n}" for op, n in self.ops.most_common())]
        lines += [
            "programs by operations: " + ", ".join(f"{k}: {n}" for k, n in sorted(self.lengths.items()))
        ]
        return "\n".join([*lines, *self.failures])


def program_of(seed: int) -> Case | None:
    """The random program with that number."""
    return grown(Seeded(random.Random(seed)))


def _fails(case: Case) -> bool:
    try:
        check(case)
    except WrongGradientError:
        return True
    except SymgradError:
        return False
    return False


def examine(seed: int) -> Report:
    """Make and check one program.  What is neither a comparison nor a refusal is raised."""
    case = program_of(seed)
    if case is None:
        return Report("nothing")
    try:
        return Report(check(case).how, case.drawn)
    except WrongGradientError as error:
        return Report("wrong", case.drawn, f"{error}\n{shrunk(case, _fails)}")
    except SymgradError as error:
        return Report(f"refused: {type(error).__name__}", case.drawn, str(error))


def run(programs: int, seed: int, jobs: int, every: int = 500) -> Tally:
    """Examine that many programs; foreign exceptions count as failures."""
    tally = Tally()
    with ProcessPoolExecutor(jobs) as pool:
        numbers = iter(range(seed, seed + programs))
        while block := list(islice(numbers, every)):
            for number, future in [(n, pool.submit(examine, n)) for n in block]:
                error = future.exception()
                if error is None:
                    tally.add(number, future.result())
                else:
                    tally.add(number, Report("wrong", detail=f"{type(error).__name__}: {error}"))
            print(
                f"{block[-1] + 1 - seed} programs, {len(tally.failures)} wrong", file=sys.stderr, flush=True
            )
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the gradients of random programs.")
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    tally = run(options.programs, options.seed, options.jobs)
    print(tally)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
