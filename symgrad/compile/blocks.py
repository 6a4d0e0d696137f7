"""One evaluation of a program that sums over rows: blocks of rows that stay in cache, tasks that run on threads.

A kernel has four functions.  ``block`` computes the sums over a few hundred rows, ``task`` adds up its share of the
blocks, ``sweep`` runs the tasks on threads, and the kernel itself computes what comes before and after the sums.
Which block belongs to which task depends on the sizes alone, and the tasks' sums are added in order: the result is
the same to the last bit for any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.compile.entries import DTYPES
from symgrad.compile.loops import NO_SIZES, Buffer, LoopWriter, size_names, size_statements
from symgrad.compile.names import Namer
from symgrad.compile.nests import loop_index, loops, nested
from symgrad.compile.rows import BLOCK, Separation, parts_of
from symgrad.compile.source import function_text, parallel_function
from symgrad.ops.dims import Dim, Shape, product
from symgrad.program import Program

CACHED = 2**17
"""Entries of a block's rows: half of a second-level cache of 1 MiB in float32."""
FEWEST, MOST = 64, 512
"""Rows of a block: fewer make small matrix products, more make none faster."""
TASKS = 16
"""At most this many threads are kept busy."""
SUMMED = 2**19
"""Entries of all tasks' sums together, which have to be cleared and added up."""

_GATHERED = {"real": "np.float64", "int": "np.int64", "bool": "np.int64"}
_WORDS = ("block", "task", "sweep", "rows", "tasks", "blocks", "start", "stop", "t", "k")


