"""Sums of products in index notation, in one canonical form.

A polynomial is a mapping from monomials to rational coefficients.  A monomial is a product of powers of
atoms, summed over its bound indices: ``Σ_k x[i,k]·w[k]``.  An atom is an entry of an input or of an opaque
value at indices, or a size.  Free indices are 0, 1, …, bound ones −1, −2, …; on an axis of size 1 the index
is ``HERE``.

Bound indices have no names of their own: they are ordered by what they touch, and where that leaves a
choice, every order is tried and the smallest taken.  Two polynomials are equal for all sizes and all real
entries if their forms are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod
from typing import TypeAlias

HERE = 10**6
"""The index on an axis of size 1."""

MAX_TERMS = 400
MAX_ORDERS = 720


class TooLarge(Exception):
    """The form grows beyond what is worth the time; nothing is decided."""


@dataclass(frozen=True, order=True)
class Atom:
    """An entry of a value: ``kind`` is ``in`` (an input), ``op`` (an opaque value), ``dim`` or ``const``."""

    kind: str
    key: str
    index: tuple[int, ...] = ()


@dataclass(frozen=True, order=True)
class Monomial:
    """A product of powers, summed over bound indices −1, −2, … whose sizes are ``bound``."""

    factors: tuple[tuple[Atom, int], ...]
    bound: tuple[str, ...] = ()


Polynomial: TypeAlias = Mapping[Monomial, Fraction]
ONE = Monomial(())


def number(value: Fraction | int) -> Polynomial:
    """A rational number."""
    return {ONE: Fraction(value)} if value else {}


def atom(a: Atom, exponent: int = 1) -> Polynomial:
    """A power of one atom."""
    return {Monomial(((a, exponent),)): Fraction(1)}


def add(terms: Iterable[Polynomial]) -> Polynomial:
    """The sum."""
    out: dict[Monomial, Fraction] = {}
    for p in terms:
        for m, c in p.items():
            out[m] = out.get(m, Fraction(0)) + c
    return _checked({m: c for m, c in out.items() if c})


def scale(p: Polynomial, c: Fraction) -> Polynomial:
    """A multiple."""
    return {m: c * v for m, v in p.items()} if c else {}


def multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    """The product, expanded; the bound indices of both factors stay apart."""
    if len(p) * len(q) > MAX_TERMS**2:
        raise TooLarge
    out: dict[Monomial, Fraction] = {}
    for (a, ca), (b, cb) in product(p.items(), q.items()):
        shift = len(a.bound)
        moved = [(_shifted(f, shift), e) for f, e in b.factors]
        m = canonical([*a.factors, *moved], {-1 - i: d for i, d in enumerate((*a.bound, *b.bound))})
        out[m] = out.get(m, Fraction(0)) + ca * cb
    return _checked({m: c for m, c in out.items() if c})


def power(p: Polynomial, exponent: int) -> Polynomial:
    """A non-negative integer power, expanded; negative ones of a single sizes' monomial only."""
    if exponent < 0:
        (m, c), *others = p.items() if p else [(ONE, Fraction(0))]
        if others or m.bound or not c or any(f.kind != "dim" for f, _ in m.factors):
            raise TooLarge
        return {Monomial(tuple((f, e * exponent) for f, e in m.factors)): c**exponent}
    if exponent > 16:
        raise TooLarge
    out = number(1)
    for _ in range(exponent):
        out = multiply(out, p)
    return out


def rename(p: Polynomial, names: Mapping[int, int]) -> Polynomial:
    """Other free indices in place of these."""
    out: dict[Monomial, Fraction] = {}
    for m, c in p.items():
        factors = [(_replaced(f, names), e) for f, e in m.factors]
        renamed = canonical(factors, {-1 - i: d for i, d in enumerate(m.bound)})
        out[renamed] = out.get(renamed, Fraction(0)) + c
    return {m: c for m, c in out.items() if c}


