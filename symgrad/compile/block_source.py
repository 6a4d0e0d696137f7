"""The functions of a kernel that goes through blocks of rows, and the plan that says how they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sympy

from symgrad.compile.blocks import OUT, BlockPlan, Section, Step, Sweep, Total, Work
from symgrad.compile.entries import DTYPES, integer_text
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import KEPT, Namer
from symgrad.compile.nests import loop_index, loops, nested
from symgrad.compile.parts import BLOCK, Parts, parts_of, without
from symgrad.compile.placement import place
from symgrad.compile.reductions import Gathering
from symgrad.compile.rows import Separation
from symgrad.compile.sizes import size_names, size_places
from symgrad.compile.source import Function
from symgrad.ops.dims import Dim, Shape, product
from symgrad.ops.record import ARG, Definition
from symgrad.program import Program

TOGETHER = 16
"""Small blocks whose products are added up in the kernel's dtype, before they go to sums in double."""

_WORDS = ("first", "last", "rows", "start", "stop", "count")


def block_plan(
    program: Program, dtype: str, found: Separation, namer: Namer | None = None, reuse: bool = True
) -> BlockPlan:
    """The functions and calls of a separated program."""
    parts = parts_of(program, found)
    writer = _Writer(program, dtype, found, namer or Namer(program), parts, reuse)
    for stage, section in enumerate(parts.sections):
        if stage:
            writer.sweep(stage, parts.sweeps[stage - 1])
        writer.section(stage, section)
    sizes = tuple((s.name, *place) for s, place in size_places(program).items())
    return BlockPlan(
        program, dtype, found.symbol.name, sizes, tuple(writer.steps),
        writer.arrays, writer.totals, tuple(writer.functions), frozenset(writer.helpers),
        tuple(dict.fromkeys(writer.file_arrays)), writer.writers,
    )  # fmt: skip


class _Writer:
    """Collects functions and steps, part by part."""

    def __init__(
        self, program: Program, dtype: str, found: Separation, namer: Namer, parts: Parts, reuse: bool
    ) -> None:
        self.program, self.found, self.namer = program, found, namer
        self.read = {a for p in (*parts.sections, *parts.sweeps) for b in p.bindings for a in b.args}
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
        fills: list[tuple[str, str]] = []
        body = []
        for n in totals:
            targets = [(OUT + label, OUT + label) for label, v in part.outputs if v == n]
            if n in self.read or not targets:
                targets.append((n, self._key(n)))
            t = self.program.type(n)
            index = loop_index(len(t.shape))
            how = Gathering(self.totals[n].combine, self.after[n])
            found = f"{DTYPES[t.kind]}({how.result(f'{self._sums[n]}[{index}]', self.helpers)})"
            arrays = [self._argument(name, n) for name, _ in targets]
            body += loops(
                tuple(map(self._size, t.shape)), [f"{array}[{index}] = {found}" for array in arrays]
            )
            fills += [(array, self._note(key, n)) for array, (_, key) in zip(arrays, targets, strict=True)]
        part = without(part, totals)
        outputs = self._outputs(part)
        if not totals and not outputs:
            return
        writer, read, filled = self._writer(part, {})
        body += [*read, *writer.allocations(), *writer.statements(), *filled]
        fills += [(self._argument(n, v), self._note(key, v)) for n, v, key in outputs]
        given = [i.name for i in part.inputs if i.name not in totals]
        name = self.namer.fresh(f"section_{stage}")
        self.writers[name] = writer
        arguments = [
            *(self._argument(n, n) for n in given), *(self._sums[n] for n in totals), *(a for a, _ in fills),
        ]  # fmt: skip
        sizes = self._function(name, arguments, body)
        keys = tuple(map(self._key, given)), tuple(totals), tuple(k for _, k in fills)
        self.steps.append(Section(name, sizes, *keys))

    def _function(self, name: str, arguments: Sequence[str], body: Sequence[str]) -> tuple[str, ...]:
        """Add a function; the names of the sizes that it takes in front of other arguments."""
        words = set(re.findall(r"\w+", "\n".join(body)))
        sizes = {s.name: text for s, text in self.dims.items() if text in words}
        self.functions.append(Function(name, (*sizes.values(), *arguments), tuple(body)))
        return tuple(sizes)

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
        name = self.namer.fresh(f"sweep_{stage}")
        self.writers[name] = writer
        given = [i.name for i in part.inputs]
        fills = [(self._all[n], self._note(key, v)) for n, v, key in outputs]
        arguments = [
            w["first"], w["last"], w["rows"], *(self._argument(n, n) for n in given),
            *(self._sums[n] for n in totals), *(a for a, _ in fills),
        ]  # fmt: skip
        sizes = self._function(name, arguments, body)
        keys = tuple(map(self._key, given)), tuple(totals), tuple(k for _, k in fills)
        self.steps.append(Sweep(name, sizes, *keys, self._width(part, writer), work))

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
        return str(dim) if isinstance(dim, int) else integer_text(sympy.sympify(dim).xreplace(names))

    def _width(self, part: Program, writer: LoopWriter) -> Dim:
        shapes = [i.shape for i in part.inputs] + [b.shape for b in writer.buffers()]
        shapes += [part.type(v).shape for _, v, _ in self._outputs(part)]
        widths = [product(d for d in s if d != BLOCK) for s in shapes if BLOCK in s]
        total: Dim = sum(widths, 0)
        return total or 1
