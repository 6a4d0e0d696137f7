"""Rewriting a program into the form a textbook would print.

The rewrites are exact over the reals and for display (and comparison) only; what is lowered keeps the user's
arithmetic.  Each value becomes a scalar coefficient times a core, so that numbers and sizes travel out of sums
and products: ``2·Xᵀ(½Xw − ½y)`` becomes ``Xᵀ(Xw − y)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program

ONE = sympy.S.One


@dataclass(frozen=True)
class Scaled:
    """``coefficient · core``; the coefficient holds numbers and sizes only."""

    coefficient: sympy.Expr
    core: str


class Simplifier:
    """One pass over a program, in order; ``result`` is the simplified program."""

    def __init__(self, program: Program, keep: frozenset[str] = frozenset()) -> None:
        self.program = program
        self.keep = keep
        self.builder = Builder(program.inputs)
        self.value: dict[str, Scaled] = {i.name: Scaled(ONE, i.name) for i in program.inputs}
        self.labelled = {b.name for b in program.bindings if b.label is not None}
        for b in program.bindings:
            self.value[b.name] = self._binding(b)
            if b.label is not None and self.value[b.name].coefficient == 1:
                self.builder.label(self.value[b.name].core, b.label)

    def result(self) -> Program:
        outputs = [(label, self._whole(self.value[name])) for label, name in self.program.outputs]
        return self.builder.finish(outputs)

    def _whole(self, v: Scaled) -> str:
        if v.coefficient == 1:
            return v.core
        if self._is_one(v.core):
            return self._broadcast(self.builder.constant(v.coefficient), v.core)
        return self.builder.emit("pointwise", v.core, fn=v.coefficient * ARG(0))

    def _broadcast(self, name: str, like: str) -> str:
        return self.builder.full(name, self.builder.type(like).shape)

    def _is_one(self, core: str) -> bool:
        return self.builder.constant_value(core) == 1

    def _one(self, like: str) -> str:
        return self._broadcast(self.builder.constant(1), like)

    # One operation ----------------------------------------------------------------------------------------

    def _binding(self, b: Binding) -> Scaled:
        args = [self.value[a] for a in b.args]
        if b.op == "constant":
            value = sympy.sympify(b.attrs["value"])
            return (
                Scaled(value, self.builder.constant(1))
                if value != 0
                else Scaled(ONE, self.builder.constant(0))
            )
        if b.op == "pointwise":
            return self._pointwise(b, args)
        if b.op == "transpose" and b.attrs["axes"] == (1, 0):
            return Scaled(args[0].coefficient, self.transposed(args[0].core))
        if b.op in ("matmul", "outer"):
            return self._product(b, args)
        if b.op == "sum":
            return self._sum(b, args[0])
        attrs = dict(b.attrs)
        if b.op not in ("transpose", "reshape", "broadcast_to"):  # nothing is known of its scaling
            return Scaled(ONE, self.builder.emit(b.op, *(self._whole(a) for a in args), **attrs))
        core = args[0].core
        if b.op == "reshape" and self._is_one(core):
            core = self.builder.full(self.builder.constant(1), attrs["shape"])
        else:
            core = self.builder.emit(b.op, core, **attrs)
        return Scaled(args[0].coefficient, core)

    def _product(self, b: Binding, args: list[Scaled]) -> Scaled:
        left, right = args
        coefficient = left.coefficient * right.coefficient
        lefts, rights = self.builder.type(left.core).shape, self.builder.type(right.core).shape
        if b.op == "matmul" and len(lefts) == 2 and len(rights) == 2:
            # A product with a 1×1 one is no product.
            if rights == (1, 1) and self._is_one(right.core):
                return Scaled(coefficient, left.core)
            if lefts == (1, 1) and self._is_one(left.core):
                return Scaled(coefficient, right.core)
        inner = self.builder.binding(left.core)
        if len(lefts) == len(rights) == 1 and inner is not None and inner.op == "matmul" and b.op == "matmul":
            first, matrix = inner.args  # (xᵀA)y as xᵀ(Ay), which needs no transpose to be printed
            if len(self.builder.type(first).shape) == 1:
                return Scaled(
                    coefficient,
                    self.builder.emit("matmul", first, self.builder.emit("matmul", matrix, right.core)),
                )
        return Scaled(coefficient, self.builder.emit(b.op, left.core, right.core))

    def _sum(self, b: Binding, a: Scaled) -> Scaled:
        shape = self.builder.type(a.core).shape
        axes = [i for i in b.attrs["axes"] if shape[i] != 1]
        if not axes:
            return Scaled(a.coefficient, self.builder.emit("reshape", a.core, shape=b.shape))
        if self._is_one(a.core):
            number = sympy.Mul(*(sympy.sympify(shape[i]) for i in axes))
            return Scaled(a.coefficient * number, self.builder.full(self.builder.constant(1), b.shape))
        return Scaled(a.coefficient, self.builder.emit("sum", a.core, **b.attrs))

    def transposed(self, core: str) -> str:
        """The transpose, moved towards the inputs where that leaves fewer of them."""
        b = self.builder.binding(core)
        if b is not None and self._is_one(core):
            return self.builder.full(self.builder.constant(1), b.shape[::-1])
        if b is not None and b.op == "matmul" and all(len(self.builder.type(a).shape) == 2 for a in b.args):
            inner, outer = b.args
            return self.builder.emit("matmul", self.transposed(outer), self.transposed(inner))
        return self.builder.emit("transpose", core, axes=(1, 0))

    def _saves(self, core: str) -> int:
        """How many transposes a transposition would save; negative where it would add."""
        b = self.builder.binding(core)
        if b is not None and b.op == "transpose":
            return 1
        if b is not None and b.op == "matmul":
            return sum(self._saves(a) for a in b.args)
        return -1

    # Elementwise ------------------------------------------------------------------------------------------

    def _pointwise(self, b: Binding, args: list[Scaled]) -> Scaled:
        cores: list[str] = []
        position: dict[str, int] = {}
        replace: dict[sympy.Symbol, sympy.Expr] = {}

        def symbol(core: str) -> sympy.Expr:
            if self._is_one(core):
                return ONE
            if self.builder.constant_value(core) == 0:
                return sympy.S.Zero
            if core not in position:
                position[core] = len(cores)
                cores.append(core)
            return sympy.Symbol(f"core{position[core]}", real=True)

        for i, a in enumerate(args):
            inner = self.builder.binding(a.core)
            if inner is not None and inner.op == "pointwise" and self._inline(b, b.args[i], inner):
                body = inner.attrs["fn"].xreplace({ARG(j): symbol(c) for j, c in enumerate(inner.args)})
            else:
                body = symbol(a.core)
            replace[ARG(i)] = a.coefficient * body
        fn = sympy.sympify(b.attrs["fn"]).xreplace(replace)
        symbols = [sympy.Symbol(f"core{i}", real=True) for i in range(len(cores))]
        coefficient, rest = _content(fn, symbols)
        if rest == 0 or not rest.has(*symbols):
            value = coefficient * rest
            if value == 0:
                return Scaled(ONE, self.builder.full(self.builder.constant(0), b.shape))
            return Scaled(value, self.builder.full(self.builder.constant(1), b.shape))
        used = [i for i, s in enumerate(symbols) if rest.has(s)]
        renamed = rest.xreplace({symbols[i]: ARG(j) for j, i in enumerate(used)})
        if renamed == ARG(0):
            return Scaled(coefficient, self.builder.full(cores[used[0]], b.shape))
        # Where an argument has cancelled, the others may be smaller than the result.
        made = self._elementwise(renamed, [cores[i] for i in used])
        return Scaled(coefficient, self.builder.full(made, b.shape))

    def _elementwise(self, fn: sympy.Expr, cores: list[str]) -> str:
        """The elementwise function; of transposed arguments it is the transpose of the function."""
        shapes = [self.builder.type(c).shape for c in cores]
        matrices = [c for c, s in zip(cores, shapes, strict=True) if s]
        if all(len(s) in (0, 2) for s in shapes) and matrices and all(self._saves(c) > 0 for c in matrices):
            turned = [self.transposed(c) if s else c for c, s in zip(cores, shapes, strict=True)]
            return self.builder.emit("transpose", self.builder.emit("pointwise", *turned, fn=fn), axes=(1, 0))
        return self.builder.emit("pointwise", *cores, fn=fn)

    def _inline(self, outer: Binding, name: str, inner: Binding) -> bool:
        """Whether an elementwise argument is written into its reader's expression."""
        if name in self.keep:
            return False
        fn = inner.attrs["fn"]
        if self.program.uses[name] == 1 or fn.is_Mul:
            return True
        # A short sum or difference may cancel in its reader's fraction: p(1 − p)((1 − y)/(1 − p) − y/p) = p − y.
        rational = not outer.attrs["fn"].atoms(sympy.Function)
        return (
            rational
            and inner.label is None
            and fn.is_Add
            and fn.count_ops() <= 2
            and name not in self.labelled
        )


