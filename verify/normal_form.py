"""A program's outputs in index notation, from the records' definitions alone.

Products, sums and integer powers are expanded.  A function that is no polynomial becomes an opaque value,
known by what it is applied to: the same function of equal arguments is the same value.  Steps (relu's mask,
comparisons) are opaque values that are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from typing import TypeAlias

import sympy

from symgrad.ops.dims import Dim
from symgrad.ops.record import ARG, INDEX, Whole
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars.table import ELEMENTARY
from symgrad.program import Binding, Program
from verify import polynomial as poly
from verify.polynomial import HERE, Atom, Monomial, Polynomial, TooLarge

_EVERYWHERE = {"real", "bool", "fraction"}
PARTIAL = (
    sympy.Pow,
    *{
        type(e.expr)
        for e in ELEMENTARY
        if e.expr.is_Function and not _EVERYWHERE.issuperset(e.domain) and not isinstance(e.expr, f.Ratio)
    },
)
"""Functions that are not defined, or not smooth, for every real argument."""


Key: TypeAlias = tuple[tuple[tuple[Monomial, Fraction], ...], ...]


class Opaque:
    """Opaque values by what they are; one table for all programs that are to be compared."""

    def __init__(self) -> None:
        self._known: dict[object, str] = {}
        self._arguments: dict[str, tuple[Polynomial, ...]] = {}

    def value(self, function: str, arguments: Sequence[Polynomial]) -> Atom:
        """The entry that ``function`` gives at these arguments, whatever their free indices are called."""
        used = sorted({i for p in arguments for i in poly.free_indices(p)})
        if len(used) > 4:
            raise TooLarge
        best: tuple[Key, tuple[int, ...], tuple[Polynomial, ...]] | None = None
        for order in permutations(used):
            names = {old: new for new, old in enumerate(order)}
            moved = tuple(poly.rename(p, names) for p in arguments)
            key = tuple(poly.frozen(p) for p in moved)
            if best is None or key < best[0]:
                best = (key, order, moved)
        assert best is not None
        key, order, moved = best
        name = self._known.setdefault((function, key), f"{function}#{len(self._known)}")
        self._arguments[name] = moved
        return Atom("op", name, order)

    def argument(self, a: Atom) -> Polynomial:
        """What the function of an opaque entry is applied to there."""
        return poly.rename(self._arguments[a.key][0], dict(enumerate(a.index)))

    def complement(self, a: Atom) -> Atom | None:
        """E where ``a`` is an entry of 1/(1 + E) and E a single opaque entry."""
        if not a.key.startswith("reciprocal#"):
            return None
        p = self._arguments[a.key][0]
        others = [m for m in p if m != poly.ONE]
        if p.get(poly.ONE) != 1 or len(others) != 1 or p[others[0]] != 1 or others[0].bound:
            return None
        (inner, exponent), *more = others[0].factors
        if more or exponent != 1 or inner.kind != "op":
            return None
        return Atom("op", inner.key, tuple(a.index[i] if i < len(a.index) else i for i in inner.index))


class NormalForm:
    """The values of one program as polynomials with free indices 0, 1, … for their axes.

    Attributes:
        partial: the opaque values of functions that are not defined everywhere.
    """

    def __init__(self, program: Program, opaque: Opaque) -> None:
        self.program = program
        self.opaque = opaque
        self.partial: set[str] = set()
        self._values: dict[str, Polynomial] = {}
        for i in program.inputs:
            index = tuple(HERE if d == 1 else axis for axis, d in enumerate(i.shape))
            self._values[i.name] = poly.atom(Atom("in", i.name, index))
        for b in program.bindings:
            self._values[b.name] = self._binding(b)

    def output(self, label: str) -> Polynomial:
        """The output of that label."""
        return self._values[self.program.output[label]]

    def _binding(self, b: Binding) -> Polynomial:
        types = [self.program.type(a) for a in b.args]
        if _logical(b, [t.kind for t in types]):
            raise TooLarge  # NumPy's + of two truth values is "or"
        definition = b.record.define(types, b.attrs, b.type)
        if isinstance(definition, Whole) or not definition.plain:
            raise TooLarge
        sizes = [*b.shape, *definition.reduce]
        env: dict[sympy.Symbol, Polynomial] = {}
        for j, access in enumerate(definition.access):
            shape = types[access.arg].shape
            at = [_index(i, sizes, d) for i, d in zip(access.index, shape, strict=True)]
            env[ARG(j)] = poly.rename(self._values[b.args[access.arg]], dict(enumerate(at)))
        result = self._scalar(sympy.sympify(definition.fn), env)
        for i in reversed(range(len(b.shape), len(sizes))):
            if sizes[i] != 1:
                result = self._summed(result, i, sizes[i])
        return self._reduced(result)

    def _reduced(self, p: Polynomial) -> Polynomial:
        """E/(1 + E) is 1 − 1/(1 + E): so that σ′ has one form, σ − σ²."""
        for m, c in p.items():
            powers = dict(m.factors)
            for a in powers:
                inner = self.opaque.complement(a)
                if inner is None or powers.get(inner, 0) < 1:
                    continue
                without = {**powers, a: powers[a] - 1, inner: powers[inner] - 1}
                with_one = {**powers, inner: powers[inner] - 1}
                bound = {-1 - i: d for i, d in enumerate(m.bound)}
                rest = {k: v for k, v in p.items() if k != m}
                first = {poly.canonical(list(without.items()), bound): c}
                second = {poly.canonical(list(with_one.items()), bound): -c}
                return self._reduced(poly.add([rest, first, second]))
        return p

    def _summed(self, p: Polynomial, index: int, size: Dim) -> Polynomial:
        if isinstance(size, sympy.Expr) and not size.is_Symbol:
            if any(index in poly.free_indices({m: c}) for m, c in p.items()):
                return poly.bind(p, index, str(size))
            return poly.multiply(p, self._scalar(size, {}))
        return poly.bind(p, index, str(size))

    def _scalar(self, expr: sympy.Expr, env: Mapping[sympy.Symbol, Polynomial]) -> Polynomial:
        if expr in env:
            return env[expr]
        if expr.is_Rational:
            return poly.number(Fraction(int(expr.p), int(expr.q)))
        if expr.is_Symbol:
            return poly.atom(Atom("dim", expr.name))
        if expr.is_number:
            return poly.atom(Atom("const", str(expr)))
        if expr.is_Add:
            return poly.add(self._scalar(a, env) for a in expr.args)
        if expr.is_Mul:
            out = poly.number(1)
            for a in expr.args:
                out = self._reduced(poly.multiply(out, self._scalar(a, env)))
            return out
        arguments = [self._scalar(a, env) for a in expr.args]
        if expr.is_Pow and not isinstance(expr, sympy.exp):
            return self._power(expr, arguments)
        return self._function(expr, arguments)

    def _power(self, expr: sympy.Expr, arguments: Sequence[Polynomial]) -> Polynomial:
        base, exponent = arguments[0], expr.exp
        if exponent.is_Integer and exponent >= 0:
            return poly.power(base, int(exponent))
        if exponent.is_Integer and _only_sizes(base):
            return poly.power(base, int(exponent))
        if exponent.is_Integer:
            reciprocal = self._opaque("reciprocal", [base], True)
            return poly.power(reciprocal, -int(exponent))
        if exponent.is_Rational:
            return self._opaque(f"power {exponent}", [base], True)
        return self._opaque("power", arguments, True)

    def _function(self, expr: sympy.Expr, arguments: Sequence[Polynomial]) -> Polynomial:
        first = arguments[0]
        if isinstance(expr, f.Relu):
            return poly.multiply(first, self._step(first))
        if isinstance(expr, f.Step):
            return self._step(first)
        if isinstance(expr, (f.Greater, f.Less)):
            a, b = arguments if isinstance(expr, f.Greater) else arguments[::-1]
            return self._step(_minus(a, b))
        if isinstance(expr, (f.GreaterEqual, f.LessEqual)):
            a, b = arguments if isinstance(expr, f.GreaterEqual) else arguments[::-1]
            return _minus(poly.number(1), self._step(_minus(b, a)))
        if isinstance(expr, f.Select):
            condition, yes, no = arguments
            if not _zero_or_one(condition):
                raise TooLarge
            chosen = poly.multiply(condition, yes)
            return poly.add([chosen, poly.multiply(_minus(poly.number(1), condition), no)])
        if isinstance(expr, f.Sigmoid):
            decay = self._opaque("exp", [poly.scale(first, Fraction(-1))], False)
            return self._opaque("reciprocal", [poly.add([poly.number(1), decay])], False)
        return self._opaque(type(expr).__name__, arguments, isinstance(expr, PARTIAL))

    def _opaque(self, function: str, arguments: Sequence[Polynomial], partial: bool) -> Polynomial:
        a = self.opaque.value(function, arguments)
        if partial:
            self.partial.add(a.key)
        return poly.atom(a)

    def _step(self, argument: Polynomial) -> Polynomial:
        """1 where the argument is positive; the step of u·step(u) is the step of u."""
        for m in argument:
            masks = [a for a, _ in m.factors if a.key.startswith("step") and min(a.index, default=0) >= 0]
            for mask in masks:
                inner = self.opaque.argument(mask)
                if dict(poly.multiply(inner, poly.atom(mask))) == dict(argument):
                    return poly.atom(mask)
            break
        if not argument:
            return {}
        first = abs(min(argument.items())[1])
        return self._opaque("step", [poly.scale(argument, 1 / first)], False)


def _index(index: object, sizes: Sequence[Dim], size: Dim) -> int:
    """Which of the indices an access uses; ``HERE`` on an axis of size 1."""
    if size == 1:
        return HERE
    for i in range(len(sizes)):
        if index == INDEX(i):
            return i
    raise TooLarge  # a reshape that is more than adding or dropping axes of size 1


def _logical(b: Binding, kinds: Sequence[str]) -> bool:
    """Whether NumPy calculates with truth values alone here, so that + and @ mean something else."""
    if not kinds or any(k != "bool" for k in kinds):
        return False
    if b.op == "pointwise":
        return not isinstance(b.attrs["fn"], f.Comparison) and not b.attrs["fn"].is_Symbol
    return b.op in ("matmul", "outer")


def _minus(a: Polynomial, b: Polynomial) -> Polynomial:
    return poly.add([a, poly.scale(b, Fraction(-1))])


def _only_sizes(p: Polynomial) -> bool:
    return len(p) == 1 and all(not m.bound and all(a.kind == "dim" for a, _ in m.factors) for m in p)


def _zero_or_one(p: Polynomial) -> bool:
    """A step, or 1 minus a step."""
    steps = [m for m in p if len(m.factors) == 1 and m.factors[0][0].key.startswith("step") and not m.bound]
    rest = {m: c for m, c in p.items() if m not in steps}
    if len(steps) != 1 or steps[0].factors[0][0].kind != "op":
        return False
    c = p[steps[0]]
    return (not rest and c == 1) or (rest == {poly.ONE: Fraction(1)} and c == -1)
