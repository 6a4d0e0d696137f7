"""Hessians, their products and Jacobians are printed with σ and softmax seen in them, with the values of the code."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from calculus.loss_table import LOSSES, SIZES, draw

import symgrad as sg
from symgrad.errors import UnsupportedError
from symgrad.program import numpy_callable

pytestmark = pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")


def logistic(X, w, y):
    p = 1 / (1 + np.exp(-(X @ w)))
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def logsumexp(z):
    return np.log(np.sum(np.exp(z)))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def test_logistic_regression():
    d = sg.derive(logistic, {"X": "n d", "w": "d", "y": "n"}, "w")
    assert str(d.hessian()).splitlines()[-2:] == [
        "      p = σ(Xw)",
        "∂²L/∂w² = Xᵀ diag(p ⊙ (1 − p))X    (d, d)",
    ]
    assert d.hvp().formula == "Xᵀ(Xv ⊙ p ⊙ (1 − p))"


def test_logsumexp():
    assert str(sg.derive(logsumexp, {"z": "n"}, "z").hessian()).splitlines() == [
        "      L = logsumexp(z)",
        "      p = softmax(z)",
        "∂²L/∂z² = diag(p) − ppᵀ    (n, n)",
    ]


def test_softmax():
    assert sg.jacobian(softmax, {"z": "n"}).formula == "diag(p) − ppᵀ"


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_what_is_printed_has_the_values_of_the_product(loss):
    derivation = loss.derive()
    for name in loss.wrt:
        try:
            product = derivation.hvp(name)
        except UnsupportedError:
            continue
        page = product.equation.program.only("hvp")
        arrays = draw(loss, SIZES[0], 1)
        added = [i for i in product.program.inputs if i.name not in arrays]
        arrays |= {i.name: np.random.default_rng(2).normal(size=np.shape(arrays[name])) for i in added}
        expected = np.asarray(
            numpy_callable(product.program)(*(arrays[i.name] for i in product.program.inputs))
        )
        found = numpy_callable(page)(*(arrays[i.name] for i in page.inputs))
        np.testing.assert_allclose(np.reshape(found, expected.shape), expected, rtol=1e-8, atol=1e-10)


def test_sympy_gets_what_was_written():
    """SymPy has no softmax, but quotients of exponentials."""
    sizes = {"z": "3"}
    hessian = sg.derive("np.log(np.sum(np.exp(z)))", sizes, "z").hessian()
    values = np.array([0.1, -0.4, 0.7])
    symbol = sympy.MatrixSymbol("z", 3, 1)
    found = hessian.to_sympy().subs(symbol, sympy.Matrix(values)).doit().as_explicit()
    np.testing.assert_allclose(np.array(found.evalf(), dtype=float), hessian(z=values), rtol=1e-12)
