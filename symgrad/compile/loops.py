"""Everything that is not tiny: loops over arrays whose sizes are known when the kernel runs.

``placement`` decides what gets memory; here each value with memory becomes a loop nest from its record's
definition, whatever the operation, and neighbouring nests over one range are joined.  Large matrix products are
calls of ``np.dot`` into their buffer, transposed operands being views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symgrad.compile.names import Namer
from symgrad.compile.nests import Nest, loop_index
from symgrad.compile.placement import definition_of, place
from symgrad.compile.scalar_code import KernelPrinter
from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, format_shape
from symgrad.ops.record import ARG, INDEX, Definition, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program


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
        gradients: for each parameter the array that its gradient is written to.
    """

    def __init__(
        self, program: Program, helpers: set[str], namer: Namer, gradients: Mapping[str, str]
    ) -> None:
        self.program, self.helpers, self.namer = program, helpers, namer
        self.names: dict[str, str] = dict(namer.values)
        self.placement = place(program)
        self.dims = {s: namer.fresh(f"size_{s.name}") for s in _dim_symbols(program)}
        self._late: list[tuple[str, str]] = []  # gradients that are copies of something else
        self._given: set[str] = set()
        for label, array in gradients.items():
            value = program.output[label]
            if self._in_buffer(value) and value not in self._given:
                self.names[value] = array
                self._given.add(value)
            else:
                self._late.append((array, value))
        self._sums = {
            b.name: namer.fresh(f"{self.names[b.name]}_sum")
            for b in program.bindings
            if b.name not in self.placement.blas and definition_of(program, b).reduce
        }

    def _in_buffer(self, name: str) -> bool:
        return self.placement.place.get(name) == "buffer"

    # Sizes and memory ---------------------------------------------------------------------------------------

    def size(self, dim: Dim) -> str:
        """An integer expression for a dimension."""
        return self._index(dim)

    def shape(self, shape: Shape) -> str:
        """The source text of a shape."""
        inner = ", ".join(self.size(d) for d in shape)
        return f"({inner},)" if len(shape) == 1 else f"({inner})"

    def size_statements(self, arrays: Mapping[str, str], known: Mapping[sympy.Symbol, str]) -> list[str]:
        """Assign every dimension, from an array's shape or as ``known`` says.

        Args:
            arrays: inputs whose array has another name than in the formulas.
            known: texts of dimensions that are not read from an array.
        """
        out = []
        for s, text in self.dims.items():
            source = known.get(s)
            if source is None:
                i, axis = next(
                    (i, axis) for i in self.program.inputs for axis, d in enumerate(i.shape) if d == s
                )
                source = f"{arrays.get(i.name, self.names[i.name])}.shape[{axis}]"
            out.append(f"{text} = {source}")
        return out

    def buffers(self) -> list[Buffer]:
        """The arrays that an evaluation needs besides inputs and gradients; sums gather in double."""
        out = []
        for b in self.program.bindings:
            if self._in_buffer(b.name) and b.name not in self._given:
                out.append(Buffer(self.names[b.name], b.shape, "F"))
            if b.name in self._sums and b.shape != ():
                out.append(Buffer(self._sums[b.name], b.shape, "np.float64"))
        return out

    # Statements ---------------------------------------------------------------------------------------------

    def statements(self) -> list[str]:
        """One evaluation: every scalar, buffer and gradient gets its value."""
        out: list[str] = []
        open_nest: Nest | None = None
        work: list[Nest | list[str]] = []
        for b in self.program.bindings:
            if b.name in self.placement.blas:
                work.append(self._product(b))
            elif self.placement.place[b.name] in ("buffer", "scalar"):
                work.append(self._nest(b))
        work += [self._copy(array, value) for array, value in self._late]
        for item in work:
            if isinstance(item, Nest) and open_nest is not None and open_nest.joins(item):
                open_nest.take(item)
                continue
            if open_nest is not None:
                out += open_nest.lines()
            open_nest = item if isinstance(item, Nest) else None
            out += item if isinstance(item, list) else []
        return out + (open_nest.lines() if open_nest is not None else [])

    def scalar(self, value: str) -> str:
        """The text of a scalar value, after the statements."""
        return _Body(self, Nest(())).entry(value, ())

    def _product(self, b: Binding) -> list[str]:
        left, right = (self._operand(a) for a in b.args)
        name = self.names[b.name]
        if b.shape == ():
            return [f"{name} = np.dot({left}, {right})"]
        return [f"np.dot({left}, {right}, {name})"]

    def _operand(self, name: str) -> str:
        b = self.program.by_name[name]
        if isinstance(b, Binding) and self.placement.place[name] == "inline":
            return f"{self._operand(b.args[0])}.T"
        return self.names[name]

    def _copy(self, array: str, value: str) -> Nest:
        shape = self.program.type(value).shape
        nest = Nest(tuple(self.size(d) for d in shape))
        text = _Body(self, nest).entry(value, [INDEX(i) for i in range(len(shape))])
        nest.body.append(f"{array}[{loop_index(len(shape))}] = {text}")
        return nest

    def _nest(self, b: Binding) -> Nest:
        """The loops of one binding, in the order in which its largest argument lies in memory."""
        definition = definition_of(self.program, b)
        ranges = {INDEX(i): d for i, d in enumerate((*b.shape, *definition.reduce))}
        order = [i for i in _loop_order(definition, ranges) if ranges[i] != 1]
        moved: dict[sympy.Symbol, object] = dict.fromkeys(
            ranges, sympy.S.Zero
        )  # an axis of size 1 needs no loop
        moved |= {old: INDEX(new) for new, old in enumerate(order)}
        nest = Nest(tuple(self.size(ranges[i]) for i in order))
        value = _Body(self, nest).formula(b, definition, moved)
        name = self.names[b.name]
        index = ", ".join(self._index(moved[INDEX(i)]) for i in range(len(b.shape)))
        if not definition.reduce:
            nest.body.append(f"{name}[{index}] = {value}" if b.shape else f"{name} = {value}")
            (nest.writes if b.shape else nest.ends).add((name, index) if b.shape else name)  # type: ignore[arg-type]
            return nest
        total = self._sums[b.name]
        nest.ends.add(name)
        if b.shape == ():
            nest.before.append(f"{total} = 0.0")
            nest.body.append(f"{total} += {value}")
            nest.after.append(f"{name} = F({total})")
        else:
            nest.before.append(f"{total}[:] = 0.0")
            nest.body.append(f"{total}[{index}] += {value}")
            nest.after.append(f"{name}[:] = {total}")
        return nest

    def _index(self, index: object) -> str:
        if isinstance(index, int):
            return str(index)
        names = {s: sympy.Symbol(t) for s, t in self.dims.items()}
        return _integer_text(sympy.sympify(index).xreplace(names))


