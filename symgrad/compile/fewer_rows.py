"""Which losses ask of their rows no more than sums of products, so that fewer rows do as well.

Least squares reads its data through ‖Xw − y‖².  With [X y] = QS, where Q has orthonormal columns, that is the same
number for the few rows of S as for the many rows of X and y.  So the program is kept, and given other data.

Every value is one of three kinds:

    degree 0    no rows: parameters, sums over rows, whatever is computed from these
    degree 1    rows, each the same linear combination of the data's row: becomes Qᵀ times itself
    degree 2    rows, each a quadratic form of the data's row: only its sum over the rows keeps its value

A bias or a number that is added to rows is made linear by a column of ones, which is one more column of data.
What the data alone decides is computed once, before, and counts as data.  The records' definitions say all that is
needed; no operation is known here by its name but those that a column of ones has to be written into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symgrad.compile.rows import has_size, only_axis
from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG, INDEX, Definition
from symgrad.program import Binding, Builder, Input, Program

LOSS = "loss"
_VIEWS = ("transpose", "reshape")


@dataclass(frozen=True)
class FewerRows:
    """A loss as a program that gives the same value for other, fewer rows.

    Attributes:
        program: output ``loss``; the number of its rows is free.
        axis: for each input with rows that are to be replaced together, which axis they are; names of values of the
            original program.
        once: inputs without rows that the original program computes from its data.
        ones: the input for the column of ones, also in ``axis``; None where none is needed.
        count: the input that is the true number of rows; None where none is needed.
    """

    program: Program
    axis: Mapping[str, int]
    once: tuple[str, ...]
    ones: str | None
    count: str | None


def fewer_rows(program: Program, parameters: Sequence[str], symbol: sympy.Symbol) -> FewerRows | None:
    """The loss for fewer rows, ``symbol`` being their number; None where it depends on its rows otherwise."""
    found = _Degrees(program.only(LOSS), frozenset(parameters), symbol)
    return _written(found) if found.complete() else None


class _Degrees:
    """The degree of every value that the parameters have an effect on, and what those read of the data.

    Attributes:
        degree, axis: of every value that is to be computed anew; the axis only of those with rows.
        data: values with rows that the data alone decides.
        once: values without rows that are computed from rows of the data alone.
        pad: values into which the column of ones has to be written.
    """

    def __init__(self, program: Program, parameters: frozenset[str], symbol: sympy.Symbol) -> None:
        self.program, self.symbol = program, symbol
        self.parameters = parameters
        self.degree: dict[str, int] = {}
        self.axis: dict[str, int] = {}
        self.data: list[str] = []
        self.once: list[str] = []
        self.pad: set[str] = set()
        self.moving = set(parameters)
        self.from_rows = {i.name for i in program.inputs if has_size(i.shape, symbol)}
        for b in program.bindings:
            if self.moving.intersection(b.args):
                self.moving.add(b.name)
            if has_size(b.shape, symbol) or self.from_rows.intersection(b.args):
                self.from_rows.add(b.name)

    def complete(self) -> bool:
        """Whether all of the loss can be computed from fewer rows."""
        if any(has_size(self.program.type(p).shape, self.symbol) for p in self.parameters):
            return False
        loss = self.program.output[LOSS]
        if loss not in self.moving:
            return False
        for b in self.program.bindings:
            if b.name in self.moving and not (all(map(self._known, b.args)) and self._found(b)):
                return False
        return self.degree.get(loss) == 0 and bool(self.data)

    def _known(self, name: str) -> bool:
        """Find the degree of an argument that does not move with the parameters."""
        if name in self.degree:
            return True
        if name in self.moving:
            self.degree[name] = 0  # a parameter; all others have been found in their order
            return True
        value = self.program.by_name[name]
        if not has_size(value.shape, self.symbol):
            self.degree[name] = 0
            if name in self.from_rows:
                self.once.append(name)
            elif isinstance(value, Binding):
                return all(map(self._known, value.args))
            return True
        if isinstance(value, Binding) and self._follows(value) and self._found(value):
            return True
        at = only_axis(value.shape, self.symbol)
        if at is None:
            return False
        self.degree[name], self.axis[name] = 1, at
        self.data.append(name)
        return True

    def _follows(self, b: Binding) -> bool:
        """Whether it is better computed from its argument than taken as data of its own: Xᵀ, and Σ b = n b."""
        spread = b.op == "broadcast_to" and not has_size(self.program.type(b.args[0]).shape, self.symbol)
        return (b.op in _VIEWS or spread) and all(map(self._known, b.args))

    def _found(self, b: Binding) -> bool:
        """Find the degree of a value whose arguments have theirs; whether there is one."""
        rows = [a for a in b.args if a in self.axis]
        if not rows and not has_size(b.shape, self.symbol):
            self.degree[b.name] = 0
            return True
        if not rows:
            at = only_axis(b.shape, self.symbol)
            if b.op != "broadcast_to" or at is None:
                return False
            self.degree[b.name], self.axis[b.name] = 1, at
            self.pad.add(b.name)
            return True
        form = b.record.define([self.program.type(a) for a in b.args], b.attrs, b.type)
        if not isinstance(form, Definition) or form.combine != "sum":
            return False
        row = self._row(b, form)
        if row is None:
            return False
        read = [b.args[a.arg] for a in form.access]
        weights = tuple((k, self.degree[name]) for k, name in enumerate(read) if name in self.axis)
        degrees = _degrees(sympy.sympify(form.fn), weights)
        if degrees is None:
            return False
        summed = row >= form.rank
        needed = 2 if summed else max(degrees)
        if max(degrees) > 2 or not max(degrees) or (not summed and form.after != ARG(0)):
            return False
        if degrees != {needed}:
            if b.op != "pointwise" and not (b.op == "sum" and degrees == {1}):
                return False
            self.pad.add(b.name)
        if not summed:
            self.axis[b.name] = row
        self.degree[b.name] = 0 if summed else needed
        return True

    def _row(self, b: Binding, form: Definition) -> int | None:
        """The number of the index through which all rows are read; None where they are read otherwise."""
        found: set[sympy.Expr] = set()
        others: list[sympy.Expr] = [sympy.sympify(form.fn)]
        for a in form.access:
            index = list(a.index)
            name = b.args[a.arg]
            if name in self.axis:
                found.add(sympy.sympify(index.pop(self.axis[name])))
            others += map(sympy.sympify, index)
        values = [ARG(k) for k in range(len(form.access))]
        if len(found) != 1 or any(o.has(*found) for o in others) or any(o.has(*values) for o in others[1:]):
            return None
        (row,) = found
        sizes: Shape = (*b.shape, *form.reduce)
        places = [k for k, size in enumerate(sizes) if row == INDEX(k) and size == self.symbol]
        if not places or (places[0] < form.rank and only_axis(b.shape, self.symbol) != places[0]):
            return None
        if places[0] >= form.rank and has_size(b.shape, self.symbol):
            return None
        return places[0]


@lru_cache(maxsize=1024)
def _terms(fn: sympy.Expr, weights: tuple[tuple[int, int], ...]) -> tuple[tuple[int, sympy.Expr], ...] | None:
    """The terms of a polynomial in some arguments, each with its degree; None where it is none.

    Args:
        weights: pairs of an argument's number and its own degree.
    """
    arguments = [ARG(k) for k, _ in weights]
    try:
        found = sympy.Poly(fn, *arguments)
    except sympy.PolynomialError:
        return None
    if any(c.has(*arguments) for c in found.coeffs()):
        return None
    terms = []
    for powers, factor in found.terms():
        degree = sum(p * w for p, (_, w) in zip(powers, weights, strict=True))
        terms.append((degree, factor * sympy.prod(a**p for a, p in zip(arguments, powers, strict=True))))
    return tuple(terms)


def _degrees(fn: sympy.Expr, weights: tuple[tuple[int, int], ...]) -> set[int] | None:
    terms = _terms(fn, weights)
    return None if terms is None else {degree for degree, _ in terms}


# Writing the program -----------------------------------------------------------------------------------------


def _written(found: _Degrees) -> FewerRows | None:
    """The program on fewer rows: the same bindings, with ones where rows are not linear without them."""
    program, symbol = found.program, found.symbol
    needed = [
        b for b in program.bindings if b.name in found.degree and b.name not in (*found.data, *found.once)
    ]
    counting = any(_has_count(b, symbol) for b in needed)
    taken = set(program.by_name)
    ones = _free("ones", taken) if found.pad else None
    count = _free("count", taken) if counting else None
    builder = Builder()
    names: dict[str, str] = {}
    for i in program.inputs:
        if i.name in found.parameters or (
            i.name in found.degree and i.name not in (*found.data, *found.once)
        ):
            names[i.name] = builder.input(Input(i.name, i.shape, i.kind))
    for name in (*found.data, *found.once):
        kind = program.type(name).kind if name in found.once else "real"
        names[name] = builder.input(Input(name, program.type(name).shape, kind))
    for extra, shape in ((ones, (symbol,)), (count, ())):
        if extra is not None:
            builder.input(Input(extra, shape))
    for b in needed:
        names[b.name] = _binding(builder, found, b, names, ones, count)
        if builder.type(names[b.name]).shape != b.shape:
            return None
    axis = {name: found.axis[name] for name in found.data} | ({ones: 0} if ones is not None else {})
    made = builder.finish([(LOSS, names[program.output[LOSS]])])
    return FewerRows(made, axis, tuple(found.once), ones, count)


def _has_count(b: Binding, symbol: sympy.Symbol) -> bool:
    """Whether the number of rows is a number in a formula, and not only a size."""
    value = b.attrs.get("fn", b.attrs.get("value")) if b.op in ("pointwise", "constant") else 0
    return bool(sympy.sympify(value).has(symbol))


def _binding(
    builder: Builder, found: _Degrees, b: Binding, names: Mapping[str, str], ones: str | None, count: str | None
) -> str:  # fmt: skip
    args = [names[a] for a in b.args]
    if b.name in found.pad:
        assert ones is not None
        if b.op == "sum":
            (given,) = b.args
            padded = builder.emit(
                "pointwise", args[0], _ones(builder, found, given, ones), fn=ARG(0) * ARG(1)
            )
            return builder.emit("sum", padded, **b.attrs)
        column = _ones(builder, found, b.name, ones)
        if b.op == "broadcast_to":
            linear = builder.emit("pointwise", args[0], column, fn=ARG(0) * ARG(1))
            return builder.emit("broadcast_to", linear, **b.attrs)
        fn = _padded(b, found, ARG(len(args)))
        args.append(column)
    elif b.op == "pointwise":
        fn = b.attrs["fn"]
    elif b.op == "constant" and count is not None and b.attrs["value"].has(found.symbol):
        if b.attrs["value"] == found.symbol:
            return count
        return builder.emit("pointwise", count, fn=b.attrs["value"].xreplace({found.symbol: ARG(0)}))
    else:
        return builder.emit(b.op, *args, **b.attrs)
    if count is not None and fn.has(found.symbol):
        fn = fn.xreplace({found.symbol: ARG(len(args))})
        args.append(count)
    return builder.emit("pointwise", *args, fn=fn)


def _padded(b: Binding, found: _Degrees, one: sympy.Symbol) -> sympy.Expr:
    """The function of a pointwise value, every term times as many ones as its degree lacks."""
    weights = tuple((k, found.degree[a]) for k, a in enumerate(b.args) if a in found.axis)
    terms = _terms(b.attrs["fn"], weights)
    assert terms is not None
    return sympy.Add(*(term * one ** (found.degree[b.name] - degree) for degree, term in terms))


def _ones(builder: Builder, found: _Degrees, name: str, ones: str) -> str:
    """The column of ones, so that it broadcasts along the rows of a value."""
    behind = len(found.program.type(name).shape) - 1 - found.axis[name]
    return builder.emit("reshape", ones, shape=(found.symbol, *(1,) * behind))


def _free(base: str, taken: set[str]) -> str:
    name, i = base, 2
    while name in taken:
        name, i = f"{base}{i}", i + 1
    taken.add(name)
    return name
