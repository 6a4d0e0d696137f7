"""Programs computed entry by entry, as fractions or to many digits, and their derivatives by the chain rule.

Each entry's small function is written in SymPy's own terms and differentiated by SymPy's ``diff``; the chain
rule runs forward over the entries.  No matrix rule, no ``fdiff`` of ours and no NumPy source has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from calculus.witness import positions
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean, BooleanAtom, BooleanFunction
from sympy.printing.pycode import PythonCodePrinter

from symgrad.ops.dims import dim_symbol, shape_of
from symgrad.ops.record import ARG
from symgrad.ops.scalars import in_own_terms
from symgrad.ops.scalars.table import MEANING
from symgrad.program import Input, Program
from symgrad.program.program import Binding
from symgrad.program.scalarise import Entry, Term, scalarise

DIGITS = 60
NEAR = 1e-7
"""Two numbers that are nearer than this may be a tie."""

Key = tuple[str, tuple[int, ...]]
Slopes = dict[Key, Any]
_RATIONAL = (
    *(sympy.Symbol, sympy.Rational, sympy.Add, sympy.Mul, sympy.Mod),
    *(sympy.Piecewise, ExprCondPair, Relational, BooleanFunction, BooleanAtom),
)


class KinkError(ArithmeticError):
    """The point is no generic one: a tie, a corner, or a pole."""


# The function of one entry -----------------------------------------------------------------------------------


class _Fractions(PythonCodePrinter):
    def _print_Rational(self, expr: sympy.Rational) -> str:
        return f"Fraction({expr.p}, {expr.q})"


def _function(arity: int, results: Sequence[sympy.Expr], exact: bool) -> Callable[..., list[Any]]:
    arguments = [ARG(i) for i in range(arity)]
    if not exact:
        return sympy.lambdify(arguments, list(results), modules="mpmath")
    printer = _Fractions({"fully_qualified_modules": False})
    body = ", ".join(printer.doprint(r) for r in results)
    return eval(f"lambda {', '.join(map(str, arguments))}: [{body}]", {"Fraction": Fraction})


@dataclass(frozen=True)
class Small:
    """A function of one entry: its value and slopes, and what is 0 where it has a corner or a pole."""

    fn: sympy.Expr
    value: Callable[..., list[Any]]
    slopes: Callable[..., list[Any]]
    corners: Callable[..., list[Any]]


@lru_cache(maxsize=20_000)
def _small(fn: sympy.Expr, arity: int, exact: bool, smooth: tuple[int, ...]) -> Small:
    own = in_own_terms(fn)
    relations = [r.lhs - r.rhs for r in own.atoms(Relational)]
    # A matrix without an inverse has a determinant that is 0 but for rounding,
    # and two equal singular values differ by the root of one.
    poles = [e.base for e in own.atoms(sympy.Pow) if not (e.exp.is_integer and e.exp.is_nonnegative)]
    corners = [c for c in (*relations, *poles) if any(c.has(ARG(i)) for i in smooth)]
    slopes = [sympy.diff(own, ARG(i)) if i in smooth else sympy.S.Zero for i in range(arity)]
    return Small(
        fn, _function(arity, [own], exact), _function(arity, slopes, exact), _function(arity, corners, exact)
    )


@lru_cache(maxsize=20_000)
def is_rational(fn: sympy.Expr) -> bool:
    """Whether a function takes fractions to fractions."""
    return all(
        isinstance(e, _RATIONAL) or (isinstance(e, sympy.Pow) and e.exp.is_Integer)
        for e in sympy.preorder_traversal(in_own_terms(fn))
    )


# The entries of one operation --------------------------------------------------------------------------------

Step = tuple[str, tuple[int, ...]]
"""An entry of an argument (``a0``, ``a1``, …), of the result (``out``), or an intermediate number (``#``)."""


@lru_cache(maxsize=5000)
def _entries(
    op: str, items: tuple[tuple[str, Any], ...], args: tuple[Input, ...], shape: tuple[int, ...], kind: str
) -> tuple[Entry, ...]:
    """The entries of one operation at fixed sizes, large expressions taken apart."""
    binding = Binding("out", op, tuple(a.name for a in args), items, shape, kind)
    out: list[Entry] = []
    for e in scalarise(Program(args, (binding,), (("loss", "out"),)), {}):
        out.extend(_apart(e, len(out)))
    return tuple(out)


def _apart(e: Entry, number: int) -> Iterable[Entry]:
    """An entry in small steps: what occurs more than once, and functions inside others, become intermediates."""
    terms = []
    for t in e.terms:
        places: dict[sympy.Symbol, Step] = {ARG(i): s for i, s in enumerate(t.sources)}
        steps, fn = _in_steps(t.fn)
        for symbol, expr in steps:
            yield Entry("#", (number,), (_numbered(expr, places),))
            places[symbol] = ("#", (number,))
            number += 1
        terms.append(_numbered(fn, places))
    yield Entry(e.name, e.position, tuple(terms), e.combine, e.after)


@lru_cache(maxsize=5000)
def _in_steps(fn: sympy.Expr) -> tuple[tuple[tuple[sympy.Symbol, sympy.Expr], ...], sympy.Expr]:
    """The operations in a large expression, each once, and the last one."""
    small = sympy.count_ops(fn) <= 12
    found: dict[sympy.Expr, sympy.Symbol] = {}

    def flat(expr: sympy.Basic) -> sympy.Basic:
        # Functions of ours are always steps: written out inside each other, their cases would multiply.
        if not expr.free_symbols or expr.is_Symbol or (small and not expr.has(*MEANING)):
            return expr
        out = expr.func(*(flat(a) for a in expr.args))
        if isinstance(out, (Boolean, ExprCondPair)) or (small and type(out) not in MEANING):
            return out
        return found.setdefault(out, sympy.Symbol(f"step{len(found)}", real=True)) if out.args else out

    last = flat(fn)
    names = {symbol: expr for expr, symbol in found.items()}
    if last in names and last == next(reversed(names)):
        last = names.pop(last)
    return tuple(names.items()), last


def _numbered(fn: sympy.Expr, places: Mapping[sympy.Symbol, Step]) -> Term:
    used = [s for s in places if fn.has(s)]
    return Term(fn.xreplace({s: ARG(i) for i, s in enumerate(used)}), tuple(places[s] for s in used))


@dataclass(frozen=True)
class Row:
    """An entry with its functions compiled; ``sources`` are those that a term uses."""

    at: Step
    terms: tuple[tuple[Small, tuple[Step, ...]], ...]
    combine: str
    after: Small | None


@lru_cache(maxsize=5000)
def _rows(entries: tuple[Entry, ...], smooth: frozenset[str], exact: bool) -> tuple[Row, ...]:
    rows = []
    for e in entries:
        terms = []
        for t in e.terms:
            term = _numbered(t.fn, {ARG(i): s for i, s in enumerate(t.sources)})
            inner = tuple(j for j, (name, _) in enumerate(term.sources) if name in smooth)
            terms.append((_small(term.fn, len(term.sources), exact, inner), term.sources))
        after = None if e.after == ARG(0) else _small(e.after, 1, exact, (0,) if smooth else ())
        rows.append(Row((e.name, e.position), tuple(terms), e.combine, after))
    return tuple(rows)


@dataclass(frozen=True)
class Piece:
    """A binding at fixed sizes: its entries, and the values that its arguments stand for."""

    entries: tuple[Entry, ...]
    names: Mapping[str, str]
    kinds: Mapping[str, str]

    @property
    def work(self) -> int:
        return sum(len(e.terms) for e in self.entries)

    @property
    def rational(self) -> bool:
        return all(is_rational(e.after) and all(is_rational(t.fn) for t in e.terms) for e in self.entries)

    def place(self, at: Step) -> Key:
        return self.names[at[0]], at[1]


def piece(binding: Binding, program: Program, sizes: Mapping[str, int]) -> Piece:
    """One binding of a program at these sizes."""
    numbers = {dim_symbol(n): sympy.Integer(s) for n, s in sizes.items()}
    args = []
    for i, a in enumerate(binding.args):
        kind = program.type(a).kind
        args.append(Input(f"a{i}", shape_of(program.type(a).shape, sizes), kind))
    items = tuple((k, at_sizes(v, numbers)) for k, v in binding.items)
    shape = shape_of(binding.shape, sizes)
    entries = _entries(binding.op, items, tuple(args), shape, binding.kind)
    names = {**{f"a{i}": a for i, a in enumerate(binding.args)}, "out": binding.name, "#": f"{binding.name}#"}
    kinds = {i.name: i.kind for i in args}
    return Piece(entries, names, kinds)


def at_sizes(value: Any, numbers: Mapping[sympy.Symbol, sympy.Integer]) -> Any:
    """An attribute with numbers for the sizes in it."""
    if isinstance(value, tuple):
        return tuple(at_sizes(v, numbers) for v in value)
    return value.xreplace(numbers) if isinstance(value, sympy.Expr) else value


def pieces(program: Program, sizes: Mapping[str, int]) -> list[Piece]:
    return [piece(b, program, sizes) for b in program.bindings]


# Computing ---------------------------------------------------------------------------------------------------


def as_numbers(values: Mapping[Key, Fraction], exact: bool) -> dict[Key, Any]:
    """The entries in the arithmetic that is used: fractions, or mpmath's numbers."""
    return {k: v if exact else mpmath.mpf(v.numerator) / v.denominator for k, v in values.items()}


def number(value: int, exact: bool) -> Any:
    return Fraction(value) if exact else mpmath.mpf(value)


def _call(f: Callable[..., list[Any]], arguments: list[Any]) -> list[Any]:
    try:
        out = f(*arguments)
    except ZeroDivisionError:
        raise KinkError("division by 0") from None
    for value in out:
        if not isinstance(value, (Fraction, int)) and not (
            isinstance(value, mpmath.mpf) and mpmath.isfinite(value)
        ):
            raise KinkError(f"{value} is no finite real number")
    return out


def _smooth_call(small: Small, arguments: list[Any]) -> tuple[Any, list[Any]]:
    """Value and slopes, where there is no corner near."""
    if any(abs(c) < NEAR for c in _call(small.corners, arguments)):
        raise KinkError(f"a corner of {small.fn}")
    (value,) = _call(small.value, arguments)
    return value, _call(small.slopes, arguments)


def _combined(how: str, parts: Sequence[Any], zero: Any) -> Any:
    if how == "sum":
        return sum(parts, zero)
    if how == "prod":
        out = zero + 1
        for p in parts:
            out = out * p
        return out
    if not parts:
        raise KinkError("no entries")
    return max(parts) if how == "max" else min(parts)


def _weights(how: str, parts: list[Any], total: Any, zero: Any) -> list[Any]:
    """The derivative of the combination by each part."""
    if how == "sum":
        return [zero + 1] * len(parts)
    if how == "prod":
        return [_combined("prod", parts[:i] + parts[i + 1 :], zero) for i in range(len(parts))]
    near = [abs(p - total) < NEAR for p in parts]
    if sum(near) > 1:
        raise KinkError("a tie")
    return [zero + int(n) for n in near]


def compute(p: Piece, known: dict[Key, Any], exact: bool) -> None:
    """Add the values of the piece's entries to ``known``."""
    zero = number(0, exact)
    for row in _rows(p.entries, frozenset(), exact):
        parts = [_call(f.value, [known[p.place(s)] for s in sources])[0] for f, sources in row.terms]
        total = _combined(row.combine, parts, zero)
        if row.after is not None:
            (total,) = _call(row.after.value, [total])
        known[p.place(row.at)] = total


def differentiated(p: Piece, known: dict[Key, Any], slopes: dict[Key, Slopes], exact: bool) -> None:
    """Add values to ``known`` and derivatives by the inputs' entries to ``slopes``.

    Raises:
        KinkError: a value or a derivative is not defined there, or lies at a corner.
    """
    zero = number(0, exact)
    smooth = frozenset(a for a, kind in p.kinds.items() if kind == "real") | {"#"}
    for row in _rows(p.entries, smooth, exact):
        parts, flows = [], []
        for f, sources in row.terms:
            places = [p.place(s) for s in sources]
            value, own = _smooth_call(f, [known[s] for s in places])
            parts.append(value)
            flows.append(list(zip(places, own, strict=True)))
        total = _combined(row.combine, parts, zero)
        weights = _weights(row.combine, parts, total, zero)
        if row.after is not None:
            total, (slope,) = _smooth_call(row.after, [total])
            weights = [w * slope for w in weights]
        flow: Slopes = {}
        for weight, terms in zip(weights, flows, strict=True):
            for source, slope in terms:
                if slope and weight:
                    factor = weight * slope
                    for key, s in slopes.get(source, {}).items():
                        flow[key] = flow.get(key, zero) + factor * s
        known[p.place(row.at)] = total
        if flow:
            slopes[p.place(row.at)] = flow


def all_positions(program: Program, name: str, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
    return list(positions(shape_of(program.type(name).shape, sizes)))
