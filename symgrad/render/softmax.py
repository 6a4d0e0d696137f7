"""The softmax as programs hold it: e^(z − logsumexp z)."""

from __future__ import annotations

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program

SHARE = sympy.exp(ARG(0) - ARG(1))
"""The function of z and of its logsumexp."""


def axes_of(where: Builder | Program, b: Binding | None) -> tuple[int, ...] | None:
    """The axes along which a value is a softmax; None if it is none."""
    if b is None or b.op != "pointwise" or b.attrs["fn"] != SHARE:
        return None
    total = _binding(where, b.args[1])
    if total is not None and total.op == "reshape":
        total = _binding(where, total.args[0])
    if total is None or total.op != "logsumexp" or total.args[0] != b.args[0]:
        return None
    if not total.attrs["keepdims"] and not _aligned(where, b, total):
        return None
    return tuple(total.attrs["axes"])


def _aligned(where: Builder | Program, b: Binding, total: Binding) -> bool:
    """Whether what stands beside z has one entry along the axes that were summed."""
    shape = where.type(b.args[1]).shape
    lead = len(b.shape) - len(shape)
    return all(i < lead or shape[i - lead] == 1 for i in total.attrs["axes"])


def _binding(where: Builder | Program, name: str) -> Binding | None:
    found = where.binding(name) if isinstance(where, Builder) else where.by_name[name]
    return found if isinstance(found, Binding) else None
