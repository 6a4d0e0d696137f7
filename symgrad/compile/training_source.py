"""The source of ``train``: loss, gradient, update and loss history in one loop.

Arguments of the generated function, in order: the data; the parameters, then their state arrays, all changed in
place; ``lr`` (a number, or an array with the rate of each step); ``hyper``; ``first`` (steps taken before);
``losses``; and for mini-batches ``order`` (the rows of each step) and ``counts`` (how many of them).  It returns
the number of steps whose loss was finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import sympy

from symgrad.compile import unrolled
from symgrad.compile.entries import DTYPES
from symgrad.compile.forms import check_not_empty, must_not_be_empty
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import Namer
from symgrad.compile.nests import loop_index, loops, nested
from symgrad.compile.passes import REUSE, Change, chosen, planned
from symgrad.compile.passes.hoist import HOIST, evaluate, hoist
from symgrad.compile.reuse import told
from symgrad.compile.rows import best, separations
from symgrad.compile.source import LOOP_FLAGS, UNROLLED_FLAGS, Function, kernel_file
from symgrad.compile.update import UpdateWriter
from symgrad.ops.dims import Shape, product, shape_of
from symgrad.program import Program
from symgrad.updates import UpdateRule

NAME = "train"
LOSS = "loss"
_WORDS = ("lr", "hyper", "first", "losses", "order", "counts", "step", "loss", "rows")


@dataclass(frozen=True)
class TrainingPlan:
    """What a training kernel is generated from; equal plans have equal kernels.

    Attributes:
        program: the loss and its gradients.
        parameters: the names that are updated.
        rule: the update rule; its hyperparameters' values are passed when the kernel runs.
        dtype: ``float32`` or ``float64``.
        batched: data whose rows are drawn anew for each step.
        sizes: the value of every dimension, where the problem is so small that it is unrolled; else None.
        scheduled: whether each step has a learning rate of its own.
        rows: the size along which each step goes through blocks of rows on threads, if it does.
        before: what computes the data that is made once, before the loop, from the data that is given.
        reuse: whether values take the memory of earlier ones.
        changes: what the passes changed.
    """

    program: Program
    parameters: tuple[str, ...]
    rule: UpdateRule
    dtype: str
    batched: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] | None = None
    scheduled: bool = False
    rows: sympy.Symbol | None = None
    before: Program | None = None
    reuse: bool = True
    changes: tuple[Change, ...] = field(default=(), compare=False)

    @cached_property
    def data(self) -> tuple[str, ...]:
        """The inputs that are no parameters, in order."""
        return tuple(i.name for i in self.program.inputs if i.name not in self.parameters)

    def data_from(self, arrays: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arrays of ``data``, from those that are given.

        Raises:
            DataError: a matrix without an inverse, an index out of range.
        """
        made = {} if self.before is None else evaluate(self.before, arrays, self.dtype, "the training run")
        return tuple(made[n] if n in made else arrays[n] for n in self.data)

    def shape(self, name: str) -> Shape:
        """The symbolic shape of a value."""
        return self.program.type(name).shape


def plan_training(
    program: Program,
    parameters: Sequence[str],
    rule: UpdateRule,
    dtype: str,
    sizes: Mapping[str, int],
    batched: Sequence[str] = (),
    scheduled: bool = False,
    passes: Sequence[str] | None = None,
) -> TrainingPlan:
    """Choose between the unrolled kernel, loops, and blocks of rows on threads.

    Args:
        passes: names of the passes that may rewrite the program before; all but ``scale`` if None.

    Raises:
        DataError: something is to be chosen of no entries.
        SpecError: a name that is no pass.
    """
    check_not_empty(tuple(must_not_be_empty(program)), sizes)
    made = planned(program, passes)
    program, changes = made.program, made.changes
    tiny = not batched and unrolled.cost(program, sizes) <= unrolled.LIMIT
    fixed = tuple(sorted(sizes.items())) if tiny else None
    before = None
    if HOIST in chosen(passes) and not tiny and 0 not in sizes.values():
        split = hoist(program, parameters, batched, sizes, dtype)
        changes = (*changes, Change(HOIST, program, split.step))
        before, program = split.before, split.step
    found = None if batched or tiny else best(program, separations(program), sizes)
    rows = found.symbol if found is not None else None
    return TrainingPlan(
        program,
        tuple(parameters),
        rule,
        dtype,
        tuple(batched),
        fixed,
        scheduled,
        rows,
        before,
        REUSE in chosen(passes),
        changes,
    )


