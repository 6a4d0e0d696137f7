"""The terms of a gradient in the order of the loss: the sweep goes backwards and meets the last one first."""

from __future__ import annotations

from dataclasses import replace

from symgrad.calculus import Differentiated
from symgrad.ops.record import ARG
from symgrad.program import Binding, Program

TOTALS = ("sum", "logsumexp", "norm")
"""Operations after whose term nothing follows: δ − (1/n) Σ δ, and not the mean first."""


def in_order(differentiated: Differentiated) -> Program:
    """The program, each sum of two adjoints of one value turned round."""
    program = differentiated.program
    forward = set(differentiated.forward)
    totals = {g for n, g in differentiated.adjoints.items() if _op(program, n) in TOTALS}

    def turned(b: Binding) -> bool:
        adds = b.op == "pointwise" and b.attrs["fn"] == ARG(0) + ARG(1) and b.name not in forward
        return adds and not _through(program, b.args[1], totals)

    bindings = tuple(replace(b, args=b.args[::-1]) if turned(b) else b for b in program.bindings)
    return Program(program.inputs, bindings, program.outputs)


def _op(program: Program, name: str) -> str:
    b = program.by_name[name]
    return b.op if isinstance(b, Binding) else ""


def _through(program: Program, term: str, totals: set[str]) -> bool:
    """Whether an adjoint came through one of these, wherever its entries were brought since."""
    b = program.by_name[term]
    while term not in totals and isinstance(b, Binding) and b.op in ("reshape", "broadcast_to"):
        term, b = b.args[0], program.by_name[b.args[0]]
    if term in totals or not isinstance(b, Binding) or b.op != "pointwise":
        return term in totals
    return any(a in totals or _moved(program, a) in totals for a in b.args)


def _moved(program: Program, name: str) -> str:
    b = program.by_name[name]
    return b.args[0] if isinstance(b, Binding) and b.op in ("reshape", "broadcast_to") else name
