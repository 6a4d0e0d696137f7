"""A number that is known late is multiplied after a sum over rows, not before: Xᵀ(s·r) is s·(Xᵀr).

The derivative of √Σr² or of log Σr² weighs every row with a number that the sum decides.  Rows weighed with it would
wait for a second sweep over the data.  All that follows in a backward pass is linear in the weight, so it is carried
along and applied to the sums.  That rounds once where it rounded in every term, so the bound of the error is no larger.
But terms that are not weighed yet can overflow where weighed ones stay small, as exp(z) / Σ exp(z) does: the pass runs
only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from symgrad.compile.passes.record import Names, Pass, alive
from symgrad.compile.rows import Separation, separate, separations
from symgrad.ops.dims import Shape, broadcast, same
from symgrad.ops.record import ARG, Definition
from symgrad.ops.scalars.functions import Ratio
from symgrad.program import Binding, Program

_VALUE = sympy.Symbol("value", real=True)


@dataclass(frozen=True)
class Weighed:
    """A value as another one, weighed: ``weight`` is linear in ``_VALUE``, its other symbols are named numbers."""

    base: str
    weight: sympy.Expr


def scale(program: Program) -> Program:
    """The program with fewer sweeps over the rows; the same object where that cannot be."""
    for found in separations(program):
        if found.sweeps < 2:
            continue
        made = alive(_Rewriter(program, found).program())
        again = separate(made, found.symbol)
        if again is not None and again.sweeps < found.sweeps:
            return scale(made)
    return program


def _late(name: str) -> sympy.Symbol:
    return sympy.Symbol(f"late {name}", real=True)


class _Rewriter:
    """Goes through the bindings; rows are kept as they were, too, and left out if nobody reads them any more."""

    def __init__(self, program: Program, found: Separation) -> None:
        self.given, self.found = program, found
        self.names = Names(program)
        self.bindings: list[Binding] = []
        self.shapes: dict[str, Shape] = {n: value.shape for n, value in program.by_name.items()}
        self.weighed: dict[str, Weighed] = {}

    def program(self) -> Program:
        for b in self.given.bindings:
            rows = self.found.role[b.name] == "row"
            made = self._weighed(b) if rows or self._reads_weighed(b) else None
            if made is None:
                self.bindings.append(b)
            elif rows:
                self.bindings.append(b)
                self.weighed[b.name] = made
            else:
                self._apply(b, made)
        return Program(self.given.inputs, tuple(self.bindings), self.given.outputs)

    def _reads_weighed(self, b: Binding) -> bool:
        return any(a in self.weighed for a in b.args)

    def _is_late(self, name: str) -> bool:
        """A number (or an array of one) that needs a sum over rows."""
        if not all(same(d, 1) for d in self.shapes[name]) or name not in self.found.role:
            return False
        return self.found.role[name] != "row" and self.found.stage[name] > 0

    def _add(self, like: Binding, args: Sequence[str], **changes: object) -> str:
        name = self.names.fresh()
        self.shapes[name] = like.shape
        self.bindings.append(replace(like, name=name, args=tuple(args), label=None, **changes))  # type: ignore[arg-type]
        return name

    def _apply(self, b: Binding, made: Weighed) -> None:
        """A sum over rows, weighed."""
        late = sorted(made.weight.free_symbols - {_VALUE}, key=str)
        names = [s.name.removeprefix("late ") for s in late if s.name.startswith("late ")]
        if any(len(self.shapes[n]) > len(b.shape) for n in names):
            self.bindings.append(b)
            return
        symbols = {_late(n): ARG(k) for k, n in enumerate(names, 1)}
        fn = made.weight.xreplace({_VALUE: ARG(0), **symbols})
        self.bindings.append(replace(b, op="pointwise", args=(made.base, *names), items=(("fn", fn),)))

    def _weighed(self, b: Binding) -> Weighed | None:
        """The value as another one times late numbers; None where it is not."""
        if b.op == "pointwise":
            return self._of_entries(b)
        definition = b.record.define([self.given.type(a) for a in b.args], b.attrs, b.type)
        if (
            not isinstance(definition, Definition)
            or definition.combine != "sum"
            or definition.after != ARG(0)
        ):
            return None
        weight: sympy.Expr = _VALUE
        args = list(b.args)
        for k, name in enumerate(b.args):
            if name in self.weighed and _linear(definition, k):
                args[k] = self.weighed[name].base
                weight = weight.xreplace({_VALUE: self.weighed[name].weight})
        return Weighed(self._add(b, args), weight) if weight != _VALUE else None

    def _of_entries(self, b: Binding) -> Weighed | None:
        """A function of entries: a product with late numbers, or a sum of products with the same ones."""
        fn = sympy.sympify(b.attrs["fn"])
        split = [self._factors(term, b.args) for term in sympy.Add.make_args(fn)]
        weights = {weight for _, _, weight in split}
        if len(weights) != 1 or weights == {_VALUE}:
            return None
        (weight,) = weights
        if len(split) == 1:
            ((number, inner, _),) = split
            weight = number * weight
        else:
            inner = sympy.Add(*(number * term for number, term, _ in split))
        read = {s.name: s for s in inner.free_symbols if s.name.startswith("row ")}
        names = list(read)
        if not names or any(self._is_late(n.removeprefix("row ")) for n in names):
            return None
        args = [n.removeprefix("row ") for n in names]
        if broadcast([self.shapes[a] for a in args], b.name) != b.shape:
            return None
        if len(args) == 1 and inner == read[names[0]]:
            return Weighed(args[0], weight)
        fn = inner.xreplace({read[n]: ARG(k) for k, n in enumerate(names)})
        return Weighed(self._add(b, args, items=(("fn", fn),)), weight)

    def _factors(self, term: sympy.Expr, args: Sequence[str]) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        """A product as a number, a function of entries whose symbols name values, and the weight."""
        number, inner, weight = sympy.S.One, sympy.S.One, _VALUE
        late = {ARG(k): _late(a) for k, a in enumerate(args) if self._is_late(a)}
        rows = {ARG(k): sympy.Symbol(f"row {a}", real=True) for k, a in enumerate(args)}
        entries = set(rows) - set(late)
        for factor in sympy.Mul.make_args(term):
            read = factor.free_symbols
            if (
                factor in entries
                and args[_position(factor)] in self.weighed
                and not (term / factor).has(factor)
            ):
                known = self.weighed[args[_position(factor)]]
                inner *= sympy.Symbol(f"row {known.base}", real=True)
                weight = weight.xreplace({_VALUE: known.weight})
            elif not read & set(rows):
                number *= factor
            elif not read & entries:
                weight *= factor.xreplace(late)
            elif isinstance(factor, Ratio) and not factor.args[1].free_symbols & entries:
                again = self._factors(factor.args[0], args)
                number, inner = number * again[0], inner * again[1]
                weight = Ratio(weight, factor.args[1].xreplace(late)).xreplace({_VALUE: again[2]})
            else:
                inner *= factor.xreplace(rows)
        return number, inner, weight


def _position(symbol: sympy.Symbol) -> int:
    return int(symbol.name[1:])


def _linear(definition: Definition, position: int) -> bool:
    """Whether a sum is linear in one argument: every term has one entry of it as a factor, and nothing else of it."""
    terms = [(p.access, p.fn) for p in definition.parts] or [(definition.access, definition.fn)]
    for access, fn in terms:
        symbols = [ARG(j) for j, a in enumerate(access) if a.arg == position]
        if len(symbols) != 1 or symbols[0] not in sympy.Mul.make_args(sympy.sympify(fn)):
            return False
        if (fn / symbols[0]).has(symbols[0]):
            return False
        if any(sympy.sympify(i).has(symbols[0]) for a in access for i in a.index):
            return False
    return True


SCALE = Pass(
    "scale",
    "A number that is known late weighs sums over rows, not the rows: fewer sweeps, but sums can overflow.",
    scale,
)
