"""Judge symgrad on the corpus: right, fixed, refused, wrong or crash, row by row and size by size.

A row that is refused with symbols for its sizes is tried once more with numbers ("fixed" where that is right).

By hand: ``python tests/corpus/judge.py [name ...] [--sets generic,all 2] [--detail]``.
"""

from __future__ import annotations

import argparse
import importlib
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numeric import expected_at, quietly
from rows import Loss

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.program import DOMAINS


@dataclass(frozen=True)
class Verdict:
    """One row at one set of sizes; ``word`` is right, fixed, refused, wrong, crash, or skipped."""

    row: str
    sizes: str
    word: str
    text: str = ""


def all_rows() -> list[Loss]:
    """Every loss of the corpus, in the order of the files."""
    found: list[Loss] = []
    for path in sorted(Path(__file__).parent.glob("losses_*.py")):
        found += importlib.import_module(path.stem).losses
    return found


def derive(row: Loss, sizes: Mapping[str, int] | None = None) -> sg.Derivation:
    """Derive with symbolic sizes, or with these."""
    shapes = row.shapes
    if sizes is not None:
        shapes = {
            n: tuple(int(w) if w.isdecimal() else sizes[w] for w in s.split()) for n, s in shapes.items()
        }
    domains = {n: kind for n, kind in row.data.items() if row.told and kind.split()[0] in DOMAINS}
    return quietly(sg.derive, row.function, shapes, wrt=list(row.wrt), domains=domains)


def judge(row: Loss, derivation: sg.Derivation, label: str) -> Verdict:
    """Compare a derivation with the plain function at one set of sizes."""
    expected = expected_at(row, row.size_sets()[label])
    if isinstance(expected, str):
        return Verdict(row.name, label, "skipped", expected)
    arrays, value, gradients = expected
    try:
        got, found = quietly(derivation, **{n: a.copy() for n, a in arrays.items()})
    except SymgradError as error:
        return Verdict(row.name, label, "refused", one_line(error))
    except Exception as error:  # noqa: BLE001 - anything else than a refusal is what is looked for
        return Verdict(row.name, label, "crash", one_line(error))
    if not abs(got - value) <= 1e-10 * max(abs(value), 1e-3):
        return Verdict(row.name, label, "wrong", f"loss {got!r}, expected {value!r}")
    largest = max(np.abs(g).max(initial=0.0) for g in gradients.values())
    for n, g in gradients.items():
        if found[n].shape != g.shape:
            return Verdict(row.name, label, "wrong", f"gradient of {n} has shape {found[n].shape}")
        off = np.abs(found[n] - g).max(initial=0.0)
        if not off <= 1e-6 * max(largest, 1e-3 * abs(value), 1e-6):
            return Verdict(row.name, label, "wrong", f"gradient by {n} is off by {off:.2e} of {largest:.2e}")
    return Verdict(row.name, label, "right")


def judge_prints(row: Loss, derivation: sg.Derivation) -> list[Verdict]:
    """Whether every printed form can be made."""
    found = []
    for what, make in (
        ("text", derivation.to_text),
        ("ascii", lambda: derivation.to_text(ascii=True)),
        ("steps", lambda: derivation.to_text(with_steps=True)),
        ("latex", derivation.to_latex),
        ("sympy", derivation.to_sympy),
    ):
        try:
            quietly(make)
        except SymgradError as error:
            found.append(Verdict(row.name, what, "refused", one_line(error)))
        except Exception as error:  # noqa: BLE001 - anything else than a refusal is what is looked for
            found.append(Verdict(row.name, what, "crash", one_line(error)))
    return found


def judge_row(row: Loss, labels: list[str] | None = None) -> list[Verdict]:
    """Derive once and judge at the named sets of sizes (all of them, if none is named)."""
    chosen = [label for label in row.size_sets() if labels is None or label in labels]
    try:
        derivation = derive(row)
    except SymgradError as error:
        refusal = Verdict(row.name, "derive", "refused", one_line(error))
        return [refusal, *(judge_fixed(row, label) for label in chosen)]
    except Exception as error:  # noqa: BLE001 - anything else than a refusal is what is looked for
        return [Verdict(row.name, "derive", "crash", one_line(error))]
    return [judge(row, derivation, label) for label in chosen]


def judge_fixed(row: Loss, label: str) -> Verdict:
    """Derive with numbers for the sizes, and judge there."""
    sizes = row.size_sets()[label]
    if min(sizes.values(), default=0) < 0:
        return Verdict(row.name, label, "skipped", "a size would be negative")
    try:
        derivation = derive(row, sizes)
    except SymgradError as error:
        return Verdict(row.name, label, "refused", one_line(error))
    except Exception as error:  # noqa: BLE001 - anything else than a refusal is what is looked for
        return Verdict(row.name, label, "crash", one_line(error))
    verdict = judge(row, derivation, label)
    return replace(verdict, word="fixed") if verdict.word == "right" else verdict


def one_line(error: Exception) -> str:
    """The error with its first line and its place."""
    place = getattr(error, "where", None)
    if place is None and not isinstance(error, SymgradError):
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} [{place}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; none for all rows")
    parser.add_argument("--sets", help="such as 'generic,all 2'; all sets if not given")
    parser.add_argument("--detail", action="store_true", help="also rows that are right or skipped")
    parser.add_argument("--bare", action="store_true", help="tell derive nothing about the data")
    parser.add_argument("--prints", action="store_true", help="make every printed form as well")
    options = parser.parse_args()
    labels = options.sets.split(",") if options.sets else None
    words: Counter[str] = Counter()
    rows = [r for r in all_rows() if not options.names or any(n in r.name for n in options.names)]
    for row in rows:
        begin = time.perf_counter()
        row = replace(row, told=False) if options.bare else row
        verdicts = judge_row(row, labels)
        if options.prints and verdicts[0].sizes != "derive":
            verdicts += judge_prints(row, derive(row))
        seconds = time.perf_counter() - begin
        worst = next(
            (w for w in ("wrong", "crash", "fixed", "refused") if any(v.word == w for v in verdicts)), "right"
        )
        words[worst] += 1
        for v in verdicts:
            quiet = v.word in ("right", "skipped", "fixed") or (
                v.word == "refused" and v.sizes != "derive" and verdicts[0].sizes == "derive"
            )
            if options.detail or not quiet:
                print(f"{v.word:8} {v.row:36} {v.sizes:8} {v.text}", flush=True)
        if worst == "fixed":
            print(f"fixed    {row.name:36} right with numbers for its sizes", flush=True)
        if seconds > 10:
            print(f"slow     {row.name:36} {seconds:.1f} s", flush=True)
    print(f"{len(rows)} rows: " + ", ".join(f"{n} {w}" for w, n in sorted(words.items())))


if __name__ == "__main__":
    main()
