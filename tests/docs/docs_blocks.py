"""The fenced blocks of a Markdown page.

What the tests do with them:

    ```python                 executed, top to bottom, in one namespace per page
    ```python file=NAME       also saved as NAME, for the commands that follow
    ```sh                     each line that starts with ``symgrad`` is run as a command
    ```text                   right after one of the above: must be its output; a last line … stands for the rest
    ```console                shown, not compared: timings, other machines
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
FENCE = re.compile(r"^```(\w*)(.*)$")
FILE = re.compile(r"\bfile=(\S+)")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: the first word after the fence.
        file: the name to save it under, or None.
        text: what is inside.
        line: the number of its first line in the page.
        output: the ``text`` block that follows with nothing in between, or None.
    """

    language: str
    file: str | None
    text: str
    line: int
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order, each joined with its output."""
    found: list[Block] = []
    last_end = -1
    for block, end, only_blank in _raw(page.read_text(encoding="utf-8").split("\n")):
        if block.language == "text" and only_blank and found and last_end >= 0:
            before = found.pop()
            found.append(Block(before.language, before.file, before.text, before.line, block.text))
            last_end = -1
            continue
        found.append(block)
        last_end = end if block.language in ("python", "sh") else -1
    return found


def _raw(lines: list[str]) -> Iterator[tuple[Block, int, bool]]:
    """Each block, the number of its last line, and whether only blank lines separate it from the one before."""
    number, previous = 0, 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened is None:
            number += 1
            continue
        end = next(i for i in range(number + 1, len(lines)) if lines[i].rstrip() == "```")
        named = FILE.search(opened[2])
        text = "".join(f"{line}\n" for line in lines[number + 1 : end])
        only_blank = not any(line.strip() for line in lines[previous:number])
        yield Block(opened[1], named and named[1], text, number + 2), end, only_blank
        number = previous = end + 1


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    kept, inside = [], False
    for line in page.read_text(encoding="utf-8").split("\n"):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
