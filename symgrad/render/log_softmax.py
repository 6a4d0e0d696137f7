"""log p for z − logsumexp z, where p is the softmax of z: the values that the gradient speaks of.

The loss is derived from the difference, whose derivative is p without a quotient; it is read as the logarithm.
"""

from __future__ import annotations

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program
from symgrad.render.softmax import SHARE, axes_of, fits_beside

SELECTIONS = ("take", "slice")
"""Operations that pick entries: of the logarithm of p as the logarithm of what is picked of p."""


def log_softmax(program: Program) -> Program:
    """The program with logarithms of softmaxes where it has their differences; equal over the reals."""
    if not any(b.op == "logsumexp" for b in program.bindings):
        return program
    builder = Builder(program.inputs)
    names = {i.name: i.name for i in program.inputs}
    logs: dict[str, str] = {}  # for log p the p, where a value is that and nothing else
    for b in program.bindings:
        args = [names[a] for a in b.args]
        fn = b.attrs["fn"] if b.op == "pointwise" else None
        if fn is not None and fn != SHARE:
            fn, args = _with_logs(builder, fn, args)
            names[b.name] = builder.full(builder.emit("pointwise", *args, fn=fn), b.shape)
            if fn == sympy.log(ARG(0)) and axes_of(builder, builder.binding(args[0])) is not None:
                logs[names[b.name]] = args[0]
        elif b.op in SELECTIONS and args[0] in logs:
            picked = builder.emit(b.op, logs[args[0]], *args[1:], **b.attrs)
            names[b.name] = builder.emit("pointwise", picked, fn=sympy.log(ARG(0)))
            logs[names[b.name]] = picked
        else:
            names[b.name] = builder.emit(b.op, *args, **b.attrs)
        if b.label is not None:
            builder.label(names[b.name], b.label)
    return builder.finish((label, names[name]) for label, name in program.outputs)


def _with_logs(builder: Builder, fn: sympy.Expr, args: list[str]) -> tuple[sympy.Expr, list[str]]:
    """A function and its arguments, each sum that has z and −logsumexp z among its terms with log p for them."""
    args = list(args)
    for i, a in enumerate(tuple(args)):
        found = _share(builder, a)
        if found is None:
            continue
        z, p = found
        terms = [sympy.S.NegativeOne * ARG(i), *_terms(builder, z, args)]
        new = _read(fn, terms, sympy.log(ARG(len(args))))
        if new != fn:
            fn, args = new, [*args, p]
    used = [i for i in range(len(args)) if fn.has(ARG(i))]
    return fn.xreplace({ARG(i): ARG(j) for j, i in enumerate(used)}), [args[i] for i in used]


def _share(builder: Builder, total: str) -> tuple[str, str] | None:
    """z and its softmax for a value that is logsumexp z and stands beside z; None for others."""
    b = builder.binding(total)
    if b is not None and b.op == "reshape":
        b = builder.binding(b.args[0])
    if b is None or b.op != "logsumexp":
        return None
    z, axes = b.args[0], tuple(b.attrs["axes"])
    if not fits_beside(builder.type(z).shape, builder.type(total).shape, axes):
        return None
    return z, builder.emit("pointwise", z, total, fn=SHARE)


def _terms(builder: Builder, z: str, args: list[str]) -> list[sympy.Expr]:
    """z as it may stand in a sum: by its name, or written out."""
    b = builder.binding(z)
    if z in args:
        return [ARG(args.index(z))]
    if isinstance(b, Binding) and b.op == "pointwise" and set(b.args) <= set(args):
        written = b.attrs["fn"].xreplace({ARG(i): ARG(args.index(a)) for i, a in enumerate(b.args)})
        return list(sympy.Add.make_args(written))
    return [sympy.nan]  # is in no sum


def _read(fn: sympy.Expr, terms: list[sympy.Expr], log: sympy.Expr) -> sympy.Expr:
    """The function with k·log p in its sums for k times these terms, of which the first is −logsumexp z."""

    def read(*all_: sympy.Expr) -> sympy.Expr:
        split = [t.as_coeff_Mul() for t in all_]
        factor = next((-k for k, of in split if of == -terms[0]), None)
        scaled = [] if factor is None else [factor * t for t in terms]
        if factor is None or not all(t in all_ for t in scaled):
            return sympy.Add(*all_)
        return sympy.Add(*(t for t in all_ if t not in scaled), factor * log)

    return fn.replace(sympy.Add, read)
