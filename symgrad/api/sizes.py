"""For which sizes, and which kinds of values, a formula holds, and how to have it for others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sympy

from symgrad.errors import SpecError
from symgrad.ops.dims import Shape, bind_dims, dim_symbol
from symgrad.program import Program

if TYPE_CHECKING:
    import numpy as np

_REMEMBERED = 64


@dataclass(frozen=True)
class Instance:
    """Sizes as numbers, and kinds of inputs."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def key(self) -> Hashable:
        """The same for equal instances."""
        return tuple(sorted(self.sizes.items())), tuple(sorted(self.kinds.items()))


@dataclass(frozen=True)
class Sizes:
    """What was settled while a loss was traced.

    Attributes:
        shapes: the shapes as they were given.
        pinned: sizes that the function needed as numbers, and the numbers that stand in the formulas.
        assumptions: relations between the other sizes under which the formulas hold.
        found: inputs whose kind matters and that nothing was said of, with the kind that the formulas take.
        derive: derives the same for an instance.
    """

    shapes: Mapping[str, Shape]
    pinned: Mapping[str, int]
    assumptions: tuple[sympy.Basic, ...]
    found: Mapping[str, str]
    derive: Callable[[Instance], Any]
    _others: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def elsewhere(self, program: Program, values: Mapping[str, np.ndarray]) -> Any:
        """What was derived, for arrays for which the formulas do not hold; None where they do.

        Raises:
            ShapeError: the arrays do not fit the shapes.
        """
        shapes = {i.name: self.shapes.get(i.name, i.shape) for i in program.inputs}
        sizes = bind_dims(shapes, {n: a.shape for n, a in values.items()})
        kinds = {n: _kind(values[n].dtype.kind, kind) for n, kind in self.found.items()}
        if kinds == self.found and self._hold(sizes):
            return None
        return self.other(Instance(sizes, kinds))

    def _hold(self, sizes: Mapping[str, int]) -> bool:
        if any(sizes[n] != value for n, value in self.pinned.items()):
            return False
        values = {dim_symbol(n): s for n, s in sizes.items()}
        return all(a.subs(values) == sympy.true for a in self.assumptions)

    def other(self, instance: Instance) -> Any:
        """What was derived, for an instance.

        Raises:
            SpecError: a name that is no size of the shapes.
        """
        known = sorted({str(s) for d in sum(self.shapes.values(), ()) for s in sympy.sympify(d).free_symbols})
        for n in instance.sizes:
            if n not in known:
                raise SpecError(f"{n!r} is no size of the loss.", where="at", expected=", ".join(known))
        key = instance.key()
        if key not in self._others:
            if len(self._others) >= _REMEMBERED:
                self._others.pop(next(iter(self._others)))
            self._others[key] = self.derive(instance)
        return self._others[key]

    def through(self, derive: Callable[[Instance], Any], shapes: Mapping[str, Shape] | None = None) -> Sizes:
        """The same for something else that is derived from the same trace."""
        return Sizes(shapes or self.shapes, self.pinned, self.assumptions, self.found, derive)

    def note(self) -> str | None:
        """One line on what the formulas are written out for; None if they hold for all sizes."""
        parts = [f"{n} = {value}" for n, value in self.pinned.items()]
        if not parts:
            return None
        return f"written out for {', '.join(parts)}; a call with other sizes derives it anew"


def _kind(dtype: str, found: str) -> str:
    """The kind of an array: truth values make a mask of what was taken for an index; labels may come as floats."""
    if dtype == "b":
        return "bool"
    return "int" if dtype in "iu" and found == "real" else found
