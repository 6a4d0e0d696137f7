"""Eigenvalues of symmetric matrices, singular values, the norms by them, and the Moore–Penrose inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import same
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.joining import along
from symgrad.trace.linalg import swapped
from symgrad.trace.sizes import number

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]
_FACTORS = "write the loss with inv, solve, cholesky, A.T @ A or the singular values: factors are not unique"


class EighResult(NamedTuple):
    """Values and vectors, under NumPy's names."""

    eigenvalues: Any
    eigenvectors: Any


class LstsqResult(NamedTuple):
    """The solution and its squared residuals; what else NumPy returns is not traced."""

    x: Any
    residuals: Any
    rank: Any
    s: Any


def _emit(builder: Builder, op: str, a: Traced) -> Traced:
    return ops.Array(builder, builder.emit(op, a.name))


def _triangle_read(builder: Builder, a: Any, upper: Any, where: str) -> Traced:
    """The matrix with the triangle that is read as its lower one."""
    value = ops.lift(builder, a)
    if upper not in ("L", "l", "U", "u"):
        raise UnsupportedError("There is no such triangle.", where=where, expected="'L' or 'U'", got=upper)
    return swapped(value) if upper in ("U", "u") else value


def eigvalsh(builder: Builder, a: Any, UPLO: str = "L") -> Traced:
    """The eigenvalues of symmetric matrices (…, n, n) in rising order: (…, n); one triangle is read."""
    return _emit(builder, "eigvalsh", _triangle_read(builder, a, UPLO, "np.linalg.eigvalsh"))


def eigh(builder: Builder, a: Any, UPLO: str = "L") -> EighResult:
    """Values and vectors; the vectors' signs are LAPACK's, and a loss should not depend on them."""
    value = _triangle_read(builder, a, UPLO, "np.linalg.eigh")
    vectors = builder.emit("eigh_vectors", value.name, upright=False)
    return EighResult(_emit(builder, "eigvalsh", value), ops.Array(builder, vectors))


def svdvals(builder: Builder, x: Any) -> Traced:
    """The singular values of matrices (…, n, m) in falling order; different sizes have to be numbers."""
    value = ops.lift(builder, x)
    if value.ndim >= 2 and not same(*value.dims[-2:]):
        for d in value.dims[-2:]:
            number(builder, d, "svdvals")
    return _emit(builder, "svdvals", value)


def svd(
    builder: Builder, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Traced:
    """``np.linalg.svd(a, compute_uv=False)``.

    Raises:
        UnsupportedError: the factors are asked for.
    """
    if compute_uv or hermitian:
        raise UnsupportedError(
            "The factors of a singular value decomposition are not traced.",
            where="np.linalg.svd",
            expected="compute_uv=False",
            fix=_FACTORS,
        )
    return svdvals(builder, a)


def norm_by_singular_values(
    builder: Builder, value: Traced, order: Any, axes: tuple[int, ...], keepdims: bool
) -> Traced:
    """The sum (``"nuc"``), the largest (2) or the smallest (−2) singular value of the matrices on two axes."""
    rest = tuple(i for i in range(value.ndim) if i not in axes)
    values = svdvals(builder, moves.transpose(value, (*rest, *axes)))
    found = (
        ops.total(values, -1) if order == "nuc" else along(builder, values, len(rest), 0 if order > 0 else -1)
    )
    if not keepdims:
        return found
    return moves.reshape_dims(found, tuple(1 if i in axes else d for i, d in enumerate(value.dims)))


def pinv(builder: Builder, a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Traced:
    """The Moore–Penrose inverse, of a matrix whose rank a small change leaves as it is.

    Raises:
        UnsupportedError: a cut-off for the singular values.
    """
    if rcond is not None or rtol is not None or hermitian:
        raise UnsupportedError(
            "pinv is traced without options.",
            where="np.linalg.pinv",
            fix="write np.linalg.solve(A.T @ A, A.T) for full column rank",
        )
    return _emit(builder, "pinv", ops.lift(builder, a))


def lstsq(builder: Builder, a: Any, b: Any, rcond: Any = None, **options: Any) -> LstsqResult:
    """The solution of smallest norm, A⁺b, and ‖Ax − b‖² for each column of b; rank and singular values are None."""
    x = ops.matmul(builder, pinv(builder, a), b)
    squares = ops.elementary(builder, "square", ops.elementary(builder, "sub", ops.matmul(builder, a, x), b))
    return LstsqResult(x, ops.total(squares, 0, squares.ndim == 1), None, None)


def _scipy_eigh(
    builder: Builder, a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, **options: Any
) -> Any:
    if b is not None or any(v not in (None, True, False, "evr", 1) for v in options.values()):
        raise UnsupportedError("eigh is traced without options.", where="scipy.linalg.eigh")
    found = eigh(builder, a, "L" if lower else "U")
    return found.eigenvalues if eigvals_only else tuple(found)


def _scipy_svd(
    builder: Builder, a: Any, full_matrices: bool = True, compute_uv: bool = True, **options: Any
) -> Traced:
    return svd(builder, a, full_matrices, compute_uv)


NUMPY: dict[Callable[..., Any], Rule] = {
    np.linalg.eigvalsh: eigvalsh,
    np.linalg.eigh: eigh,
    np.linalg.svdvals: svdvals,
    np.linalg.svd: svd,
    np.linalg.pinv: pinv,
    np.linalg.lstsq: lstsq,
}

SCIPY_LINALG: dict[str, Rule] = {
    "eigh": _scipy_eigh,
    "eigvalsh": lambda builder, a, b=None, *, lower=True, **options: _scipy_eigh(
        builder, a, b, lower=lower, eigvals_only=True, **options
    ),
    "svdvals": lambda builder, a, **options: svdvals(builder, a),
    "svd": _scipy_svd,
    "pinv": lambda builder, a, **options: pinv(builder, a),
    "lstsq": lambda builder, a, b, **options: tuple(lstsq(builder, a, b)),
}
"""By the name in ``scipy.linalg``; each rule takes the builder first."""
