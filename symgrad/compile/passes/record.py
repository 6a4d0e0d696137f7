"""What a pass is: a pure function from a program to one that computes the same outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.program import Program


@dataclass(frozen=True)
class Pass:
    """One rewriting of whole programs.

    Attributes:
        name: by which it is chosen.
        why: what it does and why it may, in a sentence.
        run: the function; it returns the very program that it is given where nothing applies.
    """

    name: str
    why: str
    run: Callable[[Program], Program]

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def alive(program: Program) -> Program:
    """The program without bindings that no output needs; the same object where there are none."""
    kept = program.only(*(label for label, _ in program.outputs))
    return program if len(kept.bindings) == len(program.bindings) else kept


class Names:
    """Fresh names for the bindings that a pass adds: ``v1``, ``v2``, … where they are free."""

    def __init__(self, program: Program) -> None:
        self._taken = set(program.by_name)
        self._count = 0

    def fresh(self) -> str:
        while True:
            self._count += 1
            name = f"v{self._count}"
            if name not in self._taken:
                self._taken.add(name)
                return name
