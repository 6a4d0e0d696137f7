"""Reading a SymPy expression: scalars, ``MatrixSymbol``s and their products, elementwise and reduced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import ShapeError, SpecError, UnsupportedError
from symgrad.ops.dims import Shape, as_dim, parse_shape
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced


def shapes_of(expr: sympy.Basic) -> dict[str, Shape]:
    """The shapes that the expression's own symbols state: matrices as declared, other symbols scalars."""
    dims: set[sympy.Symbol] = set()
    found: dict[str, Shape] = {}
    for m in sorted(expr.atoms(MatrixSymbol), key=lambda m: m.name):
        found[m.name] = tuple(as_dim(d) for d in m.shape)
        for d in m.shape:
            dims |= d.free_symbols
    matrix_names = {s for m in expr.atoms(MatrixSymbol) for s in m.args[0].free_symbols} if found else set()
    bound = {s for e in expr.atoms(sympy.Lambda) for s in e.variables}
    for s in sorted(expr.free_symbols, key=str):
        if isinstance(s, sympy.Symbol) and s not in dims | matrix_names | bound and s.name not in found:
            found[s.name] = ()
    return found


def read_sympy(expr: Any, builder: Builder, names: Mapping[str, Traced]) -> Traced:
    """Write the expression's bindings.

    Raises:
        UnsupportedError: a SymPy class without a rule.
        SpecError: a symbol without a shape.
        ShapeError: the result is no scalar.
    """
    if isinstance(expr, sympy.MatrixBase):
        if expr.shape != (1, 1):
            raise ShapeError("The loss is not a scalar.", expected="a scalar or a 1×1 matrix", got=expr.shape)
        expr = expr[0, 0]
    result = _Reader(builder, names).read(expr)
    if result.dims == (1, 1):
        result = ops.reshape_dims(result, ())
    return result


def _negative(term: Any) -> bool:
    coefficient = (
        term.as_coeff_mmul()[0] if isinstance(term, MatMul) else sympy.sympify(term).as_coeff_Mul()[0]
    )
    return bool(coefficient.is_negative)


class _Reader:
    def __init__(self, builder: Builder, names: Mapping[str, Traced]) -> None:
        self.builder, self.names = builder, names

    def read(self, e: Any) -> Traced:
        if isinstance(e, MatrixSymbol):
            return self._named(e.name)
        if isinstance(e, MatrixExpr):
            return self._matrix(e)
        if isinstance(e, Trace):
            return self._trace(e.arg)
        if isinstance(e, MatrixElement):
            if e.parent.shape == (1, 1):
                return ops.reshape_dims(self.read(e.parent), ())
            raise UnsupportedError("Entries of a matrix have no rule.", where=str(e))
        if isinstance(e, sympy.Symbol):
            return self._scalar_symbol(e)
        if not e.args:
            return ops.lift(self.builder, e)
        return self._scalar(e)

    def _named(self, name: str) -> Traced:
        if name not in self.names:
            raise SpecError(f"Nothing says what {name!r} is.", expected=", ".join(self.names))
        return self.names[name]

    def _scalar_symbol(self, s: sympy.Symbol) -> Traced:
        if s.name in self.names:
            return self.names[s.name]
        dims = {d for v in self.names.values() for dim in v.dims for d in sympy.sympify(dim).free_symbols}
        if as_dim(s.name) in dims:
            return ops.lift(self.builder, as_dim(s.name))
        raise SpecError(f"Nothing says what {s.name!r} is.", expected=", ".join(self.names))

    def _scalar(self, e: sympy.Expr) -> Traced:
        if e.is_Add:
            return self._sum(e.args)
        parts = [self.read(a) for a in e.args]
        if e.is_Mul:
            total = parts[0]
            for p in parts[1:]:
                total = total * p
            return total
        if e.is_Pow:
            return ops.power(self.builder, *parts)
        if isinstance(e, (sympy.Max, sympy.Min)):
            result = parts[0]
            for p in parts[1:]:
                name = "maximum" if isinstance(e, sympy.Max) else "minimum"
                result = ops.elementary(self.builder, name, result, p)
            return result
        if isinstance(e, (sympy.Abs, sympy.sign)):
            return ops.elementary(self.builder, "abs" if isinstance(e, sympy.Abs) else "sign", *parts)
        if e.is_Function:
            return ops.apply(self.builder, e.func(*(ARG(i) for i in range(len(parts)))), *parts)
        raise UnsupportedError(f"SymPy's {type(e).__name__} has no rule.", where=str(e))

    def _matrix(self, e: MatrixExpr) -> Traced:
        if isinstance(e, MatAdd):
            return self._sum(e.args)
        if isinstance(e, MatMul):
            return self._fold(e.args, lambda a, b: ops.dot(self.builder, a, b))
        if isinstance(e, Transpose):
            return self._transposed(self.read(e.arg))
        if isinstance(e, HadamardProduct):
            return self._fold(e.args, lambda a, b: a * b)
        if isinstance(e, HadamardPower):
            return ops.power(self.builder, self.read(e.base), self.read(e.exp))
        if isinstance(e, ElementwiseApplyFunction):
            body = e.function(ARG(0))
            inner = self.read(e.expr)
            reader = _Reader(self.builder, {**self.names, ARG(0).name: inner})
            return reader.read(body)
        if isinstance(e, (OneMatrix, ZeroMatrix)):
            value = 1 if isinstance(e, OneMatrix) else 0
            return ops.ones(self.builder, parse_shape(e.shape), value)
        if isinstance(e, sympy.MatPow) and e.exp.is_Integer and 0 < e.exp <= 64:
            return self._fold((e.base,) * int(e.exp), lambda a, b: ops.matmul(self.builder, a, b))
        raise UnsupportedError(f"SymPy's {type(e).__name__} has no rule.", where=str(e))

    def _sum(self, args: tuple[Any, ...]) -> Traced:
        """Terms with a minus sign are subtracted, after the others, as a person would write them."""
        terms = [(_negative(a), a) for a in args]
        terms.sort(key=lambda t: t[0])
        (negative, first), *others = terms
        total = -self.read(-first) if negative else self.read(first)
        for negative, term in others:
            total = total - self.read(-term) if negative else total + self.read(term)
        return total

    def _fold(self, args: tuple[Any, ...], step: Any) -> Traced:
        values = [self.read(a) for a in args if not isinstance(a, Identity)]
        if not values:
            raise UnsupportedError("An identity matrix alone has no rule.", where=str(args))
        result = values[0]
        for v in values[1:]:
            result = step(result, v)
        return result

    def _transposed(self, a: Traced) -> Traced:
        return ops.transpose(a) if a.ndim == 2 else a

    def _trace(self, e: Any) -> Traced:
        """tr(AB) as the sum of A ⊙ Bᵀ, so that no diagonal is needed."""
        factors = list(e.args) if isinstance(e, MatMul) else [e]
        scalars = [a for a in factors if not getattr(a, "is_Matrix", False)]
        matrices = [a for a in factors if getattr(a, "is_Matrix", False)]
        if isinstance(e, MatAdd):
            return self._sum(tuple(Trace(a) for a in e.args))
        if len(matrices) < 2:
            raise UnsupportedError(
                "The trace of a single matrix has no rule yet.",
                where=str(e),
                expected="the trace of a product",
            )
        left = self._fold(tuple(matrices[:-1]), lambda a, b: ops.matmul(self.builder, a, b))
        total = ops.total(left * self._transposed(self.read(matrices[-1])))
        for s in scalars:
            total = self.read(s) * total
        return total
