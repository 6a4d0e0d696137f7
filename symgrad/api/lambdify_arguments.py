"""The arguments of ``sg.lambdify``: which numbers and matrices they are made of, and taking a call's values apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions import MatrixSymbol

from symgrad.errors import ShapeError, SpecError
from symgrad.ops.dims import Shape, as_dim

_NUMBERS = (sympy.Symbol, AppliedUndef, sympy.Derivative, sympy.Indexed)


class Slot:
    """One argument of the call."""

    def values(self, value: Any) -> Iterator[Any]:
        """The values of the slot's numbers and matrices, in order.

        Raises:
            ShapeError: the value has another number of parts.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class One(Slot):
    """A number or a matrix."""

    name: str

    def values(self, value: Any) -> Iterator[Any]:
        yield value


@dataclass(frozen=True)
class Group(Slot):
    """Several arguments in a list."""

    name: str
    members: tuple[Slot, ...]

    def values(self, value: Any) -> Iterator[Any]:
        parts = list(value) if np.iterable(value) else []
        if len(parts) != len(self.members):
            raise ShapeError(
                f"The argument {self.name} has {len(self.members)} parts.",
                where=self.name,
                expected=f"{len(self.members)} values",
                got=f"{len(parts)} values" if np.iterable(value) else type(value).__name__,
            )
        for slot, part in zip(self.members, parts, strict=True):
            yield from slot.values(part)


@dataclass(frozen=True)
class Entries(Slot):
    """An explicit matrix of symbols; its axes come first, those that are broadcast follow."""

    name: str
    shape: tuple[int, int]

    def values(self, value: Any) -> Iterator[Any]:
        array = np.asarray(value)
        count = self.shape[0] * self.shape[1]
        if array.shape[:2] == self.shape:
            array = array.reshape(count, *array.shape[2:])
        elif 1 not in self.shape or array.shape[:1] != (count,):
            raise ShapeError(
                f"The argument {self.name} has another shape.",
                where=self.name,
                expected=str(self.shape) + (f" or ({count},)" if 1 in self.shape else ""),
                got=str(array.shape),
            )
        yield from array


@dataclass
class Arguments:
    """What ``args`` says.

    Attributes:
        slots: one for each argument of the call.
        shapes: for each number and matrix, by its name in the program, its shape.
        renamed: what an expression's arguments are called in the program, where that is another symbol.
    """

    slots: list[Slot] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    renamed: dict[sympy.Basic, sympy.Basic] = field(default_factory=dict)
    _met: set[Any] = field(default_factory=set)

    @classmethod
    def read(cls, args: Any) -> Arguments:
        """From SymPy's first argument of ``lambdify``: one argument or a sequence.

        Raises:
            SpecError: something that cannot be an argument, or the same twice.
        """
        made = cls()
        several = isinstance(args, (list, tuple, sympy.Tuple))
        made.slots = [made._slot(a) for a in (args if several else [args])]
        return made

    def unpack(self, args: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        """The values of a call, one for each number and matrix.

        Raises:
            SpecError: too many arguments, or one that is missing or unknown.
            ShapeError: an argument with another number of parts.
        """
        names = [getattr(s, "name", "") for s in self.slots]
        given = dict(zip(names, args, strict=False))
        wrong = [n for n in named if n in given or n not in names]
        missing = [n for n in names if n not in given and n not in named]
        if wrong or missing or len(args) > len(names):
            problem = f"{missing[0]!r} is missing" if missing else "There are too many arguments"
            if wrong:
                problem = f"{wrong[0]!r} is {'given twice' if wrong[0] in given else 'no argument'}"
            got = ", ".join([f"{len(args)} values", *named])
            raise SpecError(f"{problem}.", where="call", expected=", ".join(names), got=got)
        values = {**given, **named}
        return [v for s, n in zip(self.slots, names, strict=True) for v in s.values(values[n])]

    def _slot(self, a: Any) -> Slot:
        if isinstance(a, (list, tuple, sympy.Tuple)):
            return Group(str(tuple(a)), tuple(self._slot(e) for e in a))
        if isinstance(a, sympy.MatrixBase):
            for e in a:
                self._slot(e)
            return Entries(f"{a.tolist()}", a.shape)
        if isinstance(a, MatrixSymbol):
            return self._add(a, a.name, tuple(as_dim(d) for d in a.shape))
        if isinstance(a, sympy.IndexedBase) and a.shape is not None:
            return self._add(a, str(a.label), tuple(as_dim(d) for d in a.shape))
        if isinstance(a, _NUMBERS):
            return self._add(a, a.name if isinstance(a, sympy.Symbol) else str(a), ())
        raise SpecError(
            "This cannot be an argument.",
            where="args",
            expected="symbols, MatrixSymbols, an IndexedBase with a shape, matrices and lists of symbols",
            got=f"{a} ({type(a).__name__})",
            fix=f'{a} = IndexedBase("{a}", shape=(n,))' if isinstance(a, sympy.IndexedBase) else None,
        )

    def _add(self, a: Any, name: str, shape: Shape) -> One:
        if a in self._met or (name in self.shapes and not isinstance(a, _NUMBERS)):
            raise SpecError(f"{name!r} is an argument twice.", where="args")
        self._met.add(a)
        own, count = name, 1
        while own in self.shapes:  # two symbols of one name, such as dummies
            count += 1
            own = f"{name}_{count}"
        if isinstance(a, _NUMBERS) and (own != name or not isinstance(a, sympy.Symbol)):
            self.renamed[a] = sympy.Symbol(own, real=True)
        self.shapes[own] = shape
        return One(own)
