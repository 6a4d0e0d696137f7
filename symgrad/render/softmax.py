"""The softmax as programs hold it: e^(z − logsumexp z)."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Input, Program

SHARE = sympy.exp(ARG(0) - ARG(1))
"""The function of z and of its logsumexp."""


def fits_beside(z: Shape, total: Shape, axes: tuple[int, ...]) -> bool:
    """Whether a logsumexp of z, in this shape, has one entry along the axes that were summed, and z's elsewhere."""
    lead = len(z) - len(total)
    return lead >= 0 and all(i < lead or total[i - lead] == (1 if i in axes else d) for i, d in enumerate(z))


def axes_of(where: Builder | Program, b: Binding | Input | None) -> tuple[int, ...] | None:
    """The axes along which a value is a softmax; None if it is none."""
    if not isinstance(b, Binding) or b.op != "pointwise" or b.attrs["fn"] != SHARE:
        return None
    total = _binding(where, b.args[1])
    if total is not None and total.op == "reshape":
        total = _binding(where, total.args[0])
    if total is None or total.op != "logsumexp" or total.args[0] != b.args[0]:
        return None
    axes = tuple(total.attrs["axes"])
    return axes if fits_beside(where.type(b.args[0]).shape, where.type(b.args[1]).shape, axes) else None


def _binding(where: Builder | Program, name: str) -> Binding | None:
    found = where.binding(name) if isinstance(where, Builder) else where.by_name[name]
    return found if isinstance(found, Binding) else None


def finished(builder: Builder, outputs: Iterable[tuple[str, str]], alive: Iterable[str]) -> Program:
    """The finished program, in which those of these values that are softmaxes stay though nothing reads them."""
    outputs = tuple(outputs)
    shares = [n for n in dict.fromkeys(alive) if axes_of(builder, builder.binding(n)) is not None]
    made = builder.finish([*outputs, *((f"#{i}", n) for i, n in enumerate(shares))])
    return Program(made.inputs, made.bindings, made.outputs[: len(outputs)])