@lru_cache(maxsize=256)
def training_source(plan: TrainingPlan) -> str:
    """The text of the kernel file, for a plan without blocks of rows."""
    writer = _Unrolled(plan) if plan.sizes is not None else _Loops(plan)
    flags = LOOP_FLAGS if plan.sizes is None else UNROLLED_FLAGS
    body = writer.body()
    main = Function(NAME, tuple(writer.arguments()), tuple(body))
    return kernel_file(
        plan.program, [main], writer.helpers, plan.dtype, flags, writer.file_arrays, order=writer.heading
    )


class _Writer:
    """What both kinds of kernel share: names, arguments, the update rule, the loss history."""

    def __init__(self, plan: TrainingPlan) -> None:
        self.plan, self.program = plan, plan.program
        self.helpers: set[str] = set()
        self.namer = Namer(plan.program)
        self.words = {word: self.namer.fresh(word) for word in _WORDS}
        self.state = {
            (n, s): self.namer.fresh(f"{s}_{self.namer.values[n]}")
            for n in plan.parameters
            for s in plan.rule.state
        }
        self.arrays = dict(self.namer.values)
        self.arrays |= {n: self.namer.fresh(f"{self.namer.values[n]}_data") for n in plan.batched}
        self.file_arrays: list[str] = []
        self.heading: list[str] = []
        self.rule = UpdateWriter(plan.rule, plan.scheduled, self.helpers, self.namer, self.words)

    def body(self) -> list[str]:
        """The statements of the function."""
        raise NotImplementedError

    def arguments(self) -> list[str]:
        """The names of the arguments, in the order that the module's docstring gives."""
        w = self.words
        out = [*(self.arrays[n] for n in (*self.plan.data, *self.plan.parameters)), *self.state.values()]
        out += [w["lr"], w["hyper"], w["first"], w["losses"]]
        return out + ([w["order"], w["counts"]] if self.plan.batched else [])

    def record(self, loss: str, leaving: Sequence[str] = ()) -> list[str]:
        """Keep the loss, and leave before the update if it is not finite."""
        w = self.words
        return [
            f"{w['loss']} = {loss}",
            f"{w['losses']}[{w['step']}] = {w['loss']}",
            f"if not math.isfinite({w['loss']}):",
            *nested([*leaving, f"return {w['step']}"]),
        ]

    def over_steps(self, step: Sequence[str]) -> list[str]:
        """The loop over the steps."""
        w = self.words
        return [f"for {w['step']} in range({w['losses']}.size):", *nested(step)]


