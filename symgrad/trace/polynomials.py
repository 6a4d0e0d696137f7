"""Polynomials by their coefficients, and the matrix of powers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.indexing import getitem
from symgrad.trace.joining import stack
from symgrad.trace.refusals import refused
from symgrad.trace.sizes import number

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def _horner(builder: Builder, coefficients: Traced, x: Any, where: str) -> Traced:
    """((c₀x + c₁)x + c₂)x + …, for as many coefficients as there are."""
    if coefficients.ndim != 1:
        raise ShapeError(
            f"{where} takes a vector of coefficients.", where=where, got=format_shape(coefficients.dims)
        )
    count = number(builder, coefficients.dims[0], where)
    value = ops.lift(builder, x)
    if count == 0:
        return ops.ones(builder, value.dims, 0)
    total: Traced = moves.broadcast_to(getitem(builder, coefficients, 0), value.dims)
    for i in range(1, count):
        total = total * value + getitem(builder, coefficients, i)
    return total


def polyval(builder: Builder, p: Any, x: Any) -> Traced:
    """``np.polyval``: the highest power comes first."""
    return _horner(builder, ops.lift(builder, p), x, "np.polyval")


def _ascending(builder: Builder, x: Any, c: Any, tensor: bool = True) -> Traced:
    """``np.polynomial.polynomial.polyval``: the constant comes first."""
    return _horner(builder, getitem(builder, ops.lift(builder, c), slice(None, None, -1)), x, "polyval")


def vander(builder: Builder, x: Any, N: Any = None, increasing: bool = False) -> Traced:
    """The powers of the entries of a vector (n,), one column each: (n, N)."""
    value = ops.lift(builder, x)
    if value.ndim != 1:
        raise ShapeError("np.vander takes a vector.", where="np.vander", got=format_shape(value.dims))
    count = number(builder, value.dims[0] if N is None else ops.as_size(N), "np.vander")
    if count == 0:
        return ops.ones(builder, (value.dims[0], 0), 0)
    powers = [ops.power(builder, value, i) for i in range(count)]
    return stack(builder, powers if increasing else powers[::-1], 1)


def _polynomial_vander(builder: Builder, x: Any, deg: Any) -> Traced:
    return vander(builder, x, int(deg) + 1, increasing=True)


NUMPY: dict[Callable[..., Any], Rule] = {
    np.polyval: polyval,
    np.vander: vander,
    np.polynomial.polynomial.polyval: _ascending,
    np.polynomial.polynomial.polyvander: _polynomial_vander,
    np.polyfit: refused(
        "np.polyfit", "solve the normal equations: V = np.vander(x, k); solve(V.T @ V, V.T @ y)"
    ),
    np.roots: refused("np.roots", "write the loss with the coefficients"),
}
