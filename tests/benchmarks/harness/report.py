"""The tables: what each contender took beside symgrad, and what was wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from harness.results import Duration, Result, Spread, Verdict
from harness.workload import Added

PEERS = ("NumPy", "SciPy", "JAX", "torch", "torch.compile")
REACHED, SHORT, ABSENT = "reached", "**not reached**", "**not measured**"


@dataclass(frozen=True)
class Report:
    """Everything that one run found out.

    Attributes:
        results: of the workloads.
        durations: of what has processes of its own.
        machine, versions: what it ran on.
        date: of the run.
        turns: of each contender, at most.
    """

    results: Sequence[Result]
    durations: Sequence[Duration]
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    date: str
    turns: int

    @property
    def reached(self) -> bool:
        """Whether every target is."""
        return all(v.reached for r in self.results for v in r.verdicts()) and all(
            d.reached for d in self.durations
        )

    @property
    def wrong(self) -> bool:
        """Whether a contender computed something else."""
        return any(r.wrong for r in self.results)


def page(report: Report, head: str, notes: Mapping[str, str]) -> str:
    """The text of docs/benchmarks.md.

    Args:
        report: the numbers.
        head: what stands before them.
        notes: for the names of workloads, what has to be known about them.
    """
    groups = {
        "issue": "## Ratios",
        "other": "## Other shapes\n\nNothing was tuned on these; they have no targets.",
    }
    parts = [head.rstrip(), f"## The machine\n\n{facts(report)}"]
    for shapes, heading in groups.items():
        results = [r for r in report.results if r.workload.shapes == shapes]
        if results:
            parts += [heading, summary(results)]
    if report.durations:
        parts += ["## Compiling and starting", durations_table(report.durations)]
    if report.results:
        parts.append("## Every contender")
    for result in report.results:
        parts += [f"### {result.workload.title}", *_note(result, notes), details(result)]
    return "\n\n".join(parts) + "\n"


def _note(result: Result, notes: Mapping[str, str]) -> Iterator[str]:
    if result.workload.name in notes:
        yield notes[result.workload.name]


def facts(report: Report) -> str:
    """Date, machine and versions as a list."""
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    lines = {"date": report.date, **report.machine, "versions": versions, "turns": f"at most {report.turns}"}
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def summary(results: Sequence[Result]) -> str:
    """One row for each workload: symgrad's time, the peers' ratios, the limit's share, the targets."""
    peers = [p for p in PEERS if any(p in r.times for r in results)]
    rows = []
    for result in results:
        own = result.workload.own
        time = duration(result.spread(own).middle) if own in result.times else "–"
        ratios = [_ratio(result.ratio(peer)) for peer in peers]
        targets = "<br>".join(map(verdict, result.verdicts()))
        rows.append(
            [result.workload.title, f"{time} a {result.workload.unit}", *ratios, _share(result), targets]
        )
    return table(["work", "symgrad", *peers, "share of the limit", "targets"], rows)


def details(result: Result) -> str:
    """One row for each contender of a workload, and why others are missing."""
    rows = []
    for name in result.times:
        spread, first = result.spread(name), result.first.get(name)
        calls = ["–", "–"] if first is None else [f"{first.cold:.1f} s", f"{first.warm:.1f} s"]
        times = f"{duration(spread.low)} to {duration(spread.high)}"
        rows.append([name, duration(spread.middle), times, _ratio(result.ratio(name)), *calls])
    head = [
        "contender",
        f"a {result.workload.unit}",
        "half of the turns",
        "ratio",
        "first call",
        "next process",
    ]
    missing = [f"- {name} is left out: {reason}" for name, reason in result.left_out.items()]
    missing += [f"- {name} is **wrong**, and not timed: {reason}" for name, reason in result.wrong.items()]
    return "\n".join([table(head, rows), *([""] if missing else []), *missing])


def durations_table(durations: Sequence[Duration]) -> str:
    """One row for each time of a process."""
    rows = []
    for d in durations:
        wanted = (
            "–" if d.at_most is None else f"at most {duration(d.at_most)}: {REACHED if d.reached else SHORT}"
        )
        times = f"{duration(min(d.seconds))} to {duration(max(d.seconds))}"
        rows.append([d.title, duration(median(d.seconds)), times, wanted])
    return table(["what", "median", "all", "target"], rows)


def verdict(v: Verdict) -> str:
    """A target and what came out, in words."""
    target = v.target
    if isinstance(target, Added):
        wanted = f"{target.contender} at most {duration(target.at_most)} longer"
        found = "" if v.found is None else f"{duration(v.found)}, "
    else:
        wanted = f"{target.contender} ≥ {_three(target.at_least)}×"
        found = ""
    return f"{wanted}: {found}{ABSENT if v.found is None else REACHED if v.reached else SHORT}"


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size:
            return f"{_three(seconds / size)} {unit}"
    return f"{_three(seconds / 1e-9)} ns"


def _three(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"{_three(spread.middle)}× ({_three(spread.low)} to {_three(spread.high)})"


def _share(result: Result) -> str:
    limit = result.workload.limit
    ratio = None if limit is None else result.ratio(limit)
    return "–" if ratio is None else f"{ratio.middle:.0%} of {limit}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
