"""What a traced array holds, and what it shares with others: NumPy's aliasing, kept while a function is traced.

A value is a binding of the program or, while it does not depend on any input, plain numbers.  Assignment gives
it another binding.  A view remembers its base: it reads the base anew after the base has changed, and what is
written into it is written into the base.  Whether a result of ``reshape`` is a view is decided when one of the two
is written to.  The arguments of the function are never written to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from symgrad.errors import TraceError
from symgrad.program import Builder
from symgrad.trace import layout
from symgrad.trace import operations as ops


@dataclass
class View:
    """How a value is read from its base, and how the base becomes after the view has been written to.

    Attributes:
        write: None where the view cannot be written through.
        strides: the view's strides, from its base; None where they are not known.
        keeps: whether the view of a base that lies row by row does so too.
        shares: whether it is a view at all, which is asked when something is written; None where it is one.
        copied: whether its parts are copies, as those of ``x.flat`` are.
    """

    base: Any
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None] | None
    strides: Callable[[Any], layout.Strides | None] = lambda base: None
    keeps: bool = False
    shares: Callable[[Any], bool] | None = None
    copied: bool = False
    seen: object = None


class Memory:
    """The state of a traced array.

    Args:
        builder: where bindings are written.
        name: the binding or input that it is; None where ``data`` has the numbers.
        data: plain numbers.
        owner: whose it is, where it must not be written to: "the argument x", "the variable table".
        order: "C" or "F", where it lies by rows or by columns; "?" where that is not known; None where it follows
            from what the array holds at first.

    Attributes:
        title: the user's name for plain numbers, for the printed formula.
        real: whether it is an array of floats though what it holds is whole, as y * 1.0 of labels y: what is
            written into it is not cut off.
    """

    __slots__ = ("_born", "_data", "_name", "_order", "_owner", "_view", "builder", "real", "title")

    def __init__(
        self,
        builder: Builder,
        name: str | None = None,
        data: np.ndarray | None = None,
        owner: str | None = None,
        order: str | None = None,
    ) -> None:
        self.builder = builder
        self._name = name
        self._data = data
        self._owner = owner
        self._order = order
        self._born: np.ndarray | str | None = None
        self._view: View | None = None
        self.title: str | None = None
        self.real = False

    def as_view(self, view: View) -> Any:
        """Make this value a view; returns it."""
        if view.base is not self:
            view.base._refresh()
            view.seen = view.base._state()
            self._view, self.real = view, view.base.real
            self._note()
        return self

    @property
    def parts_are_copies(self) -> bool:
        return self._view is not None and self._view.copied

    def laid_alike(self, made: Memory) -> Memory:
        """A new array of the same shape that NumPy lays out like this one."""
        if self._by_rows():
            made._order = "C"
        else:  # numbers that lie in an unknown way are a value like others
            made._name, made._data, made._order = made.name, None, "?"
            made._note()
        return made

    # How it lies in memory --------------------------------------------------------------------------------

    def strides_known(self) -> layout.Strides | None:
        """The strides, in entries; None where they are not known."""
        self._decide()
        if self._view is not None:
            return self._view.strides(self._view.base)
        born = self._state() if self._born is None else self._born
        if self._order is None and isinstance(born, np.ndarray):
            return layout.of_numbers(born)
        dims = cast(Any, self).dims
        if self._order == "F":
            return layout.by_columns(dims)
        return layout.by_rows(dims) if self._by_rows() else None

    def _by_rows(self) -> bool:
        """Whether no axis runs faster than one behind it, for certain."""
        if self._view is not None:
            return self._view.keeps and self._view.base._by_rows()
        if self._order is not None:
            return self._order == "C"
        born = self._state() if self._born is None else self._born
        if isinstance(born, np.ndarray):
            return layout.numbers_by_rows(born)
        return layout.follows_rows(self.builder, born)

    def _note(self) -> None:
        if self._name is not None and not self._by_rows():
            layout.note(self.builder, self._name)

    def _decide(self) -> None:
        """Find out whether this is a view, where that is open; a copy keeps what it has."""
        view = self._view
        if view is None or view.shares is None:
            return
        if view.shares(view.base):
            view.shares = None
        else:
            self._view, self._order = None, "C"

    # What it holds ----------------------------------------------------------------------------------------

    def _state(self) -> Any:
        return self._data if self._data is not None else self._name

    def _refresh(self) -> None:
        view = self._view
        if view is None:
            return
        view.base._refresh()
        state = view.base._state()
        same = state is view.seen or (
            isinstance(state, str) and isinstance(view.seen, str) and state == view.seen
        )
        if same:
            return
        self._decide()
        if self._view is not None:
            fresh = view.read(view.base)
            self._name, self._data = fresh._name, fresh._data
            view.seen = state
            self._note()

    @property
    def name(self) -> str:
        """The binding or input that this value is now."""
        self._refresh()
        if self._name is None:
            made = ops.lift(self.builder, self._data).name
            if self.title is not None:
                self.builder.label(made, self.title)
            if not self._by_rows():
                layout.note(self.builder, made)
            return made
        return self._name

    @property
    def numbers(self) -> np.ndarray | None:
        """The values, where they depend on no input and have a known size; None elsewhere."""
        self._refresh()
        return self._data

    def store(self, value: Any) -> None:
        """Become ``value``, an array of the same shape, and with this value all that share its memory.

        Raises:
            TraceError: the memory belongs to an argument or a global, or cannot be written through.
        """
        self._decide()
        if self._view is not None:
            if self._view.write is None:
                raise TraceError(
                    "This view cannot be written to.", where=repr(self), fix="copy it first: v = v.copy()"
                )
            self._view.write(self._view.base, value)
            return
        owner = self._owner
        if owner is not None:
            raise self.builder.refuse(
                TraceError(
                    f"The function writes into {owner}.",
                    where=owner.rpartition(" ")[2],
                    expected="a function that leaves its arguments and the variables around it as they are",
                    fix="work on a copy: x = x.copy(), or write x = x + y instead of x += y",
                )
            )
        value._refresh()
        if self._born is None:
            self._born = self._state()
        self.real = cast(Any, self).kind == "real"
        data, lies = value._data, self._data
        if data is not None and (lies is not None or self._by_rows()):
            self._data = np.copy(data, order="C") if lies is None else _laid_like(lies, data)
            self._name = value._name
        else:
            self._name, self._data = value.name, None
            self._note()


def _laid_like(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """New numbers in the array's order, so that NumPy's results of them lie as they do in the function."""
    made = np.empty_like(array, dtype=values.dtype)
    made[...] = values
    return made
