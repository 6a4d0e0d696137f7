"""Rewriting a program into the form a textbook would print.

The rewrites are exact over the reals and for display (and comparison) only; what is lowered keeps the user's
arithmetic.  Each value becomes a scalar coefficient times a core, so that numbers and sizes travel out of sums
and products: ``2·Xᵀ(½Xw − ½y)`` becomes ``Xᵀ(Xw − y)``.
"""

from __future__ import annotations

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Absolute, Comparison, Sigmoid, Sign, Step
from symgrad.program import Binding, Builder, Program
from symgrad.render.deviations import is_deviation
from symgrad.render.matrices import symmetric
from symgrad.render.matrix_rules import matrix_rule
from symgrad.render.products import multiplied
from symgrad.render.quadratic import joined
from symgrad.render.regions import picked, stacked
from symgrad.render.rows import counted, each_row_once, is_diagonal_of_ones, shifted
from symgrad.render.scalar_factors import split
from symgrad.render.scalar_rules import content, tidy
from symgrad.render.scaled import MOVES, ONE, Scaled, elementwise, number
from symgrad.render.softmax import SHARE, axes_of
from symgrad.render.sums import Over, kept, summed

LARGEST_INLINED = 60
"""Operations in a function that is written into its reader's; a longer sum stays a value, so that work is bounded."""

PICKS = ("take", "scatter", "slice", "place")
"""Operations that read or fill a part of an array, the rest of which is 0."""

INDICATORS = (Absolute, Comparison, Step, Sign)
"""Functions that are read where they stand."""