def bind(p: Polynomial, index: int, size: str) -> Polynomial:
    """Sum over a free index; where nothing has it, multiply by the size."""
    out: dict[Monomial, Fraction] = {}
    for m, c in p.items():
        if any(index in f.index for f, _ in m.factors):
            new = -1 - len(m.bound)
            factors = [(_replaced(f, {index: new}), e) for f, e in m.factors]
            bound = {-1 - i: d for i, d in enumerate((*m.bound, size))}
            result, factor = canonical(factors, bound), Fraction(1)
        elif size.isdecimal():
            result, factor = m, Fraction(int(size))
        else:
            dim = (Atom("dim", size), 1)
            result, factor = (
                canonical([*m.factors, dim], {-1 - i: d for i, d in enumerate(m.bound)}),
                Fraction(1),
            )
        out[result] = out.get(result, Fraction(0)) + c * factor
    return {m: c for m, c in out.items() if c}


def free_indices(p: Polynomial) -> tuple[int, ...]:
    """The free indices that occur, in order."""
    return tuple(sorted({i for m in p for f, _ in m.factors for i in f.index if 0 <= i < HERE}))


def canonical(factors: Sequence[tuple[Atom, int]], bound: Mapping[int, str]) -> Monomial:
    """The one form of this product: equal atoms merged, bound indices in their canonical order."""
    merged: dict[Atom, int] = {}
    for f, e in factors:
        merged[f] = merged.get(f, 0) + e
        if f.kind == "op" and f.key.startswith("step"):
            merged[f] = 1  # 0 and 1 are their own powers
    kept = [(f, e) for f, e in merged.items() if e]
    if not bound:
        return Monomial(tuple(sorted(kept)))
    best: tuple[tuple[Atom, int], ...] | None = None
    best_bound: tuple[str, ...] = ()
    for order in _orders(kept, bound):
        place = {old: -1 - i for i, old in enumerate(order)}
        candidate = tuple(sorted((_replaced(f, place), e) for f, e in kept))
        if best is None or candidate < best:
            best, best_bound = candidate, tuple(bound[old] for old in order)
    return Monomial(best or (), best_bound)


def _orders(factors: Sequence[tuple[Atom, int]], bound: Mapping[int, str]) -> Iterable[list[int]]:
    """Orders of the bound indices that respect what each of them touches."""
    colours: dict[int, str] = dict(bound)
    for _ in range(len(bound)):
        refined = {}
        for b in bound:
            touched = sorted(
                (f.kind, f.key, e, [("*" if i == b else colours.get(i, str(i))) for i in f.index])
                for f, e in factors
                if b in f.index
            )
            refined[b] = f"{bound[b]}|{touched}"
        before = len(set(colours.values()))
        ranks = {text: i for i, text in enumerate(sorted(set(refined.values())))}
        colours = {b: f"{ranks[refined[b]]:03d}" for b in bound}
        if len(set(colours.values())) == before == len(bound):
            break
    groups: dict[str, list[int]] = {}
    for b in sorted(bound):
        groups.setdefault(colours[b], []).append(b)
    if prod(factorial(len(g)) for g in groups.values()) > MAX_ORDERS:
        raise TooLarge
    ordered = [permutations(groups[c]) for c in sorted(groups)]
    for choice in product(*ordered):
        yield [b for group in choice for b in group]


def _replaced(a: Atom, names: Mapping[int, int]) -> Atom:
    return _moved(a, lambda i: names.get(i, i))


def _shifted(a: Atom, shift: int) -> Atom:
    return _moved(a, lambda i: i - shift if i < 0 else i)


def _moved(a: Atom, move: Callable[[int], int]) -> Atom:
    return Atom(a.kind, a.key, tuple(move(i) for i in a.index)) if a.index else a


def _checked(p: dict[Monomial, Fraction]) -> dict[Monomial, Fraction]:
    if len(p) > MAX_TERMS:
        raise TooLarge
    return p


def frozen(p: Polynomial) -> tuple[tuple[Monomial, Fraction], ...]:
    """A hashable form."""
    return tuple(sorted(p.items()))
