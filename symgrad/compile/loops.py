"""Everything that is not tiny: loops over arrays whose sizes are known when the kernel runs.

``placement`` decides what gets memory; here each value with memory becomes a loop nest from its record's
definition, whatever the operation, and neighbouring nests over one range are joined.  Large matrix products,
inverses and the like are calls on whole arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symgrad.compile.calls import call_statements
from symgrad.compile.entries import DTYPES, Body, integer_text
from symgrad.compile.forms import Call, is_log_sum_exp
from symgrad.compile.names import KEPT, Namer
from symgrad.compile.nests import Nest, loop_index, loops
from symgrad.compile.placement import adds_in_line, loop_order, place
from symgrad.compile.products import adds_rows
from symgrad.compile.reductions import Gathering, gathers
from symgrad.compile.reuse import shared_memory
from symgrad.compile.sizes import NO_SIZES, size_names, size_statements
from symgrad.ops.dims import Dim, Shape, same
from symgrad.ops.record import ARG, INDEX, Definition
from symgrad.program import Binding, Program

NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True)
class Buffer:
    """An array that a kernel allocates; ``dtype`` is its source text."""

    text: str
    shape: Shape
    dtype: str


class LoopWriter:
    """Writes one evaluation of a program.

    Args:
        program: outputs ``loss`` and one gradient for each parameter.
        helpers: collects the helper functions that the text needs.
        namer: gives out names.
        gradients: for each parameter the array that its gradient is written to; for a label such as ``=name`` an
            array of the value's own kind.
        double: whether the kernel's dtype is float64, so that sums may gather in their own memory.
        dims: the texts of the sizes, where another writer of the same kernel has given them out.
        numbers: inputs without axes that are numbers there, not arrays.
        running: sums that go on from one evaluation to the next: where each gathers, which others clear and read.
        reuse: whether values take the memory of earlier ones, see ``reuse``.
        contiguous: whether the arrays of inputs and gradients are, in C order.

    Attributes:
        adding: those of the running sums that are products which are added to their array: ``cleared`` before some
            evaluations, and ``added`` to the sum after them.
        shared: for each value in another one's memory that other one.
        nests: once the statements are written, the values that each loop nest computes.
    """

    def __init__(
        self,
        program: Program,
        helpers: set[str],
        namer: Namer,
        gradients: Mapping[str, str],
        double: bool,
        dims: Mapping[sympy.Symbol, str] | None = None,
        numbers: Iterable[str] = (),
        running: Mapping[str, str] = NO_NAMES,
        reuse: bool = True,
        contiguous: bool = True,
    ) -> None:
        self.contiguous = contiguous
        self.numbers, self.running = frozenset(numbers), running
        self.nests: list[tuple[str, ...]] = []
        self.program, self.helpers, self.namer = program, helpers, namer
        self.names: dict[str, str] = dict(namer.values)
        self.placement = place(program)
        forms = self.placement.forms
        self.adding = frozenset(
            b.name for b in program.bindings if b.name in running and adds_rows(program, b, forms[b.name])
        )
        self.dims = dict(dims) if dims is not None else size_names(program, namer)
        self._late: list[tuple[str, str]] = []  # gradients that are copies of something else
        self._given: set[str] = set()
        for label, array in gradients.items():
            value = program.output[label]
            fits = program.type(value).kind == "real" or label.startswith(KEPT)
            if self._in_buffer(value) and value not in self._given and fits:
                self.names[value] = array
                self._given.add(value)
            else:
                self._late.append((array, value))
        own = {*self._given, *running, *(v for _, v in self._late)}
        self.shared = shared_memory(program, self.placement, own) if reuse else {}
        self.names |= {name: self.names[first] for name, first in self.shared.items()}
        gathering = {b.name: gathers(self.placement.forms[b.name]) for b in program.bindings}
        self._totals = {
            b.name: self.names[b.name]
            if double and b.shape != () and b.kind == "real"
            else namer.fresh(f"{self.names[b.name]}_{gathering[b.name]}")
            for b in program.bindings
            if gathering[b.name]
        } | dict(running)
        terms = {b.name: self._array_of_terms(b) for b in program.bindings}
        self._terms = {name: buffer for name, buffer in terms.items() if buffer is not None}
        self._tops = {
            n: namer.fresh(f"{self.names[n]}_top")
            for n, form in self.placement.forms.items()
            if isinstance(form, Definition) and is_log_sum_exp(form)
        }

    def _array_of_terms(self, b: Binding) -> Buffer | None:
        """Where the terms of a sum of all entries that runs on are kept, to be added up many at a time."""
        definition = self.placement.forms[b.name]
        if b.name not in self.running or b.shape != () or b.kind != "real":
            return None
        if not isinstance(definition, Definition) or definition.parts or definition.combine != "sum":
            return None
        sizes = dict(zip((INDEX(k) for k in range(len(definition.reduce))), definition.reduce, strict=True))
        shape = tuple(sizes[i] for i in _loop_order(definition, definition.reduce) if not same(sizes[i], 1))
        return (
            Buffer(self.namer.fresh(f"terms_{self.names[b.name]}"), shape, DTYPES[b.kind]) if shape else None
        )

    def _in_buffer(self, name: str) -> bool:
        return self.placement.place.get(name) == "buffer"

    # Sizes and memory ---------------------------------------------------------------------------------------

    def size(self, dim: Dim) -> str:
        """An integer expression for a dimension or an index."""
        if isinstance(dim, int):
            return str(dim)
        names = {s: sympy.Symbol(t) for s, t in self.dims.items()}
        return integer_text(sympy.sympify(dim).xreplace(names))

    def shape(self, shape: Shape) -> str:
        """The source text of a shape."""
        inner = ", ".join(self.size(d) for d in shape)
        return f"({inner},)" if len(shape) == 1 else f"({inner})"

    def size_statements(
        self, arrays: Mapping[str, str], known: Mapping[sympy.Symbol, str] = NO_SIZES
    ) -> list[str]:
        """Assign every dimension, from an array's shape or as ``known`` says.

        Args:
            arrays: inputs whose array has another name than in the formulas.
            known: texts of dimensions that are not read from an array.
        """
        names = {i.name: arrays.get(i.name, self.names[i.name]) for i in self.program.inputs}
        return size_statements(self.program, self.dims, names, known)

    def buffers(self) -> list[Buffer]:
        """The arrays that an evaluation needs besides inputs and gradients; sums gather in double."""
        out = []
        for b in self.program.bindings:
            if b.name in self._terms:
                out.append(self._terms[b.name])
            if b.name in self.running:
                if b.shape != () and isinstance(self.placement.forms[b.name], Call):
                    out.append(Buffer(self.names[b.name], b.shape, DTYPES[b.kind]))
                continue
            if self._in_buffer(b.name) and b.name not in self._given and b.name not in self.shared:
                out.append(Buffer(self.names[b.name], b.shape, DTYPES[b.kind]))
            for gathered in (self._totals, self._tops):
                if b.shape != () and gathered.get(b.name, self.names[b.name]) != self.names[b.name]:
                    out.append(Buffer(gathered[b.name], b.shape, "np.float64"))
        return out

    def allocations(self) -> list[str]:
        """The statements that make the arrays of an evaluation."""
        return [f"{b.text} = np.empty({self.shape(b.shape)}, {b.dtype})" for b in self.buffers()]

    def file_arrays(self) -> list[str]:
        """The statements of the file, in front of its functions, that make the arrays of numbers."""
        out = []
        for b in self.program.bindings:
            if self.placement.place[b.name] == "file":
                text = b.record.numpy([], b.attrs, str)
                out.append(f"{self.names[b.name]} = np.ascontiguousarray({text}, {DTYPES[b.kind]})")
        return out

    # Statements ---------------------------------------------------------------------------------------------

    def statements(self) -> list[str]:
        """One evaluation: every scalar, buffer and gradient gets its value."""
        out: list[str] = []
        open_nest: Nest | None = None
        work: list[Nest | list[str]] = []
        for b in self.program.bindings:
            form = self.placement.forms[b.name]
            if isinstance(form, Call):
                work.append(call_statements(self, b, form, [self.size(d) for d in b.shape]))
                if b.name in self.running and b.name not in self.adding:
                    work.append(self._added(b))
            elif isinstance(form, Definition) and self.placement.place[b.name] in ("buffer", "scalar"):
                made = self._nests(b, form)
                made[0].values.append(b.name)
                work += made
        work += [self._copy(array, value) for array, value in self._late]
        for item in work:
            if isinstance(item, Nest) and open_nest is not None and open_nest.joins(item):
                open_nest.take(item)
                continue
            if open_nest is not None:
                out += self._closed(open_nest)
            open_nest = item if isinstance(item, Nest) else None
            out += item if isinstance(item, list) else []
        return out + (self._closed(open_nest) if open_nest is not None else [])

    def _closed(self, nest: Nest) -> list[str]:
        """The text of a nest that nothing joins any more."""
        self.nests.append(tuple(dict.fromkeys(nest.values)))
        return (self._flat(nest) or nest).lines()

    def _flat(self, nest: Nest) -> Nest | None:
        """The nest as one loop over all entries; None where it asks on which row or in which column it is.

        Vectors of entries then go across rows, which may be short.
        """
        if not self.contiguous or not nest.functions or not nest.straight:
            return None
        entry = re.compile(rf"(\w+)\[{loop_index(len(nest.sizes))}\]")
        arrays = dict.fromkeys(name for line in nest.body for name in entry.findall(line))
        flat = {name: self.namer.fresh(f"{name}_flat") for name in arrays}
        body = [entry.sub(lambda found: f"{flat[found[1]]}[i0]", line) for line in nest.body]
        views = [f"{text} = {name}.reshape({name}.size)" for name, text in flat.items()]
        size = " * ".join(f"({size})" for size in nest.sizes)
        return replace(nest, sizes=(size,), before=[*nest.before, *views], body=body)

    def cleared(self) -> list[str]:
        """The statements that clear the products that are added up."""
        return [f"{self.names[b.name]}[:] = 0" for b in self.program.bindings if b.name in self.adding]

    def added(self) -> list[str]:
        """The statements that add them to their sums."""
        return [
            line for b in self.program.bindings if b.name in self.adding for line in self._added(b).lines()
        ]

    def _added(self, b: Binding) -> Nest:
        """A product, added to the sum that runs on."""
        nest = Nest(tuple(self.size(d) for d in b.shape))
        at = f"[{loop_index(len(b.shape))}]" if b.shape else ""
        nest.body.append(f"{self.running[b.name]}{at} += {self.names[b.name]}{at}")
        return nest

    def scalar(self, value: str) -> str:
        """The text of a scalar value, after the statements."""
        return Body(self, Nest(())).entry(value, ())

    def _copy(self, array: str, value: str) -> Nest:
        shape = self.program.type(value).shape
        nest = Nest(tuple(self.size(d) for d in shape))
        text = Body(self, nest).entry(value, [INDEX(i) for i in range(len(shape))])
        nest.body.append(f"{array}[{loop_index(len(shape))}] = {text}")
        return nest

    def _nests(self, b: Binding, definition: Definition) -> list[Nest]:
        if definition.parts:
            return self._parts(b, definition)
        if not definition.reduce:
            return [self._plain(b, definition)]
        if is_log_sum_exp(definition):
            return self._log_sum_exp(b, definition)
        gathering = Gathering.of(definition)
        total = self._totals[b.name]
        nest = self._gather(b, definition, definition.fn, total, gathering)
        if b.name in self.running:
            return [nest]
        result = gathering.result(self._entry_of(b, total), self.helpers)
        return [nest, *self._result(b, nest, result, {total})]

    def _plain(self, b: Binding, definition: Definition) -> Nest:
        """Every entry on its own."""
        nest, moved = self._ranges((*b.shape,), [INDEX(i) for i in range(len(b.shape))])
        value = self._stored(b, Body(self, nest).formula(b, definition.access, definition.fn, moved))
        name = self.names[b.name]
        if b.shape == ():
            nest.body.append(f"{name} = {value}")
            nest.ends.add(name)
            return nest
        index = ", ".join(self.size(moved[INDEX(i)]) for i in range(len(b.shape)))
        nest.body.append(f"{name}[{index}] = {value}")
        nest.writes.add((name, index))
        return nest

    def _ranges(self, sizes: Shape, order: Sequence[sympy.Symbol]) -> tuple[Nest, dict[sympy.Symbol, Any]]:
        """Loops over the indices in this order, and what each index is in them; an axis of size 1 needs none."""
        ranges = {INDEX(i): d for i, d in enumerate(sizes)}
        kept = [i for i in order if not same(ranges[i], 1)]
        moved: dict[sympy.Symbol, Any] = dict.fromkeys(ranges, sympy.S.Zero)
        moved |= {old: INDEX(new) for new, old in enumerate(kept)}
        return Nest(tuple(self.size(ranges[i]) for i in kept)), moved

    def _gather(
        self, b: Binding, definition: Definition, fn: sympy.Expr, total: str, how: Gathering, top: str = ""
    ) -> Nest:
        """The loops of a reduction, in the order in which its largest argument lies in memory.

        ``top`` is the array of what is subtracted from each term's exponent.
        """
        sizes = (*b.shape, *definition.reduce)
        order = _loop_order(definition, sizes)
        nest, moved = self._ranges(sizes, order)
        value = Body(self, nest).formula(b, definition.access, fn, moved)
        index = ", ".join(self.size(moved[INDEX(i)]) for i in range(len(b.shape)))
        at = f"[{index}]" if b.shape else ""
        if top:
            nest.reads.add((top, index))
            self.helpers.add("exp")
            value = f"exp({value} - F({top}{at}))"
        if b.name in self._terms:
            terms = self._terms[b.name].text
            nest.body.append(f"{terms}[{loop_index(len(nest.sizes))}] = {value}")
            nest.after.append(f"{total} += addup({terms}.reshape({terms}.size))")
            nest.ends |= {total, self.names[b.name]}
            self.helpers.add("addup")
            return nest
        nest.adds = adds_in_line(definition)
        if b.name not in self.running:
            nest.before.append(f"{total}{'[:]' if b.shape else ''} = {how.first}")
        nest.body.append(how.take(f"{total}{at}", value, self.helpers))
        nest.ends |= {total, self.names[b.name]}
        return nest

    def _log_sum_exp(self, b: Binding, definition: Definition) -> list[Nest]:
        """log Σ exp a = m + log Σ exp(a − m) with the largest a as m, or 0 where that is not finite."""
        total, top = self._totals[b.name], self._tops[b.name]
        highest = self._gather(b, definition, definition.fn.args[0], top, Gathering("max", ARG(0)))
        at = self._entry_of(b, top)
        finite = f"{at} = {at} if math.isfinite({at}) else 0.0"
        if b.shape == ():
            highest.after.append(finite)
        else:
            highest.after += loops(tuple(self.size(d) for d in b.shape), [finite])
        nest = self._gather(b, definition, definition.fn.args[0], total, Gathering("sum", ARG(0)), top)
        result = f"{at} + np.log({self._entry_of(b, total)})"
        return [highest, nest, *self._result(b, nest, result, {total, top})]

    def _entry_of(self, b: Binding, array: str) -> str:
        return f"{array}[{loop_index(len(b.shape))}]" if b.shape else array

    def _result(self, b: Binding, nest: Nest, text: str, reads: set[str]) -> list[Nest]:
        """Behind a reduction's loops: the result in the kernel's dtype; further loops where they compute it."""
        name = self.names[b.name]
        if b.shape == ():
            nest.after.append(f"{name} = {DTYPES[b.kind]}({text})")
            return []
        index = loop_index(len(b.shape))
        if text == f"{name}[{index}]":
            return []
        last = Nest(tuple(self.size(d) for d in b.shape))
        last.body.append(f"{name}[{index}] = {text}")
        last.reads |= {(r, index) for r in reads}
        last.writes.add((name, index))
        return [last]

    def _parts(self, b: Binding, definition: Definition) -> list[Nest]:
        """Zeros, and one loop nest for each part."""
        name = self.names[b.name]
        total = self._totals.get(b.name)
        nests = []
        for part in definition.parts:
            nest, moved = self._ranges(part.sizes, [INDEX(i) for i in range(len(part.sizes))])
            body = Body(self, nest)
            value = body.formula(b, part.access, part.fn, moved)
            places = body.places(part.target, b.shape, body.reads(b, part.access, moved), moved)
            index = ", ".join(self.size(i) for i in places)
            nest.body.append(
                f"{total}[{index}] += {value}" if total else f"{name}[{index}] = {self._stored(b, value)}"
            )
            nest.ends |= {name, total or name}
            nests.append(nest)
        if b.name in self.running:
            return nests
        nests[0].before.append(f"{total or name}[:] = 0")
        if total:
            nests += self._result(b, nests[-1], self._entry_of(b, total), {total})
        return nests

    def _stored(self, b: Binding, value: str) -> str:
        """A value as its memory holds it."""
        return f"({value}) != 0" if b.kind == "bool" and b.shape else value


def _loop_order(definition: Definition, sizes: Shape) -> list[sympy.Symbol]:
    """As ``loop_order``; a small product's rows first."""
    found = loop_order(definition, len(sizes))
    if len(definition.access) != 1:
        return sorted(found, key=lambda i: isinstance(sizes[found.index(i)], int))
    return found
