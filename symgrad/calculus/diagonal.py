"""A builder that multiplies with identities and diagonal matrices as one does on paper.

I·A is A, diag(v)·A scales the rows of A, and a linear elementwise function of a diagonal matrix is one of its
diagonal.  Of diag(v) + A each summand goes its own way.  A Jacobian starts from an identity, and nearly always
nothing is left of it.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.ops.diag import diag_attrs
from symgrad.ops.dims import Dim
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Select
from symgrad.program import Builder


class DiagonalBuilder(Builder):
    """A builder that knows which of its matrices are diagonal."""

    def __init__(self, inputs: Any = ()) -> None:
        super().__init__(inputs)
        self._diagonals: dict[str, str] = {}
        self._sums: dict[str, tuple[str, str]] = {}  # a diagonal matrix and another one

    def identity(self, size: Dim) -> str:
        """The identity of this size."""
        name = super().emit("eye", **eye_attrs(size))
        self._diagonals[name] = self.constant(1)
        return name

    def diagonal(self, size: Dim, vector: str) -> str:
        """The diagonal matrix of a vector (or of one number throughout)."""
        identity = self.identity(size)
        if self.constant_value(vector) == 1:
            return identity
        if self.type(vector).shape:
            name = super().emit("diag", vector, **diag_attrs((size, size)))
        else:
            name = super().emit("pointwise", vector, identity, fn=ARG(0) * ARG(1))
        self._diagonals[name] = vector
        return name

    def emit(self, op: str, *args: str, **attrs: Any) -> str:
        """``op(args)``, or what it comes to where an argument is diagonal."""
        if op == "reshape":
            inner = self.binding(args[0])
            if inner is not None and inner.op == "reshape":
                return self.emit("reshape", inner.args[0], shape=attrs["shape"])
        made = None
        if any(a in self._diagonals for a in args):
            made = self._shortened(op, args, attrs)
        elif any(a in self._sums for a in args):
            made = self._distributed(op, args, attrs)
        return made or super().emit(op, *args, **attrs)

    def _shortened(self, op: str, args: tuple[str, ...], attrs: Any) -> str | None:
        if op == "matmul":
            return self._product(*args)
        if op == "transpose":
            return args[0]
        if op == "pointwise":
            return self._elementwise(attrs["fn"], args)
        if op == "sum" and len(attrs["axes"]) == 1 and not attrs["keepdims"]:
            return self.full(self._diagonals[args[0]], self.type(args[0]).shape[:1])
        return None

    def _product(self, left: str, right: str) -> str | None:
        if left in self._diagonals and right in self._diagonals:
            return self._elementwise(ARG(0) * ARG(1), (left, right))
        if right in self._diagonals:
            return self._scaled(left, self._diagonals[right])
        vector = self._diagonals[left]
        if self.type(vector).shape and len(self.type(right).shape) > 1:
            vector = self.emit("reshape", vector, shape=(*self.type(vector).shape, 1))
        return self._scaled(right, vector)

    def _scaled(self, array: str, by: str) -> str:
        if self.constant_value(by) == 1:
            return array
        return self.emit("pointwise", array, by, fn=ARG(0) * ARG(1))

    def _elementwise(self, fn: sympy.Expr, args: tuple[str, ...]) -> str | None:
        """The diagonal of a function that is 0 wherever the diagonal matrices are, and a further summand."""
        inside = {ARG(i) for i, a in enumerate(args) if a in self._diagonals}
        terms = sympy.Add.make_args(fn)
        own = sympy.Add(*(t for t in terms if t.free_symbols & inside))
        others = {i for i in range(len(args)) if own.has(ARG(i)) and ARG(i) not in inside}
        if any(len(self.type(args[i]).shape) > 1 for i in others):
            return None
        if _settled(own.xreplace(dict.fromkeys(inside, sympy.S.Zero))) != 0:
            return None
        size = self.type(next(a for a in args if a in self._diagonals)).shape[0]
        made = self.diagonal(size, self.pointwise(own, *(self._diagonals.get(a, a) for a in args)))
        if own == fn:
            return made
        rest = self.full(self.pointwise(fn - own, *args), (size, size))
        name = super().emit("pointwise", made, rest, fn=ARG(0) + ARG(1))
        self._sums[name] = (made, rest)
        return name

    def _distributed(self, op: str, args: tuple[str, ...], attrs: Any) -> str | None:
        """An operation that is linear in a sum, on each summand."""
        place = next(i for i, a in enumerate(args) if a in self._sums)
        if args.count(args[place]) > 1 or op not in ("matmul", "pointwise", "transpose"):
            return None
        if op == "pointwise":
            slope = sympy.diff(attrs["fn"], ARG(place))
            if slope.has(ARG(place)) or sympy.expand(attrs["fn"] - slope * ARG(place)) != 0:
                return None
        diagonal, rest = ((*args[:place], a, *args[place + 1 :]) for a in self._sums[args[place]])
        first = self.emit(op, *diagonal, **attrs)
        if op == "pointwise":  # what was broadcast is multiplied first
            second = self.full(self.pointwise(attrs["fn"], *rest), self.type(first).shape)
        else:
            second = self.emit(op, *rest, **attrs)
        return self.emit("pointwise", first, second, fn=ARG(0) + ARG(1))


def _settled(fn: sympy.Expr) -> sympy.Expr:
    """Choices between equal branches are no choices."""
    return fn.replace(lambda e: isinstance(e, Select) and e.args[1] == e.args[2], lambda e: e.args[1])
