"""What was decided about a kernel and why, for people: ``print(k.plan)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import sympy

from symgrad.compile import unrolled
from symgrad.compile.block_source import block_plan
from symgrad.compile.blocks import BlockPlan, Section, Sweep
from symgrad.compile.costs import BALANCE, Cost, program_cost, size_in_bytes
from symgrad.compile.loops import Buffer, LoopWriter
from symgrad.compile.names import KEPT, Namer
from symgrad.compile.parts import BLOCK
from symgrad.compile.passes import WHY, Change
from symgrad.compile.plan_text import amount, count, memory, operation, size_text, table
from symgrad.compile.rows import LARGE, Separation, entries_with_rows, separations
from symgrad.compile.sweeping import Layout, layout
from symgrad.ops.dims import product, shape_of
from symgrad.program import Program

How: TypeAlias = Literal["scalars", "loops", "blocks"]

_BYTES = {"F": 0, "np.float64": 8, "np.int64": 8, "np.bool_": 1}


@dataclass(frozen=True)
class Plan:
    """How a program is computed; ``str`` tells it as a text.

    Attributes:
        program: what is compiled, after the passes.
        dtype: ``float32`` or ``float64``.
        changes: what each pass made of it.
        sizes: for which it was chosen; None before the first call.
        how: ``scalars`` (every entry a variable), ``loops`` over whole arrays, ``blocks`` of rows on threads.
        rows: along which size the blocks go.
        training: whether it is a step of a training run.
        batched: whether each step of a training run draws other rows.
        before: in a training run, what is computed once before the loop.
        reuse: whether values take the memory of earlier ones.
    """

    program: Program
    dtype: str
    changes: tuple[Change, ...]
    sizes: Mapping[str, int] | None
    how: How
    rows: Separation | None = None
    training: bool = False
    batched: bool = False
    before: Program | None = None
    reuse: bool = True

    @cached_property
    def cost(self) -> Cost:
        """Operations and bytes moved by one evaluation; formulas where ``sizes`` is None."""
        if self.how == "scalars":
            found = Cost(program_cost(self.program, self.dtype).flops, _ends(self.program, self.dtype))
        else:
            found = (
                _in_blocks(self._blocks, self.dtype)
                if self._blocks
                else program_cost(self.program, self.dtype)
            )
        return found if self.sizes is None else found.at(self.sizes)

    @property
    def sweeps(self) -> int:
        """How often the rows are gone through; 0 where there are no blocks."""
        return self.rows.sweeps if self.rows is not None else 0

    @property
    def why(self) -> str:
        """Why it is computed in this way, in one line."""
        if self.how == "scalars":
            work = unrolled.cost(self.program, self.sizes or {})
            return f"{work} scalar operations, and up to {unrolled.LIMIT} every entry is a variable"
        if self.rows is not None and self.sizes is not None:
            entries = entries_with_rows(self.program, self.rows, self.sizes)
            return f"the data with rows has {count(entries)} entries, and blocks pay from {count(LARGE)} on"
        if self.batched:
            return "mini-batches are small, and are computed whole"
        found = separations(self.program)
        if not found:
            return "rows of the data depend on each other, or nothing is summed over them"
        along = " or ".join(f"{s.symbol} ({_times(s.sweeps)})" for s in found)
        if self.sizes is None:
            return f"small data; data of {count(LARGE)} entries and more goes in blocks along {along}"
        entries = max(entries_with_rows(self.program, s, self.sizes) for s in found)
        return f"the data with rows has {count(entries)} entries, and blocks pay from {count(LARGE)} on"

    @cached_property
    def _blocks(self) -> BlockPlan | None:
        return (
            block_plan(self.program, self.dtype, self.rows, reuse=self.reuse)
            if self.rows is not None
            else None
        )

    @cached_property
    def _layout(self) -> Layout | None:
        if self._blocks is None or self.sizes is None:
            return None
        return layout(self._blocks, tuple(self.sizes[name] for name, _, _ in self._blocks.sizes))

    @cached_property
    def _whole(self) -> LoopWriter:
        """What writes the loops over whole arrays."""
        namer = Namer(self.program)
        targets = {
            label: namer.fresh(f"gradient_{label}") for label, _ in self.program.outputs if label != "loss"
        }
        writer = LoopWriter(self.program, set(), namer, targets, self.dtype == "float64", reuse=self.reuse)
        writer.statements()
        return writer

    def __str__(self) -> str:
        lines = [*self._head(), "", *self._passes(), ""]
        lines += [f"{label:<9} {text}" for label, text in self._facts()]
        if self.how != "scalars":
            lines += ["", *table(("value", "is", "shape", "lives in", "computed by"), list(self._values()))]
        return "\n".join(line.rstrip() for line in lines)

    def _head(self) -> list[str]:
        known = ", ".join(f"{n} = {s}" for n, s in (self.sizes or {}).items())
        return [f"{self.dtype}, {known or 'sizes as given in each call'}"]

    def _passes(self) -> list[str]:
        """What each pass changed: bindings, sweeps, operations, bytes."""
        first = self.changes[0].before if self.changes else self.program
        rows = [("as derived", *self._measures(first))]
        same = []
        for c in self.changes:
            if c.after is c.before:
                same.append(c.name)
            else:
                rows.append((c.name, *self._measures(c.after)))
        if self.before is not None:
            rows.append(("before the loop", *self._measures(self.before)))
        out = table(("pass", "bindings", "sweeps", "flops", "bytes"), rows)
        out += [f"nothing to do for {', '.join(same)}"] if same else []
        return out + [f"{c.name}: {WHY[c.name]}" for c in self.changes if c.name not in same]

    def _measures(self, program: Program) -> tuple[str, str, str, str]:
        cost = program_cost(program, self.dtype)
        cost = cost.at(self.sizes) if self.sizes is not None else cost
        found = separations(program)
        sweeps = str(min(s.sweeps for s in found)) if found else "-"
        return str(len(program.bindings)), sweeps, amount(cost.flops), amount(cost.bytes)

    def _facts(self) -> Iterator[tuple[str, str]]:
        ways = {"scalars": "as scalars", "loops": "in loops over whole arrays"}
        if self.rows is not None:
            ways["blocks"] = f"in blocks of rows along {self.rows.symbol}, {_times(self.sweeps)}"
        yield "computed", ways[self.how]
        yield "because", self.why
        if self.before is not None:
            yield "before", f"{', '.join(n for n, _ in self.before.outputs)}, once for the whole run"
        if self._layout is not None and self._blocks is not None:
            for step in self._blocks.steps:
                if isinstance(step, Sweep):
                    share = self._layout.shares[step.function]
                    parts = f"{share.rows} rows a block, {len(share.bounds)} shares on threads"
                    yield step.function, parts
        each = "step" if self.training else "call"
        work = f"{amount(self.cost.flops)} flops a {each}, {amount(self.cost.bytes)} bytes moved"
        if self.sizes is not None:
            limit = "memory" if self.cost.intensity < BALANCE else "arithmetic"
            work += f"; {self.cost.intensity:.2g} flops a byte, {limit} is the limit"
        yield "work", work
        if self.how != "scalars":
            yield "memory", self._memory()

    def _memory(self) -> str:
        if self._blocks is None:
            return f"{memory(self._taken(self._whole.buffers(), None))} besides arguments and results"
        rows = {} if self._layout is None else {f: s.rows for f, s in self._layout.shares.items()}
        own = {f: self._taken(w.buffers(), rows.get(f)) for f, w in self._blocks.writers.items()}
        return f"{memory(max(own.values(), default=0))} in each thread, besides arguments, results and sums"

    def _taken(self, buffers: Sequence[Buffer], rows: int | None) -> Any:
        """Bytes of arrays, with so many rows in a block."""
        total: Any = 0
        for b in buffers:
            entry = _BYTES[b.dtype] or (4 if self.dtype == "float32" else 8)
            shape = tuple(rows if d == BLOCK and rows is not None else d for d in b.shape)
            if self.sizes is not None:
                shape = shape_of(shape, self.sizes)
            total += product(shape) * entry
        return total

    def _values(self) -> Iterator[tuple[str, ...]]:
        """Each binding: what it is, where it lives, which loops or call compute it."""
        if self._blocks is None:
            yield from _listed(self.program, self._whole, "")
            return
        for step in self._blocks.steps:
            writer = self._blocks.writers[step.function]
            if isinstance(step, Section):
                for name in step.sums:
                    yield (
                        name,
                        "sum of the shares",
                        size_text(self.program.type(name).shape),
                        "array",
                        step.function,
                    )
            yield from _listed(writer.program, writer, f"{step.function}, ")


_LIVES = {"inline": "its reader", "number": "the text", "scalar": "a variable", "file": "the file"}


def _listed(program: Program, writer: LoopWriter, where: str) -> Iterator[tuple[str, ...]]:
    """A row for each binding of a program or of a part of one."""
    nest = {v: k for k, values in enumerate(writer.nests, 1) for v in values}
    results = {value for label, value in program.outputs if not label.startswith(KEPT)}
    for b in program.bindings:
        place = writer.placement.place[b.name]
        lives = _LIVES.get(place, "result" if b.name in results else "array")
        if b.name in writer.shared:
            lives = f"array of {writer.shared[b.name]}"
        if b.name in writer.running:
            lives = "sum of a share"
        by = f"{where}a call" if writer.placement.calls(b.name) else ""
        if b.name in nest and place not in ("number", "file"):
            by = f"{where}loops {nest[b.name]}"
        yield b.name, operation(b), size_text(b.shape), lives, by


def _times(sweeps: int) -> str:
    return "1 sweep" if sweeps == 1 else f"{sweeps} sweeps"


def _ends(program: Program, dtype: str) -> Any:
    """Bytes of inputs and results."""
    names = [*(i.name for i in program.inputs), *(v for label, v in program.outputs if label != "loss")]
    return sum((sympy.sympify(size_in_bytes(program, n, dtype)) for n in names), sympy.Integer(0))


def _in_blocks(plan: BlockPlan | None, dtype: str) -> Cost:
    """Blocks read what has rows once for each sweep, and write what is handed on; the rest stays in cache."""
    assert plan is not None
    total = Cost(sympy.Integer(0), sympy.Integer(0))
    symbol = next(d for i in plan.program.inputs for d in i.shape if str(d) == plan.symbol)
    for step in plan.steps:
        part = plan.writers[step.function].program
        cost = program_cost(part, dtype)
        moved = cost.bytes if isinstance(step, Section) else _ends(part, dtype)
        total += Cost(cost.flops.xreplace({BLOCK: symbol}), sympy.sympify(moved).xreplace({BLOCK: symbol}))
    return total