def _content(fn: sympy.Expr, symbols: list[sympy.Symbol]) -> tuple[sympy.Expr, sympy.Expr]:
    """Split off the factor without array symbols, the sign chosen so that a difference starts with a plus."""
    if fn.is_Add or fn.is_Mul:
        fn = sympy.factor_terms(fn)
        if any(p.exp.is_negative and p.base.is_Add for p in fn.atoms(sympy.Pow)):
            cancelled = sympy.factor_terms(sympy.cancel(fn))
            if cancelled.count_ops() < fn.count_ops():
                fn = cancelled
    coefficient, rest = fn.as_independent(*symbols, as_Add=False) if fn.is_Mul else (ONE, fn)
    sums = [f for f in sympy.Mul.make_args(rest) if f.is_Add]
    if sympy.sympify(coefficient).could_extract_minus_sign() and sums:
        flipped = -sums[0]
        if not all(t.could_extract_minus_sign() for t in flipped.args):
            rest = rest.xreplace({sums[0]: flipped}) if rest != sums[0] else flipped
            coefficient = -coefficient
    return coefficient, rest


def simplify(program: Program, keep: frozenset[str] = frozenset()) -> Program:
    """The program a reader would rather see; equal over the reals, with the same outputs.

    Args:
        program: any program.
        keep: bindings that stay values of their own.
    """
    return Simplifier(program, keep).result()


__all__ = ["Scaled", "simplify"]
