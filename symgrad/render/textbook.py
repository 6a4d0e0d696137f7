"""Scalar functions as a textbook names them: σ and softplus, in however many ways they can be coded."""

from __future__ import annotations

import sympy

from symgrad.ops.scalars.functions import (
    Absolute,
    Log1p,
    LogAddExp,
    Maximum,
    Relu,
    Select,
    Sigmoid,
    Softplus,
)


def named(fn: sympy.Expr) -> sympy.Expr:
    """The function with σ and softplus seen in it; equal over the reals."""
    if not fn.has(sympy.exp, LogAddExp, Softplus):
        return fn
    fn = fn.replace(sympy.Pow, _power).replace(sympy.Mul, _product)
    fn = fn.replace(sympy.log, _log).replace(Log1p, lambda u: _log(1 + u)).replace(LogAddExp, _log_add_exp)
    fn = fn.replace(Select, lambda c, a, b: a if a == b else Select(c, a, b))
    return fn.replace(sympy.Add, _stable_softplus)


def one_exponential(fn: sympy.Expr) -> sympy.Expr:
    """eᵃ eᵇ as e to the sum, in every product; logarithms of it vanish."""
    return fn.replace(sympy.Mul, _merged) if fn.has(sympy.exp) else fn


def _merged(*factors: sympy.Expr) -> sympy.Expr:
    product = sympy.Mul.make_args(sympy.Mul(*factors))
    exponents = [e.args[0] for e in product if isinstance(e, sympy.exp)]
    others = [e for e in product if not isinstance(e, sympy.exp)]
    return sympy.Mul(sympy.exp(sympy.Add(*exponents)), *others)


def _exponent(e: sympy.Expr) -> sympy.Expr | None:
    """u for 1 + eᵘ."""
    if not e.is_Add or len(e.args) != 2 or sympy.S.One not in e.args:
        return None
    other = next(t for t in e.args if t != 1)
    return other.args[0] if isinstance(other, sympy.exp) else None


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    u = _exponent(base)
    if u is not None and exponent.is_Integer and exponent.is_negative:
        return Sigmoid(-u) ** (-exponent)
    return sympy.Pow(base, exponent)


def _product(*factors: sympy.Expr) -> sympy.Expr:
    """eᵘ σ(−u) is σ(u)."""
    out = sympy.Mul(*factors)
    exponential = next((e for e in sympy.Mul.make_args(out) if isinstance(e, sympy.exp)), None)
    if exponential is None:
        return out
    u = exponential.args[0]
    rest = out / exponential
    return rest / Sigmoid(-u) * Sigmoid(u) if Sigmoid(-u) in sympy.Mul.make_args(rest) else out


def _log(u: sympy.Expr) -> sympy.Expr:
    exponent = _exponent(u)
    return Softplus(exponent) if exponent is not None else sympy.log(u)


def _log_add_exp(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    if a == 0 or b == 0:
        return Softplus(a + b)
    return LogAddExp(a, b)


def _stable_softplus(*terms: sympy.Expr) -> sympy.Expr:
    """max(z, 0) + softplus(−|z|) is softplus(z)."""
    out = list(terms)
    for term in terms:
        coefficient, body = term.as_coeff_Mul()
        if not isinstance(body, Softplus) or not isinstance(-body.args[0], Absolute):
            continue
        z = (-body.args[0]).args[0]
        for positive, argument in (
            *((p, z) for p in (Relu(z), Maximum(z, 0), Maximum(0, z))),
            *((p, -z) for p in (Relu(-z), Maximum(-z, 0), Maximum(0, -z))),
        ):
            if coefficient * positive in out:
                out.remove(term)
                out.remove(coefficient * positive)
                out.append(coefficient * Softplus(argument))
                break
    return sympy.Add(*out)
