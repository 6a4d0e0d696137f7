"""Which sizes go together: those that a loss was written out for, and those that follow from others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symgrad.program import Input, labels_of

FEW = 3
"""Below this, sizes that a loss is written out for are drawn as they come."""

STEPS = 64
"""By how much sizes grow at most so that those which follow from them are positive."""


@dataclass(frozen=True)
class Plan:
    """Which sizes go together.

    Attributes:
        pinned: sizes for which the loss was written out; others cost a derivation each, so that few are drawn.
        equations: sizes that follow from others, which are free.
        multiples: for sizes that have to be multiples of a number, that number.
    """

    pinned: Mapping[str, int] = field(default_factory=dict)
    equations: Mapping[str, sympy.Expr] = field(default_factory=dict)
    multiples: Mapping[str, int] = field(default_factory=dict)

    def fit(self, sizes: Mapping[str, int], inputs: Sequence[Input] = ()) -> dict[str, int]:
        """The sizes nearest to these that may be drawn for these inputs."""
        few = 0 if self.equations else FEW  # the equations hold for the pinned sizes alone
        out = {n: s if s < few or n not in self.pinned else self.pinned[n] for n, s in sizes.items()}
        for labels in filter(None, (labels_of(i.domain) for i in inputs)):
            if labels.limit in out:
                out[str(labels.limit)] = max(out[str(labels.limit)], 1)  # there is no whole number below 0
        for name, step in self.multiples.items():
            out[name] += -out[name] % step
        for _ in range(STEPS):
            small = [e for e in self.equations.values() if _value(e, out) < 1]
            growing = {s for e in small for s in e.free_symbols if _grows(e, s)}
            if not growing:
                break
            for s in growing:
                out[s.name] += self.multiples.get(s.name, 1)
        for name, expr in self.equations.items():
            out[name] = max(_value(expr, out), 0)
        return out


def _value(expr: sympy.Expr, sizes: Mapping[str, int]) -> int:
    value = expr.subs({s: sizes[s.name] for s in expr.free_symbols})
    return int(sympy.floor(value))


def _grows(expr: sympy.Expr, s: sympy.Symbol) -> bool:
    """Whether the value of an expression grows with a size."""
    return bool(sympy.diff(expr, s).subs(dict.fromkeys(expr.free_symbols, 1)) > 0)


def equations_of(relations: Iterable[sympy.Basic]) -> dict[str, sympy.Expr]:
    """Those of some relations that give one size in terms of others, all of them in terms of free sizes.

    d = (p − 19)/4 becomes p = 4d + 19, as only some p have such a d.
    """
    found: dict[sympy.Symbol, sympy.Expr] = {}
    for r in relations:
        if not isinstance(r, sympy.Eq):
            continue
        left, right = (side.subs(found) for side in r.args)
        if not left.is_Symbol or right.has(left):
            continue
        name, expr = _whole(left, right)
        found = {n: sympy.expand(e.subs(name, expr)) for n, e in found.items()}
        found[name] = expr
    return {n.name: e for n, e in found.items()}


def multiples_of(relations: Iterable[sympy.Basic]) -> dict[str, int]:
    """Sizes that are taken to be multiples of a number: a single size, not an expression."""
    rests = [
        r.lhs for r in relations if isinstance(r, sympy.Eq) and r.rhs == 0 and isinstance(r.lhs, sympy.Mod)
    ]
    return {m.args[0].name: int(m.args[1]) for m in rests if m.args[0].is_Symbol and m.args[1].is_Integer}


def _whole(name: sympy.Symbol, expr: sympy.Expr) -> tuple[sympy.Symbol, sympy.Expr]:
    """The equation ``name = expr``, solved for another size where that leaves no fraction."""
    for s in sorted(expr.free_symbols, key=str):
        if _without_fractions(expr):
            break
        if expr.is_polynomial(s) and sympy.degree(expr, s) == 1:
            solution = sympy.expand(sympy.solve(expr - name, s)[0])
            if _without_fractions(solution):
                return s, solution
    return name, expr


def _without_fractions(expr: sympy.Expr) -> bool:
    return bool(expr.is_polynomial()) and all(
        c.is_Integer for c in sympy.Poly(expr, *expr.free_symbols).coeffs()
    )
