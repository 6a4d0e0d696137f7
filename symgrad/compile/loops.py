"""Everything that is not tiny: loops over arrays whose sizes are known when the kernel runs.

``arrange`` decides which values get a buffer; the others are written into the loops that read them.  Matrix
products are calls of ``np.dot`` into their buffer; every other operation is the loop nest that its record's
definition says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from symgrad.compile.scalar_code import KernelPrinter
from symgrad.ops.dims import Dim, Shape, product
from symgrad.ops.record import ARG, INDEX, Definition, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program, identifiers

VIEWS = ("transpose", "reshape", "broadcast_to")
"""Moves without arithmetic: read through, unless a matrix product needs them in memory."""


@dataclass(frozen=True)
class Arrangement:
    """Which values live where.

    Attributes:
        buffers: values with an array of their own, in order.
        scalars: values of shape (), each a variable.
        inline: values written into their readers.
    """

    buffers: tuple[str, ...]
    scalars: tuple[str, ...]
    inline: tuple[str, ...]


def _cheap(b: Binding) -> bool:
    return b.op in (*VIEWS, "constant", "outer")


def arrange(program: Program) -> Arrangement:
    """A value gets a buffer if it is a sum or product, is read by a product, or is read more than once."""
    readers: dict[str, list[Binding]] = {}
    for b in program.bindings:
        for a in b.args:
            readers.setdefault(a, []).append(b)
    outputs = {name for _, name in program.outputs}
    buffers, scalars, inline = [], [], []
    for b in program.bindings:
        if b.shape == ():
            (inline if b.op == "constant" else scalars).append(b.name)
            continue
        used_by_product = any(r.op == "matmul" for r in readers.get(b.name, ()))
        plain_view = b.op == "transpose" and len(b.shape) == 2
        if b.op in ("matmul", "sum") or b.name in outputs:
            buffers.append(b.name)
        elif used_by_product and not plain_view:
            buffers.append(b.name)
        elif _cheap(b) or len(readers.get(b.name, ())) < 2:
            inline.append(b.name)
        else:
            buffers.append(b.name)
    return Arrangement(tuple(buffers), tuple(scalars), tuple(inline))


@dataclass
class LoopWriter:
    """Writes the statements of one evaluation of a program."""

    program: Program
    helpers: set[str]
    names: Mapping[str, str] = field(init=False)
    plan: Arrangement = field(init=False)
    dims: dict[sympy.Symbol, str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = identifiers(self.program)
        self.plan = arrange(self.program)
        taken = set(self.names.values())
        self.dims = {}
        for i in self.program.inputs:
            for d in i.shape:
                for s in sorted(sympy.sympify(d).free_symbols, key=str):
                    self.dims.setdefault(s, f"size_{s.name}" if f"size_{s.name}" not in taken else f"size__{s.name}")

    # Sizes --------------------------------------------------------------------------------------------------

    def size(self, dim: Dim) -> str:
        """An integer expression for a dimension."""
        if isinstance(dim, int):
            return str(dim)
        expr = sympy.sympify(dim)
        return str(expr.xreplace({s: sympy.Symbol(t) for s, t in self.dims.items()}))

    def shape(self, shape: Shape) -> str:
        inner = ", ".join(self.size(d) for d in shape)
        return f"({inner},)" if len(shape) == 1 else f"({inner})"

    def size_statements(
        self, rows_of: Mapping[str, str] | None = None, arrays: Mapping[str, str] | None = None
    ) -> list[str]:
        """Assign every size, read from the arrays.

        Args:
            rows_of: dimensions that have another text (the rows of a batch).
            arrays: inputs whose array has another name.
        """
        out = []
        seen: set[sympy.Symbol] = set()
        for i in self.program.inputs:
            for axis, d in enumerate(i.shape):
                if isinstance(d, sympy.Symbol) and d not in seen:
                    seen.add(d)
                    text = (rows_of or {}).get(d.name) or f"{(arrays or self.names).get(i.name, self.names[i.name])}.shape[{axis}]"
                    out.append(f"{self.dims[d]} = {text}")
        return out

    # Buffers ------------------------------------------------------------------------------------------------

    def allocations(self, outputs: Mapping[str, str]) -> list[str]:
        """``np.empty`` for every buffer that is no output array; sums gather in double."""
        out = []
        for name in self.plan.buffers:
            b = self._binding(name)
            if b.op == "sum":
                out.append(f"{self.names[name]}_sum = np.empty({self.shape(b.shape)}, np.float64)")
            if name in outputs:
                continue
            out.append(f"{self.names[name]} = np.empty({self.shape(b.shape)}, F)")
        return out

    def flat_allocations(self, outputs: Mapping[str, str]) -> list[str]:
        """Flat buffers for the largest batch, from which each step takes what it needs."""
        out = []
        for name in self.plan.buffers:
            b = self._binding(name)
            entries = self.size(product(b.shape))
            if b.op == "sum":
                out.append(f"{self.names[name]}_sum_all = np.empty({entries}, np.float64)")
            if name not in outputs:
                out.append(f"{self.names[name]}_all = np.empty({entries}, F)")
        return out

    def views(self, outputs: Mapping[str, str]) -> list[str]:
        """This step's part of every flat buffer."""
        out = []
        for name in self.plan.buffers:
            b = self._binding(name)
            suffixes = (["_sum"] if b.op == "sum" else []) + ([""] if name not in outputs else [])
            for suffix in suffixes:
                text = self.names[name] + suffix
                out.append(f"{text} = {text}_all[:{self.size(product(b.shape))}].reshape({self.shape(b.shape)})")
        return out

    def _binding(self, name: str) -> Binding:
        b = self.program.by_name[name]
        assert isinstance(b, Binding)
        return b

    # Statements ---------------------------------------------------------------------------------------------

    def statements(self) -> list[str]:
        """One evaluation of the program."""
        out: list[str] = []
        for b in self.program.bindings:
            if b.name in self.plan.inline:
                continue
            out += self._product(b) if b.op == "matmul" else self._loop(b)
        return out

    def copy_to(self, array: str, value: str) -> list[str]:
        """Write a value, wherever it lives, into an array of its shape."""
        shape = self.program.type(value).shape
        body: list[str] = []
        text = self._entry(value, [INDEX(i) for i in range(len(shape))], body, {})
        return nest(self, shape, [*body, f"{array}[{loop_index(shape)}] = {text}"])

    def entry_at_loop(self, value: str, body: list[str]) -> str:
        """The entry of a value at the loop variables ``i0, i1, …``."""
        return self._entry(value, [INDEX(i) for i in range(len(self.program.type(value).shape))], body, {})

    def _product(self, b: Binding) -> list[str]:
        left, right = (self._operand(a) for a in b.args)
        name = self.names[b.name]
        if b.shape == ():
            return [f"{name} = np.dot({left}, {right})"]
        return [f"np.dot({left}, {right}, {name})"]

    def _operand(self, name: str) -> str:
        """A matrix for ``np.dot``: a transposed one is a view, which BLAS reads without a copy."""
        b = self.program.by_name[name]
        if isinstance(b, Binding) and b.op == "transpose" and name in self.plan.inline:
            return f"{self._operand(b.args[0])}.T"
        return self.names[name]

    def _loop(self, b: Binding) -> list[str]:
        """The loop nest of one binding, over the range of what it reads."""
        name = self.names[b.name]
        body: list[str] = []
        if b.op == "sum":
            shape = self.program.type(b.args[0]).shape
            value = self._entry(b.args[0], [INDEX(i) for i in range(len(shape))], body, {})
            if b.shape == ():
                return [
                    f"{name}_sum = 0.0",
                    *nest(self, shape, [*body, f"{name}_sum += {value}"]),
                    f"{name} = F({name}_sum)",
                ]
            definition = b.record.define([self.program.type(b.args[0])], b.attrs, b.type)
            at = self._target(definition)
            return [
                f"{name}_sum[:] = 0.0",
                *nest(self, shape, [*body, f"{name}_sum[{at}] += {value}"]),
                f"{name}[:] = {name}_sum",
            ]
        value = self._formula(b, [INDEX(i) for i in range(len(b.shape))], body, {})
        target = f"{name}[{loop_index(b.shape)}]" if b.shape else name
        return nest(self, b.shape, [*body, f"{target} = {value}"])

    def _target(self, definition: Definition) -> str:
        """Where a partial sum is added: the output's index in terms of the argument's."""
        source = {i: axis for axis, i in enumerate(definition.access[0].index) if isinstance(i, sympy.Symbol)}
        texts = []
        for axis in range(definition.rank):
            at = source.get(INDEX(axis))
            texts.append("0" if at is None else f"i{at}")
        return ", ".join(texts)

    # Entries ------------------------------------------------------------------------------------------------

    def _entry(self, name: str, index: list[object], body: list[str], memo: dict[object, str]) -> str:
        """The text of one entry of a value, its index written in the loop variables."""
        key = (name, tuple(index))
        if key in memo:
            return memo[key]
        b = self.program.by_name[name]
        if not isinstance(b, Binding) or name in self.plan.buffers:
            if not index:
                text = f"{self.names[name]}[()]" if not isinstance(b, Binding) else self.names[name]
            else:
                text = f"{self.names[name]}[{', '.join(self._index(i) for i in index)}]"
        elif name in self.plan.scalars:
            text = self.names[name]
        elif b.op == "constant":
            text = f"({self._formula(b, index, body, memo)})"  # it will stand inside other formulas
        else:
            value = self._formula(b, index, body, memo)
            if b.op in (*VIEWS,):
                text = value
            else:
                text = f"_e{len(memo)}"
                body.append(f"{text} = {value}")
        memo[key] = text
        return text

    def _formula(self, b: Binding, index: list[object], body: list[str], memo: dict[object, str]) -> str:
        definition = b.record.define([self.program.type(a) for a in b.args], b.attrs, b.type)
        at = {INDEX(i): value for i, value in enumerate(index)}
        symbols: dict[sympy.Symbol, Piece] = {}
        for j, access in enumerate(definition.access):
            where = [sympy.sympify(i).xreplace(at) if not isinstance(i, int) else i for i in access.index]
            symbols[ARG(j)] = Piece(self._entry(b.args[access.arg], where, body, memo), ATOM)
        fn = sympy.sympify(definition.fn)
        for s in sorted(fn.free_symbols - symbols.keys(), key=str):
            symbols[s] = Piece(f"F({self.dims[s]})", ATOM)
        return KernelPrinter(symbols, self.helpers).text(fn)

    def _index(self, index: object) -> str:
        if isinstance(index, int):
            return str(index)
        expr = sympy.sympify(index)
        if expr.is_Integer:
            return str(int(expr))
        names = {s: sympy.Symbol(t) for s, t in self.dims.items()}
        return _integer_text(expr.xreplace(names))


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
    return str(expr)


def loop_index(shape: Shape) -> str:
    """``i0, i1`` for two axes, ``()`` for none."""
    return ", ".join(f"i{i}" for i in range(len(shape))) or "()"


def nest(writer: LoopWriter, shape: Shape, body: list[str]) -> list[str]:
    """Loops over a range around a body."""
    out = []
    indent = ""
    for axis, d in enumerate(shape):
        out.append(f"{indent}for i{axis} in range({writer.size(d)}):")
        indent += "    "
    return [*out, *(indent + line for line in body)]
