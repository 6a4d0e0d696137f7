"""A second way to a gradient: the loss written out entry by entry, and SymPy's scalar ``diff``.

It shares no matrix rule, no ``fdiff`` of ours and no NumPy source with the derivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product

import mpmath
import numpy as np
import sympy

from symgrad.ops.dims import shape_of
from symgrad.ops.scalars import in_own_terms
from symgrad.program import Program
from symgrad.program.scalarise import scalar_expressions

mpmath.mp.dps = 30


def positions(shape: Sequence[int]):
    return product(*(range(d) for d in shape))


@cache
def _written_out(program: Program, sizes: tuple[tuple[str, int], ...], wrt: tuple[str, ...]):
    """Compiled value and derivatives of a scalar program as functions of all input entries."""
    symbols = {}
    for i in program.inputs:
        for at in positions(shape_of(i.shape, dict(sizes))):
            symbols[i.name, at] = sympy.Symbol(
                f"{i.name}_{'_'.join(map(str, at))}".replace(".", "_"), real=True
            )
    entries = scalar_expressions(program, dict(sizes), symbols)
    loss = in_own_terms(entries[program.output["loss"], ()])
    derivatives = [
        sympy.diff(loss, symbols[name, at])
        for name in wrt
        for at in positions(shape_of(program.type(name).shape, dict(sizes)))
    ]
    f = sympy.lambdify(list(symbols.values()), [loss, *derivatives], modules="mpmath", cse=True)
    return list(symbols), f


def witness(program: Program, wrt: Sequence[str], arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int]):
    """The loss and its gradients by ``wrt`` at the arrays, as float64."""
    loss = program.only("loss")
    keys, f = _written_out(loss, tuple(sizes.items()), tuple(wrt))
    value, *rest = f(*(mpmath.mpf(float(arrays[name][at])) for name, at in keys))
    flat = iter(rest)
    grads = {}
    for name in wrt:
        shape = arrays[name].shape
        grads[name] = np.array([float(next(flat)) for _ in positions(shape)], dtype=float).reshape(shape)
    return float(value), grads
