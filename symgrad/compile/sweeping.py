"""Running a program in blocks of rows: shares of the rows on threads, their sums put together in order.

Which rows belong to a block and which blocks to a share depends on the sizes alone: the result is the same to the
last bit for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from symgrad.compile.blocks import OUT, BlockPlan, Section, Sweep, Work
from symgrad.compile.cache import kind_of
from symgrad.compile.compiled import Compiled
from symgrad.compile.threads import one_blas_thread, run_shares
from symgrad.ops.dims import shape_of, size_of
from symgrad.program import FAILURES, explained

LOSS = "loss"


@dataclass(frozen=True)
class BlockSize:
    """Rows of a block: as many as have ``entries`` entries, within bounds."""

    entries: int
    fewest: int
    most: int


SIZES: Mapping[Work, BlockSize] = {
    # half of a second-level cache of 1 MiB in float32; fewer rows make small products, more make none faster
    "matrices": BlockSize(2**17, 64, 512),
    # read twice, they come from the first-level cache, and while they are the next ones arrive
    "vectors": BlockSize(2**10, 4, 32),
    # the intermediates stay in the first-level cache
    "entries": BlockSize(2**13, 64, 1024),
}
SHARES = 32
"""At most this many threads are kept busy."""
WORTH = 2**18
"""Entries of the rows of a share: less is computed faster than another thread is woken, and given its arguments."""
SUMMED = 2**19
"""Entries of the sums of all shares together, which have to be cleared and added up."""

_COMBINE = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
_FIRST = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}
_KINDS = {"int": "int64", "bool": "bool"}

Arrays = dict[str, Any]
Run = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], None]


@dataclass(frozen=True)
class Share:
    """How a sweep divides the rows.

    Attributes:
        rows: of a block.
        bounds: first and last row of each share.
    """

    rows: int
    bounds: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Layout:
    """What the sizes decide: the shapes of a plan's arrays and totals, and the shares of each sweep, by function."""

    arrays: Mapping[str, tuple[int, ...]]
    totals: Mapping[str, tuple[int, ...]]
    shares: Mapping[str, Share]


@lru_cache(maxsize=256)
def layout(plan: BlockPlan, sizes: tuple[int, ...]) -> Layout:
    """The layout for sizes in the plan's order; remembered, as it takes longer than a call of a kernel."""
    known = {name: size for (name, _, _), size in zip(plan.sizes, sizes, strict=True)}
    arrays = {key: shape_of(shape, known) for key, (shape, _) in plan.arrays.items()}
    totals = {name: shape_of(total.shape, known) for name, total in plan.totals.items()}
    sweeps = [step for step in plan.steps if isinstance(step, Sweep)]
    shares = {
        s.function: share_rows(
            known[plan.symbol], s.work, size_of(s.width, known), sum(prod(totals[t]) for t in s.sums)
        )
        for s in sweeps
    }
    return Layout(arrays, totals, shares)


