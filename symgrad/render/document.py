"""A derivation as a page of lines: the loss, the values that have names, the gradients.

``Document`` is made once from the differentiated program; every printed form of a derivation is read from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from symgrad.calculus import Differentiated
from symgrad.program import Program
from symgrad.render.formula import Writer, choose_names
from symgrad.render.log_softmax import log_softmax
from symgrad.render.recognise import recognise
from symgrad.render.reuse import reuse
from symgrad.render.simplify import simplify
from symgrad.render.standardise import derived


@dataclass(frozen=True)
class Line:
    """``left = right``, in one style; ``kind`` is loss, value or gradient, ``shape`` the printed shape."""

    left: str
    right: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.left} = {self.right}"


class Document:
    """The printed form of one differentiated program.

    Args:
        differentiated: what calculus returned.
        wrt: the parameters, in the order in which their gradients are printed.
    """

    def __init__(self, differentiated: Differentiated, wrt: Sequence[str]) -> None:
        self.differentiated = differentiated
        self.wrt = tuple(wrt)
        self._writers: dict[str, Writer] = {}

    @cached_property
    def program(self) -> Program:
        """The simplified program of the recognised loss and its gradients."""
        forward = recognise(self.differentiated.program.only("loss"))
        return log_softmax(reuse(derived(forward, self.wrt)))

    @cached_property
    def written(self) -> Program:
        """The simplified program of the loss as it was written, of operations that every other system knows."""
        return simplify(self.differentiated.program)

    @cached_property
    def names(self) -> dict[str, str]:
        forward = frozenset(b.name for b in self.program.only("loss").bindings)
        return choose_names(self.program.only(*self.wrt), forward, self.program)

    def writer(self, style: str) -> Writer:
        if style not in self._writers:
            self._writers[style] = Writer(self.program, style, self.names)
        return self._writers[style]

    def gradient_sign(self, name: str, style: str) -> str:
        """``∂L/∂w``."""
        shown, loss = self.writer(style).name(name), self.loss_sign(style)
        if style == "latex":
            return rf"\frac{{\partial {loss}}}{{\partial {shown}}}"
        return f"d{loss}/d{shown}" if style == "ascii" else f"∂{loss}/∂{shown}"

    @cached_property
    def _taken(self) -> frozenset[str]:
        """The names of inputs and sizes."""
        sizes = (s for i in self.program.inputs for d in i.shape for s in getattr(d, "free_symbols", ()))
        return frozenset(map(str, sizes)) | {i.name for i in self.program.inputs}

    def loss_sign(self, style: str) -> str:
        """``L``, or ``loss`` where an input or a size has that name."""
        if "L" not in self._taken:
            return "L"
        return r"\mathrm{loss}" if style == "latex" else "loss"

    def lines(self, style: str = "text") -> list[Line]:
        """The loss, the named values in order, the gradients."""
        writer = self.writer(style)
        program = self.program
        loss = program.output["loss"]
        out = [Line(self.loss_sign(style), writer.formula(loss).text, "loss", loss)]
        for b in program.bindings:
            if b.name in self.names:
                out.append(Line(writer.name(b.name), writer.formula(b.name).text, "value", b.name))
        for name in self.wrt:
            value = program.output[name]
            out.append(Line(self.gradient_sign(name, style), writer.piece(value).text, "gradient", value))
        return out

    def formula(self, output: str, style: str = "text") -> str:
        """The right-hand side of the loss or of one gradient, with the names that it needs told behind it."""
        program = self.program.only(output)
        forward = frozenset(b.name for b in self.program.only("loss").bindings)
        names = choose_names(program, forward)
        writer = Writer(program, style, names)
        value = program.output[output]
        text = (writer.formula(value) if output == "loss" else writer.piece(value)).text
        told = [
            f"{writer.name(b.name)} = {writer.formula(b.name).text}"
            for b in program.bindings
            if b.name in names
        ]
        if not told:
            return text
        word = r"\quad\text{where } " if style == "latex" else ", where "
        return text + word + ", ".join(told)

    def where(self, style: str = "text") -> list[Line]:
        """The named values only."""
        return [x for x in self.lines(style) if x.kind == "value"]
