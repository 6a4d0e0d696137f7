"""Seeing what a loss was written for: log Σ exp z, softmax, σ, softplus, in however many lines they were coded.

The recognised program has the same values over the reals and is read by people only; what is evaluated keeps the
user's arithmetic. Formulas derived from it have the form of a textbook: p − y, where the code as written gives
a quotient of sums of exponentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Absolute, Expm1, Log1p, LogAddExp, Softplus
from symgrad.program import Binding, Builder, Program
from symgrad.render.scaled import elementwise
from symgrad.render.softmax import SHARE, axes_of, finished
from symgrad.render.textbook import named, one_exponential

_EXP_LOG = (sympy.exp, sympy.log, Log1p, Expm1, LogAddExp, Softplus, Absolute)

LARGEST = 60
"""Operations in one scalar function, beyond which nobody would recognise anything."""


SELECTIONS = ("take", "slice", "transpose")
"""Operations whose result holds entries of their first argument."""


@dataclass(frozen=True)
class ExpSum:
    """A sum of exponentials as e^(logsumexp − shift), for a shift that the sum does not see."""

    logsumexp: str
    shift: sympy.Expr


class Recogniser:
    """One pass over a forward program, in order.

    ``written`` holds elementwise values as functions of symbols; each symbol stands for one value (``symbols``).
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder(program.inputs)
        self.value: dict[str, str] = {i.name: i.name for i in program.inputs}
        self.symbols: dict[str, sympy.Symbol] = {}
        self.names: dict[sympy.Symbol, str] = {}
        self.place: dict[sympy.Symbol, int] = {}  # in the order in which the symbols came up
        self.written: dict[str, sympy.Expr] = {}
        self.sums: dict[str, ExpSum] = {}
        self.logsumexps: set[str] = set()
        for b in program.bindings:
            made = self._pointwise(b) if b.op == "pointwise" else self._other(b)
            self.value[b.name] = made
            if b.label is not None:
                self.builder.label(made, b.label)

    def result(self) -> Program:
        """The program; softmaxes with names of the user's stay, also where log p is read as z − logsumexp z."""
        outputs = [(label, self.value[name]) for label, name in self.program.outputs]
        named = [self.value[b.name] for b in self.program.bindings if b.label is not None]
        shares = {n for n in named if axes_of(self.builder, self.builder.binding(n)) is not None}
        several = len(shares) == 1 and len(self.logsumexps) > 1  # in a loop the last one only has the name
        return finished(self.builder, outputs, () if several else named)

    def symbol(self, core: str) -> sympy.Symbol:
        if core not in self.symbols:
            made = sympy.Dummy(core, real=True)
            self.symbols[core] = made
            self.names[made] = core
            self.place[made] = len(self.place)
        return self.symbols[core]

    def _read(self, core: str) -> sympy.Expr:
        value = self.builder.constant_value(core)
        return self.symbol(core) if value is None else value

    # Operations that move or sum entries -------------------------------------------------------------------

    def _other(self, b: Binding) -> str:
        args = [self.value[a] for a in b.args]
        if b.op == "reshape":
            inner = self.builder.binding(args[0])
            if inner is not None and inner.op == "reshape":
                args = list(inner.args)
        made = self.builder.emit(b.op, *args, **b.attrs)
        fn = self.written.get(args[0]) if args else None
        if b.op in SELECTIONS and isinstance(fn, sympy.exp):
            # The entries taken from eᵘ are e to the entries taken from u.
            exponent = self.emitted(fn.args[0], self.builder.type(args[0]).shape)
            self.written[made] = sympy.exp(
                self.symbol(self.builder.emit(b.op, exponent, *args[1:], **b.attrs))
            )
        if b.op == "norm" and b.attrs["p"] == 2:
            squares = self.builder.emit("pointwise", args[0], fn=ARG(0) ** 2)
            axes = {k: v for k, v in b.items if k != "p"}
            self.written[made] = sympy.sqrt(self.symbol(self.builder.emit("sum", squares, **axes)))
        if b.op == "sum":
            self._exp_sum(b, args[0], made)
        if b.op == "reshape" and args[0] in self.sums:
            found = self.sums[args[0]]
            shift = self._reshaped(found.shift, b.shape)
            if shift is not None:
                self._remember(made, self.builder.emit("reshape", found.logsumexp, shape=b.shape), shift)
        return made

    def _exp_sum(self, b: Binding, core: str, made: str) -> None:
        """Remember a sum of exponentials of something that varies along the summed axes."""
        fn = self.written.get(core)
        if fn is None or not isinstance(fn, sympy.exp):
            return
        shape = self.builder.type(core).shape
        fixed: list[sympy.Expr] = []
        varying: list[sympy.Expr] = []
        for term in sympy.Add.make_args(fn.args[0]):
            (fixed if self._constant_along(term, shape, b.attrs["axes"]) else varying).append(term)
        if not varying:
            return
        shift = self._summed_shape(-sympy.Add(*fixed), shape, b)
        if shift is None:
            return
        inner = self.emitted(sympy.Add(*varying), shape)
        if self.builder.type(inner).shape == shape:
            self._remember(made, self.builder.emit("logsumexp", inner, **b.attrs), shift)

    def _remember(self, total: str, logsumexp: str, shift: sympy.Expr) -> None:
        self.sums[total] = ExpSum(logsumexp, shift)
        self.logsumexps.add(logsumexp)

    def _constant_along(self, term: sympy.Expr, full: Shape, axes: tuple[int, ...]) -> bool:
        for s in term.free_symbols & self.names.keys():
            shape = self.builder.type(self.names[s]).shape
            lead = len(full) - len(shape)
            if not all(i < lead or (shape[i - lead] == 1 and full[i] != 1) for i in axes):
                return False
        return True

    def _summed_shape(self, shift: sympy.Expr, full: Shape, b: Binding) -> sympy.Expr | None:
        """The shift as it stands beside the sum."""
        if b.attrs["keepdims"]:
            return shift
        replace = {}
        for s in shift.free_symbols & self.names.keys():
            shape = self.builder.type(self.names[s]).shape
            lead = len(full) - len(shape)
            left = tuple(d for i, d in enumerate(shape) if i + lead not in b.attrs["axes"])
            replace[s] = self.symbol(self._moved(self.names[s], left))
        return shift.xreplace(replace)

    def _reshaped(self, shift: sympy.Expr, shape: Shape) -> sympy.Expr | None:
        replace = {}
        for s in shift.free_symbols & self.names.keys():
            old = self.builder.type(self.names[s]).shape
            if old and [d for d in old if d != 1] != [d for d in shape if d != 1]:
                return None
            replace[s] = self.symbol(self._moved(self.names[s], shape) if old else self.names[s])
        return shift.xreplace(replace)

    def _moved(self, core: str, shape: Shape) -> str:
        b = self.builder.binding(core)
        source = b.args[0] if b is not None and b.op == "reshape" else core
        return self.builder.emit("reshape", source, shape=shape)

    # Elementwise -------------------------------------------------------------------------------------------

    def _pointwise(self, b: Binding) -> str:
        args = [self.value[a] for a in b.args]
        fn = b.attrs["fn"]
        plain = fn.xreplace({ARG(i): self._read(a) for i, a in enumerate(args)})
        known = {ARG(i): self.written.get(a, self._read(a)) for i, a in enumerate(args)}
        opened = fn.xreplace(known)
        if opened.count_ops() > LARGEST:
            return self.emitted(plain, b.shape, args)
        merged = self._without_sums(opened)
        better = named(merged)
        if merged != opened:
            better = better.replace(sympy.Add, self._beside_logsumexp)
        undone = _transcendental(better) < _transcendental(plain) + sum(
            map(_transcendental, set(known.values()))
        )
        core = self.emitted(better if merged != opened or undone else plain, b.shape, args)
        self.written.setdefault(core, better)
        return core

    def _without_sums(self, fn: sympy.Expr) -> sympy.Expr:
        """Sums of exponentials as e^(logsumexp − shift), where quotients become softmax and logarithms vanish."""
        replace = {}
        for s in fn.free_symbols & self.names.keys():
            found = self.sums.get(self.names[s])
            if found is not None:
                replace[s] = sympy.exp(self.symbol(found.logsumexp) - found.shift)
        made = one_exponential(fn.xreplace(replace))
        logsumexps = {self.symbols[n] for n in self.logsumexps if n in self.symbols}
        shares = [e for e in made.atoms(sympy.exp) if e.free_symbols & logsumexps]
        return made if all(self._softmax(e.args[0]) is not None for e in shares) else fn

    def _beside_logsumexp(self, *terms: sympy.Expr) -> sympy.Expr:
        """z − logsumexp z, with z as one value also where it is a sum."""
        out = list(terms)
        for term in terms:
            sign, total = term.as_coeff_Mul()
            found = self.builder.binding(self.names[total]) if total in self.names else None
            if found is not None and found.op == "reshape":
                found = self.builder.binding(found.args[0])
            if found is None or found.op != "logsumexp":
                continue
            z = found.args[0]
            parts = [-sign * t for t in sympy.Add.make_args(self.written.get(z, self.symbol(z)))]
            if len(parts) > 1 and all(t in out for t in parts):
                out = [t for t in out if t not in parts] + [-sign * self.symbol(z)]
        return sympy.Add(*out)

    def _softmax(self, exponent: sympy.Expr) -> sympy.Expr | None:
        """The symbol of e^(z − logsumexp z), held as the derivative of logsumexp holds it."""
        totals = [t for t in exponent.args if exponent.is_Add and self.names.get(-t) in self.logsumexps]
        if len(totals) != 1:
            return None
        core = self.names[-totals[0]]
        b = self.builder.binding(core)
        source = self.builder.binding(b.args[0]) if b is not None and b.op == "reshape" else b
        if source is None or source.op != "logsumexp":
            return None
        z = self.emitted(exponent - totals[0], self.builder.type(source.args[0]).shape)
        return self.symbol(self.builder.emit("pointwise", z, core, fn=SHARE)) if z == source.args[0] else None

    def emitted(self, fn: sympy.Expr, shape: Shape, first: Sequence[str] = ()) -> str:
        """A function of symbols as a binding; its arguments in the order of ``first``, then as they came up."""
        if fn in self.names:
            return self.builder.full(self.names[fn], shape)
        fn = fn.replace(sympy.exp, lambda u: self._softmax(u) or sympy.exp(u))
        if fn in self.names:
            return self.builder.full(self.names[fn], shape)
        front = dict.fromkeys(self.symbol(a) for a in first)
        free = fn.free_symbols & self.names.keys()
        rest = sorted(free - front.keys(), key=lambda s: self.place[s])
        cores = [self.names[s] for s in (*(s for s in front if s in free), *rest)]
        body = fn.xreplace({self.symbols[c]: ARG(i) for i, c in enumerate(cores)})
        if not cores:
            return self.builder.full(self.builder.constant(body), shape)
        return elementwise(self.builder, body, cores, shape)


def _transcendental(e: sympy.Expr) -> int:
    """What a reader would rather not see, counted: functions that undo each other, roots of squares."""
    found = 0
    for part in sympy.preorder_traversal(e):
        root = part.is_Pow and part.exp.is_Rational and not part.exp.is_Integer
        found += 2 if isinstance(part, LogAddExp) else root or isinstance(part, _EXP_LOG)
    return found


def recognise(program: Program) -> Program:
    """The forward program with logsumexp, softmax, σ and softplus seen in it; equal over the reals.

    Args:
        program: a program without gradients.
    """
    return Recogniser(program).result()
