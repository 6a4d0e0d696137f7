"""Losses that ask of their rows no more than sums of products, so that fewer rows do as well.

Least squares reads its data through ‖Xw − y‖².  With [X y] = QS, where Q has orthonormal columns, that is the same
number for the few rows of S as for the many rows of X and y.  So the program is kept, and given other data.

``degrees`` tells which values take part in this.  Of degree 1, v becomes Qᵀv, computed as before from the shorter data;
of degree 2, a value keeps its sum over the rows and nothing else.  A weight of rows goes to the data: Σ s (Xw − y)² is
Σ (√s X w − √s y)², and where s is negative the data holds NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy

from symgrad.compile.degrees import LOSS, Degrees, terms_of
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Input, Program

Scale: TypeAlias = tuple[str, ...]
"""The weighted values whose weights multiply the rows that a value is computed from."""


@dataclass(frozen=True)
class FewerRows:
    """A loss as a program that gives the same value for other, fewer rows.

    Attributes:
        program: output ``loss``; the number of its rows is free.
        axis: for each of its inputs with rows, which are to be replaced together, which axis they are.
        once: its inputs without rows that are computed from rows.
        data: computes inputs of ``program`` from those of the original one; all others are inputs of both.
        count: the input that is the true number of rows; None where none is needed.
    """

    program: Program
    axis: Mapping[str, int]
    once: tuple[str, ...]
    data: Program
    count: str | None


def fewer_rows(program: Program, parameters: Sequence[str], symbol: sympy.Symbol) -> FewerRows | None:
    """The loss for fewer rows, ``symbol`` being their number; None where it depends on its rows otherwise."""
    loss = program.only(LOSS)
    for weighted in (False, True):  # weights that are not needed as such are better left as data
        found = Degrees(loss, frozenset(parameters), symbol, weighted)
        if found.complete():
            return _Writer(found).written()
    return None


class _Writer:
    """Writes two programs: ``short``, the loss on fewer rows, and ``long``, what it reads of the many."""

    def __init__(self, found: Degrees) -> None:
        self.found, self.program, self.symbol = found, found.program, found.symbol
        self.short, self.long = Builder(), Builder.extending(self.program)
        self.names: dict[tuple[str, Scale], str] = {}
        self.axis: dict[str, int] = {}
        self.computed: dict[str, str] = {}
        self.taken = set(self.program.by_name)

    def written(self) -> FewerRows | None:
        """Both programs; None where a shape would change."""
        found, program = self.found, self.program
        wanted, ones = self._wanted()
        for i in program.inputs:
            if i.name in found.parameters or (
                i.name in found.degree and i.name not in (*found.data, *found.once)
            ):
                self.names[i.name, ()] = self.short.input(Input(i.name, i.shape, i.kind))
        for name in (*found.data, *found.once):
            for scale in sorted(wanted.get(name, ())):
                self._input(name, scale)
        columns = {scale: self._ones(scale) for scale in sorted(ones)}
        bindings = [b for b in program.bindings if b.name in wanted and (b.name, ()) not in self.names]
        bindings = [b for b in bindings if b.name not in found.data]
        count = None
        if any(_has_count(b, self.symbol) for b in bindings):
            count = self.short.input(Input(self._free("count"), ()))
        for b in bindings:
            for scale in sorted(wanted[b.name]):
                name = self._binding(b, scale, columns, count)
                if self.short.type(name).shape != b.shape:
                    return None
                self.names[b.name, scale] = name
        made = self.short.finish([(LOSS, self.names[program.output[LOSS], ()])])
        data = self.long.finish(self.computed.items())
        return FewerRows(made, self.axis, tuple(n for n in found.once if n in wanted), data, count)

    def _wanted(self) -> tuple[dict[str, set[Scale]], set[Scale]]:
        """With which weights each value is read, and the column of ones."""
        found = self.found
        wanted: dict[str, set[Scale]] = {self.program.output[LOSS]: {()}}
        ones: set[Scale] = set()
        for b in reversed(self.program.bindings):
            if b.name in (*found.data, *found.once):
                continue
            for scale in wanted.get(b.name, ()):
                inner = self._inner(b, scale)
                if b.name in found.pad:
                    ones.add(inner)
                for a in (b.args[k] for k in self._read(b)):
                    wanted.setdefault(a, set()).add(inner if a in found.axis else ())
        return wanted, ones

    def _inner(self, b: Binding, scale: Scale) -> Scale:
        """The weights that its arguments are read with."""
        return tuple(sorted((*scale, b.name))) if b.name in self.found.weight else scale

    def _read(self, b: Binding) -> list[int]:
        """The positions of its arguments, without those that are a weight only."""
        split = self.found.weight.get(b.name)
        return [k for k in range(len(b.args)) if split is None or split[1].has(ARG(k))]

    # What is read of the many rows ---------------------------------------------------------------------------

    def _input(self, name: str, scale: Scale) -> None:
        """A value of the original program, times weights, as an input of the short one."""
        value = self.program.type(name)
        own = self._free(f"{name}_weighted") if scale else name
        rows = name in self.found.axis
        self.names[name, scale] = self.short.input(Input(own, value.shape, "real" if rows else value.kind))
        if rows:
            self.axis[own] = self.found.axis[name]
        if scale:
            column = self._aligned(self.long, self._column(scale), name)
            self.computed[own] = self.long.emit("pointwise", name, column, fn=ARG(0) * ARG(1))
        elif not self.program.is_input(name):
            self.computed[own] = name

    def _ones(self, scale: Scale) -> str:
        """The column of ones, times weights, as an input."""
        own = self.short.input(Input(self._free("ones"), (self.symbol,)))
        self.axis[own] = 0
        self.computed[own] = self._column(scale)
        return own

    def _column(self, scale: Scale) -> str:
        """The product of the weights; of a value of degree 2 its root, as it is taken twice."""
        column = self.long.emit("broadcast_to", self.long.constant(1), shape=(self.symbol,))
        for name in scale:
            b = self.program.by_name[name]
            assert isinstance(b, Binding)
            weight, _ = self.found.weight[name]
            used = [k for k in range(len(b.args)) if weight.has(ARG(k))]
            fn = weight.xreplace({ARG(k): ARG(j) for j, k in enumerate(used)})
            fn = sympy.sqrt(fn) if self.found.degree[name] == 2 else fn
            made = self.long.emit("pointwise", *(b.args[k] for k in used), fn=fn)
            made = self.long.emit("reshape", made, shape=(self.symbol,))
            column = self.long.emit("pointwise", column, made, fn=ARG(0) * ARG(1))
        return column

    # The loss ------------------------------------------------------------------------------------------------

    def _binding(self, b: Binding, scale: Scale, ones: Mapping[Scale, str], count: str | None) -> str:
        """The same binding, with ones where rows are not linear without them, and without its weight."""
        found, short, inner = self.found, self.short, self._inner(b, scale)
        read = self._read(b)
        args = [self.names[a, inner if a in found.axis else ()] for a in (b.args[k] for k in read)]
        if b.op == "constant" and b.attrs["value"].has(self.symbol):
            assert count is not None
            if b.attrs["value"] == self.symbol:
                return count
            return short.emit("pointwise", count, fn=b.attrs["value"].xreplace({self.symbol: ARG(0)}))
        if b.name in found.pad and b.op != "pointwise":
            of = b.args[0] if b.op == "sum" else b.name
            column = self._aligned(short, ones[inner], of)
            args[0] = short.emit("pointwise", args[0], column, fn=ARG(0) * ARG(1))
        if b.op != "pointwise":
            return short.emit(b.op, *args, **b.attrs)
        fn = found.weight[b.name][1] if b.name in found.weight else b.attrs["fn"]
        if b.name in found.pad:
            fn = self._padded(b, fn)
        fn = fn.xreplace({ARG(k): ARG(j) for j, k in enumerate(read)})
        if b.name in found.pad:
            fn = fn.xreplace({_ONE: ARG(len(args))})
            args.append(self._aligned(short, ones[inner], b.name))
        if fn.has(self.symbol):
            assert count is not None
            fn = fn.xreplace({self.symbol: ARG(len(args))})
            args.append(count)
        return short.emit("pointwise", *args, fn=fn)

    def _padded(self, b: Binding, fn: sympy.Expr) -> sympy.Expr:
        """The function of a pointwise value, every term times as many ones as its degree lacks."""
        degree = self.found.degree
        weights = tuple((k, degree[a]) for k, a in enumerate(b.args) if a in self.found.axis)
        terms = terms_of(fn, weights)
        assert terms is not None
        return sympy.Add(*(term * _ONE ** (degree[b.name] - own) for own, term in terms))

    def _aligned(self, builder: Builder, column: str, name: str) -> str:
        """A column, so that it broadcasts along the rows of a value."""
        behind = len(self.program.type(name).shape) - 1 - self.found.axis[name]
        return builder.emit("reshape", column, shape=(self.symbol, *(1,) * behind))

    def _free(self, base: str) -> str:
        name, i = base, 2
        while name in self.taken:
            name, i = f"{base}{i}", i + 1
        self.taken.add(name)
        return name


_ONE = sympy.Symbol("one", real=True)


def _has_count(b: Binding, symbol: sympy.Symbol) -> bool:
    """Whether the number of rows is a number in a formula, and not only a size."""
    value = b.attrs.get("fn", b.attrs.get("value")) if b.op in ("pointwise", "constant") else 0
    return bool(sympy.sympify(value).has(symbol))
