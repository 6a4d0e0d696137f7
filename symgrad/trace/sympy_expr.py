"""Reading a SymPy expression: scalars, matrices and what SymPy makes of them, with sums over indices.

Scalar nodes are here, matrix nodes in ``sympy_matrices``, entries of matrices and sums over them in
``sympy_sums``.  Symbols stand for real numbers, and a matrix is real: its adjoint is its transpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import ShapeError, SpecError, SymgradError, UnsupportedError
from symgrad.ops.dims import Dim, Shape, as_dim, dim_symbol, format_shape
from symgrad.ops.record import ARG
from symgrad.ops.scalars.numpy_code import NUMPY_CALLS
from symgrad.program import Builder
from symgrad.trace import moves, sympy_matrices, sympy_sums
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced

_COMPARE = {
    sympy.StrictGreaterThan: "greater",
    sympy.GreaterThan: "greater_equal",
    sympy.StrictLessThan: "less",
    sympy.LessThan: "less_equal",
    sympy.Equality: "equal",
    sympy.Unequality: "not_equal",
}
_RECIPROCAL = {
    sympy.sec: sympy.cos,
    sympy.csc: sympy.sin,
    sympy.cot: sympy.tan,
    sympy.sech: sympy.cosh,
    sympy.csch: sympy.sinh,
    sympy.coth: sympy.tanh,
}


def shapes_of(expr: sympy.Basic) -> dict[str, Shape]:
    """The shapes that the expression's own symbols state: matrices as declared, other symbols scalars.

    An ``IndexedBase`` has one if it was declared with ``shape=``.
    """
    dims: set[sympy.Basic] = set()
    found: dict[str, Shape] = {}
    for m in sorted(expr.atoms(MatrixSymbol), key=lambda m: m.name):
        found[m.name] = tuple(as_dim(d) for d in m.shape)
    for base in sorted(expr.atoms(sympy.IndexedBase), key=str):
        dims.add(base.label)
        if base.shape is not None:
            found[str(base.label)] = tuple(as_dim(d) for d in base.shape)
            dims |= set().union(*(sympy.sympify(d).free_symbols for d in base.shape))
    for m in expr.atoms(MatrixExpr):
        for d in m.shape:
            dims |= sympy.sympify(d).free_symbols
    for total in expr.atoms(sympy.Sum, sympy.Product):
        for limit in total.limits:
            dims |= set().union(*(b.free_symbols for b in limit))
    bound = {s for e in expr.atoms(sympy.Lambda) for s in e.variables}
    for s in sorted(expr.free_symbols, key=str):
        if isinstance(s, sympy.Symbol) and s not in dims | bound and s.name not in found:
            found[s.name] = ()
    return found


def names_of(expr: sympy.Basic) -> set[str]:
    """The names of the arrays in an expression."""
    return {*shapes_of(expr), *(str(base.label) for base in expr.atoms(sympy.IndexedBase))}


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
    if isinstance(expr, (Relational, Boolean)) and not isinstance(expr, sympy.Symbol):
        raise UnsupportedError(
            "A relation is no loss: it is true or false.",
            where=shorten(str(expr), 100, placeholder=" …"),
            expected="a number",
            fix="write how far the sides are apart, (a - b)**2",
        )
    try:
        result = Reader(builder, names).read(expr)
    except RecursionError:
        raise UnsupportedError("The expression is nested too deeply.") from None
    if result.dims == (1, 1):
        result = moves.reshape_dims(result, ())
    return result


def negative(term: Any) -> bool:
    """Whether a term is written with a minus sign."""
    coefficient = (
        term.as_coeff_mmul()[0] if isinstance(term, sympy.MatMul) else sympy.sympify(term).as_coeff_Mul()[0]
    )
    return bool(coefficient.is_negative)


@dataclass(frozen=True)
class Index:
    """A summation index: the symbol, its first value and how many values it has."""

    symbol: sympy.Basic
    start: int
    size: Dim


class Reader:
    """Reads nodes into traced arrays.

    Args:
        builder: where bindings are written.
        names: the arrays, and the sizes that are numbers.
        indices: inside sums the indices in force; a scalar then has one axis for each of them, or none at all.
        lead: how many of them, the first ones, are axes that numbers were broadcast along, and no expression names.
    """

    def __init__(
        self,
        builder: Builder,
        names: Mapping[str, Traced],
        indices: tuple[Index, ...] = (),
        lead: int = 0,
    ) -> None:
        self.builder, self.names, self.indices, self.lead = builder, names, indices, lead

    def read(self, e: Any) -> Traced:
        """The value of a node.

        Raises:
            UnsupportedError: there is no rule for it.
        """
        try:
            return self._read(e)
        except SymgradError as error:
            if error.where is None:
                error.where = shorten(str(e), 100, placeholder=" …")
            raise

    def _read(self, e: Any) -> Traced:
        if isinstance(e, (MatrixElement, sympy.Indexed)):
            return sympy_sums.entry(self, e)
        if isinstance(e, (sympy.Sum, sympy.Product)):
            return sympy_sums.total(self, e)
        if isinstance(e, sympy_matrices.OF_MATRICES):
            return sympy_matrices.read(self.outside(e), e)
        if isinstance(e, MatrixExpr) or getattr(e, "is_Matrix", False):
            if self.indices:
                raise UnsupportedError(
                    "A sum over an index has scalar terms.", expected="entries such as X[i, 0]"
                )
            return sympy_matrices.read(self, e)
        if isinstance(e, sympy.Symbol):
            return self._symbol(e)
        if isinstance(e, (Relational, And, Or, Not, BooleanTrue, BooleanFalse)):
            return self._condition(e)
        if not getattr(e, "args", ()) and isinstance(e, sympy.Expr):
            if not (e.is_real and e.is_finite):
                raise UnsupportedError("Only real numbers can take part.", got=str(e))
            return ops.lift(self.builder, e)
        return self._scalar(e)

    def outside(self, e: Any) -> Reader:
        """A reader for what stands inside a sum but does not depend on its indices.

        Raises:
            UnsupportedError: it does depend on them.
        """
        used = {i.symbol for i in self.indices} & getattr(e, "free_symbols", set())
        if used:
            raise UnsupportedError(
                "A matrix expression that depends on a summation index has no rule.",
                got=", ".join(sorted(map(str, used))),
                fix="sum over entries of matrices, X[i, j]",
            )
        return Reader(self.builder, self.names)

    def dim(self, size: Any) -> Dim:
        """A size, with the numbers that some symbols have."""
        found = as_dim(size)
        if isinstance(found, int):
            return found
        fixed = {
            dim_symbol(n): self.builder.constant_value(v.name)
            for n, v in self.names.items()
            if not v.dims and dim_symbol(n) in found.free_symbols
        }
        return as_dim(found.xreplace({s: v for s, v in fixed.items() if v is not None}))

    def array(self, name: str) -> Traced:
        """The array of that name.

        Raises:
            SpecError: there is none.
        """
        if name not in self.names:
            raise SpecError(f"Nothing says what {name!r} is.", expected=", ".join(self.names))
        return self.names[name]

    def matrix_symbol(self, m: MatrixSymbol) -> Traced:
        """The array of a MatrixSymbol, as a matrix of the declared size.

        Raises:
            ShapeError: ``shapes`` gives it another one.
        """
        value = self.array(m.name)
        declared = tuple(self.dim(d) for d in m.shape)
        if value.dims == declared:
            return value
        if value.ndim == 1 and declared[1] == 1 and value.dims[0] == declared[0]:
            return moves.reshape_dims(value, declared)
        raise ShapeError(
            f"{m.name} is declared with another shape.",
            expected=format_shape(declared),
            got=format_shape(value.dims),
            fix="leave it out of shapes, or declare the MatrixSymbol so",
        )

    def _symbol(self, s: sympy.Symbol) -> Traced:
        for index in self.indices:
            if index.symbol == s:
                return sympy_sums.values_of(self, index)
        if s.name in self.names:
            value = self.names[s.name]
            inner = len(self.indices) - self.lead
            return (
                moves.reshape_dims(value, (*value.dims, *[1] * inner)) if self.lead and value.dims else value
            )
        dims = {d for v in self.builder.inputs for dim in v.shape for d in sympy.sympify(dim).free_symbols}
        if as_dim(s.name) in dims:
            return ops.lift(self.builder, as_dim(s.name))
        raise SpecError(f"Nothing says what {s.name!r} is.", expected=", ".join(self.names))

    def sum(self, args: tuple[Any, ...]) -> Traced:
        """Terms with a minus sign are subtracted, after the others, as a person would write them."""
        terms = [(negative(a), a) for a in args]
        terms.sort(key=lambda t: t[0])
        (is_negative, first), *others = terms
        total = -self.read(-first) if is_negative else self.read(first)
        for is_negative, term in others:
            total = total - self.read(-term) if is_negative else total + self.read(term)
        return total

    def _scalar(self, e: Any) -> Traced:
        if isinstance(e, sympy.Piecewise):
            return self._piecewise(e)
        if not isinstance(e, sympy.Expr):
            raise self.no_rule(e)
        if e.is_Add:
            return self.sum(e.args)
        if e.is_Mul:
            first, *others = (self.read(a) for a in e.args)
            for factor in others:
                first = first * factor
            return first
        if e.is_Pow:
            return ops.power(self.builder, self.read(e.base), self.read(e.exp))
        if isinstance(e, (sympy.Max, sympy.Min)):
            first, *others = (self.read(a) for a in e.args)
            for other in others:
                first = (
                    ops.maximum(self.builder, first, other)
                    if isinstance(e, sympy.Max)
                    else ops.elementary(self.builder, "minimum", first, other)
                )
            return first
        if isinstance(e, (sympy.Abs, sympy.sign)):
            return ops.elementary(
                self.builder, "abs" if isinstance(e, sympy.Abs) else "sign", self.read(e.args[0])
            )
        if isinstance(e, (sympy.floor, sympy.ceiling)):
            name = "floor" if isinstance(e, sympy.floor) else "ceil"
            return ops.elementary(self.builder, name, self.read(e.args[0]))
        if isinstance(e, sympy.KroneckerDelta):
            same = ops.elementary(self.builder, "equal", *(self.read(a) for a in e.args[:2]))
            return ops.elementary(self.builder, "where", same, 1, 0)
        if isinstance(e, sympy.Heaviside):
            return ops.elementary(self.builder, "heaviside", *(self.read(a) for a in e.args))
        if type(e) in _RECIPROCAL:
            return ops.elementary(self.builder, "div", 1, self.read(_RECIPROCAL[type(e)](e.args[0])))
        if isinstance(e, (sympy.conjugate, sympy.re)):
            return self.read(e.args[0])
        if type(e) in NUMPY_CALLS:
            arrays = [self.read(a) for a in e.args if not a.is_number]
            symbols = iter(ARG(i) for i in range(len(arrays)))
            return ops.apply(
                self.builder, e.func(*(a if a.is_number else next(symbols) for a in e.args)), *arrays
            )
        raise self.no_rule(e)

    def no_rule(self, e: Any) -> UnsupportedError:
        if isinstance(e, AppliedUndef):
            return UnsupportedError(
                f"The function {e.func} has no formula.", fix="write the formula, or a Lambda"
            )
        return UnsupportedError(f"SymPy's {type(e).__name__} has no rule.")

    def _piecewise(self, e: sympy.Piecewise) -> Traced:
        *pieces, (last, otherwise) = e.args
        if otherwise != sympy.true:
            raise UnsupportedError("This Piecewise has no value elsewhere.", fix="end it with (value, True)")
        result = self.read(last)
        for value, condition in reversed(pieces):
            result = ops.elementary(self.builder, "where", self.read(condition), self.read(value), result)
        return result

    def _condition(self, e: Any) -> Traced:
        """A truth value as 1 or 0."""
        if isinstance(e, (BooleanTrue, BooleanFalse)):
            return ops.lift(self.builder, int(bool(e)))
        parts = [self.read(a) for a in e.args]
        if isinstance(e, Relational):
            return ops.elementary(self.builder, _COMPARE[type(e)], *parts)
        if isinstance(e, Not):
            return ops.elementary(self.builder, "equal", parts[0], 0)
        first, *others = parts
        for other in others:
            first = (
                first * other if isinstance(e, And) else ops.elementary(self.builder, "maximum", first, other)
            )
        return first


__all__ = ["names_of", "read_sympy", "shapes_of"]
