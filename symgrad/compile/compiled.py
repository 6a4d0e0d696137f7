"""One function of a kernel file: compiled for the arrays that it first meets, and called."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

from symgrad.compile.cache import compile_for, kind_of, load
from symgrad.program import FAILURES, explained


@dataclass
class Compiled:
    """A source, and what it has been compiled for.

    Attributes:
        source: the text of the kernel file.
        name: the function of the file.
        where: what an error says was running.
        function: the function, once ``prepare`` has been called.
    """

    source: str
    name: str
    where: str = ""
    _met: set[tuple[bool, ...]] = field(default_factory=set)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "function"}

    @cached_property
    def function(self) -> Any:
        """The function; another process that was sent this finds its compiled code on disk."""
        return load(self.source, self.name)

    def prepare(self, arguments: tuple[Any, ...]) -> float:
        """Compile for arrays of this kind, or take compiled code from disk; the seconds that it took."""
        kind = kind_of(arguments)
        if kind in self._met:
            return 0.0
        start = perf_counter()
        compile_for(self.function, arguments)
        self._met.add(kind)
        return perf_counter() - start

    def run(self, arguments: tuple[Any, ...]) -> Any:
        """Call it, with arguments of a kind that ``prepare`` has seen.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        try:
            return self.function(*arguments)
        except FAILURES as error:
            raise explained(error, self.where or self.name) from error
