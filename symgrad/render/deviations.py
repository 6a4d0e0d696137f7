"""Deviations from a mean, x − mean(x), whose sum is 0."""

from __future__ import annotations

import sympy

from symgrad.ops.dims import product
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program


def is_deviation(where: Builder | Program, b: Binding, axes: tuple[int, ...] | None = None) -> bool:
    """Whether a value is x − mean(x), over these axes or over any."""
    if b.op != "pointwise" or len(b.args) != 2 or not b.attrs["fn"].is_Add or not b.shape:
        return False
    for x, total in ((0, 1), (1, 0)):
        made = binding_of(where, b.args[total])
        if made is not None and made.op == "sum" and made.args[0] == b.args[x]:
            if axes is not None and tuple(made.attrs["axes"]) != tuple(axes):
                return False
            count = _count(where, made)
            return bool(sympy.expand(b.attrs["fn"] - ARG(x) + ARG(total) / count) == 0)
    return False


def _count(where: Builder | Program, total: Binding) -> sympy.Expr:
    shape = where.type(total.args[0]).shape
    return sympy.sympify(product([shape[i] for i in total.attrs["axes"]]))


def binding_of(where: Builder | Program, name: str) -> Binding | None:
    found = where.binding(name) if isinstance(where, Builder) else where.by_name[name]
    return found if isinstance(found, Binding) else None
