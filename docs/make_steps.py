"""Write docs/steps.md from the table of derivations: ``python docs/make_steps.py``."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("steps.md")
TABLE = Path(__file__).resolve().parents[1] / "tests" / "render"

HEAD = """\
# Derivations, step by step

Written by `python docs/make_steps.py` from the table in `tests/render/steps_table.py`. Do not edit it: change the
table. A test evaluates every line, and compares every backward line with differences of the rest of the loss.

Each derivation is what `d.steps` holds and `symgrad derive --steps` prints. The forward pass has the names of the code;
what has none is called z before and h after an activation. A bar is a derivative of the loss: Ā is ∂L/∂A. δ is ∂L/∂z
where z is what a layer computes of its weights. Where a line has two right sides, the first is the chain rule and the
second what it comes to. The book's lines stand below each derivation, in our letters.

Where "Beside the book" stands below a derivation, its lines were held against the book's, one by one; the paragraph
says where ours differ and why. The others have the book's formulas, written down from memory.
"""


def page() -> str:
    """The text of docs/steps.md."""
    sys.path.insert(0, str(TABLE))
    try:
        import steps_table
    finally:
        sys.path.remove(str(TABLE))
    return HEAD + "".join(_derivation(d) for d in steps_table.DERIVATIONS)


def _derivation(d: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = d.derive().steps
    lines = [f"\n## {d.name}\n\n```python\ndef loss({', '.join(d.shapes)}):\n"]
    lines += [f"    {line}\n" for line in d.loss.splitlines()]
    lines.append("```\n")
    if d.domains:
        lines.append(
            f"\nTold to `sg.derive`: {', '.join(f'{n} is {kind}' for n, kind in d.domains.items())}.\n"
        )
    lines.append("\n| step | shape | rule | why |\n| --- | --- | --- | --- |\n")
    for s in steps:
        cells = (_code(s.text), f"`{s.shape}`", _rules(s), s.why if s.phase == "backward" else "")
        lines.append(f"| {' | '.join(cells)} |\n")
    lines.append(f"\nThe book, {d.source}:\n\n")
    lines += [f"- `{line}`\n" for line in d.book]
    if d.beside:
        lines.append(f"\n**Beside the book.** {d.beside}\n")
    if d.note:
        lines.append(f"\n{d.note}\n")
    return "".join(lines)


def _rules(step: Any) -> str:
    if step.phase == "forward":
        return str(step.rule)
    return "<br>".join(_code(rule) for rule in step.rule.split("; "))


def _code(text: str) -> str:
    bars = text.replace("|", "\\|")
    return f"`{bars}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
