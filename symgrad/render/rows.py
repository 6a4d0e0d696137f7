"""Index arrays that name each row once: the i of zᵢ,yᵢ, and of one-hot labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from symgrad.ops.array import as_array
from symgrad.ops.dims import same
from symgrad.ops.record import ARG
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


def counted(builder: Builder, b: Binding, core: str) -> str | None:
    """The running sum of ones as the numbers 1, 2, …; None for other running sums."""
    if len(b.shape) != 1 or builder.constant_value(core) != 1:
        return None
    first, step = (b.shape[0], -1) if b.attrs["reverse"] else (1, 1)
    return builder.emit("pattern", rule="arange", shape=b.shape, first=first, step=step, kind="real")


def shifted(builder: Builder, fn: sympy.Expr, cores: Sequence[str]) -> str | None:
    """Equally spaced numbers plus a number as such numbers; None for other functions."""
    b = builder.binding(cores[0]) if len(cores) == 1 else None
    if b is None or b.op != "pattern" or b.attrs["rule"] != "arange" or (fn - ARG(0)).has(ARG(0)):
        return None
    first = sympy.expand(sympy.sympify(b.attrs["first"]) + fn - ARG(0))
    return builder.emit("pattern", **{**b.attrs, "first": first, "kind": "real"})
