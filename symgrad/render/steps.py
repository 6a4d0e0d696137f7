"""The way to the gradient, one line a step: forward, then backward, each with its rule and its reason.

The lines are those of a course: the forward values under the user's names, then for each of them what flows back to
it. ∂L/∂z is called δ where z is what a layer computes before its activation (Bishop 2006, eq. 5.51; Nielsen 2015,
ch. 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.calculus import Differentiated
from symgrad.ops.dims import format_shape
from symgrad.program import Binding, Program
from symgrad.render.notation import to_ascii
from symgrad.render.reasons import MOST, TWICE, Reason, added, distributions, reasons
from symgrad.render.recognise import recognise
from symgrad.render.segments import Part, Parts
from symgrad.render.softmax import axes_of
from symgrad.render.stations import MOVES, SOURCES, Route, path, unfolded
from symgrad.render.step_names import StepNames


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes:
        phase: ``forward`` or ``backward``.
        text: the formula, ``left = right``.
        shape: the shape of the left-hand side, printed.
        rule: the rule used, as a textbook states it.
        why: one sentence.
        source: where the rule comes from.
        value: the forward value or parameter that the line is about.
        name: what other lines' programs call the left-hand side.
        program: the right-hand side; its inputs are arguments of the loss and the names of earlier lines.
    """

    phase: str
    text: str
    shape: str
    rule: str
    why: str
    source: str
    value: str = ""
    name: str = ""
    program: Program | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.text}    {self.shape}"


def steps(differentiated: Differentiated, wrt: Sequence[str], style: str = "text") -> tuple[Step, ...]:
    """Forward pass, then backward pass, over the loss as its writer would put it on paper."""
    forward = unfolded(recognise(differentiated.program.only("loss")))
    route = Route(forward, tuple(wrt))
    made = _Walk(route, style)
    out = [*made.forward(), *made.backward()]
    if style == "ascii":
        return tuple(_in_ascii(s) for s in out)
    return tuple(out)


def _in_ascii(s: Step) -> Step:
    return replace(
        s, text=to_ascii(s.text), rule=to_ascii(s.rule), why=to_ascii(s.why), source=to_ascii(s.source)
    )


WORDS = {
    "solve": "linear system",
    "logdet": "log-determinant",
    "det": "determinant",
    "slice": "entries cut out",
    "take": "entries chosen",
    "scatter": "entries put in place",
    "place": "entries put in place",
    "concatenate": "parts joined",
    "prod": "product of entries",
    "cumsum": "running sum",
    "max": "maximum",
    "min": "minimum",
    "argsort": "sorting",
    "matrix_power": "power of a matrix",
    "diag": "diagonal matrix",
    "cholesky": "Cholesky factor",
    "logsumexp": "log of a sum of exponentials",
}
"""What an operation does, where its name is not the word for it."""


def _forward_rule(program: Program, bindings: Sequence[Binding]) -> str:
    """What a forward line does, in a few words."""
    last = bindings[-1]
    if axes_of(program, last) is not None:
        return "softmax"
    products = [b for b in bindings if b.op == "matmul"]
    if products:
        return "matrix product" if any(b.shape for b in products) else "inner product"
    kinds = [b.op for b in bindings if b.op not in (*MOVES, *SOURCES, "pointwise")]
    if not kinds:
        return "entry by entry"
    kind = last.op if last.op in kinds else kinds[-1]
    return WORDS.get(kind, kind.replace("_", " "))


