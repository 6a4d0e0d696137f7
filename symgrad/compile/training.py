"""The whole training loop as one function: loss, gradient, update and loss history.

Arguments of the generated function, in order: the data; the parameters, then their state arrays, all changed in
place; ``lr`` (one rate, or one for each step); ``hyper``; ``first`` (steps taken before); ``losses``; and for
mini-batches ``order`` (rows of each step) and ``counts`` (how many of them).  It returns the number of steps
whose loss was finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

from symgrad.compile import unrolled
from symgrad.compile.cache import compile_for, load
from symgrad.compile.loops import LoopWriter, loop_index, nest
from symgrad.compile.source import kernel_file
from symgrad.compile.unrolled import positions, scalar_name
from symgrad.compile.update import entry_statements, step_scalars
from symgrad.ops.dims import Shape, shape_of
from symgrad.program import Program, identifiers
from symgrad.updates import UpdateRule

NAME = "train"


@dataclass(frozen=True)
class TrainingPlan:
    """What a training kernel is generated from; equal plans have equal kernels.

    Attributes:
        program: the loss and its gradients.
        parameters: the names that are updated.
        rule: the update rule.
        dtype: ``float32`` or ``float64``.
        batched: data whose rows are drawn anew for each step.
        sizes: the value of every dimension, where the problem is so small that it is unrolled; else None.
    """

    program: Program
    parameters: tuple[str, ...]
    rule: UpdateRule
    dtype: str
    batched: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] | None = None

    @property
    def data(self) -> tuple[str, ...]:
        """The inputs that are no parameters, in order."""
        return tuple(i.name for i in self.program.inputs if i.name not in self.parameters)

    def shape(self, name: str) -> Shape:
        return self.program.type(name).shape


def plan_training(
    program: Program,
    parameters: Sequence[str],
    rule: UpdateRule,
    dtype: str,
    sizes: Mapping[str, int],
    batched: Sequence[str] = (),
) -> TrainingPlan:
    """Choose between the unrolled kernel and loops."""
    tiny = not batched and unrolled.cost(program, sizes) <= unrolled.LIMIT
    fixed = tuple(sorted(sizes.items())) if tiny else None
    return TrainingPlan(program, tuple(parameters), rule, dtype, tuple(batched), fixed)


@lru_cache(maxsize=256)
def training_source(plan: TrainingPlan) -> str:
    """The text of the kernel file."""
    helpers: set[str] = set()
    body = _unrolled(plan, helpers) if plan.sizes is not None else _loops(plan, helpers)
    return kernel_file(plan.program, NAME, _arguments(plan), body, helpers, plan.dtype)


def _arguments(plan: TrainingPlan) -> list[str]:
    names = identifiers(plan.program)
    out = [f"{names[n]}_rows" if n in plan.batched else names[n] for n in plan.data]
    out += [names[n] for n in plan.parameters]
    out += [f"{names[n]}_state_{s}" for n in plan.parameters for s in plan.rule.state]
    out += ["lr", "hyper", "first", "losses"]
    return out + (["order", "counts"] if plan.batched else [])


def _loss_statements(text: str) -> list[str]:
    return [
        f"loss = {text}",
        "losses[step] = loss",
        "if not math.isfinite(loss):",
        "    return step",
    ]


def _indent(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


# Loops ------------------------------------------------------------------------------------------------------


def _loops(plan: TrainingPlan, helpers: set[str]) -> list[str]:
    writer = LoopWriter(plan.program, helpers)
    names = writer.names
    rows = {str(plan.shape(n)[0]): "rows" for n in plan.batched}
    if plan.batched:
        body = ["rows = order.shape[1]", *writer.size_statements(rows, {n: f"{names[n]}_rows" for n in plan.batched})]
        for n in plan.batched:
            width = " * ".join(writer.size(d) for d in plan.shape(n)[1:])
            body.append(f"{names[n]}_all = np.empty({' * '.join(['rows', width]) if width else 'rows'}, F)")
        body += writer.flat_allocations({})
    else:
        body = [*writer.size_statements(), *writer.allocations({})]
    step: list[str] = []
    if plan.batched:
        step += ["rows = counts[step]"]
        step += [f"{writer.dims[s]} = rows" for s in writer.dims if str(s) in rows]
        for n in plan.batched:
            shape = plan.shape(n)
            width = " * ".join(["rows", *(writer.size(d) for d in shape[1:])])
            step.append(f"{names[n]} = {names[n]}_all[:{width}].reshape({writer.shape(shape)})")
            step.append("for i0 in range(rows):")
            step.append(f"    {names[n]}[i0] = {names[n]}_rows[order[step, i0]]")
        step += writer.views({})
    step += writer.statements()
    inner: list[str] = []
    loss = writer.entry_at_loop(plan.program.output["loss"], inner)
    step += [*inner, *_loss_statements(loss), *step_scalars(plan.rule, helpers)]
    # All gradients are complete before the first parameter changes, also where one is not in a buffer.
    late: list[str] = []
    for k, n in enumerate(plan.parameters):
        shape = plan.shape(n)
        value = plan.program.output[n]
        where = loop_index(shape)
        if value in writer.plan.buffers or value in writer.plan.scalars:
            gradient = f"{names[value]}[{where}]" if shape else names[value]
        else:
            body.append(f"gradient_{k} = np.empty({writer.shape(shape)}, F)")
            step += writer.copy_to(f"gradient_{k}", value)
            gradient = f"gradient_{k}[{where}]"
        state = {s: f"{names[n]}_state_{s}[{where}]" for s in plan.rule.state}
        entries = entry_statements(plan.rule, f"{names[n]}[{where}]", gradient, state, helpers, str(k))
        late += nest(writer, shape, entries)
    return [*body, "for step in range(losses.size):", *_indent([*step, *late]), "return losses.size"]


# Unrolled ---------------------------------------------------------------------------------------------------


def _unrolled(plan: TrainingPlan, helpers: set[str]) -> list[str]:
    program = plan.program
    sizes = dict(plan.sizes or ())
    names = identifiers(program)
    scalars = unrolled.evaluation(program, sizes, helpers)
    body = unrolled.load_inputs(program, sizes)
    entries = {n: positions(shape_of(plan.shape(n), sizes)) for n in plan.parameters}

    def at(p: tuple[int, ...]) -> str:
        return ", ".join(map(str, p)) or "()"

    loads, stores, updates, kept = [], [], [], []
    for n in plan.parameters:
        for p in entries[n]:
            local = scalar_name(names[n], p)
            state = {s: f"{scalar_name(f'{names[n]}_state_{s}', p)}_now" for s in plan.rule.state}
            for s, text in state.items():
                loads.append(f"{text} = {names[n]}_state_{s}[{at(p)}]")
                stores.append(f"{names[n]}_state_{s}[{at(p)}] = {text}")
            stores.append(f"{names[n]}[{at(p)}] = {local}")
            gradient = scalars.entry[program.output[n], p]
            if gradient in {scalar_name(names[m], q) for m in plan.parameters for q in entries[m]}:
                kept.append(f"old_{gradient} = {gradient}")  # a parameter that is itself a gradient
                gradient = f"old_{gradient}"
            updates += entry_statements(plan.rule, local, gradient, state, helpers, local)
    loss = scalars.entry[program.output["loss"], ()]
    step = [*scalars.statements, *_loss_statements_unrolled(loss, stores)]
    step += [*dict.fromkeys(kept), *step_scalars(plan.rule, helpers), *updates]
    return [*body, *loads, "for step in range(losses.size):", *_indent(step), *stores, "return losses.size"]


def _loss_statements_unrolled(text: str, stores: list[str]) -> list[str]:
    *head, last = _loss_statements(text)
    return [*head, *_indent(stores), last]


# The compiled function ----------------------------------------------------------------------------------------


@dataclass
class TrainingKernel:
    """The loop of one plan, compiled for the arrays it first meets.

    Attributes:
        plan: what it was generated from.
        source: the text of the kernel file.
        compile_time: seconds spent on compiling or on loading compiled code.
    """

    plan: TrainingPlan
    source: str
    compile_time: float = 0.0
    _function: Any = None

    def run(self, arguments: tuple[Any, ...]) -> int:
        """Train; returns how many steps had a finite loss.  ``arguments`` as the module's docstring lists them."""
        if self._function is None:
            self.prepare(arguments)
        return int(self._function(*arguments))

    def prepare(self, arguments: tuple[Any, ...]) -> None:
        """Compile, or find compiled code on disk."""
        if self._function is None:
            start = perf_counter()
            function, path = load(self.source, NAME)
            compile_for(function, arguments, path)
            self._function = function
            self.compile_time = perf_counter() - start


@lru_cache(maxsize=256)
def training_kernel(plan: TrainingPlan) -> TrainingKernel:
    """The kernel of a plan; the same object for an equal plan."""
    return TrainingKernel(plan, training_source(plan))
