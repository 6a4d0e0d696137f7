"""Write docs/textbook.md from the table of textbook results: ``python docs/make_textbook.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("textbook.md")
TABLE = Path(__file__).resolve().parents[1] / "tests" / "render"

HEAD = """\
# Textbook results

Written by `python docs/make_textbook.py` from the table in `tests/render/textbook.py`. Do not edit it: change the
table. A test compares every line of ours letter by letter with what is printed, and its value with differences of the
loss.

Vectors are columns. ⊙ is the product entry by entry, and so are powers, quotients and functions of arrays: X² squares
the entries, XX multiplies matrices. 𝟏 is a vector of ones, so 𝟏bᵀ has b in every row and A𝟏 sums the rows of A. [z > 0]
is 1 where that holds and 0 elsewhere. softmax and logsumexp act on each row. p[i, yᵢ] is the entry of row i that the
label yᵢ names, for all i; onehot(y) has its ones there. In the book's forms the letters are ours; where a book
restricts its data (a symmetric matrix, one-hot labels), `domains` say so to `sg.derive`.
"""


def page() -> str:
    """The text of docs/textbook.md."""
    return HEAD + "".join(_section(title, rows) for title, rows in _sections().items())


def _sections() -> dict[str, Any]:
    sys.path.insert(0, str(TABLE))
    try:
        import textbook
    finally:
        sys.path.remove(str(TABLE))
    sections: dict[str, Any] = textbook.SECTIONS
    return sections


def _section(title: str, rows: Any) -> str:
    lines = [
        f"\n## {title}\n\n",
        "| result | the book's gradient | ours | source |\n",
        "| --- | --- | --- | --- |\n",
    ]
    for row in rows:
        cells = (_name(row), _broken(row.book.split("; ")), _broken(row.ours), row.source)
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def _name(row: Any) -> str:
    details = [f"{name}: {domain}" for name, domain in row.domains.items()]
    text = row.name + (f" ({', '.join(details)})" if details else "")
    return f"{text}: {row.note}" if row.note else text


def _broken(lines: Any) -> str:
    def cells() -> Iterator[str]:
        for line in lines:
            bars = line.replace("|", "\\|")
            yield f"`{bars}`"

    return "<br>".join(cells())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
