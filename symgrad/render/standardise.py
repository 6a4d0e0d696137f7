"""Values made to have mean 0 and variance 1: layer and batch normalisation, z-scores.

With c = x − mean(x), s = √(mean(c²) + ε) and x̂ = c/s the books write what flows back to x as
(δ − mean(δ) − x̂ ⊙ mean(δ ⊙ x̂))/s. Calculus knows c and s only; where the loss has x̂ as a value of its own, and the
gradients read c as s ⊙ x̂, the powers of s cancel and that form is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symgrad.calculus import differentiate
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program
from symgrad.render.deviations import binding_of, is_deviation
from symgrad.render.order import in_order
from symgrad.render.scaled import elementwise
from symgrad.render.simplify import simplify

HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Standard:
    """A value x̂ = c/s, and what is known of it.

    Attributes:
        deviation: c.
        scale: s, the root of ``inside``.
        squares: the sum of the squares of c, of which ``inside`` is a function.
        inside: what s is the root of.
        value: x̂.
    """

    deviation: str
    scale: str
    squares: str
    inside: sympy.Expr
    value: str = ""


def derived(forward: Program, wrt: Sequence[str]) -> Program:
    """The simplified program of a loss and its gradients, with standardised values read as such.

    Args:
        forward: the loss.
        wrt: the names of the parameters.
    """
    roots = [b for b in forward.bindings if b.op == "pointwise" and _roots(b.attrs["fn"])]
    found = _found(simplify(forward, keep=_kept(forward, roots))) if roots else None
    if found is None:
        return simplify(in_order(differentiate(forward, wrt)))
    loss, standards = found
    swept = differentiate(loss, wrt)
    values = [s.value for s in standards]
    adjoints = [swept.adjoints[v] for v in values if v in swept.adjoints]
    kept = [*values, *adjoints]
    program, called = _backward_read(in_order(swept), frozenset(swept.forward), standards, kept)
    return simplify(program, keep=frozenset(called))


def _kept(forward: Program, roots: Sequence[Binding]) -> frozenset[str]:
    """The values of a loss that are not written into their readers: all but factors, and what roots are taken of."""
    inside = {a for b in roots for a in b.args}
    others = {
        b.name
        for b in forward.bindings
        if b.op == "pointwise" and b.name not in inside and not (b.attrs["fn"].is_Mul and b.label is None)
    }
    return frozenset(others | {b.name for b in roots})


def _roots(fn: sympy.Expr) -> list[sympy.Pow]:
    return [p for p in fn.atoms(sympy.Pow) if (2 * p.exp).is_odd]


# In the loss ------------------------------------------------------------------------------------------------


def _found(program: Program) -> tuple[Program, list[Standard]] | None:
    """The simplified loss with every standardised value as one binding; None where there is none."""
    at = {s.scale: s for s in _scales(program) if _only_divided(program, s)}
    if not at:
        return None
    builder = Builder(program.inputs)
    names = {i.name: i.name for i in program.inputs}
    known: dict[str, tuple[Standard, Standard]] = {}
    for b in program.bindings:
        if b.op == "pointwise" and (c := next((a for a in b.args if a in known), None)) is not None:
            names[b.name] = _of_standard(builder, program, b, names, *known[c])
        else:
            names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
        if b.label is not None:
            builder.label(names[b.name], b.label)
        if b.name in at:
            s = at[b.name]
            c, scale = names[s.deviation], names[s.scale]
            value = builder.emit("pointwise", c, scale, fn=ARG(0) / ARG(1))
            known[s.deviation] = (s, Standard(c, scale, names[s.squares], s.inside, value))
    standards = [new for _, new in known.values()]
    wanted = [n for s in standards for n in (s.deviation, s.scale, s.squares, s.value)]
    loss, called = _finished(builder, [(label, names[name]) for label, name in program.outputs], wanted)
    return loss, [
        Standard(called[s.deviation], called[s.scale], called[s.squares], s.inside, called[s.value])
        for s in standards
    ]


def _finished(
    builder: Builder, outputs: Sequence[tuple[str, str]], wanted: Sequence[str]
) -> tuple[Program, dict[str, str]]:
    """The finished program, and what it calls these values."""
    marked = [(f"#{i}", name) for i, name in enumerate(wanted)]
    made = builder.finish([*outputs, *marked])
    called = {name: made.output[label] for label, name in marked}
    return Program(made.inputs, made.bindings, made.outputs[: len(outputs)]), called


def _scales(program: Program) -> list[Standard]:
    """The roots of functions of Σ c², the first for each deviation c."""
    found: dict[str, Standard] = {}
    for b in program.bindings:
        root = b.op == "pointwise" and len(b.args) == 1 and b.attrs["fn"].is_Pow and b.attrs["fn"].exp == HALF
        total = binding_of(program, b.args[0]) if root else None
        squares = binding_of(program, total.args[0]) if total is not None and total.op == "sum" else None
        if squares is None or squares.op != "pointwise" or squares.attrs["fn"] != ARG(0) ** 2:
            continue
        c = binding_of(program, squares.args[0])
        if c is not None and is_deviation(program, c):
            found.setdefault(c.name, Standard(c.name, b.name, b.args[0], b.attrs["fn"].base))
    return list(found.values())


def _only_divided(program: Program, s: Standard) -> bool:
    """Whether the loss reads c for its squares, and divided by s, and for nothing else."""
    divided = False
    for b in program.bindings:
        if s.deviation not in b.args or (b.op == "pointwise" and b.attrs["fn"] == ARG(0) ** 2):
            continue
        scale = _alias(program, b, s) if b.op == "pointwise" else None
        if scale is None:
            return False
        c = ARG(b.args.index(s.deviation))
        if b.attrs["fn"].xreplace({c: sympy.Dummy(positive=True) * scale}).has(scale):
            return False
        divided = True
    return divided


def _alias(program: Program, b: Binding, s: Standard) -> sympy.Symbol | None:
    """The argument as which a function reads s, which may lie as a row beside a matrix."""
    for i, a in enumerate(b.args):
        made = binding_of(program, a)
        lying = made is not None and made.op == "reshape" and made.args[0] == s.scale
        if a == s.scale or (lying and len(b.shape) == 2 and made is not None and made.shape[:1] == (1,)):
            return ARG(i)
    return None


def _of_standard(
    builder: Builder, program: Program, b: Binding, names: dict[str, str], old: Standard, new: Standard
) -> str:
    """A function of c and s as a function of x̂."""
    args, fn = [names[a] for a in b.args], b.attrs["fn"]
    scale = _alias(program, b, old)
    if scale is not None:
        c = ARG(b.args.index(old.deviation))
        fn = fn.xreplace({c: scale * ARG(len(args))})
    return elementwise(builder, fn, [*args, new.value], b.shape)


# In the gradients -------------------------------------------------------------------------------------------


def _backward_read(
    program: Program, forward: frozenset[str], standards: Sequence[Standard], wanted: Sequence[str]
) -> tuple[Program, list[str]]:
    """The program whose gradients read c as s ⊙ x̂, and s for the root that it is; what it calls these values."""
    of = {s.deviation: s for s in standards}
    roots = {s.squares: s for s in standards}
    builder = Builder(program.inputs)
    names = {i.name: i.name for i in program.inputs}

    def read(name: str) -> str:
        if name not in of:
            return names[name]
        s = of[name]
        return builder.emit("pointwise", names[s.scale], names[s.value], fn=ARG(0) * ARG(1))

    for b in program.bindings:
        if b.name in forward:
            names[b.name] = builder.emit(b.op, *(names[a] for a in b.args), **b.attrs)
        elif b.op == "pointwise":
            fn, args = b.attrs["fn"], [read(a) for a in b.args]
            for i, a in enumerate(b.args):
                if a in roots:
                    base = roots[a].inside.xreplace({ARG(0): ARG(i)})
                    powers = [p for p in _roots(fn) if p.base == base]
                    fn = fn.xreplace({p: ARG(len(args)) ** (2 * p.exp) for p in powers})
                    args.append(names[roots[a].scale])
            names[b.name] = elementwise(builder, fn, args, b.shape)
        else:
            names[b.name] = builder.emit(b.op, *(read(a) for a in b.args), **b.attrs)
        if b.label is not None:
            builder.label(names[b.name], b.label)
    outputs = [(label, read(name)) for label, name in program.outputs]
    made, called = _finished(builder, outputs, [names[name] for name in wanted])
    return made, list(called.values())


__all__ = ["derived"]