class Simplifier:
    """One pass over a program, in order; ``result`` is the simplified program."""

    def __init__(self, program: Program, keep: frozenset[str] = frozenset()) -> None:
        self.program = program
        self.keep = keep
        self.builder = Builder(program.inputs)
        self.value: dict[str, Scaled] = {i.name: Scaled(ONE, i.name) for i in program.inputs}
        self.shares: set[str] = set()  # softmaxes stay whole
        self.read = {i.name: 1 << bit for bit, i in enumerate(program.inputs)}
        self.known = 0  # how many bindings ``read`` covers
        self.saved: dict[str, int] = {}
        self.binary = {i.name for i in program.inputs if i.domain in ("binary", "onehot")}
        self.inside = _inside_functions(program)
        self.forward = _of_loss(program)
        self.closed: set[str] = set()  # δ stays δ where it is summed
        self.labelled = {b.name for b in program.bindings if b.label is not None}
        for b in program.bindings:
            self.value[b.name] = self._binding(b)
            if b.name in self.forward or b.name in keep:
                self.closed.add(self.value[b.name].core)
            if b.label is not None and self.value[b.name].coefficient == 1:
                self.builder.label(self.value[b.name].core, b.label)

    def result(self) -> Program:
        outputs = [(label, self._whole(self.value[name])) for label, name in self.program.outputs]
        return self.builder.finish(outputs)

    def _whole(self, v: Scaled) -> str:
        if v.coefficient == 1:
            return v.core
        if self.builder.constant_value(v.core) == 1:
            return self._broadcast(self.builder.constant(v.coefficient), v.core)
        b = self.builder.binding(v.core)
        fn = b.attrs["fn"] if b is not None and b.op == "pointwise" else ONE
        if b is not None and fn.is_Add and v.coefficient == -1 and len(_signs(fn)) == 2:
            return elementwise(self.builder, -fn, b.args, b.shape)
        return self.builder.emit("pointwise", v.core, fn=v.coefficient * ARG(0))

    def _broadcast(self, name: str, like: str) -> str:
        return self.builder.full(name, self.builder.type(like).shape)

    # One operation ----------------------------------------------------------------------------------------

    def _binding(self, b: Binding) -> Scaled:
        args = [self.value[a] for a in b.args]
        if b.op == "constant":
            return number(self.builder, b.attrs["value"], ())
        if b.op == "pointwise":
            return self._pointwise(b, args)
        if b.op in ("matmul", "outer"):
            made = multiplied(self.builder, b, args[0].core, args[1].core)
            return made.times(args[0].coefficient * args[1].coefficient)
        if b.op == "sum":
            closed = () if b.name in self.forward else self.closed
            over = Over(tuple(b.attrs["axes"]), b.attrs["keepdims"], b.shape, closed)
            return summed(self.builder, args[0].core, over).times(args[0].coefficient)
        if b.op in PICKS:
            indices = [self._whole(a) for a in args[1:]]
            if b.op in ("slice", "place"):
                return Scaled(args[0].coefficient, picked(self.builder, b.op, args[0].core, dict(b.attrs)))
            part = self.builder.emit(b.op, args[0].core, *indices, **b.attrs)
            found = self.builder.binding(part)
            if found is not None and is_diagonal_of_ones(self.builder, found):
                part = self.builder.emit("eye", **eye_attrs(found.shape[0]))
            return Scaled(args[0].coefficient, part)
        if b.op in MOVES:
            return Scaled(args[0].coefficient, self._moved(b, args[0].core))
        if b.op == "cumsum" and (numbers := counted(self.builder, b, args[0].core)) is not None:
            return Scaled(args[0].coefficient, numbers)
        rewritten = matrix_rule(self.builder, b, args, self.transposed)
        if rewritten is not None:
            return rewritten
        # Nothing is known of how other operations scale.
        whole = [self._whole(a) for a in args]
        return Scaled(ONE, self.builder.emit(b.op, *whole, **b.attrs))

    def _moved(self, b: Binding, core: str) -> str:
        """The same entries in other places."""
        constant = self.builder.constant_value(core)
        if constant is not None:
            return self.builder.full(self.builder.constant(constant), b.shape)
        if b.op == "transpose":
            if b.attrs["axes"] == (1, 0):
                return self.transposed(core)
            return self.builder.emit("transpose", core, **b.attrs)
        inner = self.builder.binding(core)
        if inner is not None and inner.op == b.op:
            return self._moved(b, inner.args[0])
        if inner is not None and inner.op == "sum":
            if b.op == "reshape":
                again = kept(self.builder, inner, b.shape)
                if again is not None:
                    return again
            elif len(b.shape) == 2:
                core = self._lying(core)
        return self.builder.emit(b.op, core, shape=b.shape)

    def _beside(self, core: str, rank: int) -> str:
        """A sum as it stands beside arrays: of a matrix's rows as a row, of all entries as a number."""
        b = self.builder.binding(core)
        if rank and b is not None and b.op == "sum" and b.shape and all(d == 1 for d in b.shape):
            return kept(self.builder, b, ()) or core
        return self._lying(core) if rank == 2 else core

    def _lying(self, core: str) -> str:
        """The sum of a matrix's rows as a row, where it stands beside matrices."""
        b = self.builder.binding(core)
        if b is None or b.op != "sum" or len(b.shape) != 1 or b.attrs["axes"] != (0,):
            return core
        return kept(self.builder, b, (1, *b.shape)) or core

    def transposed(self, core: str) -> str:
        """The transpose, moved towards the inputs where that leaves fewer of them."""
        b = self.builder.binding(core)
        if symmetric(self.builder, core):
            return core
        if b is not None and self.builder.constant_value(core) is not None:
            return self.builder.full(self.builder.constant(self.builder.constant_value(core)), b.shape[::-1])
        if b is not None and b.op == "matmul" and all(len(self.builder.type(a).shape) == 2 for a in b.args):
            inner, outer = b.args
            return self.builder.emit("matmul", self.transposed(outer), self.transposed(inner))
        if b is not None and b.op == "inverse" and self.transposed(b.args[0]) == b.args[0]:
            return core  # of a symmetric matrix
        if b is not None and b.op == "outer":
            swapped = multiplied(self.builder, b, b.args[1], b.args[0])
            if swapped.coefficient == 1:
                return swapped.core
        if b is not None and b.op == "eye":
            return self.builder.emit("eye", shape=b.attrs["shape"][::-1], k=-b.attrs["k"])
        if b is not None and b.op == "pointwise" and (self._saves(core) > 0 or split(self.builder, core)):
            turned = [self.transposed(a) if self.builder.type(a).shape else a for a in b.args]
            return self.builder.emit("pointwise", *turned, fn=b.attrs["fn"])
        return self.builder.emit("transpose", core, axes=(1, 0))

    def _saves(self, core: str) -> int:
        """How many transposes a transposition would save; negative where it would add."""
        if core not in self.saved:
            self.saved[core] = self._count_saved(core)
        return self.saved[core]

    def _count_saved(self, core: str) -> int:
        b = self.builder.binding(core)
        shape = self.builder.type(core).shape
        if shape == () or (b is not None and self.builder.constant_value(core) is not None):
            return 0
        if symmetric(self.builder, core):
            return 0
        if b is not None and b.op == "transpose":
            inner = self.builder.binding(b.args[0])
            return 0 if inner is not None and inner.op == "inverse" else 1  # A⁻ᵀ is one sign
        if b is not None and (b.op == "matmul" or (b.op == "pointwise" and self._matrices(b.args))):
            return sum(self._saves(a) for a in b.args)
        return -1

    def _matrices(self, names: tuple[str, ...]) -> bool:
        return all(len(self.builder.type(a).shape) in (0, 2) for a in names)

    # Elementwise ------------------------------------------------------------------------------------------

    def _pointwise(self, b: Binding, args: list[Scaled]) -> Scaled:
        """The function of unmoved arguments, moved afterwards where all of them are."""
        if b.attrs["fn"] == SHARE:
            whole = self.builder.emit("pointwise", *(self._whole(a) for a in args), fn=SHARE)
            if axes_of(self.builder, self.builder.binding(whole)) is not None:
                self.shares.add(whole)
                return Scaled(ONE, whole)
        args = [Scaled(a.coefficient, self._unrepeated(a.core)) for a in args]
        arrays = [a.core for a in args if self.builder.type(a.core).shape]
        if arrays and all(len(self.builder.type(a).shape) == 2 for a in arrays):
            saved = [self._saves(a) for a in arrays]
            if min(saved) > 0 or (min(saved) == 0 and sum(saved) > 1):  # the transpose around it is one, too
                turned = [
                    Scaled(a.coefficient, self.transposed(a.core)) if a.core in arrays else a for a in args
                ]
                made = self._function(b, turned, b.shape[::-1])
                return Scaled(made.coefficient, self.transposed(made.core))
        inner = [self.builder.binding(a) for a in arrays]
        if arrays and all(i is not None and i.op == "reshape" and i.shape == b.shape for i in inner):
            sources = {i.args[0] for i in inner if i is not None}
            shapes = {self.builder.type(n).shape for n in sources}
            if len(shapes) == 1:
                flat = {a: i.args[0] for a, i in zip(arrays, inner, strict=True) if i is not None}
                moved = [Scaled(a.coefficient, flat.get(a.core, a.core)) for a in args]
                made = self._function(b, moved, shapes.pop())
                return Scaled(made.coefficient, self._moved_to(made.core, b.shape))
        return self._function(b, args, b.shape)

    def _moved_to(self, core: str, shape: Shape) -> str:
        constant = self.builder.constant_value(core)
        if constant is not None:
            return self.builder.full(self.builder.constant(constant), shape)
        return self.builder.emit("reshape", core, shape=shape)

    def _unrepeated(self, core: str) -> str:
        """Without repetition: entries find their partners by broadcasting."""
        b = self.builder.binding(core)
        constant = self.builder.constant_value(core) is not None
        return b.args[0] if b is not None and b.op == "broadcast_to" and not constant else core

    def _function(self, b: Binding, args: list[Scaled], shape: Shape) -> Scaled:
        cores: list[str] = []
        position: dict[str, int] = {}
        replace: dict[sympy.Symbol, sympy.Expr] = {}

        def symbol(core: str) -> sympy.Expr:
            core = self._beside(core, len(shape))
            value = self.builder.constant_value(core)
            if value is not None:
                return value
            if core not in position:
                position[core] = len(cores)
                cores.append(core)
            return sympy.Symbol(f"core{position[core]}", real=True)

        for i, a in enumerate(args):
            inner = self.builder.binding(a.core)
            if inner is not None and a.core not in self.shares and self._inline(b, b.args[i], inner):
                body = inner.attrs["fn"].xreplace({ARG(j): symbol(c) for j, c in enumerate(inner.args)})
            else:
                body = symbol(a.core)
            replace[ARG(i)] = a.coefficient * body
        fn = tidy(sympy.sympify(b.attrs["fn"]).xreplace(replace))
        symbols = [sympy.Symbol(f"core{i}", real=True) for i in range(len(cores))]
        coefficient, rest = content(self._by_domain(fn, cores), symbols)
        for s, core in zip(tuple(symbols), tuple(cores), strict=True):
            inner = self.builder.binding(core)
            if rest.is_Add and {sympy.S.One, -s} <= set(rest.args) and inner is not None and _mirror(inner):
                opened = inner.attrs["fn"].xreplace({ARG(j): symbol(c) for j, c in enumerate(inner.args)})
                rest = tidy(rest.xreplace({s: opened}))  # 1 − σ(−z) is σ(z)
        symbols = [sympy.Symbol(f"core{i}", real=True) for i in range(len(cores))]
        if b.name not in self.inside and self._turned(rest, cores):
            coefficient, rest = -coefficient, -rest
        if rest == 0 or not rest.has(*symbols):
            return number(self.builder, coefficient * rest, shape)
        renamed = rest.xreplace({s: ARG(i) for i, s in enumerate(symbols)})
        numbers = shifted(self.builder, renamed, cores)
        if numbers is not None:
            return Scaled(coefficient, numbers)
        renamed, cores = stacked(self.builder, *joined(self.builder, renamed, cores))
        # Where an argument has cancelled, the others may be smaller than the result.
        return Scaled(coefficient, elementwise(self.builder, renamed, cores, shape))

    def _by_domain(self, fn: sympy.Expr, cores: list[str]) -> sympy.Expr:
        """What is 0 or 1 is its own square."""
        flags = [sympy.Symbol(f"core{i}", real=True) for i, c in enumerate(cores) if c in self.binary]
        if not flags:
            return fn
        return fn.replace(
            lambda e: e.is_Pow and e.base in flags and e.exp.is_Integer and e.exp.is_positive,
            lambda e: e.base,
        )

    def _turned(self, rest: sympy.Expr, cores: list[str]) -> bool:
        """Whether a difference is data minus what was computed; the error is the other way round."""
        if not rest.is_Add:
            return False
        signs = set()
        data = sources = 0
        for term in rest.args:
            names = [cores[int(s.name[4:])] for s in term.free_symbols if s.name.startswith("core")]
            if not names:
                return False
            given = all(self.builder.binding(n) is None or self._is_label(n) for n in names)
            signs.add((given, term.could_extract_minus_sign()))
            for n in names:
                if given:
                    data |= self._inputs(n)
                else:
                    sources |= self._inputs(n)
        return signs == {(True, False), (False, True)} and not data & sources

    def _is_label(self, core: str) -> bool:
        """Whether a value is the one-hot form of labels, which are data."""
        b = self.builder.binding(core)
        ones = b is not None and b.op == "scatter" and self.builder.constant_value(b.args[0]) == 1
        return b is not None and ones and each_row_once(self.builder, b)

    def _inputs(self, core: str) -> int:
        """The inputs that a core is computed from, one bit for each."""
        for b in self.builder.bindings[self.known :]:
            self.read[b.name] = 0
            for a in b.args:
                self.read[b.name] |= self.read[a]
        self.known = len(self.builder.bindings)
        return self.read[core]

    def _inline(self, outer: Binding, name: str, inner: Binding) -> bool:
        """Whether an elementwise argument is written into its reader's expression."""
        if name in self.keep or inner.op != "pointwise":
            return False
        fn = inner.attrs["fn"]
        if fn.count_ops() > LARGEST_INLINED:
            return False
        if self.program.uses[name] == 1 or isinstance(fn, INDICATORS):
            return True
        if fn.is_Mul or (fn.is_Pow and fn.exp.is_Integer):
            return name not in self.labelled or len(inner.args) == 1
        if is_deviation(self.builder, inner):
            return False  # a mean is not taken apart
        # A short sum or difference may cancel in its reader's fraction: p(1 − p)((1 − y)/(1 − p) − y/p) = p − y.
        rational = not outer.attrs["fn"].atoms(sympy.Function)
        return (
            rational
            and inner.label is None
            and fn.is_Add
            and fn.count_ops() <= 2
            and name not in self.labelled
        )


