"""Names on the pages of steps: the user's own, z and h for what has none, δ for what flows back to a layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from symgrad.ops.record import Piece
from symgrad.ops.scalars.printer import NEG
from symgrad.program import Program
from symgrad.render.formula import Writer, stem
from symgrad.render.letters import Letters
from symgrad.render.names import short_names, unicode_name
from symgrad.render.segments import Parts
from symgrad.render.stations import Route


class StepNames:
    """The names of forward values and of their adjoints, in one style."""

    def __init__(self, route: Route, parts: Parts, style: str) -> None:
        self.route = route
        self.parts = parts
        self.style = style
        inputs = [i.name for i in route.program.inputs]
        self.plain = short_names(inputs)
        self.loss = "L"
        taken = {unicode_name(n) for n in self.plain.values()} | {
            str(s) for i in route.program.inputs for d in i.shape for s in getattr(d, "free_symbols", ())
        }
        if "L" in taken:
            self.loss = "loss"
        taken.add(self.loss)
        self.plain |= self._forward(taken)
        self.deltas = self._deltas()
        first: dict[str, str] = {}
        self.pretty = {v: first.setdefault(unicode_name(n), v) == v for v, n in self.plain.items()}

    def _forward(self, taken: set[str]) -> dict[str, str]:
        program, loss = self.route.program, self.route.program.output["loss"]
        names = [s for s in self.route.stations if s != loss]
        labels = {s: program.by_name[s].label or "" for s in names}  # type: ignore[union-attr]
        labels = {s: "" if unicode_name(label) in taken else label for s, label in labels.items()}
        often = Counter(labels.values())
        shown = {unicode_name(n) for n in [*self.plain.values(), *filter(None, labels.values())]}
        letters = Letters(shown)
        stems = {}
        for s in names:
            if not labels[s]:
                stems[s] = letters.letter(stem(program.by_name[s]))  # type: ignore[arg-type]
        counts = Counter(stems.values())
        running: Counter[str] = Counter()
        out = {}
        for s in names:
            label = labels[s]
            if label and often[label] == 1 and unicode_name(label) not in taken:
                out[s] = label
            else:
                start = stems.get(s, label)
                candidate = start if counts[start] == 1 and s in stems else ""
                while not candidate or unicode_name(candidate) in taken:
                    running[start] += 1
                    candidate = f"{start}{running[start]}"
                out[s] = candidate
            taken.add(unicode_name(out[s]))
        out[loss] = self.loss
        return out

    def _deltas(self) -> dict[str, str]:
        """δ for the adjoints of what is computed of parameters by a product, numbered from the first layer on."""
        loss = self.route.program.output["loss"]
        layers = [s for s in self.route.stations if s != loss and s in self.route.active and self._layer(s)]
        sign = Letters(self.plain.values()).letter("δ")
        if len(layers) == 1:
            return {layers[0]: sign}
        return {s: f"{sign}{i + 1}" for i, s in enumerate(layers)}

    def _layer(self, station: str) -> bool:
        segment = self.route.segments[station]
        return bool(segment.own.shape) and any(b.op in ("matmul", "einsum") for b in segment.bindings)

    def is_delta(self, station: str) -> bool:
        """Whether the adjoint has a letter of its own."""
        return station in self.deltas

    def shown(self, value: str) -> str:
        """A forward value or an input as the page shows it."""
        return self.bare.name(value)

    @cached_property
    def bare(self) -> StepWriter:
        """A writer of names."""
        return self.writer(Program((), (), ()))

    def partial(self, value: str) -> str:
        """``∂L/∂h``."""
        top, bottom = self.shown(self.route.program.output["loss"]), self.shown(value)
        if self.style == "latex":
            return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
        return f"d{top}/d{bottom}" if self.style == "ascii" else f"∂{top}/∂{bottom}"

    def left(self, value: str) -> str:
        """The left side of a line: ``δ₁ = ∂L/∂z₁``."""
        if value not in self.deltas or value in self.route.wrt:
            return self.partial(value)
        return f"{self.bare.symbol(self.deltas[value])} = {self.partial(value)}"

    def writer(self, program: Program) -> StepWriter:
        """A writer of one line."""
        return StepWriter(program, self.style, self)

    def adjoints(self, program: Program) -> Mapping[str, str]:
        """For the inputs that are adjoints the values that they belong to."""
        return {i.name: self.parts.adjoints[i.name] for i in program.inputs if i.name in self.parts.adjoints}


class StepWriter(Writer):
    """A writer that knows forward values and adjoints by their names on this page."""

    def __init__(self, program: Program, style: str, names: StepNames) -> None:
        self.names = names
        self.of = names.adjoints(program)
        plain = dict(names.plain)
        super().__init__(program, style, {i.name: plain[i.name] for i in program.inputs if i.name in plain})
        self.notation.taken |= set(plain.values())

    def piece(self, value: str) -> Piece:
        made = super().piece(value)
        if value in self.of and self.of[value] not in self.names.deltas:
            return replace(made, strength=NEG)  # a quotient: (∂L/∂h)ᵀ
        return made

    def name(self, value: str) -> str:
        if value in self.of:
            station = self.of[value]
            if station in self.names.deltas:
                return self.symbol(self.names.deltas[station])
            return self.names.partial(station)
        plain = self.names.plain.get(value)
        if plain is None:
            return super().name(value)
        return self.symbol(plain) if self.names.pretty[value] else self.literal(plain)


__all__ = ["StepNames", "StepWriter"]
