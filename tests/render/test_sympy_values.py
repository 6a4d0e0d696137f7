"""The SymPy form of a gradient, evaluated with numbers, is the gradient."""

import time

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.errors import UnsupportedError

SIZES = {"n": 3, "d": 2, "k": 2}
LOSSES = {
    "least squares": ("np.sum((x @ w - y)**2)", {"x": "n d", "w": "d", "y": "n"}, ["w", "x"]),
    "bias": ("np.mean((x @ W + b - y)**2)", {"x": "n d", "W": "d k", "b": "k", "y": "n k"}, ["W", "b"]),
    "tanh": ("np.sum(np.tanh(x @ w)*y)", {"x": "n d", "w": "d 1", "y": "n 1"}, ["w"]),
    "ridge": ("np.sum((x @ w)**2) + lam*np.sum(w**2)", {"x": "n d", "w": "d 1", "lam": ""}, ["w", "lam"]),
    "column against row": ("(c*v).sum()", {"c": "n 1", "v": "d"}, ["c", "v"]),
    "one number against a matrix": ("(s*x).mean()", {"s": "1 1", "x": "n d"}, ["s", "x"]),
    "quadratic form": ("v @ A @ v", {"v": "n", "A": "n n"}, ["v", "A"]),
    "form in a function": ("np.exp(-(v @ A @ v)/50)", {"v": "n", "A": "n n"}, ["v", "A"]),
    "norm": ("np.linalg.norm(x @ w - y)", {"x": "n d", "w": "d", "y": "n"}, ["w", "x", "y"]),
    "two sums": ("(np.exp(v/9).sum()*u).sum()*(u*v).sum()", {"v": "n", "u": "n"}, ["v", "u"]),
    "sum of a product's function": ("u.sum()*np.tanh(x @ w).sum()", {"x": "n d", "w": "d", "u": "n"}, ["u", "w"]),
    "row of sums": ("(x.sum(axis=0, keepdims=True)*x**3).sum()", {"x": "3 2"}, ["x"]),
    "scalars in a function of entries": ("np.maximum(v, t).sum()*x", {"v": "n", "t": "", "x": ""}, ["v", "t", "x"]),
    "a scalar of the function's name": ("np.sin(x*v).sum()", {"v": "n", "x": ""}, ["v", "x"]),
    "choice": ("np.where(v > t, v**2, t*v).sum()", {"v": "n", "t": ""}, ["v"]),
    "absolute values": ("np.abs(v - u).sum() + np.minimum(v, u).sum()", {"v": "n", "u": "n"}, ["v", "u"]),
    "relu": ("(np.maximum(x @ w, 0)*u).sum()", {"x": "n d", "w": "d", "u": "n"}, ["w", "u"]),
    "logistic": ("np.logaddexp(0, -u*(x @ w)/9).sum()", {"x": "n d", "w": "d", "u": "n"}, ["w", "x"]),
    "solve": ("v @ np.linalg.solve(A + 9*np.eye(3), u)", {"v": "3", "A": "3 3", "u": "3"}, ["v", "A"]),
    "determinant": ("np.linalg.det(A + 9*np.eye(3))*v.sum()", {"v": "n", "A": "3 3"}, ["A", "v"]),
    "parts": ("(np.concatenate([v, u, v[:0]])**2).sum()*v[0]", {"v": "n", "u": "d"}, ["u"]),
}  # fmt: skip


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
    # SymPy's subs leaves sizes behind in sums within sums.
    expr = expr.xreplace({s: sympy.Integer(sizes[s.name]) for s in found if s.name in sizes and s.is_integer})
    values = {}
    for m in expr.atoms(sympy.MatrixSymbol):
        values[m] = sympy.Matrix(arrays[m.name].reshape(m.shape))
    scalars = {s: arrays[s.name].item() for s in expr.free_symbols if s.name in arrays and not s.is_Matrix}
    explicit = expr.subs(scalars).subs(values).doit()
    if getattr(explicit, "is_Matrix", False):
        return np.array(sympy.Matrix(explicit).evalf(), dtype=float)
    return np.array(float(explicit))


def test_scalar_products_are_traces_that_sympy_can_derive():
    derivation = sg.derive("np.exp(-(v @ A @ v))", {"v": "n", "A": "n n"}, "v")
    found = derivation.to_sympy()
    assert str(found) == "(-exp(-Trace(v.T*A*v)))*A*v + (-exp(-Trace(v.T*A*v)))*A.T*v"
    assert found.atoms(sympy.Sum) == set()


def test_sums_of_a_known_length_are_not_written_out():
    found = sg.derive("np.exp(v).sum()**2", {"v": "400"}, "v").to_sympy()
    assert len(list(sympy.preorder_traversal(found))) < 60


def test_what_is_read_twice_and_twice_again_is_refused_before_it_is_written():
    def loss(w):
        for _ in range(12):
            w = np.exp(-w) * np.tanh(w)
        return w.sum()

    derivation = sg.derive(loss, {"w": "n"}, "w")
    start = time.process_time()
    with pytest.raises(UnsupportedError) as caught:
        derivation.to_sympy()
    assert time.process_time() - start < 2
    assert "As one expression this is too long" in str(caught.value)
    assert "to_numpy() or .program" in caught.value.fix


def test_only_what_the_gradient_reads_has_to_have_a_form():
    derivation = sg.derive("w.sum()*3 + np.cumsum(u).sum()", {"w": "n", "u": "d"}, ["w", "u"])
    assert str(derivation.gradients["w"].to_sympy()) == "3*1"
