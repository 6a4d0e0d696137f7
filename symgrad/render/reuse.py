"""Differences that a program holds as values of their own are read as such: (z − y)² is r² where r = z − y."""

from __future__ import annotations

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program
from symgrad.render.softmax import axes_of


def reuse(program: Program) -> Program:
    """The program with sums of entries computed once; equal over the reals."""
    known = {}
    for b in program.bindings:
        if b.op == "pointwise" and b.attrs["fn"].is_Add:
            known[_canonical(b.attrs["fn"], b)] = b
    if not known:
        return program
    builder = Builder(program.inputs)
    names = {i.name: i.name for i in program.inputs}

    def made(b: Binding) -> str:
        if b.name not in names:
            names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
            if b.label is not None:
                builder.label(names[b.name], b.label)
        return names[b.name]

    for b in program.bindings:
        found = _parts(b, known) if b.op == "pointwise" and axes_of(program, b) is None else {}
        if not found or b.name in names:
            made(b)
            continue
        args = [names[a] for a in b.args] + [made(part) for part, _ in found.values()]
        new = {e: sign * ARG(len(b.args) + i) for i, (e, (_, sign)) in enumerate(found.items())}
        fn = b.attrs["fn"].subs(new)
        cores = list(dict.fromkeys(a for i, a in enumerate(args) if fn.has(ARG(i))))
        fn = fn.xreplace({ARG(i): ARG(cores.index(a)) for i, a in enumerate(args) if a in cores})
        shaped = builder.emit("pointwise", *cores, fn=fn)
        names[b.name] = builder.full(shaped, b.shape)
        if b.label is not None:
            builder.label(names[b.name], b.label)
    return builder.finish((label, names[name]) for label, name in program.outputs)


def _canonical(fn: sympy.Expr, b: Binding) -> sympy.Expr:
    return fn.xreplace({ARG(i): sympy.Symbol(a, real=True) for i, a in enumerate(b.args)})


def _parts(b: Binding, known: dict[sympy.Expr, Binding]) -> dict[sympy.Expr, tuple[Binding, int]]:
    """The sums within a function that are other values, or in squares the negatives of such, as they stand there."""
    found: dict[sympy.Expr, tuple[Binding, int]] = {}
    squared = {p.base for p in b.attrs["fn"].atoms(sympy.Pow) if p.exp.is_even}
    for part in sorted(b.attrs["fn"].atoms(sympy.Add), key=sympy.default_sort_key):
        for sign in (1, -1) if part in squared else (1,):
            other = known.get(_canonical(sign * part, b))
            proper = other is not None and other.name != b.name and part != b.attrs["fn"]
            if other is not None and proper and set(other.args) <= set(b.args):
                found.setdefault(part, (other, sign))
    return found
