"""Shapes of examples as patterns: their sizes are renamed until an array's shape fits."""

from __future__ import annotations

from typing import Any

import sympy
from ops.record_checks import dimension

from symgrad.ops.dims import Dim, Shape, as_dim, dim_symbol, same

NAMES = ("n", "d", "k")
SYMBOLS = {dim_symbol(n) for n in NAMES}
Renaming = dict[sympy.Symbol, Dim]


def renamed(value: Any, names: Renaming) -> Any:
    """Attributes under a renaming of sizes; whole numbers that arise are ints."""
    if isinstance(value, tuple):
        return tuple(renamed(v, names) for v in value)
    if isinstance(value, sympy.Expr) and value.free_symbols & set(names):
        # All at once: a new name may be one of the old ones.
        return as_dim(value.subs(names, simultaneous=True))
    return value


def unify(pattern: Shape, shape: Shape, names: Renaming) -> Renaming | None:
    """``names`` with what the pattern's sizes have to be for it to be that shape."""
    if len(pattern) != len(shape):
        return None
    names = dict(names)
    for p, d in zip(pattern, shape, strict=True):
        if isinstance(p, sympy.Symbol) and p not in names:
            names[p] = d
        elif isinstance(p, sympy.Expr) and not p.free_symbols <= set(names):
            free = p.free_symbols - set(names)
            rest = renamed(p, {**names, **dict.fromkeys(free, 0)})
            if len(free) > 1 or not same(as_dim(p - sympy.Add(*free)), as_dim(sympy.sympify(rest))):
                return None
            names[free.pop()] = as_dim(sympy.sympify(d) - rest)
        elif not same(renamed(p, names), d):
            return None
    return names


def as_dim_text(domain: str) -> Dim:
    """The number of labels that ``labels n`` or ``labels 2*n`` names."""
    text = domain.split(maxsplit=1)[1]
    return as_dim(sympy.sympify(text, locals={n: dim_symbol(n) for n in NAMES}))


def dim_symbols(*parts: Any) -> list[sympy.Symbol]:
    """The size symbols of examples that occur in patterns, attributes and domains."""
    found: dict[sympy.Symbol, None] = {}
    for part in parts:
        if isinstance(part, tuple):
            found.update(dict.fromkeys(dim_symbols(*part)))
        elif isinstance(part, sympy.Expr):
            found.update(dict.fromkeys(sorted(part.free_symbols & SYMBOLS, key=str)))
        elif isinstance(part, str) and part.startswith("labels"):
            found.update(dict.fromkeys(dim_symbols(dimension(part.split()[1]))))
    return list(found)
