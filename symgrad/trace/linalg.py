"""Linear algebra as NumPy and SciPy spell it."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.diag import diag_attrs
from symgrad.ops.dims import Dim, format_shape, product, same
from symgrad.ops.eye import eye_attrs
from symgrad.program import Builder
from symgrad.trace import moves, products
from symgrad.trace import operations as ops
from symgrad.trace.norms import norm
from symgrad.trace.refusals import refused
from symgrad.trace.sizes import assume, number

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]
_MOST_FACTORS = 16
"""Powers beyond it are products of smaller ones, so that the derivative has few terms."""


class SlogdetResult(NamedTuple):
    """Sign and logarithm, under NumPy's names."""

    sign: Any
    logabsdet: Any


def _emit(builder: Builder, op: str, *args: Traced, **attrs: Any) -> Traced:
    return ops.Array(builder, builder.emit(op, *(a.name for a in args), **attrs))


def _unary(op: str) -> Rule:
    return lambda builder, a: _emit(builder, op, ops.lift(builder, a))


def swapped(a: Traced) -> Traced:
    """The transpose of each matrix of a stack."""
    return moves.transpose(a, (*range(a.ndim - 2), a.ndim - 1, a.ndim - 2))


def _options(name: str, fix: str, **given: Any) -> None:
    """Refuse options that change the result."""
    for option, value in given.items():
        if value:
            raise UnsupportedError(
                f"{name} is not traced with {option}.", where=name, got=f"{option}={value!r}", fix=fix
            )


# Inverse, equations, determinants ----------------------------------------------------------------------------


def inverse(builder: Builder, a: Any) -> Traced:
    return _emit(builder, "inverse", ops.lift(builder, a))


def solve(builder: Builder, a: Any, b: Any) -> Traced:
    """``np.linalg.solve``: a vector is what has one axis, anything else is a stack of matrices."""
    return _emit(builder, "solve", ops.lift(builder, a), ops.lift(builder, b))


def slogdet(builder: Builder, a: Any) -> SlogdetResult:
    value = ops.lift(builder, a)
    return SlogdetResult(_emit(builder, "det_sign", value), _emit(builder, "logdet", value))


def cholesky(builder: Builder, a: Any, *, upper: bool = False) -> Traced:
    """NumPy's: the lower triangle is read, or the upper one."""
    value = ops.lift(builder, a)
    if upper:
        return swapped(_emit(builder, "cholesky", swapped(value)))
    return _emit(builder, "cholesky", value)


