"""Random well-typed programs, made from the records' examples and the table of elementwise functions.

An example's shapes are a pattern: its sizes are renamed so that values of the program fit, a value is
reshaped, transposed or repeated where that makes it fit, and what is still missing becomes a new input.  So a
record takes part as soon as it is registered.  The sizes and the entries of the inputs are drawn too, and each
operation is computed as it is added: what would be near a kink, a pole or out of bounds is not added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

import mpmath
import numpy as np
import sympy
from calculus.choices import Choices, Drawn
from calculus.entrywise import DIGITS, Key, KinkError, as_numbers, differentiated, is_rational, piece
from calculus.patterns import NAMES, SYMBOLS, Renaming, as_dim_text, dim_symbols, renamed, unify
from calculus.random_values import BY_SIGN, FUNCTIONS, INTO, SMALLER, drawn_entries
from calculus.witness import positions
from hypothesis import strategies as st
from ops.record_checks import dimension

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.ops import OPS
from symgrad.ops.dims import Dim, Shape, as_dim, broadcast, dim_symbol, shape_of, size_of
from symgrad.ops.record import ARG, Example
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder, Input, Program

MOST_OPS = 12
MOST_ENTRIES = 36
MOST_WORK = 800
LARGEST = 8
SIZES = (1, 2, 2, 3, 3, 1, 2, 0)
_A, _B = ARG(0), ARG(1)


@dataclass(frozen=True)
class Case:
    """A scalar program, the sizes, and the entries of its inputs."""

    program: Program
    sizes: Mapping[str, int]
    values: Mapping[Key, Fraction]
    wrt: tuple[str, ...]
    drawn: tuple[str, ...] = field(default=())

    def arrays(self) -> dict[str, np.ndarray]:
        out = {}
        for i in self.program.inputs:
            shape = shape_of(i.shape, self.sizes)
            array = np.zeros(shape, dtype=int if i.kind == "int" else float)
            for at in positions(shape):
                array[at] = float(self.values.get((i.name, at), 0))
            out[i.name] = array
        return out

    def __str__(self) -> str:
        return f"{self.program}\nsizes {dict(self.sizes)}\nvalues { {k: str(v) for k, v in self.values.items()} }"


@dataclass
class Grower:
    """A program that grows by one drawn operation at a time."""

    choose: Choices
    builder: Builder
    sizes: dict[str, int]
    exact: bool
    rng: np.random.Generator
    values: dict[Key, Fraction] = field(default_factory=dict)
    known: dict[Key, Any] = field(default_factory=dict)
    pool: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    inputs: int = 0
    drawn: list[str] = field(default_factory=list)
    refused: list[SymgradError] = field(default_factory=list)

    # Shapes ---------------------------------------------------------------------------------------------------

    def shape(self, name: str) -> Shape:
        return self.builder.type(name).shape

    def at(self, shape: Shape) -> tuple[int, ...]:
        return shape_of(shape, self.sizes)

    def numbers(self, name: str) -> list[Any]:
        return [self.known[name, at] for at in positions(self.at(self.shape(name)))]

    def dim(self) -> Dim:
        return self.choose.among([*(dim_symbol(n) for n in NAMES), *(dim_symbol(n) for n in NAMES), 2, 1])

    # Values ---------------------------------------------------------------------------------------------------

    def input(self, shape: Shape, domain: str = "real") -> str | None:
        """A new input with entries of that domain."""
        sizes = self.at(shape)
        if any(s < 0 for s in sizes) or prod(sizes) > MOST_ENTRIES:
            return None
        name = f"x{self.inputs}"
        self.inputs += 1
        kind = "int" if domain.startswith("labels") else "real"
        new = Input(name, shape, kind, domain)
        entries = drawn_entries(new, self.sizes, self.rng)
        self.builder.input(new)
        found = {(name, at): Fraction(entries[at]) for at in positions(sizes)}
        self.values.update(found)
        self.known.update(as_numbers(found, exact=False))
        if kind == "real" and domain == "real":
            self.pool.append(name)
        return name

    def emit(self, op: str, *args: str, **attrs: Any) -> str | None:
        """The operation's result, or None where this program had better not have it."""
        record = OPS[op]
        try:
            out = record.infer([self.builder.type(a) for a in args], attrs)
            sizes = self.at(out.shape)
            if any(s < 0 for s in sizes) or prod(sizes) > MOST_ENTRIES:
                return None
            mark = len(self.builder.bindings)
            name = self.builder.emit(op, *args, **attrs)
        except SymgradError as error:
            self.refused.append(error)
            return None
        for b in self.builder.bindings[mark:]:
            inputs = tuple(Input(a, self.shape(a), self.builder.type(a).kind) for a in dict.fromkeys(b.args))
            try:
                made = piece(b, Program(inputs, (b,), ()), self.sizes)
            except UnsupportedError:  # it has no formula at this size
                return None
            if made.work > MOST_WORK or (self.exact and not made.rational):
                return None
            try:
                differentiated(made, self.known, {}, exact=False)
            except KinkError:
                return None
        return name if all((name, at) in self.known for at in positions(sizes)) else None

    def pointwise(self, fn: sympy.Expr, *args: str) -> str | None:
        return self.emit("pointwise", *args, fn=fn)

    def tame(self, name: str) -> str | None:
        """The value, made smaller where it is large."""
        if self.builder.type(name).kind != "real" or all(abs(v) <= LARGEST for v in self.numbers(name)):
            return name
        made = self.pointwise(self.choose.among(SMALLER), name)
        return made if made is None or all(abs(v) <= LARGEST for v in self.numbers(made)) else None

    # Arguments ------------------------------------------------------------------------------------------------

    def into(self, domain: str, name: str | None) -> str | None:
        """The value, brought into a domain of numbers."""
        if name is None:
            return None
        if domain == "bool":
            bound = self.builder.constant(sympy.Rational(int(self.rng.integers(-40, 40)), 39))
            self.emit_constants()
            return self.pointwise(BY_SIGN[self.choose.among(tuple(BY_SIGN))], name, bound)
        accept, functions = INTO[domain]
        if all(accept(v) for v in self.numbers(name)):
            return name
        made = self.pointwise(self.choose.among(functions), name)
        return made if made and all(accept(v) for v in self.numbers(made)) else None

    def emit_constants(self) -> None:
        for b in self.builder.bindings:
            if b.op == "constant" and (b.name, ()) not in self.known:
                value = b.attrs["value"]
                self.known[b.name, ()] = mpmath.mpf(value.p) / value.q

    def some(self) -> str:
        """A value, more often a new one."""
        last = self.pool[-3:]
        return self.choose.among([*self.pool, *last, *last, *last])

    def fitted(self, pattern: Shape, names: Renaming, domain: str) -> tuple[str, Renaming] | None:
        """A value for an argument of that shape and domain, and the sizes' names then."""
        if domain.startswith("labels"):
            return self.labels(pattern, names, domain)
        for _ in range(2):
            name: str | None = self.some()
            found = unify(pattern, self.shape(name), names)
            if found is None and self.choose.among((True, True, False)):
                name, found = self.adapted(name, pattern, names)
            if found is None or name is None:
                continue
            name = self.matrix(name) if domain in ("spd", "invertible") else self.into(domain, name)
            if name is not None:
                return name, found
        return None

    def labels(self, pattern: Shape, names: Renaming, domain: str) -> tuple[str, Renaming] | None:
        """Whole numbers of the program that may be an index."""
        size = as_dim_text(domain)
        if not self.whole or not set(dim_symbols(size)) <= set(names):
            return None
        name = self.choose.among(self.whole)
        found = unify(pattern, self.shape(name), names)
        most = size_of(renamed(size, names), self.sizes)
        return (name, found) if found and all(0 <= v < most for v in self.numbers(name)) else None

    def matrix(self, name: str) -> str | None:
        """AAᵀ + I of each square matrix."""
        rank = len(self.shape(name))
        turned = self.emit("transpose", name, axes=(*range(rank - 2), rank - 1, rank - 2))
        square = turned and self.emit("matmul", name, turned)
        size = self.shape(name)[-1]
        eye = square and self.emit("eye", shape=(size, size), k=0)
        return eye and self.pointwise(_A + _B, square, eye)

    def adapted(self, name: str, pattern: Shape, names: Renaming) -> tuple[str | None, Renaming | None]:
        """The value with the pattern's rank: axes added, merged, summed over, exchanged, or a product AAᵀ."""
        made: str | None = name
        while made is not None and len(self.shape(made)) != len(pattern):
            shape = self.shape(made)
            rank = len(shape)
            if rank < len(pattern):
                axis = self.choose.among(range(rank + 1))
                size = renamed(pattern[0], names) if axis == 0 else 1
                if size == 1 or self.choose.among((True, False)):
                    made = self.emit("reshape", made, shape=(*shape[:axis], 1, *shape[axis:]))
                elif isinstance(size, int) or size.free_symbols <= SYMBOLS:
                    made = self.emit("broadcast_to", made, shape=(size, *shape))
            elif rank > 1 and self.choose.among((True, False)):
                made = self.emit(
                    "reshape", made, shape=(as_dim(shape[0] * sympy.sympify(shape[1])), *shape[2:])
                )
            else:
                axis = self.choose.among(range(rank))
                made = self.emit("sum", made, **sum_attrs(rank, (axis,), keepdims=False))
        if made is None:
            return None, None
        found = unify(pattern, self.shape(made), names)
        if found is None and len(pattern) > 1:
            rank = len(pattern)
            turned = self.emit("transpose", made, axes=(*range(rank - 2), rank - 1, rank - 2))
            if turned and (found := unify(pattern, self.shape(turned), names)) is not None:
                return turned, found
            square = turned and self.emit("matmul", made, turned)
            if square and (found := unify(pattern, self.shape(square), names)) is not None:
                return square, found
        return made, found

    # Operations -----------------------------------------------------------------------------------------------

    def example(self, op: str, example: Example) -> str | None:
        """The operation as in the example, on values of this program."""
        patterns = [tuple(dimension(d) for d in s) for s in example.shapes]
        domains = example.domains or ("real",) * len(patterns)
        attrs = {
            k: tuple(dimension(d) for d in v) if k == "shape" else v for k, v in dict(example.attrs).items()
        }
        names: Renaming = {}
        chosen: dict[int, str] = {}
        for i, (pattern, domain) in enumerate(zip(patterns, domains, strict=True)):
            fit = self.fitted(pattern, names, domain)
            if fit is not None:
                chosen[i], names = fit
        for s in dim_symbols(*patterns, *attrs.values(), *domains):
            if s not in names:
                names[s] = self.dim()
        if any(size_of(d, self.sizes) < int(example.nonempty) for d in names.values()):
            return None
        for i, (pattern, domain) in enumerate(zip(patterns, domains, strict=True)):
            if i in chosen:
                continue
            if domain.startswith("labels"):
                size = renamed(dimension(domain.split()[1]), names)
                if not size_of(as_dim(size), self.sizes):
                    return None
                domain = f"labels {size}"
            made = self.input(tuple(as_dim(renamed(d, names)) for d in pattern), domain)
            if made is None:
                return None
            chosen[i] = made
        return self.emit(
            op, *(chosen[i] for i in range(len(patterns))), **{k: renamed(v, names) for k, v in attrs.items()}
        )

    def elementwise(self) -> str | None:
        """A function of the table, of values that broadcast."""
        fn, domains = self.choose.among(FUNCTIONS)
        if self.exact and not is_rational(fn):
            fn, domains = _A * _B, ("real", "real")
        first = self.some()
        args = [self.into(domains[0], first)]
        for domain in domains[1:]:
            args.append(self.into(domain, self.companion(self.shape(first))))
        if any(a is None for a in args):
            return None
        order = self.choose.among((True, False)) and len(args) == 2 and domains[0] == domains[1]
        return self.pointwise(fn, *(args[::-1] if order else args))

    def companion(self, shape: Shape) -> str | None:
        """A value that broadcasts with that shape."""
        fitting = []
        for name in self.pool:
            try:
                broadcast([shape, self.shape(name)], "")
            except SymgradError:
                continue
            fitting.append(name)
        if fitting and self.choose.among((True, True, True, False)):
            return self.choose.among(fitting)
        kept = shape[self.choose.among(range(len(shape) + 1)) :]
        return self.input(tuple(self.choose.among((d, d, 1)) for d in kept))

    def grow(self) -> None:
        op = self.choose.among(GENERATED + ("pointwise",) * (len(GENERATED) // 3))
        before = set(self.pool)
        if op == "pointwise":
            made = self.elementwise()
        else:
            made = self.example(op, self.choose.among(OPS[op].examples))
        if made is not None:
            made = self.tame(made)
        if made is None or made in before:
            return
        kind = self.builder.type(made).kind
        if kind != "bool":  # truth values are no index, and no op has an example with them
            (self.pool if kind == "real" else self.whole).append(made)
        self.drawn.append(op)

    def finish(self) -> Case | None:
        """The weighted sum of the values that nothing reads."""
        read = {a for b in self.builder.bindings for a in b.args}
        ends = [p for p in self.pool if p not in read and self.builder.binding(p) is not None]
        total: str | None = None
        for name in ends[-4:]:
            shape = self.shape(name)
            weight = self.input(shape)
            weighted = weight and self.pointwise(_A * _B, weight, name)
            if weighted and shape:
                weighted = self.emit(
                    "sum", weighted, **sum_attrs(len(shape), range(len(shape)), keepdims=False)
                )
            if weighted:
                total = self.pointwise(_A + _B, total, weighted) if total else weighted
        if total is None or self.shape(total) != ():
            return None
        program = self.builder.finish([("loss", total)])
        used = {i.name for i in program.inputs if program.uses[i.name]}
        inputs = tuple(i for i in program.inputs if i.name in used or i.name == "sizes")
        program = Program(inputs, program.bindings, program.outputs)
        values = {k: v for k, v in self.values.items() if k[0] in used}
        wrt = tuple(i.name for i in inputs if i.kind == "real" and i.name != "sizes")
        return Case(program, self.sizes, values, wrt, tuple(self.drawn)) if wrt else None


GENERATED = tuple(n for n in OPS if n not in ("pointwise", "constant"))


def grown(choose: Choices, most: int = MOST_OPS) -> Case | None:
    """A random program of up to ``most`` operations; None where nothing came of the draws."""
    with mpmath.workdps(DIGITS):
        sizes = {n: choose.among(SIZES) for n in NAMES}
        exact = choose.among((True, False))
        rng = np.random.default_rng(choose.seed())
        grower = Grower(
            choose, Builder([Input("sizes", tuple(dim_symbol(n) for n in NAMES))]), sizes, exact, rng
        )
        for _ in range(2):
            grower.input(tuple(grower.dim() for _ in range(choose.among((2, 1, 2, 0, 3)))))
        wanted = choose.among(range(1, most + 1))
        for _ in range(2 * wanted):
            if not grower.pool:
                return None
            if len(grower.drawn) < wanted:
                grower.grow()
        return grower.finish()


@st.composite
def cases(draw_from: Callable[..., Any], most: int = MOST_OPS) -> Case | None:
    """A hypothesis strategy for such programs."""
    return grown(Drawn(draw_from), most)