class _Loops(_Writer):
    """Arrays and loops."""

    def body(self) -> list[str]:
        plan, w = self.plan, self.words
        gradients = {n: self.namer.fresh(f"gradient_{self.namer.values[n]}") for n in plan.parameters}
        writer = LoopWriter(
            self.program, self.helpers, self.namer, gradients, plan.dtype == "float64", reuse=plan.reuse
        )
        rows = {plan.shape(n)[0]: w["rows"] for n in plan.batched}
        head = [f"{w['rows']} = {w['order']}.shape[1]"] if plan.batched else []
        head += writer.size_statements(
            self.arrays, rows
        )  # the largest batch decides how much memory is taken
        step: list[str] = []
        if plan.batched:
            step.append(f"{w['rows']} = {w['counts']}[{w['step']}]")
            step += [f"{text} = {w['rows']}" for s, text in writer.dims.items() if s in rows]
            for n in plan.batched:
                dtype = DTYPES[self.program.type(n).kind]
                self._memory(writer, self.namer.values[n], plan.shape(n), dtype, rows, head, step)
                step += self._gather(writer, n)
        for b in writer.buffers():
            self._memory(writer, b.text, b.shape, b.dtype, rows, head, step)
        for n, array in gradients.items():
            self._memory(writer, array, plan.shape(n), "F", rows, head, step)
        step += writer.statements()
        self.file_arrays, self.heading = writer.file_arrays(), told(writer.shared)
        step += self.record(writer.scalar(self.program.output[LOSS]))
        step += self.rule.at_step
        for n in plan.parameters:  # all gradients are complete before the first parameter changes
            shape = plan.shape(n)
            at = f"[{loop_index(len(shape))}]"
            state = {s: f"{self.state[n, s]}{at}" for s in plan.rule.state}
            update = self.rule.entry(f"{self.arrays[n]}{at}", f"{gradients[n]}{at}", state)
            step += loops(tuple(writer.size(d) for d in shape), update)
        return [*head, *self.rule.before, *self.over_steps(step), f"return {w['losses']}.size"]

    def _memory(
        self, writer: LoopWriter, text: str, shape: Shape, dtype: str, rows: Mapping[object, str],
        head: list[str], step: list[str],
    ) -> None:  # fmt: skip
        """An array that lasts; one whose size follows the batch is cut, each step, from one for the largest."""
        if not _follows(shape, rows):
            head.append(f"{text} = np.empty({writer.shape(shape)}, {dtype})")
            return
        whole = self.namer.fresh(f"{text}_whole")
        if shape[0] in rows and not _follows(shape[1:], rows):
            head.append(f"{whole} = np.empty({writer.shape(shape)}, {dtype})")
            step.append(f"{text} = {whole}[:{writer.size(shape[0])}]")
            return
        entries = writer.size(product(shape))
        head.append(f"{whole} = np.empty({entries}, {dtype})")
        step.append(f"{text} = {whole}[:{entries}].reshape({writer.shape(shape)})")

    def _gather(self, writer: LoopWriter, name: str) -> list[str]:
        w, shape = self.words, self.plan.shape(name)
        rest = "".join(f", i{k}" for k in range(1, len(shape)))
        row = self.namer.fresh("row")
        inner = loops(tuple(writer.size(d) for d in shape[1:]), ["@"])
        copy = f"{self.namer.values[name]}[i0{rest}] = {self.arrays[name]}[{row}{rest}]"
        shifted = [_shift(line, len(shape) - 1).replace("@", copy) for line in inner]
        return [
            f"for i0 in range({w['rows']}):",
            *nested([f"{row} = {w['order']}[{w['step']}, i0]", *shifted]),
        ]


def _follows(shape: Shape, rows: Mapping[object, str]) -> bool:
    """Whether a shape depends on the rows of a batch."""
    return any(s in rows for d in shape for s in sympy.sympify(d).free_symbols)


def _shift(line: str, axes: int) -> str:
    """Loops ``i0, i1, …`` as ``i1, i2, …``."""
    for k in reversed(range(axes)):
        line = line.replace(f"for i{k} in", f"for i{k + 1} in")
    return line


class _Unrolled(_Writer):
    """Every entry a variable; memory is touched before and after the loop, and for the loss."""

    def body(self) -> list[str]:
        plan = self.plan
        sizes = dict(plan.sizes or ())
        scalars = unrolled.evaluation(self.program, sizes, self.helpers, self.namer)
        loads, stores, saved, updates = list(scalars.loads), [], [], []
        for n in plan.parameters:
            for p in unrolled.positions(shape_of(plan.shape(n), sizes)):
                variable = scalars.entry[n, p]
                state = {}
                for s in plan.rule.state:
                    state[s] = self.namer.fresh(f"{s}_{variable}")
                    place = unrolled.place_in(self.state[n, s], p)
                    loads.append(f"{state[s]} = {place}")
                    stores.append(f"{place} = {state[s]}")
                stores.append(f"{unrolled.place_in(self.arrays[n], p)} = {variable}")
                gradient = scalars.entry[self.program.output[n], p]
                if any(
                    gradient == scalars.entry.get((m, q)) for m, q in scalars.entry if m in plan.parameters
                ):
                    kept = self.namer.fresh(
                        f"old_{gradient}"
                    )  # a gradient that is a parameter, about to change
                    saved.append(f"{kept} = {gradient}")
                    gradient = kept
                updates += self.rule.entry(variable, gradient, state)
        loss = scalars.entry[self.program.output[LOSS], ()]
        step = [*scalars.statements, *self.record(loss, stores), *saved, *self.rule.at_step, *updates]
        return [
            *loads, *self.rule.before, *self.over_steps(step), *stores, f"return {self.words['losses']}.size",
        ]  # fmt: skip
