"""``scipy.linalg``: matrices that are made of the entries of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ops.dims import format_shape
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.indexing import getitem
from symgrad.trace.joining import at_least, block, concatenate
from symgrad.trace.sizes import number

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def block_diag(builder: Builder, *arrs: Any) -> Traced:
    """The matrices along the diagonal, zeros around them; a vector is a matrix of one row."""
    found = [at_least(ops.lift(builder, a), 2) for a in arrs]
    for a in found:
        if a.ndim != 2:
            raise ShapeError("block_diag takes matrices.", where="block_diag", got=format_shape(a.dims))
    if not found:
        raise ShapeError("block_diag takes at least one matrix.", where="block_diag")
    rows = [
        [a if i == j else ops.ones(builder, (a.dims[0], b.dims[1]), 0) for j, b in enumerate(found)]
        for i, a in enumerate(found)
    ]
    joined: Traced = block(builder, rows)
    return joined


def toeplitz(builder: Builder, c: Any, r: Any = None) -> Traced:
    """The first column c (n,) and the first row r (m,), carried along the diagonals; r's first entry is not read."""
    column = _vector(builder, c, "toeplitz")
    row = column if r is None else _vector(builder, r, "toeplitz")
    n, m = (number(builder, v.dims[0], "toeplitz") for v in (column, row))
    if not n or not m:
        return ops.ones(builder, (n, m), 0)
    entries = concatenate(builder, [getitem(builder, row, slice(None, 0, -1)), column], 0)
    found: Traced = getitem(builder, entries, np.arange(n)[:, None] - np.arange(m) + m - 1)
    return found


def circulant(builder: Builder, c: Any) -> Traced:
    """Each column is the one before, shifted down by one place."""
    column = _vector(builder, c, "circulant")
    n = number(builder, column.dims[0], "circulant")
    found: Traced = getitem(builder, column, (np.arange(n)[:, None] - np.arange(n)) % max(n, 1))
    return found


def _vector(builder: Builder, value: Any, where: str) -> Traced:
    a = ops.lift(builder, value)
    if a.ndim != 1:
        raise ShapeError(f"{where} takes vectors.", where=where, got=format_shape(a.dims))
    return a


SCIPY_LINALG: dict[str, Rule] = {"block_diag": block_diag, "toeplitz": toeplitz, "circulant": circulant}
"""By the name in ``scipy.linalg``; each rule takes the builder first."""
