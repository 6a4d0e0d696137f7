"""How a program that sums over rows is computed: sweeps over blocks of rows, and sections between them, as data.

A sweep goes through its share of the rows in blocks of a few hundred, whose intermediates stay in cache, and adds up.
A section computes what has no rows, after the shares of the sweep before it have been put together.  ``block_source``
writes the functions, ``sweeping`` calls them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symgrad.compile.loops import LoopWriter
from symgrad.compile.reuse import told
from symgrad.compile.source import LOOP_FLAGS, Function, kernel_file
from symgrad.ops.dims import Dim, Shape
from symgrad.program import Program

OUT = ">"
"""Begins the key of an array that is an output of the whole."""

Work: TypeAlias = Literal["matrices", "vectors", "entries"]


@dataclass(frozen=True)
class Section:
    """A call between sweeps: sizes, what it takes, the sums of the sweep before it, what it fills.

    Arrays are named by keys: an input by its name, a value that is handed on by ``=name``, an output by ``>label``.
    """

    function: str
    sizes: tuple[str, ...]
    takes: tuple[str, ...]
    sums: tuple[str, ...]
    fills: tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """Calls for shares of the rows: sizes, the rows, what it takes, its sums, what it fills.

    Attributes:
        sums: names of the totals; each call has arrays of its own for them.
        width: entries of one row of all that has rows.
        work: what takes most of its time: products of matrices, of matrices and vectors, or single entries.
    """

    function: str
    sizes: tuple[str, ...]
    takes: tuple[str, ...]
    sums: tuple[str, ...]
    fills: tuple[str, ...]
    width: Dim
    work: Work


Step: TypeAlias = Section | Sweep


@dataclass(frozen=True)
class Total:
    """A sum over all rows (or their product or extremum): its shape, and how it combines."""

    shape: Shape
    combine: str


@dataclass(frozen=True, eq=False)
class BlockPlan:
    """How a program is computed through blocks of rows.

    Attributes:
        program: what is computed.
        dtype: ``float32`` or ``float64``.
        symbol: the number of rows.
        sizes: the names of the dimensions, and the input and the axis that each one is read from.
        steps: the calls, in order.
        arrays: the shape and kind of every array that is handed on, by key.
        totals: what the sweeps sum up, by name.
        functions: the functions of the file.
        helpers, file_arrays: what else the file needs.
        writers: for each of the steps' functions what wrote it, which knows its loops and its arrays.
    """

    program: Program
    dtype: str
    symbol: str
    sizes: tuple[tuple[str, int, int], ...]
    steps: tuple[Step, ...]
    arrays: Mapping[str, tuple[Shape, str]]
    totals: Mapping[str, Total]
    functions: tuple[Function, ...]
    helpers: frozenset[str]
    file_arrays: tuple[str, ...]
    writers: Mapping[str, LoopWriter]

    @property
    def multiplies(self) -> bool:
        """Whether a sweep multiplies matrices."""
        return any(isinstance(s, Sweep) and s.work == "matrices" for s in self.steps)

    def source(self, more: Sequence[Function] = (), helpers: frozenset[str] = frozenset()) -> str:
        """The text of the kernel file, with further functions."""
        order = [f"{k}. {_described(step, self.symbol)}" for k, step in enumerate(self.steps, 1)]
        order += [line for writer in self.writers.values() for line in told(writer.shared)]
        return kernel_file(
            self.program, [*self.functions, *more], self.helpers | helpers, self.dtype, LOOP_FLAGS,
            self.file_arrays, order=order,
        )  # fmt: skip


def _described(step: Step, symbol: str) -> str:
    if isinstance(step, Section):
        return step.function
    return f"{step.function}, for shares of the {symbol} rows on threads; sums up {', '.join(step.sums) or 'nothing'}"
