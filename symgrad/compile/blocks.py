"""A program that sums over rows as functions of a kernel file: sweeps over blocks of rows, and sections between them.

A sweep goes through its share of the rows in blocks of a few hundred, whose intermediates stay in cache, and adds up.
A section computes what has no rows, after the shares of the sweep before it have been put together.  Which functions
there are, in which order they are called and with which arrays is a ``BlockPlan``; ``sweeping`` runs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sympy

from symgrad.compile.entries import DTYPES, integer_text
from symgrad.compile.loops import LoopWriter, size_names
from symgrad.compile.names import KEPT, Namer
from symgrad.compile.nests import loop_index, loops, nested
from symgrad.compile.parts import BLOCK, parts_of
from symgrad.compile.placement import place
from symgrad.compile.reductions import Gathering
from symgrad.compile.reuse import told
from symgrad.compile.rows import Separation
from symgrad.compile.source import LOOP_FLAGS, Function, kernel_file
from symgrad.ops.dims import Dim, Shape, product
from symgrad.ops.record import ARG, Definition
from symgrad.program import Program

OUT = ">"
"""Begins the key of an array that is an output of the whole."""

TOGETHER = 16
"""Small blocks whose products are added up in the kernel's dtype, before they go to sums in double."""

Work: TypeAlias = Literal["matrices", "vectors", "entries"]

_WORDS = ("first", "last", "rows", "start", "stop", "count")


@dataclass(frozen=True)
class Section:
    """A call between sweeps: sizes, what it takes, the sums of the sweep before it, what it fills.

    Arrays are named by keys: an input by its name, a value that is handed on by ``=name``, an output by ``>label``.
    """

    function: str
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
        sizes: the names of the dimensions, in the order in which every function takes them; and the input and the
            axis that each one is read from.
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


def block_plan(
    program: Program, dtype: str, found: Separation, namer: Namer | None = None, reuse: bool = True
) -> BlockPlan:
    """The functions and calls of a separated program."""
    writer = _Writer(program, dtype, found, namer or Namer(program), reuse)
    parts = parts_of(program, found)
    for stage, section in enumerate(parts.sections):
        if stage:
            writer.sweep(stage, parts.sweeps[stage - 1])
        writer.section(stage, section)
    return BlockPlan(
        program, dtype, found.symbol.name, _sizes(program), tuple(writer.steps),
        writer.arrays, writer.totals, tuple(writer.functions), frozenset(writer.helpers),
        tuple(dict.fromkeys(writer.file_arrays)), writer.writers,
    )  # fmt: skip


def _sizes(program: Program) -> tuple[tuple[str, int, int], ...]:
    """Every dimension that is an axis of an input, in order, with the first such place."""
    found: dict[str, tuple[str, int, int]] = {}
    for k, i in enumerate(program.inputs):
        for axis, d in enumerate(i.shape):
            if isinstance(d, sympy.Symbol):
                found.setdefault(d.name, (d.name, k, axis))
    return tuple(found.values())


