"""One derived array as a page of lines: what is differentiated, the values that have names, the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Builder, Program
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
        written: makes the same of the code as it was written, of operations that every other system knows.
    """

    program: Program
    label: str
    start: Callable[[str], str]
    result: Callable[[str, Callable[[str], str]], str]
    written: Callable[[], Program]

    @cached_property
    def names(self) -> dict[str, str]:
        forward = {b.name for b in self.program.only("loss").bindings}
        forward |= {
            b.name for b in self.program.bindings if b.op == "pointwise" and b.attrs["fn"].is_Function
        }
        return choose_names(self.program.only(self.label), frozenset(forward), self.program)

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


def share_functions(program: Program) -> Program:
    """The program with every function of one value that a formula reads twice as a value of its own: p(1 − p)."""
    builder = Builder(program.inputs)
    value = {i.name: i.name for i in program.inputs}
    for b in program.bindings:
        args = [value[a] for a in b.args]
        attrs = dict(b.attrs)
        if b.op == "pointwise":
            for part in _repeated(attrs["fn"]):
                (at,) = (i for i in range(len(args)) if part.has(ARG(i)))
                shared = builder.emit("pointwise", args[at], fn=part.xreplace({ARG(at): ARG(0)}))
                attrs["fn"] = attrs["fn"].xreplace({part: ARG(len(args))})
                args.append(shared)
            used = [i for i in range(len(args)) if attrs["fn"].has(ARG(i))]
            attrs["fn"] = attrs["fn"].xreplace({ARG(i): ARG(j) for j, i in enumerate(used)})
            args = [args[i] for i in used]
        value[b.name] = builder.emit(b.op, *args, **attrs)
        if b.label is not None:
            builder.label(value[b.name], b.label)
    return builder.finish([(label, value[name]) for label, name in program.outputs])


def _repeated(fn: sympy.Expr) -> list[sympy.Expr]:
    """Functions of one argument symbol that occur more than once."""
    found = Counter(e for e in sympy.preorder_traversal(fn) if e.is_Function and len(e.args) == 1)
    return [
        e
        for e, count in found.items()
        if count > 1 and e.args[0].is_Symbol and e.args[0].name.startswith("a")
    ]
