"""The text of single entries inside a loop nest: what is written into its reader, and what is read from memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import sympy

from symgrad.compile.names import Namer
from symgrad.compile.nests import Nest
from symgrad.compile.placement import Placement, has_functions
from symgrad.compile.scalar_code import KernelPrinter
from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG, INDEX, Access, Definition, Piece
from symgrad.ops.scalars.functions import Comparison, Select
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program

DTYPES = {"real": "F", "int": "np.int64", "bool": "np.bool_"}
"""The source text of the dtype of each kind."""


class Scope(Protocol):
    """What the writer of a kernel knows of its values."""

    program: Program
    placement: Placement
    helpers: set[str]
    namer: Namer
    names: dict[str, str]
    dims: dict[sympy.Symbol, str]
    numbers: frozenset[str]
    adding: frozenset[str]


class Body:
    """The text of entries inside one nest; a value that is computed there twice is computed once."""

    def __init__(self, scope: Scope, nest: Nest) -> None:
        self.scope, self.nest = scope, nest
        self._known: dict[tuple[str, tuple[object, ...]], str] = {}

    def entry(self, name: str, index: Sequence[object]) -> str:
        """The text of one entry, its index written in the loop variables."""
        key = (name, tuple(index))
        if key not in self._known:
            self._known[key] = self._entry(name, index)
        return self._known[key]

    def _entry(self, name: str, index: Sequence[object]) -> str:
        scope = self.scope
        b = scope.program.by_name[name]
        where = scope.placement.place.get(name)
        text = scope.names[name]
        if name in scope.numbers:
            return text
        if not isinstance(b, Binding) or where in ("buffer", "file"):
            at = ", ".join(self.integer(i) for i in index)
            self.nest.reads.add((text, at))
            return f"{text}[{at or '()'}]"
        if where == "scalar":
            self.nest.reads.add((text, ""))
            return text
        self.nest.values.append(name)
        definition = scope.placement.forms[name]
        assert isinstance(definition, Definition)
        at_index = {INDEX(i): v for i, v in enumerate(index)}
        value = self.formula(b, definition.access, definition.fn, at_index)
        if where == "number":
            return f"({value})"
        if definition.fn == ARG(0):
            return value
        local = scope.namer.fresh(text)
        self.nest.body.append(f"{local} = {value}")
        return local

    def formula(
        self, b: Binding, access: Sequence[Access], fn: sympy.Expr, at: Mapping[sympy.Symbol, object]
    ) -> str:
        """One term of a definition at the given indices, in the kernel's dtype or in whole numbers."""
        scope = self.scope
        kinds = [scope.program.type(b.args[a.arg]).kind for a in access]
        whole = b.kind != "real" and "real" not in kinds
        cast = "np.int64" if whole else "F"
        fn = _chosen_by_index(sympy.sympify(fn))
        self.nest.functions |= has_functions(fn)
        integers = {s: self.integer(at[s]) for s in fn.free_symbols if s in at}
        integers |= {s: t for s, t in scope.dims.items() if fn.has(s)}
        symbols = {s: Piece(f"{cast}({t})", ATOM) for s, t in integers.items()}
        for j, text in enumerate(self.reads(b, access, at)):
            plain = whole or kinds[j] == "real"
            symbols[ARG(j)] = Piece(text if plain else f"F({text})", ATOM)
        return _Printer(symbols, scope.helpers, cast, integers).text(fn)

    def reads(self, b: Binding, access: Sequence[Access], at: Mapping[sympy.Symbol, object]) -> list[str]:
        """The texts of the entries that a definition reads, one after the other."""
        texts: list[str] = []
        for a in access:
            name = b.args[a.arg]
            where = self.places(a.index, self.scope.program.type(name).shape, texts, at)
            texts.append(self.entry(name, where))
        return texts

    def places(
        self, index: Sequence[object], shape: Shape, found: Sequence[str], at: Mapping[sympy.Symbol, object]
    ) -> list[sympy.Expr]:
        """An index in the loop variables, with the values that it names read and checked."""
        out = []
        for i, size in zip(index, shape, strict=True):
            expr = sympy.sympify(i)
            values = {ARG(k): t for k, t in enumerate(found) if expr.has(ARG(k))}
            for text in values.values():
                self.scope.helpers.add("inside")
                key = ("inside", (text, str(size)))
                if key not in self._known:
                    self._known[key] = self.scope.namer.fresh("place")
                    self.nest.body.append(f"{self._known[key]} = inside({text}, {self.integer(size)})")
            known = {s: sympy.Symbol(self._known["inside", (t, str(size))]) for s, t in values.items()}
            out.append(expr.xreplace(known).xreplace(dict(at)))
        return out

    def integer(self, index: object) -> str:
        """The text of an index or a size."""
        if isinstance(index, int):
            return str(index)
        names = {s: sympy.Symbol(t) for s, t in self.scope.dims.items()}
        return integer_text(sympy.sympify(index).xreplace(names))


class _Printer(KernelPrinter):
    """A kernel's expressions in which indices are compared as the whole numbers that they are."""

    def __init__(
        self,
        symbols: Mapping[sympy.Symbol, Piece],
        helpers: set[str],
        cast: str,
        integers: Mapping[sympy.Symbol, str],
    ) -> None:
        super().__init__(symbols, helpers, cast)
        self._names = {s: sympy.Symbol(t if t.isidentifier() else f"({t})") for s, t in integers.items()}

    def piece(self, expr: sympy.Expr) -> Piece:
        if isinstance(expr, Comparison) and expr.free_symbols <= self._names.keys():
            a, b = (integer_text(side.xreplace(self._names)) for side in expr.args)
            return Piece(f"{self.cast}({a} {expr.sign} {b})", ATOM)
        return super().piece(expr)


def _chosen_by_index(fn: sympy.Expr) -> sympy.Expr:
    """A product with comparisons of indices as a choice: 0 · ∞ is no entry of a triangle."""
    if not fn.is_Mul:
        return fn
    tests = [f for f in fn.args if isinstance(f, Comparison) and all(_is_index(s) for s in f.free_symbols)]
    rest = fn.func(*(f for f in fn.args if f not in tests))
    for test in tests:
        rest = Select(test, rest, sympy.S.Zero)
    return rest


def _is_index(symbol: sympy.Symbol) -> bool:
    return bool(symbol.is_integer)


def integer_text(expr: sympy.Expr) -> str:
    """Integer source: floor division and remainder as Python's operators."""
    if isinstance(expr, sympy.Mod):
        return f"({integer_text(expr.args[0])}) % ({integer_text(expr.args[1])})"
    if isinstance(expr, sympy.floor):
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        return f"({integer_text(top)}) // ({integer_text(bottom)})"
    if isinstance(expr, (sympy.Max, sympy.Min)):
        name = "max" if isinstance(expr, sympy.Max) else "min"
        return f"{name}({', '.join(integer_text(a) for a in expr.args)})"
    broken = [
        t for t in expr.as_ordered_terms() if sympy.fraction(t)[1] != 1
    ]  # what floor takes stands inside
    if broken:
        top, bottom = sympy.fraction(sympy.together(sympy.Add(*broken)))
        text = f"({integer_text(sympy.expand(top))}) // ({bottom})"  # a size is whole
        rest = expr - sympy.Add(*broken)
        return text if rest == 0 else f"({integer_text(rest)}) + ({text})"
    if expr.is_Add:
        return " + ".join(f"({integer_text(a)})" for a in expr.args)
    if expr.is_Mul:
        return " * ".join(f"({integer_text(a)})" for a in expr.args)
    return str(expr).replace("#", "i")  # the index symbols are the loop variables
