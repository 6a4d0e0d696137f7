"""The adjoint of one station as a small program of its own, of values and adjoints that are written down already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symgrad.calculus.backward import pull_back
from symgrad.program import Binding, Builder, Input, Program
from symgrad.render.log_softmax import log_softmax
from symgrad.render.matrices import symmetric
from symgrad.render.simplify import simplify
from symgrad.render.softmax import axes_of
from symgrad.render.stations import Route, Segment

LABEL = "loss"
"""The one output of these programs."""


@dataclass(frozen=True)
class Part:
    """The formula of one value; ``program`` reads inputs, stations, and adjoints by their ``adjoint_name``."""

    value: str
    program: Program

    @property
    def output(self) -> str:
        return self.program.output[LABEL]

    @cached_property
    def number(self) -> bool:
        """Whether it is one number, wherever it stands."""
        b = self.program.by_name[self.output]
        while isinstance(b, Binding) and b.op in ("broadcast_to", "reshape"):
            b = self.program.by_name[b.args[0]]
        return isinstance(b, Binding) and b.op == "constant"


class Parts:
    """Makes the parts of one route."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.program = route.program
        self._whole = Builder.extending(self.program)
        self._forward: dict[str, Part] = {}
        self.dead: set[str] = set()
        self.shares = [s for s in route.stations if _is_share(route, s)]
        self.adjoints = {self.adjoint_name(s): s for s in route.stations}

    def adjoint_name(self, value: str) -> str:
        """The input that stands for the adjoint of a value."""
        name = f"adjoint_{value}"
        while name in self.program.by_name:
            name += "_"
        return name

    def forward(self, station: str) -> Part:
        """How the station is computed."""
        if station not in self._forward:
            self._forward[station] = self._computed(station)
        return self._forward[station]

    def _computed(self, station: str) -> Part:
        segment = self.route.segments[station]
        program = Program(self._inputs(segment.leaves), segment.bindings, ((LABEL, station),))
        made = simplify(_without_labels(program))
        if station in self.shares or not self.shares:
            return Part(station, made)
        return Part(station, self._with_values(log_softmax(made), self.shares))

    def readers(self, value: str) -> list[str]:
        """The stations through which something flows back to a value: not through an index, whose place is fixed."""
        return [s for s in self.route.next.get(value, ()) if s in self.route.active and s not in self.dead]

    def backward(self, value: str, known: Mapping[str, Part]) -> Part | None:
        """The adjoint of a value; None where nothing flows back, which is remembered.

        Args:
            value: a station or a parameter.
            known: formulas that are written in place of the adjoints of these stations.
        """
        readers = self.readers(value)
        leaves = dict.fromkeys([value])
        for s in readers:
            leaves |= dict.fromkeys([*self.route.segments[s].leaves, s])
            if s in known:
                leaves |= dict.fromkeys(i.name for i in known[s].program.inputs)
        seeds = {
            s: self.adjoint_name(s) for s in readers if s != self.program.output["loss"] and s not in known
        }
        builder = Builder(self._inputs([*leaves, *seeds.values()]))
        total: str | None = None
        for s in readers:
            g = self._through(builder, self.route.segments[s], value, self._seed(builder, s, seeds, known))
            if g is not None:
                total = g if total is None else builder.add(total, g)
        if total is None:
            self.dead.add(value)
            return None
        whole = builder.full(total, builder.type(value).shape)
        made = simplify(_read_only(builder.finish([(LABEL, whole)])))
        return Part(value, self._with_values(made, [*readers, *self.shares]))

    def _with_values(self, program: Program, stations: Sequence[str]) -> Program:
        """The program with a station's name where its formula stands: α for A⁻¹y."""
        builder = Builder(self._inputs([*(i.name for i in program.inputs), *stations]))
        inputs = {i.name for i in builder.inputs}
        value: dict[str, str] = {}
        for s in stations:
            part = self.forward(s)
            names = {i.name: i.name for i in part.program.inputs if i.name in inputs}
            for b in part.program.bindings:
                if all(a in names for a in b.args):
                    names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
            if part.output in names and builder.type(names[part.output]).shape == builder.type(s).shape:
                value[names[part.output]] = s
        names = {n: n for n in inputs}
        for b in program.bindings:
            made = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
            names[b.name] = value.get(made, made)
        return _read_only(simplify(builder.finish([(LABEL, names[program.output[LABEL]])])))

    def _seed(
        self, builder: Builder, station: str, seeds: Mapping[str, str], known: Mapping[str, Part]
    ) -> str:
        if station in seeds:
            return seeds[station]
        if station not in known:
            return builder.constant(1)
        names = {i.name: i.name for i in known[station].program.inputs}
        for b in known[station].program.bindings:
            names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
        return names[known[station].output]

    def _through(self, builder: Builder, segment: Segment, value: str, seed: str) -> str | None:
        """What flows back to a value through one segment; the station itself is read as it is known."""
        names = {leaf: leaf for leaf in segment.leaves}
        for b in segment.inner:
            names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
        own = replace(segment.own, args=tuple(names[a] for a in segment.own.args))
        program = Program((), (*_needed(builder, own.args), own), ())
        return pull_back(builder, program, [value], {own.name: seed}).get(value)

    def _inputs(self, names: Iterable[str]) -> tuple[Input, ...]:
        """Values and adjoints as inputs: the program's own first."""
        wanted = dict.fromkeys(names)
        own = tuple(i for i in self.program.inputs if i.name in wanted)
        return (*own, *(self._as_input(n) for n in wanted if n not in {i.name for i in own}))

    def _as_input(self, name: str) -> Input:
        if name in self.adjoints:
            return Input(name, self.program.type(self.adjoints[name]).shape)
        b = self.program.by_name[name]
        mirrored = len(b.shape) == 2 and symmetric(self._whole, name)
        return Input(name, b.shape, b.kind, "spd" if mirrored else "real")


def _is_share(route: Route, station: str) -> bool:
    """Whether a station is a softmax that the loss reads the logarithm of: as z − logsumexp z."""
    return axes_of(route.program, route.program.by_name[station]) is not None and station not in route.next


def _needed(builder: Builder, names: Sequence[str]) -> list[Binding]:
    """The bindings that these values are made of, in order."""
    found: dict[str, Binding] = {}
    waiting = list(names)
    while waiting:
        b = builder.binding(waiting.pop())
        if b is not None and b.name not in found:
            found[b.name] = b
            waiting += b.args
    return [b for b in builder.bindings if b.name in found]


def _read_only(program: Program) -> Program:
    """Only the inputs that are read."""
    read = {a for b in program.bindings for a in b.args} | {name for _, name in program.outputs}
    return Program(tuple(i for i in program.inputs if i.name in read), program.bindings, program.outputs)


def _without_labels(program: Program) -> Program:
    return Program(program.inputs, tuple(replace(b, label=None) for b in program.bindings), program.outputs)
