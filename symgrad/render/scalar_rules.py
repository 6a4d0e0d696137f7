"""Rewriting the scalar function of an elementwise operation for a reader; equal over the reals."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.ops.scalars.functions import Absolute, Ratio, Relu, Select, Sigmoid, Sign, Step
from symgrad.ops.scalars.table import MEANING, in_own_terms
from symgrad.render.numbers import LARGEST_DENOMINATOR

ONE = sympy.S.One

LARGEST_FACTORED = 30
"""Operations in a fraction that is tried to be factored."""


def tidy(fn: sympy.Expr) -> sympy.Expr:
    """Numbers evaluated, choices by the same condition made once, a / ‖a‖ without its guard at 0."""
    plain = fn.replace(Ratio, lambda a, b: a / b) if fn.has(Ratio) else fn
    if plain.has(Sign, Step, sympy.sinh):
        plain = plain.replace(sympy.Mul, _cancelled)
    if plain.has(Sigmoid):
        plain = plain.replace(sympy.Add, _complement)
    return merged(evaluated(plain))


def _cancelled(*factors: sympy.Expr) -> sympy.Expr:
    """u·sign(u) as |u|, relu(u)·[u > 0] as relu(u), sinh/cosh as tanh."""
    parts = list(sympy.Mul.make_args(sympy.Mul(*factors)))
    for part in tuple(parts):
        u = part.args[0] if part.args else part
        if isinstance(part, Sign) and u in parts:
            parts.remove(part)
            parts[parts.index(u)] = Absolute(u)
        elif isinstance(part, Step) and Relu(u) in parts:
            parts.remove(part)
        elif isinstance(part, sympy.sinh) and 1 / sympy.cosh(u) in parts:
            parts.remove(part)
            parts[parts.index(1 / sympy.cosh(u))] = sympy.tanh(u)
    return sympy.Mul(*parts)


def _complement(*terms: sympy.Expr) -> sympy.Expr:
    """1 − σ(−u) as σ(u)."""
    out = list(terms)
    for term in terms:
        coefficient, body = term.as_coeff_Mul()
        if isinstance(body, Sigmoid) and body.args[0].could_extract_minus_sign() and -coefficient in out:
            out.remove(term)
            out.remove(-coefficient)
            out.append(-coefficient * Sigmoid(-body.args[0]))
    return sympy.Add(*out)


def evaluated(fn: sympy.Expr) -> sympy.Expr:
    """|0| as 0 and max(2, 3) as 3; what is no fraction (σ(2)) stays."""

    def known(e: sympy.Expr) -> bool:
        return type(e) in MEANING and all(a.is_number for a in e.args)

    def value(e: sympy.Expr) -> sympy.Expr:
        found = in_own_terms(e)
        return found if found.is_Rational else e

    return fn.replace(known, value) if fn.has(*MEANING) else fn


def merged(fn: sympy.Expr) -> sympy.Expr:
    """``where(c, 1, 0)·r + where(c, 0, 1)·s`` as ``where(c, r, s)``."""
    if fn.is_Function:
        return fn
    for condition in sorted({s.args[0] for s in fn.atoms(Select)}, key=sympy.default_sort_key):
        chosen = [s for s in fn.atoms(Select) if s.args[0] == condition]
        if fn.has(*(s for s in chosen if any(t.has(s) for t in fn.atoms(Select) if t != s))):
            continue
        yes = fn.xreplace({s: s.args[1] for s in chosen})
        no = fn.xreplace({s: s.args[2] for s in chosen})
        fn = _chosen(condition, yes, no)
    return fn


def _chosen(condition: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """``where(c, a + b, a)`` as ``a + where(c, b, 0)``: what differs, where it does."""
    for one, other in ((yes, no), (no, yes)):
        common = [t for t in sympy.Add.make_args(other) if t != 0]
        terms = list(sympy.Add.make_args(one))
        if common and all(t in terms for t in common) and one != other:
            rest = sympy.Add(*(t for t in terms if t not in common))
            sign = -1 if rest.could_extract_minus_sign() else 1
            choice = Select(condition, sign * rest, 0) if one is yes else Select(condition, 0, sign * rest)
            return sympy.Add(other, sign * choice)
    return Select(condition, yes, no)


def content(fn: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, sympy.Expr]:
    """Split off the factor without array symbols, the sign chosen so that a difference starts with a plus.

    Decimals such as 0.3 are kept whole: 0.3a + b has no common factor of 2⁻⁵⁴.
    """
    decimals = {abs(q) for q in fn.atoms(sympy.Rational) if q.q > LARGEST_DENOMINATOR}
    masks = {q: sympy.Dummy(positive=True) for q in sorted(decimals)}
    opaque = fn.xreplace({**masks, **{-q: -d for q, d in masks.items()}})
    shown = {d: q for q, d in masks.items()}
    coefficient, rest = _content(opaque, symbols)
    return coefficient.xreplace(shown), rest.xreplace(shown)


def _content(fn: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, sympy.Expr]:
    if fn.is_Add and fn.count_ops() > LARGEST_FACTORED:  # of a long sum its numbers only
        number, terms = fn.primitive()
        return (-number, -terms) if _negative(terms) else (number, terms)
    if fn.is_Add or fn.is_Mul:
        fn = sympy.factor_terms(fn)
        divisors = [p.base for p in fn.atoms(sympy.Pow) if p.exp.is_negative and p.has(*symbols)]
        if any(d.is_Add for d in divisors):
            cancelled = sympy.cancel(fn)
            forms = [fn, sympy.factor_terms(cancelled)]
            if cancelled.count_ops() <= LARGEST_FACTORED:
                forms.append(sympy.factor(cancelled))  # h/(h + 1)², not h/(h² + 2h + 1)
            fn = min(forms, key=lambda e: e.count_ops())
        elif divisors and fn.is_Mul and any(f.is_Add for f in fn.args):
            fn = min(fn, sympy.factor_terms(sympy.expand(fn)), key=lambda e: e.count_ops())
    coefficient, rest = fn.as_independent(*symbols, as_Add=False) if fn.is_Mul else (ONE, fn)
    if rest.is_Mul:
        coefficient, rest = _divided_by_rest(coefficient, rest)
    sums = [f for f in sympy.Mul.make_args(rest) if f.is_Add]
    if sympy.sympify(coefficient).could_extract_minus_sign() and sums:
        flipped = -sums[0]
        if not all(t.could_extract_minus_sign() for t in flipped.args):
            # The factor itself only: the same sum may occur inside another factor.
            rest = sympy.Mul(*(flipped if f == sums[0] else f for f in sympy.Mul.make_args(rest)))
            coefficient = -coefficient
    return coefficient, rest


def _negative(fn: sympy.Expr) -> bool:
    return all(t.could_extract_minus_sign() for t in sympy.Add.make_args(fn))


def _divided_by_rest(coefficient: sympy.Expr, rest: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Divisors 1 − p for p − 1, where a difference above takes the sign."""
    factors = list(sympy.Mul.make_args(rest))
    if not any(f.is_Add for f in factors):
        return coefficient, rest
    for i, f in enumerate(factors):
        odd = f.is_Pow and f.exp.is_Integer and f.exp.is_negative and f.exp.is_odd and f.base.is_Add
        if odd and any(t.is_number and t.is_negative for t in f.base.args):
            factors[i] = (-f.base) ** f.exp
            coefficient = -coefficient
    return coefficient, sympy.Mul(*factors)
