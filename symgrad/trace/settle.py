"""What is settled between one attempt to trace a loss and the next.

A loss is traced with its sizes as symbols and its inputs as real numbers.  Where that cannot go on, the error says
what it needs, and the next attempt has it: a number for a size, whole numbers in an input, or one size in terms of
others, as the output of a convolution has n − k + 1 entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy

from symgrad.errors import ShapeError, SymgradError
from symgrad.ops.dims import Dim, Shape, as_dim, dim_symbol
from symgrad.trace.sizes import NeedsKind, NeedsSize

PINS = ((3, 2, 4, 5), (2, 3, 4, 5), (4, 2, 6, 8), (2, 4, 6, 8), (6, 7, 8, 9))
"""What sizes become that have to be numbers: small and different; the other way round, even, or larger, where that
fails."""


@dataclass(frozen=True)
class Settled:
    """What has been settled so far.

    Attributes:
        shapes: the shapes as they were given.
        domains: for inputs that are restricted, to what.
        pinned: sizes that have become numbers.
        equations: sizes that have been expressed in others.
        needed: those of them that were asked for, in that order; the others followed from arrays in the function.
        scheme: which row of ``PINS`` is in use.
        found: inputs whose kind was found, not given.
    """

    shapes: Mapping[str, Shape]
    domains: Mapping[str, str]
    pinned: Mapping[str, int] = field(default_factory=dict)
    equations: Mapping[str, sympy.Expr] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    scheme: int = 0
    found: frozenset[str] = frozenset()

    def concrete(self) -> dict[str, Shape]:
        """The shapes with numbers and expressions in place of what was settled."""
        return {n: tuple(self._dim(d) for d in s) for n, s in self.shapes.items()}

    def _dim(self, d: Dim) -> Dim:
        if isinstance(d, int):
            return d
        for name, expr in self.equations.items():
            d = d.xreplace({dim_symbol(name): expr})
        return as_dim(d.xreplace({dim_symbol(n): sympy.Integer(v) for n, v in self.pinned.items()}))

    def assumptions(self) -> tuple[sympy.Basic, ...]:
        """The equations as relations between the sizes that were given."""
        return tuple(sympy.Eq(dim_symbol(n), e) for n, e in self.equations.items())

    def after(self, error: SymgradError) -> Settled | None:
        """What to settle for the next attempt; None where nothing can be."""
        if isinstance(error, NeedsSize):
            return self._pinned([s.name for s in error.symbols])
        if isinstance(error, NeedsKind):
            return self._kind(error)
        if isinstance(error, ShapeError):
            return self._constant(error) or self._equation(error) or self.next_scheme()
        return None

    def _pinned(self, names: Sequence[str]) -> Settled | None:
        new = [n for n in names if n not in self.pinned]
        if not new:
            return None
        values = {n: PINS[self.scheme][(len(self.needed) + i) % len(PINS[0])] for i, n in enumerate(new)}
        return replace(self, pinned={**self.pinned, **values}, needed=(*self.needed, *new))

    def next_scheme(self) -> Settled | None:
        """Other numbers for the sizes that have become numbers; None where all have been tried."""
        if not self.needed or self.scheme + 1 == len(PINS):
            return None
        return replace(self, pinned={}, needed=(), scheme=self.scheme + 1)._pinned(self.needed)

    def _kind(self, error: NeedsKind) -> Settled | None:
        if self.domains.get(error.name, "real") != "real" and error.name not in self.found:
            return None
        if self.domains.get(error.name) == error.kind:
            return None
        return replace(
            self, domains={**self.domains, error.name: error.kind}, found=self.found | {error.name}
        )

    def _constant(self, error: ShapeError) -> Settled | None:
        """A size that meets the size of an array in the function has that size."""
        if error.clash is None:
            return None
        written = {d for s in self.shapes.values() for d in s}
        for symbol, size in (error.clash, error.clash[::-1]):
            if isinstance(symbol, sympy.Symbol) and isinstance(size, int) and size not in written:
                if symbol.name in self.pinned:
                    return None
                larger = self.next_scheme() if size == 0 else None
                if larger is not None:  # a formula without entries says nothing
                    return larger
                return replace(self, pinned={**self.pinned, symbol.name: size})
        return None

    def _equation(self, error: ShapeError) -> Settled | None:
        """One of two sizes that have to be equal, if one of them was computed, solved for a size of an input.

        Two sizes that were both given are a mistake of the caller's and stay one.
        """
        if error.clash is None:
            return None
        left, right = (sympy.sympify(d) for d in error.clash)
        if left.is_Atom and right.is_Atom:
            return None
        difference = sympy.expand(left - right)
        alone = [d for s in self.concrete().values() for d in s if isinstance(d, sympy.Symbol)]
        for s in sorted(difference.free_symbols, key=lambda s: (alone.count(s), s.name)):
            if s not in alone or not difference.is_polynomial(s) or sympy.degree(difference, s) != 1:
                continue
            solution = sympy.expand(sympy.solve(difference, s)[0])
            known = solution.free_symbols <= {a for a in alone if a != s}
            if known and s.name not in self.equations and solution.is_polynomial():
                return replace(self, equations={**self.equations, s.name: solution})
        return None
