"""Common subexpressions: equal operations on equal arguments are computed once.

Writing a program down shares them already where they are spelled alike.  This finds those that become equal later,
and functions of one entry that name the same arguments in another order, such as a·b and b·a.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy

from symgrad.compile.passes.record import Pass
from symgrad.ops.record import ARG
from symgrad.program import Binding, Program


def share(program: Program) -> Program:
    """Every value once; later ones of the same are left out."""
    first: dict[Any, str] = {}
    instead: dict[str, str] = {}
    kept: list[Binding] = []
    for b in program.bindings:
        args = tuple(instead.get(a, a) for a in b.args)
        key = _key(b, args)
        if key in first:
            instead[b.name] = first[key]
            continue
        first[key] = b.name
        kept.append(b if args == b.args else replace(b, args=args))
    if not instead:
        return program
    outputs = tuple((label, instead.get(name, name)) for label, name in program.outputs)
    return Program(program.inputs, tuple(kept), outputs)


def _key(b: Binding, args: tuple[str, ...]) -> tuple[Any, ...]:
    """What makes two bindings equal; the arguments of a function of entries in the order of their names."""
    if b.op != "pointwise":
        return b.op, args, b.items
    order = sorted(range(len(args)), key=lambda i: args[i])
    moved = {ARG(old): ARG(new) for new, old in enumerate(order)}
    fn = sympy.sympify(b.attrs["fn"]).xreplace(moved)
    return b.op, tuple(args[i] for i in order), fn, tuple(x for x in b.items if x[0] != "fn")


CSE = Pass(
    "cse",
    "Equal operations on equal arguments are computed once; a·b and b·a are the same to the last bit.",
    share,
)