class _Walk:
    """Writes the lines of one derivation in one style."""

    def __init__(self, route: Route, style: str) -> None:
        self.route = route
        self.style = style
        self.parts = Parts(route)
        self.names = StepNames(route, self.parts, style)
        self.plain = self.names if style == "text" else StepNames(route, self.parts, "text")

    def forward(self) -> list[Step]:
        """One line for each station."""
        out = []
        for name in self.route.stations:
            part = self.parts.forward(name)
            b = self.route.segments[name].own
            text = f"{self.names.shown(name)} = {self._text(part)}"
            what = _forward_rule(self.route.program, self.route.segments[name].bindings)
            out.append(Step("forward", text, format_shape(b.shape), what, "", "", name, name, part.program))
        return out

    def backward(self) -> list[Step]:
        """What flows back to each station, in the order of the sweep, and to a parameter when all of it is known."""
        known: dict[str, Part] = {}
        own: dict[str, Part] = {}
        out = []
        for value in self._order():
            part = self.parts.backward(value, known)
            last = value in self.route.wrt
            if part is None:
                if last:
                    out.append(self._nothing(value))
                continue
            if part.number and not last:
                known[value] = part  # 1, or 1/n: read in place
                continue
            text, short = self._shortest(value, part, known, own)
            own[value] = short
            left = self.names.left(value)
            shape = format_shape(self.route.program.type(value).shape)
            rule, why, source = self._told(value)
            text, name = f"{left} = {text}", self.parts.adjoint_name(value)
            out.append(Step("backward", text, shape, rule, why, source, value, name, short.program))
        return out

    def _order(self) -> list[str]:
        """Stations from the loss on; each parameter behind the first station that reads it."""
        loss = self.route.program.output["loss"]
        waiting = dict.fromkeys(self.route.wrt)
        first: dict[str, list[str]] = {}
        for name in waiting:
            readers = [s for s in self.route.next.get(name, ()) if s in self.route.active]
            first.setdefault(readers[0] if readers else "", []).append(name)
        out = []
        for s in reversed(self.route.stations):
            if s != loss and s in self.route.active:
                out.append(s)
            out += first.get(s, [])
        return out + first.get("", [])

    def _text(self, part: Part) -> str:
        writer = self.names.writer(part.program)
        return writer.formula(part.output).text

    def _shortest(
        self, value: str, part: Part, known: Mapping[str, Part], own: Mapping[str, Part]
    ) -> tuple[str, Part]:
        """The chain rule as it stands, and what it comes to where that is shorter: ∂L/∂p ⊙ p ⊙ (1 − p) = p − y."""
        text = self._text(part)
        readers = [s for s in self.parts.readers(value) if s in own]
        if len(readers) != 1 or self.names.is_delta(readers[0]):
            return text, part
        opened = self.parts.backward(value, {**known, readers[0]: own[readers[0]]})
        if opened is None:
            return text, part
        if self._length(opened) >= self._length(part):
            return text, part
        return f"{text} = {self._text(opened)}", opened

    def _length(self, part: Part) -> int:
        """Letters and signs of a formula, a derivative counted as one."""
        text = self.plain.writer(part.program).formula(part.output).text
        return len(re.sub(r"∂\w+/∂\w+", "δ", text))

    def _told(self, value: str) -> tuple[str, str, str]:
        found: list[Reason] = []
        several = 0
        for s in self.parts.readers(value):
            way, _ = path(self.route.segments[s], value)
            found += [r for r in reasons(self.route, way, value) if r not in found]
            several += 1 + added(self.route.program, way, value)
        found = found[:MOST]
        whys = [r.why for r in found]
        whys += [w for w in distributions(self.route, self.parts.readers(value)) if w not in whys]
        if several > 1:
            whys.append(TWICE)
        return (
            "; ".join(dict.fromkeys(r.rule for r in found)),
            "; ".join(dict.fromkeys(clause for why in whys for clause in why.split("; "))),
            "; ".join(dict.fromkeys(r.source for r in found)),
        )

    def _nothing(self, value: str) -> Step:
        shape = format_shape(self.route.program.type(value).shape)
        return Step(
            "backward",
            f"{self.names.left(value)} = 0",
            shape,
            "L does not depend on it  ⇒  0",
            "a small change of it leaves the loss as it is",
            "definition",
            value,
        )


__all__ = ["Step", "steps"]
