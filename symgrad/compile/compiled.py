"""One function of a kernel file: compiled for the arrays that it first meets, and called."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from symgrad.compile.cache import compile_for, kind_of, load
from symgrad.compile.threads import one_blas_thread
from symgrad.program import FAILURES, explained


@dataclass
class Compiled:
    """A source, and what it has been compiled for.

    Attributes:
        source: the text of the kernel file.
        name: the function of the file.
        threads: whether it runs blocks of rows on threads.
        where: what an error says was running.
    """

    source: str
    name: str
    threads: bool = False
    where: str = ""
    _code: dict[Hashable, Callable[..., Any]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_code": {}}  # another process finds compiled code on disk

    def prepare(self, arguments: tuple[Any, ...]) -> float:
        """Compile for arguments of this kind, or take compiled code from disk; the seconds that it took."""
        kind = kind_of(arguments)
        if kind in self._code:
            return 0.0
        start = perf_counter()
        self._code[kind] = compile_for(getattr(load(self.source), self.name), arguments)
        return perf_counter() - start

    def run(self, arguments: tuple[Any, ...]) -> Any:
        """Call it, with arguments of a kind that ``prepare`` has seen.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        code = self._code[kind_of(arguments)]
        try:
            with one_blas_thread() if self.threads else nullcontext():
                return code(*arguments)
        except FAILURES as error:
            raise explained(error, self.where or self.name) from error
