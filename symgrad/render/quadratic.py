"""Ax + Aᵀx as (A + Aᵀ)x: the gradient of a quadratic form, of whose matrix nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Builder


def joined(builder: Builder, fn: sympy.Expr, cores: Sequence[str]) -> tuple[sympy.Expr, list[str]]:
    """A function of these cores, with such pairs of its terms as one."""
    cores = list(cores)
    if not fn.is_Add:
        return fn, cores
    terms = [t.as_coeff_Mul() for t in fn.args]
    forms = {i: _form(builder, c) for i, c in enumerate(cores)}
    for (i, one), (j, other) in combinations(forms.items(), 2):
        if one is None or other is None or one[1:] != other[1:] or one[0] == other[0]:
            continue
        factor = next((k for k, of in terms if of == ARG(i)), None)
        if factor is None or (factor, ARG(j)) not in terms:
            continue
        _, matrix, vector = one
        turned = builder.emit("transpose", matrix, axes=(1, 0))
        whole = builder.emit("pointwise", matrix, turned, fn=ARG(0) + ARG(1))
        cores.append(builder.emit("matmul", whole, vector))
        rest = fn - factor * (ARG(i) + ARG(j))
        return rest + factor * ARG(len(cores) - 1), cores
    return fn, cores


def _form(builder: Builder, core: str) -> tuple[bool, str, str] | None:
    """For Aᵀx and Ax whether A is transposed, A and x."""
    b = builder.binding(core)
    if b is None or b.op != "matmul" or len(b.shape) != 1:
        return None
    first, second = b.args
    left = len(builder.type(first).shape) == 1
    matrix, vector = (second, first) if left else (first, second)
    shape = builder.type(matrix).shape
    if len(shape) != 2 or shape[0] != shape[1]:
        return None
    inner = builder.binding(matrix)
    if inner is not None and inner.op == "transpose":
        return not left, inner.args[0], vector
    return left, matrix, vector
