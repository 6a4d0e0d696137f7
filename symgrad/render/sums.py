"""Sums as a reader would write them: without what is constant, as products of vectors, 0 where they cancel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sympy

from symgrad.ops.dims import Shape, product
from symgrad.ops.eye import is_identity
from symgrad.ops.record import ARG
from symgrad.ops.sum import sum_attrs
from symgrad.program import Binding, Builder
from symgrad.render.deviations import is_deviation
from symgrad.render.matrices import traced, transposed
from symgrad.render.rows import each_row_once
from symgrad.render.scaled import ONE, Scaled, elementwise, number
from symgrad.render.softmax import axes_of


@dataclass(frozen=True)
class Over:
    """Which axes are summed, and what comes out; ``closed``: values that are not taken apart, unless all vanishes."""

    axes: tuple[int, ...]
    keepdims: bool
    out: Shape
    closed: Collection[str] = ()


def summed(builder: Builder, core: str, over: Over) -> Scaled:
    """The sum of a core."""
    shape = builder.type(core).shape
    axes = tuple(i for i in over.axes if shape[i] != 1)
    constant = builder.constant_value(core)
    if constant is not None:
        return number(builder, constant * sympy.sympify(product([shape[i] for i in axes])), over.out)
    inner = builder.binding(core)
    if inner is not None and is_identity(inner.op, inner.attrs) and len(over.axes) == 1:
        return number(builder, 1, over.out)
    if over.axes and over.axes in (axes_of(builder, inner), _distribution(builder, core)):
        return number(builder, 1, over.out)
    if inner is not None and inner.op in ("transpose", "reshape") and over.out == ():
        within = builder.type(inner.args[0]).shape
        return summed(builder, inner.args[0], Over(tuple(range(len(within))), False, ()))
    if not axes:
        return Scaled(ONE, builder.emit("reshape", core, shape=over.out))
    if inner is not None and inner.op == "sum" and over.out == ():  # the sum of sums along an axis
        whole = tuple(range(len(builder.type(inner.args[0]).shape)))
        return summed(builder, inner.args[0], Over(whole, False, ()))
    elementwise = inner is not None and inner.op == "pointwise" and over.out == ()
    matrix = traced(builder, inner) if elementwise and inner is not None else None
    if matrix is not None:
        return Scaled(ONE, builder.emit("trace", matrix, stack=False))
    if inner is not None and inner.op == "matmul" and over.axes == (0,) and not over.keepdims:
        left, right = inner.args
        if len(inner.shape) == len(builder.type(left).shape) == 2:  # (AB)ᵀ𝟏 = BᵀAᵀ𝟏
            total = summed(builder, left, Over((0,), False, (builder.type(left).shape[1],)))
            if builder.constant_value(total.core) == 0:
                return number(builder, 0, over.out)
            turned = transposed(builder, right)
            return Scaled(total.coefficient, builder.emit("matmul", turned, total.core))
    if inner is not None and inner.op == "pointwise":
        found = _of_function(builder, inner, over)
        if found is not None and (core not in over.closed or _as_short(builder, found.core)):
            return found
    return Scaled(ONE, _plain(builder, core, over))


def _as_short(builder: Builder, total: str) -> bool:
    """Whether a sum is a number, or an inner product."""
    made = builder.binding(total)
    return made is not None and (made.op == "matmul" or builder.constant_value(total) is not None)


def _distribution(builder: Builder, core: str) -> tuple[int, ...]:
    """The axes along which entries are known to sum to 1: rows of probabilities, of one-hot labels."""
    for i in builder.inputs:
        if i.name == core and i.domain in ("onehot", "prob") and i.shape:
            return (len(i.shape) - 1,)
    b = builder.binding(core)
    ones = b is not None and b.op == "scatter" and builder.constant_value(b.args[0]) == 1
    return (1,) if b is not None and ones and each_row_once(builder, b) else ()


def kept(builder: Builder, total: Binding, shape: Shape) -> str | None:
    """A sum again, with or without the axes that it took, if that has the shape."""
    for keepdims in (False, True):
        if keepdims == total.attrs["keepdims"] and total.shape != tuple(shape):
            continue
        again = _plain(builder, total.args[0], Over(total.attrs["axes"], keepdims, shape))
        if builder.type(again).shape == tuple(shape):
            return again
    return None


def _plain(builder: Builder, core: str, over: Over) -> str:
    return builder.emit("sum", core, **sum_attrs(len(builder.type(core).shape), over.axes, over.keepdims))


def _of_function(builder: Builder, inner: Binding, over: Over) -> Scaled | None:
    """A sum of an elementwise function; None where nothing is gained."""
    fn = inner.attrs["fn"]
    still = {ARG(i) for i, n in enumerate(inner.args) if _constant(builder, n, inner.shape, over)}
    if fn.is_Mul:
        fixed = [f for f in fn.args if f.free_symbols <= still]
        if fixed:
            return _factored(builder, inner, fixed, over)
        return _as_product(builder, inner, over)
    if not fn.is_Add:
        return None
    return (_cancelled(builder, inner, still, over) if still else None) or _vanishing(builder, inner, over)


def _constant(builder: Builder, name: str, full: Shape, over: Over) -> bool:
    """Whether a value does not vary along the summed axes."""
    shape = builder.type(name).shape
    lead = len(full) - len(shape)
    return all(i < lead or shape[i - lead] == 1 for i in over.axes)


def _beside(builder: Builder, name: str, full: Shape, over: Over) -> str:
    """A value that is constant along the summed axes, as it stands beside the sum."""
    shape = builder.type(name).shape
    lead = len(full) - len(shape)
    if over.keepdims:
        return name
    left = tuple(d for i, d in enumerate(shape) if i + lead not in over.axes)
    b = builder.binding(name)
    again = kept(builder, b, left) if b is not None and b.op == "sum" else None
    return again or builder.emit("reshape", name, shape=left)


def _factored(builder: Builder, inner: Binding, fixed: list[sympy.Expr], over: Over) -> Scaled:
    """Σ c ⊙ A = c ⊙ Σ A where c does not vary along the summed axes."""
    moving = sympy.Mul(*(f for f in inner.attrs["fn"].args if f not in fixed))
    total = summed(builder, elementwise(builder, moving, inner.args, inner.shape), over)
    used = [i for i in range(len(inner.args)) if any(f.has(ARG(i)) for f in fixed)]
    cores = [_beside(builder, inner.args[i], inner.shape, over) for i in used]
    outer = sympy.Mul(*fixed).xreplace({ARG(i): ARG(j) for j, i in enumerate(used)})
    number_, outer = outer.as_coeff_Mul()
    total = total.times(number_)
    if builder.constant_value(total.core) == 0 or outer == 1:
        return total
    if builder.constant_value(total.core) == 1:
        return Scaled(total.coefficient, elementwise(builder, outer, cores, over.out))
    fn = outer * ARG(len(used))
    return Scaled(total.coefficient, elementwise(builder, fn, [*cores, total.core], over.out))


def _as_product(builder: Builder, inner: Binding, over: Over) -> Scaled | None:
    """Σ u ⊙ v = uᵀv for vectors; a row of weights is summed over by a product: (A diag(v))𝟏 = Av."""
    fn, shape = inner.attrs["fn"], inner.shape
    shapes = [builder.type(n).shape for n in inner.args]
    if fn != ARG(0) * ARG(1):
        return None
    if len(shape) == 1 and shapes[0] == shapes[1] == shape:
        return Scaled(ONE, builder.emit("matmul", *inner.args))
    if len(shape) != 2 or over.axes not in ((0,), (1,)):
        return None
    axis = over.axes[0]
    for matrix, vector in ((0, 1), (1, 0)):
        flat = shapes[vector]
        row = flat in ((shape[1],), (1, shape[1])) if axis == 1 else flat == (shape[0], 1)
        if shapes[matrix] == shape and row and shape[1 - axis] != 1:
            turned = inner.args[matrix]
            if axis == 0:
                turned = builder.emit("transpose", turned, axes=(1, 0))
            weights = builder.emit("reshape", inner.args[vector], shape=(shape[axis],))
            return Scaled(
                ONE, builder.emit("reshape", builder.emit("matmul", turned, weights), shape=over.out)
            )
    return None


def _vanishing(builder: Builder, inner: Binding, over: Over) -> Scaled | None:
    """Σ (A + B) = Σ A where the sum of B is known to be 0; None where no term's is."""
    terms = [t for t in inner.attrs["fn"].args if not _sums_to_zero(builder, t, inner, over)]
    if len(terms) == len(inner.attrs["fn"].args):
        return None
    if not terms:
        return number(builder, 0, over.out)
    return summed(builder, elementwise(builder, sympy.Add(*terms), inner.args, inner.shape), over)


