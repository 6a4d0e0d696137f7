"""One derived array as a page of lines: what is differentiated, the values that have names, the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from symgrad.program import Program
from symgrad.render.document import Line
from symgrad.render.formula import Writer, choose_names


@dataclass(frozen=True)
class Equation:
    """The printed form of one output of a simplified program.

    Attributes:
        program: simplified; has the outputs ``loss`` (what is differentiated) and ``label``.
        label: the output that is printed last.
        start: the sign of what is differentiated, for a style: ``L``.
        result: the sign of the output, for a style and the names of inputs in it: ``∂²L/∂w²``.
    """

    program: Program
    label: str
    start: Callable[[str], str]
    result: Callable[[str, Callable[[str], str]], str]

    @cached_property
    def names(self) -> dict[str, str]:
        forward = frozenset(b.name for b in self.program.only("loss").bindings)
        return choose_names(self.program.only(self.label), forward)

    def lines(self, style: str = "text") -> list[Line]:
        """The start, the named values in order, the result."""
        writer = Writer(self.program, style, self.names)
        start, end = self.program.output["loss"], self.program.output[self.label]
        out = [Line(self.start(style), writer.formula(start).text, "loss", start)]
        for b in self.program.bindings:
            if b.name in self.names:
                out.append(Line(writer.name(b.name), writer.formula(b.name).text, "value", b.name))
        out.append(Line(self.result(style, writer.name), writer.piece(end).text, "result", end))
        return out

    def formula(self, style: str = "text") -> str:
        """The right-hand side of the result."""
        return self.lines(style)[-1].right
