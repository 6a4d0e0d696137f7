"""The SymPy form of a gradient, evaluated with numbers, is the gradient."""

import numpy as np
import pytest
import sympy

import symgrad as sg

SIZES = {"n": 3, "d": 2, "k": 2}
LOSSES = {
    "least squares": ("np.sum((x @ w - y)**2)", {"x": "n d", "w": "d", "y": "n"}, ["w", "x"]),
    "bias": ("np.mean((x @ W + b - y)**2)", {"x": "n d", "W": "d k", "b": "k", "y": "n k"}, ["W", "b"]),
    "tanh": ("np.sum(np.tanh(x @ w)*y)", {"x": "n d", "w": "d 1", "y": "n 1"}, ["w"]),
    "ridge": ("np.sum((x @ w)**2) + lam*np.sum(w**2)", {"x": "n d", "w": "d 1", "lam": ""}, ["w", "lam"]),
    "column against row": ("(c*v).sum()", {"c": "n 1", "v": "d"}, ["c", "v"]),
    "one number against a matrix": ("(s*x).mean()", {"s": "1 1", "x": "n d"}, ["s", "x"]),
    "quadratic form": ("v @ A @ v", {"v": "n", "A": "n n"}, ["v", "A"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_values(name):
    loss, shapes, wrt = LOSSES[name]
    derivation = sg.derive(loss, shapes, wrt)
    generator = np.random.default_rng(0)
    arrays = {
        i.name: generator.integers(-3, 4, tuple(SIZES.get(str(d), d) for d in i.shape)).astype(float)
        for i in derivation.program.inputs
    }
    _, expected = derivation(arrays)
    sizes = dict(SIZES)
    for parameter, expr in derivation.to_sympy().items():
        found = _evaluated(expr, arrays, sizes)
        np.testing.assert_allclose(found.reshape(expected[parameter].shape), expected[parameter], atol=1e-12)


def _evaluated(expr, arrays, sizes):
    found = expr.free_symbols | {
        s for m in expr.atoms(sympy.MatrixSymbol, sympy.OneMatrix) for d in m.shape for s in d.free_symbols
    }
    expr = expr.subs({s: sizes[s.name] for s in found if s.name in sizes and s.is_integer})
    values = {}
    for m in expr.atoms(sympy.MatrixSymbol):
        values[m] = sympy.Matrix(arrays[m.name].reshape(m.shape))
    scalars = {s: arrays[s.name].item() for s in expr.free_symbols if s.name in arrays and not s.is_Matrix}
    explicit = expr.subs(scalars).subs(values).doit()
    if getattr(explicit, "is_Matrix", False):
        return np.array(sympy.Matrix(explicit).evalf(), dtype=float)
    return np.array(float(explicit))
