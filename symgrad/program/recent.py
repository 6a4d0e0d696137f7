"""A memory for what is costly to make: bounded, and safe to ask from several threads."""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Remembers values by their keys; when it is full the one that was put in first goes.

    Args:
        size: how many it remembers.
    """

    def __init__(self, size: int = 64) -> None:
        self.size = size
        self._values: dict[Hashable, Value] = {}
        self._lock = Lock()
        self.get = self._values.get

    def put(self, key: Hashable, value: Value) -> Value:
        """Remember a value, and return it."""
        with self._lock:
            if key not in self._values and len(self._values) >= self.size:
                del self._values[next(iter(self._values))]
            self._values[key] = value
        return value
