"""Values to shapes: the same walk gives the sizes of the arrays and joins the axes that the code wants equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from verify.scripts.dims import Axis, Dim, Dims, axis
from verify.scripts.kinds import Array, Kind, Number, Record, Several, Word, axes_of, whole_number
from verify.scripts.values import Apply, Call, Constant, Items, Part, Reference, Table, Value, resolved


@dataclass
class Shapes:
    """Reads the form of values.

    Args:
        names: the names of the values; sizes given through one named constant are one size.
        form: the form of an operation's result; the rules come from outside.
        dims: the axes and what is known of them.
        known: forms that are settled, by value.
        gaps: operations on arrays whose result could not be told.
        inside: whether formulas are read; a number that they use as a size makes them hold for this size only.
        named_sizes: the axes of sizes that have a name.
        slices: the axes that slices with literal bounds leave.
    """

    names: Mapping[Value, str]
    form: Callable[[Shapes, Apply], Kind | None]
    dims: Dims = field(default_factory=Dims)
    known: dict[Value, Kind | None] = field(default_factory=dict)
    gaps: list[Value] = field(default_factory=list)
    inside: bool = False
    named_sizes: dict[Value, Axis] = field(default_factory=dict)
    slices: dict[tuple[int, str], Axis] = field(default_factory=dict)

    def read(self, value: Value) -> Kind | None:
        """The form of a value, None where the source does not tell."""
        if value not in self.known:
            self.known[value] = None  # a value that is made from itself has no form
            self.known[value] = self._read(value)
        return self.known[value]

    def _read(self, value: Value) -> Kind | None:
        match value:
            case Constant(value=content):
                return self._constant(value, content)
            case Items(items=items):
                return Several(tuple(map(self.read, items)))
            case Table(entries=entries):
                return Record({key: self.read(entry) for key, entry in entries.items()})
            case Call(result=result):
                return None if result is None else self.read(result)
            case Part(of=whole, key=key):
                inside = resolved(value)
                return self.read(inside) if inside is not None else self._part(self.read(whole), key)
            case Reference(name=name, own=False):
                return Word(name.rsplit(".", 1)[-1]) if name != "numpy.newaxis" else Word(None)
            case Apply():
                found = self.form(self, value)
                if found is None and any(isinstance(self.read(o), Array) for o in value.operands):
                    self.gaps.append(value)
                return found
        return None

    def _constant(self, value: Value, content: object) -> Kind | None:
        if isinstance(content, bool):
            return Word(str(content))
        if isinstance(content, int | float):
            return Number(content)
        if isinstance(content, np.ndarray):
            return Array(tuple(map(axis, content.shape)))
        if content is None or isinstance(content, str):
            return Word(content)
        return Word("...") if content is Ellipsis else None

    @staticmethod
    def _part(kind: Kind | None, key: int | str) -> Kind | None:
        if isinstance(kind, Several) and isinstance(key, int) and -len(kind.items) <= key < len(kind.items):
            return kind.items[key]
        if isinstance(kind, Record) and isinstance(key, str):
            return kind.entries.get(key)
        if isinstance(kind, Array) and kind.axes and isinstance(key, int):
            return Array(kind.axes[1:], kind.dtype)
        return None

    # -- what the rules are made of --------------------------------------------------------------------------

    def size(self, value: Value) -> Axis | None:
        """The axis that a number given as a size makes."""
        kind = self.read(value)
        if isinstance(kind, Number) and kind.axis is not None:
            return kind.axis
        number = whole_number(kind)
        if number is None or number < 0:
            return None
        made = axis(number)
        if self.inside and isinstance(made, Dim):
            made.fixed = True
        if value in self.names:
            return self.named_sizes.setdefault(value, made)
        return made

    def shape(self, value: Value) -> tuple[Axis, ...] | None:
        """The axes that a shape argument makes: `3`, `(3, 1)`, `x.shape`."""
        kind = self.read(value)
        if isinstance(kind, Number):
            one = self.size(value)
            return None if one is None else (one,)
        if isinstance(value, Items):
            found = [self.size(item) for item in value.items]
        elif isinstance(kind, Several):
            found = [item.axis if isinstance(item, Number) else None for item in kind.items]
        else:
            return None
        return None if any(a is None for a in found) else tuple(a for a in found if a is not None)

    def broadcast(
        self, first: tuple[Axis, ...] | None, second: tuple[Axis, ...] | None, at: Value
    ) -> tuple[Axis, ...] | None:
        """The axes of an elementwise result; axes that meet are joined, but for those of size 1."""
        if first is None or second is None:
            return None
        longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
        lead = len(longer) - len(shorter)
        met = [self._meet(a, b, at) for a, b in zip(longer[lead:], shorter)]
        return (*longer[:lead], *met)

    def _meet(self, first: Axis, second: Axis, at: Value) -> Axis:
        if first == 1:
            return second
        if second == 1:
            return first
        return self.dims.join(first, second, at.line, at.text)

    def together(self, kinds: list[Kind | None], at: Value) -> Array | None:
        """The form of an elementwise operation on several operands."""
        axes: tuple[Axis, ...] | None = ()
        for kind in kinds:
            axes = self.broadcast(axes, axes_of(kind), at)
        return None if axes is None else Array(axes)

    def product(
        self, first: tuple[Axis, ...], second: tuple[Axis, ...], at: Value
    ) -> tuple[Axis, ...] | None:
        """The axes of a matrix product of ranks 1 and 2."""
        if not 1 <= len(first) <= 2 or not 1 <= len(second) <= 2:
            return None
        inner, outer = first[-1], second[0]
        if isinstance(inner, Dim) and isinstance(outer, Dim):
            self.dims.join(inner, outer, at.line, at.text)
        return (*first[:-1], *second[1:])

    def slice_axis(self, base: Axis, at: Value) -> Axis:
        """The axis that a slice with these bounds leaves: one for each axis and text of the slice."""
        if isinstance(base, int):
            return base
        lower, upper, step = (
            at.operands if isinstance(at, Apply) and len(at.operands) == 3 else (None, None, None)
        )
        ends = [None if e is None else self.read(e) for e in (lower, upper, step)]
        literal = all(isinstance(end, Number | Word) and not isinstance(end, Array) for end in ends)
        bounds = [whole_number(end) for end in ends]
        plain = all(b is not None or (isinstance(e, Word) and e.text is None) for b, e in zip(bounds, ends))
        if not literal or not plain:
            return base  # a batch of the rows: some of them
        if bounds == [None, None, None]:
            return base
        root = self.dims.find(base)
        size = None if root.size is None else len(range(*slice(*bounds).indices(root.size)))
        return self.slices.setdefault((id(root), str(bounds)), axis(size))