class BlockWriter:
    """Writes one evaluation of a separated program, as ``LoopWriter`` writes one of any program.

    Args:
        program, helpers, namer, gradients, double: as for ``LoopWriter``.
        found: the separation.
    """

    def __init__(
        self,
        program: Program,
        helpers: set[str],
        namer: Namer,
        gradients: Mapping[str, str],
        double: bool,
        found: Separation,
    ) -> None:
        self.program, self.found = program, found
        self.dims = size_names(program, namer)
        parts = parts_of(program, found)
        self._inputs = {i.name: namer.values[i.name] for i in program.inputs}
        self._values = [
            v for part in (parts.before, parts.block) for label, v in part.outputs if label[0] == "="
        ]
        self._exported = self._values[: sum(label[0] == "=" for label, _ in parts.before.outputs)]
        self._sums = self._values[len(self._exported) :]
        self._arrays = {n: self._array(n, namer) for n in self._values}
        self._gathered = {n: namer.fresh(f"sums_{namer.values[n]}") for n in self._sums}
        self._parts = {n: namer.fresh(f"part_{namer.values[n]}") for n in self._sums}
        self._rows_out = {label: gradients[label] for label, _ in parts.block.outputs if label in gradients}
        self._word = {word: namer.fresh(word) for word in _WORDS}
        dims = {**self.dims, BLOCK: self._word["rows"]}

        def writer(part: Program, targets: Mapping[str, str]) -> LoopWriter:
            own = {label: targets[label] for label, _ in part.outputs if label in targets}
            numbers = [i.name for i in part.inputs if not i.shape]
            if part is not parts.block:  # in the kernel its own inputs are arrays, those without axes, too
                numbers = [n for n in numbers if n not in self._inputs]
            made = LoopWriter(part, helpers, namer, own, double, dims, numbers)
            made.names |= {n: a for n, a in self._arrays.items() if n not in made.placement.place}
            return made

        self._before = writer(
            parts.before,
            {**gradients, **{f"={n}": self._arrays[n] for n in self._exported if program.type(n).shape}},
        )
        self._block = writer(parts.block, {**gradients, **{f"={n}": self._parts[n] for n in self._sums}})
        self._after = writer(parts.after, gradients)

    def _array(self, name: str, namer: Namer) -> str:
        """What hands a value on: an array, or a variable for a number."""
        value = self.program.type(name)
        own = namer.values[name]
        return own if value.shape and value.kind == "real" else namer.fresh(f"{own}_found")

    # What a kernel asks of its writer ------------------------------------------------------------------------

    def size(self, dim: Dim) -> str:
        """An integer expression for a dimension or an index."""
        return self._before.size(dim)

    def shape(self, shape: Shape) -> str:
        """The source text of a shape."""
        return self._before.shape(shape)

    def size_statements(
        self, arrays: Mapping[str, str], known: Mapping[sympy.Symbol, str] = NO_SIZES
    ) -> list[str]:
        """Assign every dimension, from an array's shape or as ``known`` says."""
        return size_statements(self.program, self.dims, {**self._inputs, **arrays}, known)

    def buffers(self) -> list[Buffer]:
        """The arrays that an evaluation needs besides inputs and gradients, but for those of the tasks."""
        own = [
            Buffer(self._arrays[n], self.program.type(n).shape, DTYPES[self.program.type(n).kind])
            for n in self._values
            if self.program.type(n).shape
        ]
        return [*own, *self._before.buffers(), *self._after.buffers()]

    def allocations(self) -> list[str]:
        """The statements that make them."""
        return [f"{b.text} = np.empty({self.shape(b.shape)}, {b.dtype})" for b in self.buffers()]

    def file_arrays(self) -> list[str]:
        """The statements of the file that make the arrays of numbers."""
        writers = (self._before, self._block, self._after)
        return list(dict.fromkeys(line for w in writers for line in w.file_arrays()))

    def scalar(self, value: str) -> str:
        """The text of a scalar value, after the statements."""
        return (self._before if self.found.role[value] == "before" else self._after).scalar(value)

    def statements(self) -> list[str]:
        """One evaluation: every scalar, buffer and gradient gets its value."""
        w, out = self._word, self._before.statements()
        out += [
            f"{self._arrays[n]} = {self._before.scalar(n)}"
            for n in self._exported
            if not self.program.type(n).shape
        ]
        out += [
            f"{w['rows']} = min({MOST}, max({FEWEST}, {CACHED} // ({self._width()})))",
            self._count_blocks(),
            f"{w['tasks']} = max(1, min({w['blocks']}, {TASKS}, max(2, {SUMMED} // ({self._entries()}))))",
        ]
        for name in self._sums:
            value = self.program.type(name)
            shape = ", ".join([w["tasks"], *map(self.size, value.shape)])
            out.append(f"{self._gathered[name]} = np.zeros(({shape},), {_GATHERED[value.kind]})")
        arguments = ", ".join([w["tasks"], *self._passed(True)])
        first = ", ".join(["0", w["tasks"], *self._passed(True)])
        out += [
            f"if {w['tasks']} == 1:",
            f"    {w['task']}({first})",
            "else:",
            f"    {w['sweep']}({arguments})",
        ]
        for name in self._sums:
            out += self._collected(name)
        return [*out, *self._after.statements()]

    def functions(self) -> list[str]:
        """The source of the functions that the kernel calls."""
        w = self._word
        passed = self._passed(False)
        block_arguments = [
            *self.dims.values(),
            w["rows"],
            *self._read(False),
            *self._parts.values(),
            *self._rows_out.values(),
        ]
        block = [*self._block.allocations(), *self._block.statements()]
        first, end = (f"{w['blocks']} * {t} // {w['tasks']}" for t in (w["t"], f"({w['t']} + 1)"))
        task = [self._count_blocks()]
        task += [f"{self._parts[n]} = {self._empty(n)}" for n in self._sums]
        task += [f"for {w['k']} in range({first}, {end}):"]
        inside = [
            f"{w['start']} = {w['k']} * {w['rows']}",
            f"{w['stop']} = min({w['start']} + {w['rows']}, {self.size(self.found.symbol)})",
            f"{w['block']}({', '.join(self._call())})",
        ]
        for n in self._sums:
            shape = self.program.type(n).shape
            index = loop_index(len(shape))
            at = f"{w['t']}, {index}" if shape else w["t"]
            inside += loops(
                tuple(self.size(d) for d in shape),
                [f"{self._gathered[n]}[{at}] += {self._parts[n]}[{index}]"],
            )
        sweep = [
            f"for {w['t']} in prange({w['tasks']}):",
            f"    {w['task']}({', '.join([w['t'], w['tasks'], *passed])})",
        ]
        return [
            function_text(w["block"], block_arguments, block),
            function_text(w["task"], [w["t"], w["tasks"], *passed], [*task, *nested(inside)]),
            parallel_function(w["sweep"], [w["tasks"], *passed], sweep),
        ]

    # Texts ---------------------------------------------------------------------------------------------------

    def _count_blocks(self) -> str:
        w = self._word
        return f"{w['blocks']} = ({self.size(self.found.symbol)} + {w['rows']} - 1) // {w['rows']}"

    def _empty(self, name: str) -> str:
        value = self.program.type(name)
        return f"np.empty({self.shape(value.shape)}, {DTYPES[value.kind]})"

    def _read(self, outside: bool) -> list[str]:
        """What a block reads; ``outside``, in the kernel, a number may lie in an array without axes."""
        found = []
        for i in self._block.program.inputs:
            text = self._block.names[i.name]
            found.append(f"{text}[()]" if outside and not i.shape and i.name in self._inputs else text)
        return found

    def _passed(self, outside: bool) -> list[str]:
        """What goes to a task besides its number."""
        return [
            *self.dims.values(), self._word["rows"], *self._read(outside), *self._gathered.values(),
            *self._rows_out.values(),
        ]  # fmt: skip

    def _call(self) -> list[str]:
        """The arguments of one block, rows of what has rows."""
        start, stop = self._word["start"], self._word["stop"]
        out = [*self.dims.values(), f"{stop} - {start}"]
        for i in self._block.program.inputs:
            text, axis = self._block.names[i.name], self.found.axis.get(i.name)
            if axis is None:
                out.append(text)
            elif axis == 0:
                out.append(f"{text}[{start}:{stop}]")
            else:
                out.append(f"np.ascontiguousarray({text}[{':, ' * axis}{start}:{stop}])")
        return [*out, *self._parts.values(), *(f"{a}[{start}:{stop}]" for a in self._rows_out.values())]

    def _width(self) -> str:
        """The entries of one row of all that has rows."""
        block = self._block
        shapes = [i.shape for i in block.program.inputs if i.name in self.found.axis]
        shapes += [b.shape for b in block.buffers()]
        return " + ".join(self.size(product(d for d in s if d != BLOCK)) for s in shapes if BLOCK in s) or "1"

    def _entries(self) -> str:
        return " + ".join(self.size(product(self.program.type(n).shape)) for n in self._sums)

    def _collected(self, name: str) -> list[str]:
        """The tasks' sums, added in order."""
        w, value = self._word, self.program.type(name)
        sums, index = self._gathered[name], loop_index(len(value.shape))
        sizes = tuple(self.size(d) for d in value.shape)
        at = f", {index}" if value.shape else ""
        adding = loops(sizes, [f"{sums}[0{at}] += {sums}[{w['t']}{at}]"])
        out = [f"for {w['t']} in range(1, {w['tasks']}):", *nested(adding)]
        if not value.shape:
            return [*out, f"{self._arrays[name]} = {DTYPES[value.kind]}({sums}[0])"]
        return [*out, *loops(sizes, [f"{self._arrays[name]}[{index}] = {sums}[0{at}]"])]


def evaluation_writer(
    program: Program,
    helpers: set[str],
    namer: Namer,
    gradients: Mapping[str, str],
    dtype: str,
    rows: Separation | None,
) -> LoopWriter | BlockWriter:
    """Through blocks of rows where a separation is given, else as plain loops."""
    double = dtype == "float64"
    if rows is None:
        return LoopWriter(program, helpers, namer, gradients, double)
    return BlockWriter(program, helpers, namer, gradients, double, rows)