class _Body:
    """The text of entries inside one nest; a value that is computed there twice is computed once."""

    def __init__(self, writer: LoopWriter, nest: Nest) -> None:
        self.writer, self.nest = writer, nest
        self._known: dict[tuple[str, tuple[object, ...]], str] = {}

    def entry(self, name: str, index: Sequence[object]) -> str:
        """The text of one entry, its index written in the loop variables."""
        key = (name, tuple(index))
        if key not in self._known:
            self._known[key] = self._entry(name, index)
        return self._known[key]

    def _entry(self, name: str, index: Sequence[object]) -> str:
        writer = self.writer
        b = writer.program.by_name[name]
        where = writer.placement.place.get(name)
        text = writer.names[name]
        if not isinstance(b, Binding) or where == "buffer":
            at = ", ".join(writer._index(i) for i in index)
            self.nest.reads.add((text, at))
            return f"{text}[{at or '()'}]"
        if where == "scalar":
            self.nest.reads.add((text, ""))
            return text
        definition = definition_of(writer.program, b)
        value = self.formula(b, definition, {INDEX(i): v for i, v in enumerate(index)})
        if where == "number":
            return f"({value})"
        if definition.fn == ARG(0):
            return value
        local = writer.namer.fresh(text)
        self.nest.body.append(f"{local} = {value}")
        return local

    def formula(self, b: Binding, definition: Definition, at: Mapping[sympy.Symbol, object]) -> str:
        """One term of the definition at the given indices."""
        fn = sympy.sympify(definition.fn)
        symbols: dict[sympy.Symbol, Piece] = {
            s: Piece(f"({self.writer._index(at[s])})", ATOM) for s in fn.free_symbols if s in at
        }
        for j, access in enumerate(definition.access):
            where = [sympy.sympify(i).xreplace(at) for i in access.index]
            symbols[ARG(j)] = Piece(self.entry(b.args[access.arg], where), ATOM)
        for s, text in self.writer.dims.items():
            symbols.setdefault(s, Piece(f"F({text})", ATOM))
        return KernelPrinter(symbols, self.writer.helpers).text(fn)


def _loop_order(definition: Definition, ranges: Mapping[sympy.Symbol, Dim]) -> list[sympy.Symbol]:
    """The output's order; for a sum the order of the argument with the most axes; a small product's rows first."""
    indices = list(ranges)
    if not definition.reduce:
        return indices
    if len(definition.access) > 1:
        return sorted(indices, key=lambda i: isinstance(ranges[i], int))
    widest = [i for i in definition.access[0].index if i in indices]
    return [*widest, *(i for i in indices if i not in widest)]


def _dim_symbols(program: Program) -> list[sympy.Symbol]:
    found: dict[sympy.Symbol, None] = {}
    for i in program.inputs:
        found.update((d, None) for d in i.shape if isinstance(d, sympy.Symbol))
    for i in program.inputs:
        for d in i.shape:
            unknown = sympy.sympify(d).free_symbols - found.keys()
            if unknown:
                raise ShapeError(
                    f"No array has an axis of size {min(unknown, key=str)}.",
                    where=i.name,
                    got=format_shape(i.shape),
                    fix="give the size of an axis a name of its own",
                )
    return list(found)


def _integer_text(expr: sympy.Expr) -> str:
    """Integer source: floor division and remainder as Python's operators."""
    if isinstance(expr, sympy.Mod):
        return f"({_integer_text(expr.args[0])}) % ({_integer_text(expr.args[1])})"
    if isinstance(expr, sympy.floor):
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        return f"({_integer_text(top)}) // ({_integer_text(bottom)})"
    if expr.is_Add:
        return " + ".join(f"({_integer_text(a)})" for a in expr.args)
    if expr.is_Mul:
        return " * ".join(f"({_integer_text(a)})" for a in expr.args)
    return str(expr).replace("#", "i")  # the index symbols are the loop variables