class _Writer:
    """Collects functions and steps, part by part."""

    def __init__(self, program: Program, dtype: str, found: Separation, namer: Namer, reuse: bool) -> None:
        self.program, self.found, self.namer = program, found, namer
        self.double, self.reuse = dtype == "float64", reuse
        self.helpers: set[str] = set()
        self.dims = size_names(program, namer)
        self.words = {word: namer.fresh(word) for word in _WORDS}
        self.steps: list[Step] = []
        self.writers: dict[str, LoopWriter] = {}
        self.functions: list[Function] = []
        self.file_arrays: list[str] = []
        self.arrays: dict[str, tuple[Shape, str]] = {}
        forms = place(program).forms
        self.totals: dict[str, Total] = {}
        self.after: dict[str, sympy.Expr] = {}
        for b in program.bindings:
            if found.role[b.name] == "total":
                form = forms[b.name]
                plain = not isinstance(form, Definition) or bool(form.parts)
                how = Gathering("sum", ARG(0)) if plain else Gathering.of(form)  # type: ignore[arg-type]
                self.totals[b.name] = Total(b.shape, how.combine)
                self.after[b.name] = how.after
        self.labels = {
            label: namer.fresh(f"gradient_{namer.values.get(label, label)}") for label, _ in program.outputs
        }
        named = [*program.by_name, *(OUT + label for label in self.labels)]
        own = {
            n: self.labels[n[1:]] if n[0] == OUT else namer.values[n]
            for n in named
            if n[0] == OUT or n in namer.values
        }
        self._name = own
        self._all = {n: namer.fresh(f"{text}_all") for n, text in own.items()}
        self._number = {n: namer.fresh(f"{text}_at") for n, text in own.items()}
        self._sums = {n: namer.fresh(f"sums_{namer.values[n]}") for n in self.totals}
        self._running = {n: namer.fresh(f"sum_{namer.values[n]}") for n in self.totals}

    # Names and keys ------------------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        return name if self.program.is_input(name) else KEPT + name

    def _argument(self, name: str, value: str) -> str:
        """The argument for a value's array; ``name`` is the value's, or an output's key."""
        if value in self.found.axis:
            return self._all[name]
        return self._name[name] if self.program.type(value).shape else self._number[name]

    def _outputs(self, part: Program) -> list[tuple[str, str, str]]:
        """Name, value and key of what a part fills, totals excepted."""
        out = []
        for label, value in part.outputs:
            if value in self.totals and label[0] == KEPT:
                continue
            name = value if label[0] == KEPT else OUT + label
            out.append((name, value, label if label[0] == KEPT else OUT + label))
        return out

    def _note(self, key: str, value: str) -> str:
        t = self.program.type(value)
        self.arrays[key] = (t.shape, t.kind)
        return key

    def _writer(self, part: Program, running: Mapping[str, str]) -> tuple[LoopWriter, list[str], list[str]]:
        """A writer for a part; the statements that read its numbers, and those that fill numbers at the end."""
        numbers = [i.name for i in part.inputs if not i.shape]
        targets, scalars = {}, []
        for name, value, key in self._outputs(part):
            label = key if key[0] == KEPT else key[1:]
            if self.program.type(value).shape:
                targets[label] = self._name[name]
            else:
                scalars.append((self._number[name], value))
        dims = {**self.dims, BLOCK: self.words["count"]}
        writer = LoopWriter(
            part, self.helpers, self.namer, targets, self.double, dims, numbers, running, self.reuse
        )
        self.file_arrays += writer.file_arrays()
        read = [f"{self._name[n]} = {self._number[n]}[()]" for n in numbers]
        return writer, read, [f"{array}[()] = {writer.scalar(value)}" for array, value in scalars]

    # Parts ---------------------------------------------------------------------------------------------------

    def section(self, stage: int, part: Program) -> None:
        """What has no rows and comes after a sweep, its totals first."""
        totals = [n for n in self.totals if self.found.stage[n] == stage]
        outputs = self._outputs(part)
        if not totals and not outputs:
            return
        given = [i.name for i in part.inputs if i.name not in totals]
        body = []
        for n in totals:
            t = self.program.type(n)
            index = loop_index(len(t.shape))
            found = Gathering(self.totals[n].combine, self.after[n]).result(
                f"{self._sums[n]}[{index}]", self.helpers
            )
            array = self._argument(n, n)
            body += loops(tuple(map(self._size, t.shape)), [f"{array}[{index}] = {DTYPES[t.kind]}({found})"])
        writer, read, filled = self._writer(part, {})
        body += [*read, *writer.allocations(), *writer.statements(), *filled]
        function = self.namer.fresh(f"section_{stage}")
        self.writers[function] = writer
        fills = [(self._argument(n, n), self._note(self._key(n), n)) for n in totals]
        fills += [(self._argument(n, v), self._note(key, v)) for n, v, key in outputs]
        arguments = [
            *self.dims.values(), *(self._argument(n, n) for n in given), *(self._sums[n] for n in totals),
            *(a for a, _ in fills),
        ]  # fmt: skip
        self.functions.append(Function(function, tuple(arguments), tuple(body)))
        self.steps.append(
            Section(function, tuple(map(self._key, given)), tuple(totals), tuple(k for _, k in fills))
        )

    def sweep(self, stage: int, part: Program) -> None:
        """Rows, and the totals over a share of them."""
        w = self.words
        totals = [n for n in self.totals if self.found.stage[n] == stage]
        running = {n: self._sums[n] if self.totals[n].shape else self._running[n] for n in totals}
        writer, read, _ = self._writer(part, running)
        outputs = self._outputs(part)
        head, inside = list(read), []
        for i in part.inputs:
            axis = self.found.axis.get(i.name)
            if axis is not None:
                text = f"{self._all[i.name]}[{':, ' * axis}{w['start']}:{w['stop']}]"
                inside.append(f"{self._name[i.name]} = {f'np.ascontiguousarray({text})' if axis else text}")
        for name, _, _ in outputs:
            inside.append(f"{self._name[name]} = {self._all[name]}[{w['start']}:{w['stop']}]")
        for b in writer.buffers():
            made = f"np.empty({writer.shape(b.shape)}, {b.dtype})"
            if BLOCK not in b.shape:
                head.append(f"{b.text} = {made}")
            elif b.shape.index(BLOCK):
                inside.append(f"{b.text} = {made}")
            else:
                space = self.namer.fresh(f"{b.text}_space")
                shape = tuple(sympy.Symbol(w["rows"]) if d == BLOCK else d for d in b.shape)
                head.append(f"{space} = np.empty({writer.shape(shape)}, {b.dtype})")
                inside.append(f"{b.text} = {space}[:{w['count']}]")
        statements = writer.statements()
        own = [n for n in totals if not self.totals[n].shape]
        head += [f"{running[n]} = {Gathering(self.totals[n].combine, ARG(0)).first}" for n in own]
        work: Work = "vectors" if writer.adding else "entries"
        if any("np.dot(" in line for line in statements):
            work = "matrices"
        body = [*head, *self._blocks([*inside, *statements], writer, work)]
        body += [f"{self._sums[n]}[()] = {running[n]}" for n in own]
        function = self.namer.fresh(f"sweep_{stage}")
        self.writers[function] = writer
        given = [i.name for i in part.inputs]
        fills = [(self._all[n], self._note(key, v)) for n, v, key in outputs]
        arguments = [
            *self.dims.values(), w["first"], w["last"], w["rows"], *(self._argument(n, n) for n in given),
            *(self._sums[n] for n in totals), *(a for a, _ in fills),
        ]  # fmt: skip
        self.functions.append(Function(function, tuple(arguments), tuple(body)))
        keys = tuple(map(self._key, given)), tuple(totals), tuple(k for _, k in fills)
        self.steps.append(Sweep(function, *keys, self._width(part, writer), work))

    def _blocks(self, statements: list[str], writer: LoopWriter, work: Work) -> list[str]:
        """The loop over blocks; where they are to be small, inside one over blocks that products add up over."""
        w = self.words
        cut = [
            f"{w['count']} = min({w['rows']}, {w['last']} - {w['start']})",
            f"{w['stop']} = {w['start']} + {w['count']}",
        ]
        if work != "vectors":
            block = [*cut, *writer.cleared(), *statements, *writer.added()]
            return [f"for {w['start']} in range({w['first']}, {w['last']}, {w['rows']}):", *nested(block)]
        outer, end = self.namer.fresh("begin"), self.namer.fresh("end")
        block = [
            f"{end} = min({outer} + {TOGETHER} * {w['rows']}, {w['last']})",
            *writer.cleared(),
            f"for {w['start']} in range({outer}, {end}, {w['rows']}):",
            *nested([*cut, *statements]),
            *writer.added(),
        ]
        return [f"for {outer} in range({w['first']}, {w['last']}, {TOGETHER} * {w['rows']}):", *nested(block)]

    def _size(self, dim: Dim) -> str:
        names = {s: sympy.Symbol(t) for s, t in self.dims.items()}
        return integer_text(sympy.sympify(dim).xreplace(names))

    def _width(self, part: Program, writer: LoopWriter) -> Dim:
        shapes = [i.shape for i in part.inputs] + [b.shape for b in writer.buffers()]
        shapes += [part.type(v).shape for _, v, _ in self._outputs(part)]
        widths = [product(d for d in s if d != BLOCK) for s in shapes if BLOCK in s]
        total: Dim = sum(widths, 0)
        return total or 1
