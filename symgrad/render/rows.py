"""Index arrays that name each row once: the i of zᵢ,yᵢ, and of one-hot labels."""

from __future__ import annotations

import numpy as np

from symgrad.ops.array import as_array
from symgrad.ops.dims import same
from symgrad.program import Binding, Builder, Program


def each_row_once(where: Builder | Program, b: Binding) -> bool:
    """Whether ``A[i, y]``, or adding at those places, concerns one entry of each row i of a matrix."""
    if b.op not in ("take", "scatter") or b.attrs["axes"] != (0, 1):
        return False
    picked = b.shape if b.op == "take" else where.type(b.args[0]).shape
    matrix = where.type(b.args[0]).shape if b.op == "take" else b.shape
    rows = _source(where, b.args[1])
    if len(matrix) != 2 or not picked or not same(picked[0], matrix[0]) or any(d != 1 for d in picked[1:]):
        return False
    if rows is None or not rows.shape or not same(rows.shape[0], matrix[0]):
        return False
    if rows.op == "array":
        numbers = as_array(rows.attrs["numbers"])
        return bool(numbers.ndim == 1 and np.array_equal(numbers, np.arange(len(numbers))))
    return rows.op == "pattern" and (rows.attrs["first"], rows.attrs["step"]) == (0, 1)


def is_diagonal_of_ones(builder: Builder, b: Binding) -> bool:
    """Whether ones are added at (0, 0), (1, 1), … of a square matrix: the identity."""
    if b.op != "scatter" or len(b.shape) != 2 or not same(*b.shape) or b.args[1] != b.args[-1]:
        return False
    return each_row_once(builder, b) and builder.constant_value(b.args[0]) == 1


def _source(where: Builder | Program, name: str) -> Binding | None:
    """What computes an index, before a vector was stood up as a column."""
    b = where.binding(name) if isinstance(where, Builder) else where.by_name[name]
    if isinstance(b, Binding) and b.op == "reshape" and any(d == 1 for d in b.shape[1:]):
        return _source(where, b.args[0])
    return b if isinstance(b, Binding) else None
