"""SymPy's matrix expressions, node by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy.matrices.expressions import (
    Adjoint,
    BlockMatrix,
    Determinant,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    DotProduct,
    HadamardPower,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixExpr,
    MatrixSlice,
    MatrixSymbol,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from symgrad.errors import UnsupportedError
from symgrad.ops.eye import eye_attrs
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.dispatch import call_numpy

if TYPE_CHECKING:
    from symgrad.trace.sympy_expr import Reader

OF_MATRICES = (Trace, Determinant, DotProduct)
"""Scalars made of matrices."""
MAX_POWER = 64


def read(reader: Reader, e: Any) -> Traced:
    """A matrix, or a scalar made of matrices.

    Raises:
        UnsupportedError: there is no rule for the node.
    """
    for kind, rule in _RULES.items():
        if isinstance(e, kind):
            return rule(reader, e)
    raise reader.no_rule(e)


def _numpy(reader: Reader, function: Callable[..., Any], *args: Any) -> Traced:
    return ops.lift(reader.builder, call_numpy(reader.builder, function, args, {}))


def _identity(reader: Reader, e: Any) -> Traced:
    return Traced(reader.builder, reader.builder.emit("eye", **eye_attrs(reader.dim(e.shape[0]))))


def _filled(reader: Reader, e: Any) -> Traced:
    value = 1 if isinstance(e, OneMatrix) else 0
    return ops.ones(reader.builder, tuple(reader.dim(d) for d in e.shape), value)


def _fold(values: Sequence[Traced], step: Callable[[Traced, Traced], Traced]) -> Traced:
    first, *others = values
    for v in others:
        first = step(first, v)
    return first


def _product(reader: Reader, e: Any) -> Traced:
    scalars = [a for a in e.args if not a.is_Matrix]
    matrices = [a for a in e.args if a.is_Matrix]
    factors = [a for a in matrices if not isinstance(a, Identity)] or matrices[:1]
    product = _scalar_product(reader, factors) if all(d == 1 for d in e.shape) else None
    if product is not None:
        result = moves.reshape_dims(product, (1, 1))
    else:
        result = _fold([reader.read(m) for m in factors], lambda a, b: ops.matmul(reader.builder, a, b))
    return _fold([reader.read(s) for s in scalars] + [result], lambda a, b: a * b)


def _scalar_product(reader: Reader, factors: Sequence[Any]) -> Traced | None:
    """A row times matrices times a column, as vectors: columns are then derived and printed as vectors are.

    (Xw)ᵀ(Xw) arrives as wᵀXᵀXw, and is read as the product of Xw with itself.
    """
    if len(factors) < 2:
        return None
    row, column = _column_of_row(reader, factors[0]), reader.read(factors[-1])
    if row.dims[1:] != (1,) or column.dims[1:] != (1,):  # SymPy's shape of a slice with steps is not NumPy's
        return None
    half = len(factors) // 2
    mirrored = all(
        f == Transpose(g).doit(deep=False) for f, g in zip(factors, reversed(factors), strict=True)
    )
    if mirrored and len(factors) == 2 * half > 2:
        values = [reader.read(f) for f in factors[half:-1]] + [moves.reshape(column, -1)]
        while len(values) > 1:
            values[-2:] = [ops.matmul(reader.builder, *values[-2:])]
        return ops.matmul(reader.builder, values[0], values[0])
    between = [reader.read(f) for f in factors[1:-1]]
    values = [moves.reshape(row, -1), *between, moves.reshape(column, -1)]
    return _fold(values, lambda a, b: ops.matmul(reader.builder, a, b))


def _column_of_row(reader: Reader, e: Any) -> Traced:
    if isinstance(e, (Transpose, Adjoint)):
        return reader.read(e.arg)
    return moves.transpose(reader.read(e))


def _power(reader: Reader, e: Any) -> Traced:
    if all(d == 1 for d in e.base.shape):
        base = reader.read(e.base)
        number = moves.reshape_dims(base, ()) if base.dims == (1, 1) else base
        return moves.reshape_dims(ops.power(reader.builder, number, reader.read(e.exp)), base.dims)
    if not e.exp.is_Integer:
        raise UnsupportedError(
            "A matrix has whole powers only.",
            got=str(e.exp),
            fix="for powers of the entries write HadamardPower",
        )
    if abs(e.exp) > MAX_POWER:
        raise UnsupportedError(
            "This power of a matrix is too high.",
            expected=f"an exponent from -{MAX_POWER} to {MAX_POWER}",
            got=str(e.exp),
            fix=f"write a product of powers up to {MAX_POWER}",
        )
    base = reader.read(e.base)
    if e.exp == -1:
        return _numpy(reader, np.linalg.inv, base)
    return _numpy(reader, np.linalg.matrix_power, base, int(e.exp))


def _transposed(reader: Reader, e: Any) -> Traced:
    return moves.transpose(reader.read(e.arg))


def _applied(reader: Reader, e: ElementwiseApplyFunction) -> Traced:
    inner = reader.read(e.expr)
    if len(e.function.variables) != 1:
        raise UnsupportedError("A function of entries has one argument.", got=str(e.function))
    entry = sympy.Symbol("#entry", real=True)  # no argument can have that name
    result = type(reader)(reader.builder, {**reader.names, entry.name: inner}).read(e.function(entry))
    return result if result.dims == inner.dims else moves.broadcast_to(result, inner.dims)


def _trace(reader: Reader, e: Any) -> Traced:
    """tr(AB) as the sum of A ⊙ Bᵀ, so that no product is multiplied out for its diagonal."""
    inner = e.arg
    if isinstance(inner, MatMul) and all(d == 1 for d in inner.shape):
        number = reader.read(inner)
        return moves.reshape_dims(number, ()) if number.dims == (1, 1) else _numpy(reader, np.trace, number)
    if isinstance(inner, MatAdd):
        return reader.sum(tuple(Trace(a) for a in inner.args))
    scalars = [a for a in getattr(inner, "args", ()) if isinstance(inner, MatMul) and not a.is_Matrix]
    matrices = [a for a in inner.args if a.is_Matrix] if isinstance(inner, MatMul) else [inner]
    matrices = [m for m in matrices if not isinstance(m, Identity)] or matrices[:1]
    if len(matrices) == 1:
        total = _numpy(reader, np.trace, reader.read(matrices[0]))
    else:
        values = [reader.read(m) for m in matrices]
        left = _fold(values[:-1], lambda a, b: ops.matmul(reader.builder, a, b))
        total = ops.total(left * moves.transpose(values[-1]))
    return _fold([total, *(reader.read(s) for s in scalars)], lambda a, b: b * a)


def _column(reader: Reader, e: Any) -> Traced:
    return moves.reshape(reader.read(e), -1)


def _diagonal_of(reader: Reader, e: Any) -> Traced:
    diagonal = _numpy(reader, np.diag, reader.read(e.arg))
    return moves.reshape_dims(diagonal, (*diagonal.dims, 1))


def _off_diagonal_zero(reader: Reader, e: Any) -> Traced:
    if e.shape[0] != e.shape[1]:
        raise UnsupportedError("DiagonalMatrix of a matrix that is not square has no rule.")
    return _numpy(reader, np.diag, _numpy(reader, np.diag, reader.read(e.arg)))


def _dot(reader: Reader, e: Any) -> Traced:
    return ops.matmul(reader.builder, _column(reader, e.args[0]), _column(reader, e.args[1]))


def _slice(reader: Reader, e: Any) -> Traced:
    def key(part: Any) -> slice:
        start, stop, step = (ops.size_value(reader.builder, reader.dim(b)) for b in part)
        return slice(start, stop, step)

    return ops.lift(reader.builder, reader.read(e.parent)[key(e.rowslice), key(e.colslice)])


def _block(reader: Reader, e: Any) -> Traced:
    rows = [
        _joined(reader, [reader.read(e.blocks[i, j]) for j in range(e.blocks.shape[1])], 1)
        for i in range(e.blocks.shape[0])
    ]
    return _joined(reader, rows, 0)


def _joined(reader: Reader, parts: list[Traced], axis: int) -> Traced:
    if len(parts) == 1:
        return parts[0]
    return ops.lift(reader.builder, call_numpy(reader.builder, np.concatenate, (parts,), {"axis": axis}))


def _explicit(reader: Reader, e: Any) -> Traced:
    """A matrix that is written out entry by entry."""
    rows, columns = e.shape
    if not rows or not columns:
        raise UnsupportedError("A matrix without entries has no rule.")
    entries = [[reader.read(e[i, j]) for j in range(columns)] for i in range(rows)]
    return ops.lift(reader.builder, entries)


def _entrywise_power(r: Any, e: Any) -> Any:
    return ops.power(r.builder, r.read(e.base), r.read(e.exp))


_RULES: dict[Any, Callable[[Reader, Any], Traced]] = {
    MatrixSymbol: lambda r, e: r.matrix_symbol(e),
    Trace: _trace,
    Determinant: lambda r, e: _numpy(r, np.linalg.det, r.read(e.arg)),
    DotProduct: _dot,
    MatAdd: lambda r, e: r.sum(e.args),
    MatMul: _product,
    Inverse: lambda r, e: _numpy(r, np.linalg.inv, r.read(e.arg)),
    MatPow: _power,
    Transpose: _transposed,
    Adjoint: _transposed,
    HadamardProduct: lambda r, e: _fold([r.read(a) for a in e.args], lambda a, b: a * b),
    HadamardPower: _entrywise_power,
    ElementwiseApplyFunction: _applied,
    Identity: _identity,
    OneMatrix: _filled,
    ZeroMatrix: _filled,
    DiagMatrix: lambda r, e: _numpy(r, np.diag, _column(r, e.args[0])),
    DiagonalOf: _diagonal_of,
    DiagonalMatrix: _off_diagonal_zero,
    KroneckerProduct: lambda r, e: _fold([r.read(a) for a in e.args], lambda a, b: _numpy(r, np.kron, a, b)),
    MatrixSlice: _slice,
    BlockMatrix: _block,
    sympy.MatrixBase: _explicit,
}
"""The first kind that fits; ``Inverse`` comes before ``MatPow``, which it is one of."""


__all__ = ["OF_MATRICES", "MatrixExpr", "read"]
