"""Loop nests as data, and the joining of neighbours that run over the same range."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

Reads = set[tuple[str, str]]
"""Arrays read, each with the text of its index."""


@dataclass
class Nest:
    """Statements inside loops over ``sizes``, the variables being ``i0, i1, …``.

    Attributes:
        sizes: texts of the sizes, outermost first.
        before: statements in front of the loops.
        body: statements inside.
        after: statements behind.
        reads: the buffers and scalars that the body reads, with their index.
        writes: the buffers whose entry the body writes, with their index.
        ends: what has its value only when the loops have ended.
        adds: whether it adds along its innermost loop, one term after the other.
        functions: whether it computes functions such as exp, which vectors of entries are worth most for.
        values: the values of the program that are computed inside.
    """

    sizes: tuple[str, ...]
    before: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    reads: Reads = field(default_factory=set)
    writes: Reads = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    adds: bool = False
    functions: bool = False
    values: list[str] = field(default_factory=list)

    @property
    def straight(self) -> bool:
        """Whether it has several loops that could be one: nothing in it asks in which row or column it is."""
        entry = re.compile(rf"\w+\[{loop_index(len(self.sizes))}\]")
        stray = any(re.search(r"\bi\d+\b", entry.sub("", line)) for line in self.body)
        return len(self.sizes) > 1 and not stray

    def joins(self, other: Nest) -> bool:
        """Whether ``other``, which comes next, may run inside these loops.

        It may if it reads nothing that only the end of these loops completes, and what they write it reads at
        the very entry that has just been written.  Where it writes into memory that these loops read, they read
        that very entry, and what it prepares in front of them is not what they use.
        """
        if not self.sizes or self.sizes != other.sizes:
            return False
        if (self.adds and other.functions) or (self.functions and other.adds):
            return False
        if (self.functions or other.functions) and self.straight != other.straight:
            return False
        overwritten = dict(other.writes)
        if any(name in other.ends or overwritten.get(name, index) != index for name, index in self.reads):
            return False
        if any(name in other.ends for name, _ in self.writes):
            return False
        written = dict(self.writes)
        return all(name not in self.ends and written.get(name, index) == index for name, index in other.reads)

    def take(self, other: Nest) -> None:
        """Run ``other`` inside these loops too."""
        self.before += other.before
        self.body += other.body
        self.after += other.after
        self.reads |= other.reads
        self.writes |= other.writes
        self.ends |= other.ends
        self.adds |= other.adds
        self.functions |= other.functions
        self.values += other.values

    def lines(self) -> list[str]:
        """The source text."""
        return [*self.before, *loops(self.sizes, self.body), *self.after]


def loops(sizes: tuple[str, ...], body: list[str]) -> list[str]:
    """Loops ``i0, i1, …`` around a body."""
    out = []
    indent = ""
    for axis, size in enumerate(sizes):
        out.append(f"{indent}for i{axis} in range({size}):")
        indent += "    "
    return [*out, *(indent + line for line in body)]


def nested(body: Iterable[str]) -> list[str]:
    """One level further in."""
    return ["    " + line for line in body]


def loop_index(rank: int) -> str:
    """``i0, i1`` for two axes, ``()`` for none."""
    return ", ".join(f"i{i}" for i in range(rank)) or "()"
