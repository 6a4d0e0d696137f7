"""Of which degree in the rows of the data each value of a loss is, where it is of any.

    degree 0    no rows: parameters, sums over rows, whatever is computed from these
    degree 1    rows, each the same linear combination of the data's row
    degree 2    rows, each a quadratic form of the data's row

A column of ones is one more column of data, so that a bias is linear, too.  What the data alone decides counts as data.
A column of the data may also be a weight: a factor of whole rows, which changes no degree.  The records' definitions
say all that is needed; no operation is known here by its name but those that ones have to be written into.
"""

from __future__ import annotations

from functools import lru_cache

import sympy

from symgrad.ops.dims import Shape, has_size, only_axis
from symgrad.ops.record import ARG, INDEX, Definition
from symgrad.program import Binding, Program

LOSS = "loss"
_VIEWS = ("transpose", "reshape")


class Degrees:
    """The degree of every value that the parameters have an effect on, and what those read of the data.

    Attributes:
        degree, axis: of every value that is to be computed anew; the axis only of those with rows.
        data: values with rows that the data alone decides.
        once: values without rows that are computed from rows of the data alone.
        pad: values into which the column of ones has to be written.
        weight: values that are a weight times something, and for each that weight and something, as ``pointwise``
            functions of the value's arguments.
    """

    def __init__(
        self, program: Program, parameters: frozenset[str], symbol: sympy.Symbol, weighted: bool
    ) -> None:
        self.program, self.symbol, self.weighted = program, symbol, weighted
        self.parameters = parameters
        self.degree: dict[str, int] = {}
        self.axis: dict[str, int] = {}
        self.data: list[str] = []
        self.once: list[str] = []
        self.pad: set[str] = set()
        self.weight: dict[str, tuple[sympy.Expr, sympy.Expr]] = {}
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
        fn = sympy.sympify(form.fn)
        split = self._weight(b, fn) if self.weighted and b.op == "pointwise" else None
        if split is not None:
            self.weight[b.name] = split
            fn = split[1]
        read = [b.args[a.arg] for a in form.access]
        weights = tuple((k, self.degree[name]) for k, name in enumerate(read) if name in self.axis)
        degrees = _degrees_of(fn, weights)
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

    def _weight(self, b: Binding, fn: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
        """A function as a weight, made of columns of the data alone, times a function of other arguments."""
        columns = [ARG(k) for k, a in enumerate(b.args) if a not in self.moving and self._is_column(a)]
        others = [ARG(k) for k in range(len(b.args)) if ARG(k) not in columns]
        weight, rest = fn.as_independent(*others, as_Add=False)
        rows = [ARG(k) for k, a in enumerate(b.args) if a in self.axis and ARG(k) not in columns]
        if not weight.has(*columns) or rest.has(*columns) or not rest.has(*rows):
            return None
        number, weight = weight.as_coeff_Mul()
        return weight, number * rest

    def _is_column(self, name: str) -> bool:
        shape = self.program.type(name).shape
        return name in self.axis and all(k == self.axis[name] or d == 1 for k, d in enumerate(shape))

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
def terms_of(
    fn: sympy.Expr, weights: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, sympy.Expr], ...] | None:
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


def _degrees_of(fn: sympy.Expr, weights: tuple[tuple[int, int], ...]) -> set[int] | None:
    terms = terms_of(fn, weights)
    return None if terms is None else {degree for degree, _ in terms}