def share_rows(n: int, work: Work, width: int, summed: int) -> Share:
    """Blocks that fit into cache, and shares of several blocks.

    Args:
        n: rows.
        work: what is done with them.
        width: entries of one row of all that has rows.
        summed: entries of the sums of one share.
    """
    size = SIZES[work]
    fitting = size.entries // max(1, width)
    rows = min(size.most, max(size.fewest, (fitting + 2) // 4 * 4))  # four rows are multiplied at a time
    blocks = -(-n // rows)
    count = max(1, min(blocks, SHARES, n * width // WORTH, max(2, SUMMED // max(1, summed))))
    ends = [min(n, rows * (blocks * t // count)) for t in range(count + 1)]
    return Share(rows, tuple(pairwise(ends)))


def _one(sums: np.ndarray, share: int) -> np.ndarray:
    """The sums of one share, as an array without axes for a number."""
    return sums[share : share + 1].reshape(sums.shape[1:])


@dataclass
class Evaluation:
    """The arrays of a plan for one set of inputs, and the calls that compute it, ready to be made again and again.

    Args:
        plan: what is computed.
        functions: the functions of its kernel file.
        inputs: the arrays of the program's inputs, in order.
        outputs: an array for each output but the loss, by label.
    """

    plan: BlockPlan
    functions: Mapping[str, Callable[..., Any]]
    inputs: Sequence[np.ndarray]
    outputs: Mapping[str, np.ndarray]
    arrays: Arrays = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrays.update({i.name: a for i, a in zip(self.plan.program.inputs, self.inputs, strict=True)})
        self.arrays.update({OUT + label: a for label, a in self.outputs.items()})
        for key, shape in self._layout.arrays.items():
            if key not in self.arrays:
                self.arrays[key] = np.empty(shape, _KINDS.get(self.plan.arrays[key][1], self.plan.dtype))

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(self.inputs[k].shape[axis] for _, k, axis in self.plan.sizes)

    @cached_property
    def _layout(self) -> Layout:
        return layout(self.plan, self._sizes)

    @cached_property
    def _calls(self) -> list[tuple[Section | Sweep, list[tuple[Any, ...]], dict[str, np.ndarray]]]:
        """Every step, the arguments of its calls, and the arrays that its shares sum into."""
        out: list[tuple[Section | Sweep, list[tuple[Any, ...]], dict[str, np.ndarray]]] = []
        sums: dict[str, np.ndarray] = {}
        for step in self.plan.steps:
            taken = [self.arrays[k] for k in step.takes]
            filled = [self.arrays[k] for k in step.fills]
            if isinstance(step, Section):
                totals = [_one(sums[n], 0) for n in step.sums]
                out.append((step, [(*self._given(step), *taken, *totals, *filled)], {}))
                continue
            share = self._layout.shares[step.function]
            sums = apart = {n: np.empty((len(share.bounds), *self._layout.totals[n])) for n in step.sums}
            calls = [
                (
                    *self._given(step),
                    *bounds,
                    share.rows,
                    *taken,
                    *(_one(a, t) for a in apart.values()),
                    *filled,
                )
                for t, bounds in enumerate(share.bounds)
            ]
            out.append((step, calls, apart))
        return out

    def _given(self, step: Section | Sweep) -> tuple[int, ...]:
        known = {name: size for (name, _, _), size in zip(self.plan.sizes, self._sizes, strict=True)}
        return tuple(known[name] for name in step.sizes)

    def signatures(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Every function, with arguments such as it is called with."""
        return [(step.function, calls[0]) for step, calls, _ in self._calls]

    def run(self, shared: Run = run_shares) -> Any:
        """Compute everything; the loss."""
        for step, calls, apart in self._calls:
            function = self.functions[step.function]
            if isinstance(step, Section):
                function(*calls[0])
                continue
            for name, a in apart.items():
                a.fill(_FIRST[self.plan.totals[name].combine])
            shared(function, calls)
            for name, a in apart.items():
                a[0] = _COMBINE[self.plan.totals[name].combine].reduce(a, axis=0)
        return self.arrays[OUT + "loss"][()]


@dataclass
class BlockKernel:
    """A plan whose functions are compiled when they are first called; it stands where a ``Compiled`` does.

    Attributes:
        plan: what is computed.
        source: the text of the kernel file.
        where: what an error says was running.
    """

    plan: BlockPlan
    where: str = ""
    _met: set[tuple[bool, ...]] = field(default_factory=set)

    @cached_property
    def source(self) -> str:
        """The text of the kernel file."""
        return self.plan.source()

    @cached_property
    def _compiled(self) -> dict[str, Compiled]:
        return {step.function: Compiled(self.source, step.function) for step in self.plan.steps}

    def _evaluation(self, arguments: tuple[Any, ...]) -> Evaluation:
        count = len(self.plan.program.inputs)
        labels = [label for label, _ in self.plan.program.outputs if label != LOSS]
        outputs = dict(zip(labels, arguments[count:], strict=True))
        functions = {name: c.function for name, c in self._compiled.items()}
        return Evaluation(self.plan, functions, arguments[:count], outputs)

    def prepare(self, arguments: tuple[Any, ...]) -> float:
        """Compile for arrays of this kind, or take compiled code from disk; the seconds that it took.

        Args:
            arguments: the inputs, then an array for each output but the loss.
        """
        kind = kind_of(arguments)
        if kind in self._met:
            return 0.0
        made = self._evaluation(arguments)
        spent = sum(self._compiled[name].prepare(given) for name, given in made.signatures())
        self._met.add(kind)
        return spent

    def run(self, arguments: tuple[Any, ...]) -> Any:
        """The loss, and the outputs in their arrays; arguments of a kind that ``prepare`` has seen.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        made = self._evaluation(arguments)
        try:
            with one_blas_thread(made.plan.multiplies):
                return made.run()
        except FAILURES as error:
            raise explained(error, self.where) from error
