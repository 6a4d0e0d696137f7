"""What a traced array holds, and what it shares with others: NumPy's aliasing, kept while a function is traced.

A value is a binding of the program or, while it does not depend on any input, plain numbers.  Assignment gives
it another binding.  A view remembers its base: it reads the base anew after the base has changed, and what is
written into it is written into the base.  The arguments of the function are never written to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import TraceError
from symgrad.program import Builder
from symgrad.trace import operations as ops


@dataclass
class View:
    """How a value is read from its base, and how the base becomes after the view has been written to.

    ``write`` is None where the view cannot be written through.
    """

    base: Memory
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None] | None
    seen: object


class Memory:
    """The state of a traced array.

    Args:
        builder: where bindings are written.
        name: the binding or input that it is; None where ``data`` has the numbers.
        data: plain numbers.
        owner: whose it is, where it must not be written to: "the argument x", "the variable table".

    Attributes:
        title: the user's name for plain numbers, for the printed formula.
    """

    __slots__ = ("_data", "_name", "_owner", "_view", "builder", "title")

    def __init__(
        self,
        builder: Builder,
        name: str | None = None,
        data: np.ndarray | None = None,
        owner: str | None = None,
    ) -> None:
        self.builder = builder
        self._name = name
        self._data = data
        self._owner = owner
        self._view: View | None = None
        self.title: str | None = None

    def as_view_of(
        self, base: Memory, read: Callable[[Any], Any], write: Callable[[Any, Any], None] | None
    ) -> Any:
        """Make this value a view; returns it."""
        if base is not self:
            base._refresh()
            self._view = View(base, read, write, base._state())
        return self

    def _state(self) -> object:
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
        if not same:
            fresh = view.read(view.base)
            self._name, self._data = fresh._name, fresh._data
            view.seen = state

    @property
    def name(self) -> str:
        """The binding or input that this value is now."""
        self._refresh()
        if self._name is None:
            made = ops.lift(self.builder, self._data).name
            if self.title is not None:
                self.builder.label(made, self.title)
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
        self._name = value._name
        self._data = None if value._data is None else value._data.copy()
