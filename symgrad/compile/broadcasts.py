"""What a formula computes again for every row or column, computed once: two passes over a program.

``hoisted`` takes out of an elementwise function what depends on fewer axes than its result has: in
``X ⊙ σ(z)(1 − σ(z))/n`` with one z for each row, all but X is a vector.  ``upright`` writes a scaled transpose that
only products read, ``Xᵀ diag(h)``, as the transpose of ``diag(h) X``: BLAS reads transposes as they are, and the
loop runs along the rows.

No sum is taken in another order.  A product of several factors, which only calculus makes, may be: its bound is the
same.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symgrad.ops.dims import Shape, same
from symgrad.ops.record import ARG
from symgrad.program import Binding, Builder, Program

Axes = frozenset[int]


def hoisted(program: Program) -> Program:
    """The program with parts of its elementwise functions as values of their own, where those have fewer entries."""
    return _rewritten(program, _hoist)


def upright(program: Program) -> Program:
    """The program with scaled transposes that only products read as transposes of scaled arrays."""
    readers: dict[str, set[str]] = {name: set() for name in program.by_name}
    for b in program.bindings:
        for a in b.args:
            readers[a].add(b.op)
    for _, name in program.outputs:
        readers[name].add("output")

    def turn(builder: Builder, b: Binding, args: tuple[str, ...]) -> str | None:
        return _turn(builder, b, args) if readers[b.name] == {"matmul"} else None

    return _rewritten(program, turn)


def _rewritten(program: Program, rule: Callable[[Builder, Binding, tuple[str, ...]], str | None]) -> Program:
    """Every elementwise binding as the rule has it, others as they are."""
    builder = Builder(program.inputs)
    new = {i.name: i.name for i in program.inputs}
    for b in program.bindings:
        args = tuple(new[a] for a in b.args)
        made = rule(builder, b, args) if b.op == "pointwise" and b.kind == "real" else None
        new[b.name] = builder.emit(b.op, *args, **b.attrs) if made is None else made
    return builder.finish([(label, new[name]) for label, name in program.outputs])


# Parts with fewer axes ----------------------------------------------------------------------------------------


def _hoist(builder: Builder, b: Binding, args: tuple[str, ...]) -> str | None:
    shapes = [builder.type(a).shape for a in args]
    if any(builder.type(a).kind != "real" for a in args):
        return None
    own = {ARG(i): _axes(s, len(b.shape)) for i, s in enumerate(shapes)}
    whole = frozenset().union(*own.values())
    found: dict[sympy.Expr, sympy.Symbol] = {}
    names = list(args)

    def part(e: sympy.Expr) -> sympy.Expr:
        """The expression with its parts that have fewer axes replaced by new arguments."""
        if e.is_Symbol or e.is_number or not e.args:
            return e
        if _of(e, own) < whole and any(s in own for s in e.free_symbols):
            return taken(e)
        if not e.is_Mul:
            return e.func(*map(part, e.args))
        full = [f for f in e.args if _of(f, own) == whole]
        groups: dict[Axes, list[sympy.Expr]] = {}
        for f in e.args:
            if f not in full:
                groups.setdefault(_of(f, own), []).append(f)
        if len(groups) > 1 and frozenset() in groups:  # numbers and sizes go with the fewest entries
            constants = groups.pop(frozenset())
            min(groups.items(), key=lambda g: len(g[0]))[1].extend(constants)
        made = [taken(sympy.Mul(*g)) if axes else sympy.Mul(*g) for axes, g in groups.items()]
        return sympy.Mul(*made, *map(part, full))

    def taken(e: sympy.Expr) -> sympy.Expr:
        if e.is_Symbol or e.is_number:
            return e
        if e not in found:
            used = [i for i in range(len(args)) if e.has(ARG(i))]
            fn = e.xreplace({ARG(i): ARG(k) for k, i in enumerate(used)})
            found[e] = ARG(len(names))
            names.append(builder.emit("pointwise", *(args[i] for i in used), fn=fn))
        return found[e]

    fn = part(b.attrs["fn"])
    if not found:
        return None
    used = [i for i in range(len(names)) if fn.has(ARG(i))]
    fn = fn.xreplace({ARG(i): ARG(k) for k, i in enumerate(used)})
    return builder.emit("pointwise", *(names[i] for i in used), **{**b.attrs, "fn": fn})


def _axes(shape: Shape, rank: int) -> Axes:
    """The axes of a result along which an argument of this shape has more than one entry, or may have."""
    return frozenset(k + rank - len(shape) for k, d in enumerate(shape) if not same(d, 1))


def _of(e: sympy.Expr, own: dict[sympy.Symbol, Axes]) -> Axes:
    return frozenset().union(*(own.get(s, frozenset()) for s in e.free_symbols))


# Transposes ---------------------------------------------------------------------------------------------------


def _turn(builder: Builder, b: Binding, args: tuple[str, ...]) -> str | None:
    if len(b.shape) != 2:
        return None
    turned = []
    transposes = 0
    for a in args:
        shape, made = builder.type(a).shape, builder.binding(a)
        if shape == b.shape:
            if made is None or made.op != "transpose":
                return None
            transposes += 1
            turned.append(made.args[0])
        elif len(shape) == 0:
            turned.append(a)
        else:
            rows, columns = (1, *shape)[-2:]
            turned.append(builder.emit("reshape", a, shape=(columns, rows)))
    if not transposes:
        return None
    scaled = builder.emit("pointwise", *turned, **b.attrs)
    return builder.emit("transpose", scaled, axes=(1, 0))


__all__ = ["hoisted", "upright"]
