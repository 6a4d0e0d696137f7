"""Second derivatives and Jacobians by SymPy's scalar ``diff`` of a program written out entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import mpmath
import numpy as np
import sympy
from calculus.witness import positions

from symgrad.ops.dims import shape_of
from symgrad.ops.scalars import in_own_terms
from symgrad.program import Program
from symgrad.program.scalarise import scalar_expressions


@cache
def _compiled(program: Program, sizes: tuple[tuple[str, int], ...], wrt: str, order: int):
    symbols = {}
    for i in program.inputs:
        for at in positions(shape_of(i.shape, dict(sizes))):
            symbols[i.name, at] = sympy.Symbol(f"{i.name}_{'_'.join(map(str, at))}", real=True)
    entries = scalar_expressions(program, dict(sizes), symbols)
    result = program.output["loss"]
    values = [
        in_own_terms(entries[result, at]) if (result, at) in entries else symbols[result, at]
        for at in positions(shape_of(program.type(result).shape, dict(sizes)))
    ]
    by = [symbols[wrt, at] for at in positions(shape_of(program.type(wrt).shape, dict(sizes)))]
    for _ in range(order):
        values = [sympy.diff(v, s) for v in values for s in by]
    return list(symbols), sympy.lambdify(list(symbols.values()), values, modules="mpmath", cse=True)


def _evaluated(
    program: Program, wrt: str, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], order: int
):
    keys, f = _compiled(program, tuple(sizes.items()), wrt, order)
    values = f(*(mpmath.mpf(float(arrays[name][at])) for name, at in keys))
    return np.array([float(v) for v in values])


def second_witness(program, wrt, arrays, sizes):
    """The Hessian of the scalar output ``loss`` by one input, of shape s + s."""
    flat = _evaluated(program.only("loss"), wrt, arrays, sizes, 2)
    return flat.reshape(arrays[wrt].shape * 2)


def jacobian_witness(program, wrt, arrays, sizes):
    """The Jacobian of the output ``loss``, of any shape, by one input."""
    shape = shape_of(program.type(program.output["loss"]).shape, sizes)
    return _evaluated(program.only("loss"), wrt, arrays, sizes, 1).reshape((*shape, *arrays[wrt].shape))
