"""Sizes of axes as unknowns: two axes that the code forces to be equal become one.

An axis of size 1 is the number 1; any other is a `Dim`.  Which axes were joined, and by which expression, is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Dim:
    """The size of an axis.

    Args:
        size: the number, where the script shows it.
        symbol: the symbol, where the user has given one.
        label: the axis in words, "rows of x".
        fixed: whether the code holds only for this number.
    """

    size: int | None = None
    symbol: str | None = None
    label: str | None = None
    fixed: bool = False


Axis = Dim | int


@dataclass(frozen=True)
class Joined:
    """Two axes that are one, because of an expression."""

    first: Dim
    second: Dim
    line: int
    text: str


@dataclass
class Dims:
    """Which axes are one. `joined` and `clashes` tell why, and where sizes contradict each other."""

    joined: list[Joined] = field(default_factory=list)
    clashes: list[Joined] = field(default_factory=list)
    _parent: dict[Dim, Dim] = field(default_factory=dict)

    def find(self, dim: Dim) -> Dim:
        """The representative of all axes that are one with this one."""
        while dim in self._parent:
            dim = self._parent[dim]
        return dim

    def size(self, axis: Axis) -> int | None:
        """The number behind an axis, where it is known."""
        return axis if isinstance(axis, int) else self.find(axis).size

    def same(self, first: Axis, second: Axis) -> bool:
        """Whether two axes are known to be one."""
        if isinstance(first, Dim) and isinstance(second, Dim):
            return self.find(first) is self.find(second)
        return first == second

    def join(self, first: Axis, second: Axis, line: int, text: str) -> Axis:
        """Make two axes one; where their numbers differ, note the clash and leave them."""
        if not isinstance(first, Dim) or not isinstance(second, Dim):
            return second if isinstance(second, Dim) and first == 1 else first
        one, two = self.find(first), self.find(second)
        if one is two:
            return one
        why = Joined(first, second, line, text)
        differ = None not in (one.size, two.size) and one.size != two.size
        if differ or None not in (one.symbol, two.symbol):
            self.clashes.append(why)
            return one
        self._parent[two] = one
        one.size = two.size if one.size is None else one.size
        one.symbol = two.symbol if one.symbol is None else one.symbol
        one.fixed = one.fixed or two.fixed
        self.joined.append(why)
        return one

    def fix(self, axis: Axis) -> bool:
        """Say that the code holds for the present number only; True where that is news."""
        if isinstance(axis, int):
            return False
        root = self.find(axis)
        news = not root.fixed and root.size is not None
        root.fixed = root.fixed or root.size is not None
        return news


def axis(size: int | None) -> Axis:
    """A new axis: the number 1, or an unknown of its own."""
    return 1 if size == 1 else Dim(size)