def _of_loss(program: Program) -> set[str]:
    """The values of the loss, where there are gradients beside it."""
    labels = [label for label, _ in program.outputs]
    return {b.name for b in program.only("loss").bindings} if "loss" in labels and len(labels) > 1 else set()


def _mirror(b: Binding) -> bool:
    """Whether a value is σ(−z)."""
    fn = b.attrs["fn"] if b.op == "pointwise" else ONE
    return isinstance(fn, Sigmoid) and bool(fn.args[0].could_extract_minus_sign())


def _signs(fn: sympy.Expr) -> set[bool]:
    return {bool(t.could_extract_minus_sign()) for t in fn.args}


def _inside_functions(program: Program) -> set[str]:
    """The values that a function other than a polynomial reads: their sign matters there."""
    found = set()
    for b in program.bindings:
        if b.op == "pointwise":
            inner = b.attrs["fn"].atoms(sympy.Function)
            found |= {a for i, a in enumerate(b.args) if any(f.has(ARG(i)) for f in inner)}
    return found


def simplify(program: Program, keep: frozenset[str] = frozenset()) -> Program:
    """The program a reader would rather see; equal over the reals, with the same outputs.

    Args:
        program: any program.
        keep: bindings that stay values of their own.
    """
    return Simplifier(program, keep).result()


__all__ = ["Scaled", "simplify"]
