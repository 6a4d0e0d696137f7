"""The values of a loss that a course writes down, each on a line of its own.

A *station* is a forward value with a line in the steps: what the user gave a name, what is used more than once, what
a function that is not linear is taken of, what an inverse or a determinant is. Everything between two stations (moves
of entries, constants, sums of terms) is read in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy

from symgrad.calculus.backward import active
from symgrad.ops.dims import Shape, broadcast
from symgrad.ops.pointwise import partial
from symgrad.ops.record import ARG, OUT
from symgrad.program import Binding, Builder, Input, Program
from symgrad.render.scaled import MOVES, elementwise
from symgrad.render.softmax import SHARE, axes_of, finished

LINEAR = (
    *MOVES,
    "sum",
    "matmul",
    "outer",
    "trace",
    "diag",
    "diagonal",
    "triangle",
    "slice",
    "take",
    "place",
    "concatenate",
)
"""Operations that are read in place where what reads them is linear too."""

SOURCES = ("constant", "eye", "pattern", "array")
"""Operations without arguments."""


@dataclass(frozen=True)
class Segment:
    """How one station is computed from others: the bindings between, and last its own."""

    inner: tuple[Binding, ...]
    own: Binding
    leaves: tuple[str, ...]

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return (*self.inner, self.own)


@dataclass(frozen=True)
class Route:
    """A forward program cut at its stations."""

    program: Program
    wrt: tuple[str, ...]

    @cached_property
    def active(self) -> frozenset[str]:
        """The values that a parameter has an effect on."""
        return frozenset(active(self.program, self.wrt))

    @cached_property
    def readers(self) -> Mapping[str, tuple[tuple[Binding, int], ...]]:
        """Who reads a value, and as which argument."""
        found: dict[str, list[tuple[Binding, int]]] = {}
        for b in self.program.bindings:
            for i, a in enumerate(b.args):
                found.setdefault(a, []).append((b, i))
        return {name: tuple(pairs) for name, pairs in found.items()}

    def through_moves(self, name: str) -> list[tuple[Binding, int]]:
        """Who reads a value, also where its entries were moved in between."""
        found: list[tuple[Binding, int]] = []
        waiting = [name]
        while waiting:
            for b, i in self.readers.get(waiting.pop(), ()):
                if b.op in MOVES:
                    waiting.append(b.name)
                else:
                    found.append((b, i))
        return found

    def _through_short(self, name: str) -> list[tuple[Binding, int]]:
        """Who reads a value, also where a number was added to it or it was multiplied by one."""
        found: list[tuple[Binding, int]] = []
        waiting = [name]
        while waiting:
            for b, i in self.through_moves(waiting.pop()):
                if b.op == "pointwise" and b.label is None and _cheap(b):
                    waiting.append(b.name)
                else:
                    found.append((b, i))
        return found

    @cached_property
    def stations(self) -> tuple[str, ...]:
        """The names of the stations, in the order of the program; the loss is the last."""
        loss = self.program.output["loss"]
        found = {i.name for i in self.program.inputs}
        names = []
        for b in self.program.bindings:
            if b.name != loss and self._stands_alone(b, found):
                found.add(b.name)
                names.append(b.name)
        return (*names, loss) if not self.program.is_input(loss) else tuple(names)

    def _stands_alone(self, b: Binding, before: set[str]) -> bool:
        if b.op in MOVES or b.op in SOURCES:
            return False
        if b.label is not None:
            return True
        if b.name not in self.active:
            return False
        readers = self._through_short(b.name)
        if b.op == "logsumexp" and any(axes_of(self.program, r) is not None for r, _ in readers):
            return False  # it belongs to its softmax
        if b.op == "pointwise" and _cheap(b):
            return False
        if len({r.name for r, _ in readers}) > 1:
            return not (b.op == "slice" and self.program.is_input(b.args[0]))
        if b.op not in (*LINEAR, "pointwise", "logsumexp", "norm"):
            return True
        if b.op == "pointwise" and self._shifted(b, before):
            return False
        return any(self._bends(r, i, b) for r, i in readers)

    def _shifted(self, b: Binding, before: set[str]) -> bool:
        """Whether a value is one that is written down already, plus or minus data."""
        moving = [i for i, a in enumerate(b.args) if a in self.active]
        if len(moving) != 1 or not partial(b.attrs["fn"], moving[0]).is_number:
            return False
        return b.args[moving[0]] in before and self.program.type(b.args[moving[0]]).shape == b.shape

    def _bends(self, reader: Binding, position: int, b: Binding) -> bool:
        """Whether a reader is a function of the value that is not linear in it."""
        if reader.op == "pointwise":
            x = ARG(position)
            fn = reader.attrs["fn"]
            inside = any(p.has(x) for p in fn.atoms(sympy.Function, sympy.Pow))
            return inside and bool(partial(fn, position) != 0)
        if reader.op == "matmul":  # layer on layer, but not the inner product that a quadratic form ends with
            return b.op == "matmul" and bool(reader.shape) and bool(b.shape)
        return reader.op not in LINEAR

    @cached_property
    def segments(self) -> Mapping[str, Segment]:
        """For each station how it is computed."""
        stations = set(self.stations)
        found = {}
        for name in self.stations:
            own = self.program.by_name[name]
            assert isinstance(own, Binding)
            inner: dict[str, Binding] = {}
            leaves: dict[str, None] = {}
            waiting = list(own.args)
            while waiting:
                at = waiting.pop()
                b = self.program.by_name[at]
                if isinstance(b, Input) or at in stations:
                    leaves[at] = None
                elif at not in inner:
                    inner[at] = b
                    waiting += b.args
            order = sorted(inner.values(), key=lambda b: self._place[b.name])
            found[name] = Segment(tuple(order), own, tuple(leaves))
        return found

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {b.name: i for i, b in enumerate(self.program.bindings)}

    @cached_property
    def next(self) -> Mapping[str, tuple[str, ...]]:
        """For a station or an input the stations that are computed from it."""
        found: dict[str, list[str]] = {}
        for name in self.stations:
            for leaf in self.segments[name].leaves:
                found.setdefault(leaf, []).append(name)
        return {leaf: tuple(names) for leaf, names in found.items()}


def path(segment: Segment, leaf: str) -> tuple[list[tuple[Binding, int]], bool]:
    """The operations between a leaf and the station, each with the argument through which the leaf comes in.

    Also whether the leaf comes in in more than one place.
    """
    reached = {leaf}
    found: list[tuple[Binding, int]] = []
    twice = False
    for b in segment.bindings:
        ways = [i for i, a in enumerate(b.args) if a in reached]
        if ways:
            reached.add(b.name)
            found.append((b, ways[0]))
            twice = twice or len(ways) > 1
    reads = [a for b, _ in found for a in dict.fromkeys(b.args) if a in reached]
    return found, twice or len(reads) > len(set(reads))


def _cheap(b: Binding) -> bool:
    """Whether a value is as short as a name: −z, 2z, z/n, 1 − z."""
    return len(b.args) == 1 and not partial(b.attrs["fn"], 0).has(ARG(0), OUT)


def unfolded(program: Program) -> Program:
    """The program in which a function of a sum is taken of a value: p = σ(z), z = Xw + b, for p = σ(Xw + b)."""
    builder = Builder(program.inputs)
    value = {i.name: i.name for i in program.inputs}
    for b in program.bindings:
        args = [value[a] for a in b.args]
        fn = sympy.sympify(b.attrs.get("fn", 0))
        if b.op == "pointwise" and fn != SHARE:
            for part in sorted(fn.atoms(sympy.Function), key=sympy.default_sort_key):
                inner = part.args[0] if len(part.args) == 1 else None
                if (
                    inner is None
                    or not inner.is_Add
                    or len(inner.free_symbols & set(map(ARG, range(len(args))))) < 2
                ):
                    continue
                args.append(elementwise(builder, inner, args, _shape(builder, inner, args)))
                fn = fn.xreplace({inner: ARG(len(args) - 1)})
            value[b.name] = elementwise(builder, fn, args, b.shape) if fn != b.attrs["fn"] else ""
        if not value.get(b.name):
            value[b.name] = builder.emit(b.op, *args, **b.attrs)
        if b.label is not None:
            builder.label(value[b.name], b.label)
    named = [value[b.name] for b in program.bindings if b.label is not None]
    return finished(builder, [(label, value[name]) for label, name in program.outputs], named)


def _shape(builder: Builder, fn: sympy.Expr, args: Sequence[str]) -> Shape:
    return broadcast([builder.type(a).shape for i, a in enumerate(args) if fn.has(ARG(i))], "steps")


__all__ = ["MOVES", "Route", "Segment", "path", "unfolded"]