def matrix_power(builder: Builder, a: Any, n: Any) -> Traced:
    value = ops.lift(builder, a)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise UnsupportedError(
            "A matrix power has a whole number as exponent.", where="matrix_power", got=repr(n)
        )
    if n < 0:
        return matrix_power(builder, inverse(builder, value), -n)
    if n == 0:
        _emit(builder, "inverse", value)  # checks the shape; the result does not need it
        one = _emit(builder, "eye", **eye_attrs(value.dims[-1]))
        return moves.broadcast_to(one, value.dims)
    if n == 1:
        return value
    if n <= _MOST_FACTORS:
        return _emit(builder, "matrix_power", value, p=int(n))
    whole = matrix_power(builder, matrix_power(builder, value, _MOST_FACTORS), n // _MOST_FACTORS)
    rest = n % _MOST_FACTORS
    return ops.matmul(builder, whole, matrix_power(builder, value, rest)) if rest else whole


def multi_dot(builder: Builder, arrays: Any, *, out: Any = None) -> Traced:
    _options("multi_dot", "leave it away", out=out)
    values = [ops.lift(builder, a) for a in arrays]
    if len(values) < 2:
        raise ShapeError("multi_dot takes two arrays or more.", where="multi_dot", got=len(values))
    inside = [
        v for i, v in enumerate(values) if v.ndim != 2 and not (v.ndim == 1 and i in (0, len(values) - 1))
    ]
    if inside:
        raise ShapeError(
            "multi_dot takes matrices, and vectors at the ends.",
            where="multi_dot",
            got=format_shape(inside[0].dims),
        )
    return reduce(lambda x, y: ops.matmul(builder, x, y), values)


def kron(builder: Builder, a: Any, b: Any) -> Traced:
    left, right = ops.lift(builder, a), ops.lift(builder, b)
    rank = max(left.ndim, right.ndim)
    first = (1,) * (rank - left.ndim) + left.dims
    second = (1,) * (rank - right.ndim) + right.dims
    spread = moves.reshape_dims(left, tuple(d for size in first for d in (size, 1)))
    filled = moves.reshape_dims(right, tuple(d for size in second for d in (1, size)))
    pairs = ops.elementary(builder, "mul", spread, filled)
    return moves.reshape_dims(pairs, tuple(product(pair) for pair in zip(first, second, strict=True)))


# Diagonals -------------------------------------------------------------------------------------------------------


def _whole(k: Any, where: str) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise UnsupportedError("An offset is a whole number.", where=where, got=repr(k))
    return int(k)


def diagonal(builder: Builder, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Traced:
    value, k = _planes(builder, a, axis1, axis2, "diagonal"), _whole(offset, "diagonal")
    rows, columns = value.dims[-2:]
    if not same(rows, columns):
        number(builder, rows, "diagonal")
        number(builder, columns, "diagonal")
    elif not isinstance(rows, int) and k:
        assume(builder, sympy.Ge(rows, abs(k)), "diagonal")
    return _emit(builder, "diagonal", value, k=k)


def _planes(builder: Builder, a: Any, axis1: Any, axis2: Any, where: str) -> Traced:
    """The array with these two axes last."""
    value = ops.lift(builder, a)
    axes = []
    for axis in (axis1, axis2):
        if not isinstance(axis, (int, np.integer)) or not -value.ndim <= axis < value.ndim:
            raise ShapeError(
                "There is no such axis.",
                where=where,
                expected=f"an axis of {format_shape(value.dims)}",
                got=f"axis={axis!r}",
            )
        axes.append(int(axis) % value.ndim)
    if axes[0] == axes[1]:
        raise ShapeError("The two axes have to differ.", where=where, got=f"axis={axis1} twice")
    return moves.transpose(value, (*(i for i in range(value.ndim) if i not in axes), *axes))


def trace(builder: Builder, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Traced:
    value, k = _planes(builder, a, axis1, axis2, "trace"), _whole(offset, "trace")
    if k == 0 and same(*value.dims[-2:]):
        return _emit(builder, "trace", value, stack=value.ndim > 2)
    return ops.total(diagonal(builder, value, k, -2, -1), -1)


def diag(builder: Builder, v: Any, k: Any = 0) -> Traced:
    value, k = ops.lift(builder, v), _whole(k, "diag")
    if value.ndim == 2:
        return diagonal(builder, value, k)
    if value.ndim != 1:
        raise ShapeError(
            "diag takes a vector or a matrix.",
            where="diag",
            expected="(n,) or (n, m)",
            got=format_shape(value.dims),
        )
    size: Dim = value.dims[0] + abs(k)
    return _emit(builder, "diag", value, **diag_attrs((size, size), k))


def diagflat(builder: Builder, v: Any, k: Any = 0) -> Traced:
    return diag(builder, moves.reshape(ops.lift(builder, v), -1), k)


def triangle(builder: Builder, m: Any, k: Any = 0, *, upper: bool) -> Traced:
    return _emit(builder, "triangle", ops.lift(builder, m), upper=upper, k=_whole(k, "tril"))


# Refused -----------------------------------------------------------------------------------------------------------


_VALUES = (
    "write the loss with trace, det, norm or solve: sums and products of eigenvalues are tr(A) and det(A)"
)
_FACTORS = "write the loss with inv, solve, cholesky or A.T @ A: factors are not unique, but these are"

NUMPY: dict[Any, Rule] = {
    np.linalg.inv: inverse,
    np.linalg.solve: solve,
    np.linalg.det: _unary("det"),
    np.linalg.slogdet: slogdet,
    np.linalg.cholesky: cholesky,
    np.linalg.matrix_power: matrix_power,
    np.linalg.multi_dot: multi_dot,
    np.linalg.norm: norm,
    np.linalg.vector_norm: lambda b, x, *, axis=None, keepdims=False, ord=2: _vector_norm(
        b, x, axis, keepdims, ord
    ),
    np.linalg.matrix_norm: lambda b, x, *, keepdims=False, ord="fro": norm(b, x, ord, (-2, -1), keepdims),
    np.linalg.trace: lambda b, x, *, offset=0: trace(b, x, offset, -2, -1),
    np.linalg.diagonal: lambda b, x, *, offset=0: diagonal(b, x, offset, -2, -1),
    np.linalg.matmul: ops.matmul,
    np.linalg.outer: products.outer,
    np.trace: trace,
    np.diagonal: diagonal,
    np.diag: diag,
    np.diagflat: diagflat,
    np.kron: kron,
    np.linalg.eigvals: refused("np.linalg.eigvals", _VALUES, what="has no rule"),
    np.linalg.eig: refused("np.linalg.eig", _FACTORS, what="has no rule"),
    np.linalg.qr: refused("np.linalg.qr", _FACTORS, what="has no rule"),
    np.linalg.matrix_rank: refused(
        "np.linalg.matrix_rank", "a rank is a whole number and has no derivative", what="has no rule"
    ),
    np.linalg.cond: refused("np.linalg.cond", _VALUES, what="has no rule"),
}
"""NumPy's functions; each rule takes the builder first."""


def _vector_norm(builder: Builder, x: Any, axis: Any, keepdims: bool, order: Any) -> Traced:
    value = ops.lift(builder, x)
    if axis is not None and not isinstance(axis, tuple):
        return norm(builder, value, order, axis, keepdims)
    axes = tuple(range(value.ndim)) if axis is None else tuple(int(i) % value.ndim for i in axis)
    rest = tuple(i for i in range(value.ndim) if i not in axes)
    moved = moves.transpose(value, (*rest, *axes))
    flat = moves.reshape_dims(moved, (*moved.dims[: len(rest)], product(moved.dims[len(rest) :])))
    found = norm(builder, flat, order, -1)
    kept = tuple(1 if i in axes else d for i, d in enumerate(value.dims))
    return moves.reshape_dims(found, kept) if keepdims else found


# SciPy -------------------------------------------------------------------------------------------------------------
# SciPy's options about overwriting and checks do not change the result.


def _scipy_inverse(builder: Builder, a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Traced:
    return inverse(builder, a)


def _scipy_det(builder: Builder, a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Traced:
    return _emit(builder, "det", ops.lift(builder, a))


def _scipy_cholesky(
    builder: Builder, a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Traced:
    """SciPy's: the upper factor of the upper triangle, unless ``lower``."""
    return cholesky(builder, a, upper=not lower)


def _columns(builder: Builder, a: Any, b: Any) -> tuple[Traced, Traced]:
    return ops.lift(builder, a), ops.lift(builder, b)


def _scipy_solve(
    builder: Builder,
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: Any = None,
    transposed: bool = False,
) -> Traced:
    """``scipy.linalg.solve``; of a matrix that is said to be symmetric one triangle is read."""
    matrix, right = _columns(builder, a, b)
    if assume_a in ("sym", "symmetric", "her", "hermitian", "pos", "positive definite"):
        matrix = _mirrored(builder, matrix, bool(lower))
    elif assume_a in ("upper triangular", "lower triangular"):
        matrix = triangle(builder, matrix, upper=assume_a.startswith("upper"))
    elif assume_a not in (None, "gen", "general"):
        _options("scipy.linalg.solve", "leave assume_a away", assume_a=assume_a)
    return solve(builder, swapped(matrix) if transposed else matrix, right)


def _mirrored(builder: Builder, a: Traced, lower: bool) -> Traced:
    """The symmetric matrix that one triangle says."""
    half = triangle(builder, a, upper=not lower)
    strict = triangle(builder, a, 1 if not lower else -1, upper=not lower)
    return ops.elementary(builder, "add", half, swapped(strict))


def _solve_triangular(
    builder: Builder,
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Traced:
    matrix, right = _columns(builder, a, b)
    used = triangle(builder, matrix, upper=not lower)
    if unit_diagonal:
        strict = triangle(builder, matrix, 1 if not lower else -1, upper=not lower)
        used = ops.elementary(builder, "add", strict, _emit(builder, "eye", **eye_attrs(matrix.dims[-1])))
    if trans not in (0, 1, 2, "N", "T", "C"):
        _options("scipy.linalg.solve_triangular", "use 0 or 1", trans=trans)
    return solve(builder, used if trans in (0, "N") else swapped(used), right)


def _cho_factor(
    builder: Builder, a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Traced, bool]:
    return cholesky(builder, a, upper=not lower), bool(lower)


def _cho_solve(
    builder: Builder, c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Traced:
    factor, right = _columns(builder, c_and_lower[0], b)
    used = triangle(builder, factor, upper=not c_and_lower[1])
    first, second = (used, swapped(used)) if c_and_lower[1] else (swapped(used), used)
    return solve(builder, second, solve(builder, first, right))


SCIPY_LINALG: dict[str, Rule] = {
    "inv": _scipy_inverse,
    "det": _scipy_det,
    "solve": _scipy_solve,
    "cholesky": _scipy_cholesky,
    "solve_triangular": _solve_triangular,
    "cho_factor": _cho_factor,
    "cho_solve": _cho_solve,
    "norm": lambda builder, a, ord=None, axis=None, keepdims=False, check_finite=True: norm(
        builder, a, ord, axis, keepdims
    ),
    "eigvals": refused("scipy.linalg.eigvals", _VALUES, what="has no rule"),
    **{n: refused(f"scipy.linalg.{n}", _FACTORS, what="has no rule") for n in ("eig", "qr", "lu", "schur")},
    **{n: refused(f"scipy.linalg.{n}", _FACTORS, what="has no rule") for n in ("expm", "logm", "sqrtm")},
}
"""``scipy.linalg`` by name; each rule takes the builder first."""