def _sums_to_zero(builder: Builder, term: sympy.Expr, inner: Binding, over: Over) -> bool:
    """Whether a product holds one factor that varies along the axes, and its sum is 0: weights times deviations."""
    moving = [
        (i, f)
        for f in sympy.Mul.make_args(term)
        for i, n in enumerate(inner.args)
        if f.has(ARG(i)) and not _constant(builder, n, inner.shape, over)
    ]
    if len(moving) != 1 or moving[0][1] != ARG(moving[0][0]):
        return False
    core = inner.args[moving[0][0]]
    varying = builder.binding(core)
    if varying is None or builder.type(core).shape != inner.shape or varying.op != "pointwise":
        return False
    if varying.attrs["fn"].is_Mul:
        return _sums_to_zero(builder, varying.attrs["fn"], varying, over)
    return is_deviation(builder, varying, over.axes)


def _cancelled(builder: Builder, inner: Binding, still: set[sympy.Symbol], over: Over) -> Scaled | None:
    """Σ (A − c) = Σ A − n·c, where that makes terms vanish: deviations from a mean sum to 0."""
    args, shape = inner.args, inner.shape
    count = sympy.sympify(product([shape[i] for i in over.axes]))
    symbols: dict[str, sympy.Symbol] = {}
    whole: sympy.Expr = sympy.S.Zero
    for term in inner.attrs["fn"].args:
        coefficient, body = term.as_independent(*(ARG(i) for i in range(len(args))))
        if body.is_Symbol and body in still:
            core = _beside(builder, args[int(body.name[1:])], shape, over)
            coefficient = coefficient * count
        else:
            core = _plain(builder, elementwise(builder, body, args, shape), over)
        whole += coefficient * symbols.setdefault(core, sympy.Dummy(real=True))
    if len(sympy.Add.make_args(whole)) >= len(inner.attrs["fn"].args):
        return None
    if whole == 0:
        return number(builder, 0, over.out)
    factor, rest = whole.as_coeff_Mul()
    fn = rest.xreplace({s: ARG(i) for i, s in enumerate(symbols.values())})
    return Scaled(factor, elementwise(builder, fn, list(symbols), over.out))
