"""Jacobians of functions with vectors and matrices as results: against SymPy's scalar diff and torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from calculus.second_witness import jacobian_witness

import symgrad as sg
from symgrad.ops.dims import parse_shape, shape_of
from symgrad.program import numpy_callable
from symgrad.trace import trace_loss

pytestmark = pytest.mark.filterwarnings("ignore::symgrad.errors.SymgradWarning")


@dataclass(frozen=True)
class Function:
    text: str
    shapes: tuple[tuple[str, str], ...]
    wrt: str

    def __str__(self):
        return f"{self.text} by {self.wrt}"


def function(text, wrt, **shapes):
    return Function(text, tuple(shapes.items()), wrt)


FUNCTIONS = (
    function("x @ w", "w", x="n d", w="d"),
    function("x @ w", "x", x="n d", w="d"),
    function("x @ w", "w", x="n d", w="d k"),
    function("x @ w", "x", x="n d", w="d k"),
    function("x @ w", "w", x="n d", w="d 1"),
    function("v @ x", "x", v="n", x="n d"),
    function("u @ v", "u", u="n", v="n"),
    function("np.outer(u, v)", "v", u="n", v="d"),
    function("np.outer(u, v) @ v", "v", u="n", v="d"),
    function("np.tanh(x @ w + b)", "b", x="n d", w="d k", b="k"),
    function("np.tanh(x @ w + b)", "w", x="n d", w="d k", b="k"),
    function("np.exp(a)/np.exp(a).sum()", "a", a="n"),
    function("np.exp(a)/np.exp(a).sum(axis=1, keepdims=True)", "a", a="n d"),
    function("a/np.sqrt(1 + (a**2).sum())", "a", a="n"),
    function("a - a.mean()", "a", a="n"),
    function("a - a.mean(axis=0)", "a", a="n d"),
    function("a.sum(axis=1)", "a", a="n d"),
    function("a.sum(axis=0)*b", "a", a="n d", b="d"),
    function("(a.T @ a).sum(axis=0)", "a", a="n d"),
    function("a @ a", "a", a="n n"),
    function("a.T", "a", a="n d"),
    function("a*a[:, None]", "a", a="n"),
    function("a.reshape(-1)", "a", a="n d"),
    function("s*v + s**2", "s", s="", v="n"),
    function("s*v + s**2", "v", s="", v="n"),
    function("np.sin(s)", "s", s=""),
    function("(v**2).sum()", "v", v="n"),
    function("(x @ x.T)*(x @ x.T)", "x", x="n d"),
    function("np.maximum(x @ w, 0)*u", "w", x="n d", w="d", u="n"),
    function("np.where(a > b, a*b, a)", "a", a="n", b="n"),
    function("v", "v", v="n"),
    function("0*v + 1", "v", v="n"),
    function("b*2", "v", b="n", v="d"),
)
FUNCTIONS = tuple(f for f in FUNCTIONS if f.wrt in f.text)
SIZES = ({"n": 3, "d": 2, "k": 2}, {"n": 2, "d": 2, "k": 2}, {"n": 1, "d": 3, "k": 1}, {"n": 1, "d": 1, "k": 1},
         {"n": 0, "d": 2, "k": 1}, {"n": 2, "d": 0, "k": 1})  # fmt: skip


@cache
def made(f):
    return sg.jacobian(f.text, dict(f.shapes), wrt=f.wrt)


def draw(f, sizes, seed=0):
    rng = np.random.default_rng(seed)
    return {n: np.asarray(rng.uniform(-1.5, 1.5, shape_of(parse_shape(s), sizes))) for n, s in f.shapes}


@pytest.mark.parametrize("f", FUNCTIONS, ids=str)
def test_the_jacobian_is_the_scalar_derivative_of_every_entry(f):
    program = trace_loss(f.text, dict(f.shapes), scalar=False).program
    for seed, sizes in enumerate(SIZES):
        arrays = draw(f, sizes, seed)
        if 0 in sizes.values() and "mean" in f.text:
            continue
        with np.errstate(all="ignore"):  # a softmax of nothing divides by 0, and has no entries
            found = made(f)(arrays)
        expected = jacobian_witness(program, f.wrt, arrays, sizes)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12, err_msg=str(sizes))


@pytest.mark.parametrize("f", FUNCTIONS, ids=str)
def test_what_is_printed_has_the_values_that_are_computed(f):
    arrays = draw(f, {"n": 3, "d": 2, "k": 4}, 5)
    jacobian, along = made(f), np.random.default_rng(0).standard_normal(arrays[f.wrt].shape)
    program = jacobian.equation.program.only("jacobian")
    page = np.asarray(numpy_callable(program)(*(arrays.get(i.name, along) for i in program.inputs)))
    whole = jacobian(arrays)
    if jacobian.closed:
        np.testing.assert_allclose(page.reshape(whole.shape), whole, rtol=1e-10, atol=1e-12)
    else:
        expected = np.tensordot(whole, along, along.ndim) if along.ndim else whole * along
        np.testing.assert_allclose(page, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS, ids=str)
def test_jacobians_are_torchs(f):
    torch = pytest.importorskip("torch")

    class NumPyNames:
        exp, tanh, sin, sqrt, outer, where = (
            torch.exp,
            torch.tanh,
            torch.sin,
            torch.sqrt,
            torch.outer,
            torch.where,
        )

        @staticmethod
        def maximum(a, b):
            return torch.maximum(a, torch.tensor(float(b), dtype=a.dtype))

    text = compile(f.text.replace("keepdims", "keepdim"), "function", "eval")
    arrays = draw(f, {"n": 3, "d": 2, "k": 4}, 1)
    tensors = {n: torch.tensor(a, dtype=torch.float64) for n, a in arrays.items()}
    expected = torch.autograd.functional.jacobian(
        lambda value: eval(text, {"np": NumPyNames}, {**tensors, f.wrt: value}), tensors[f.wrt]
    )
    np.testing.assert_allclose(made(f)(arrays), expected.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS[:12], ids=str)
def test_of_a_scalar_loss_it_is_the_gradient(f):
    text = f"(({f.text})**2).sum()"
    arrays = draw(f, {"n": 3, "d": 2, "k": 2})
    _, grads = sg.derive(text, dict(f.shapes), wrt=f.wrt)(arrays)
    jacobian = sg.jacobian(text, dict(f.shapes), wrt=f.wrt)
    np.testing.assert_allclose(jacobian(arrays), grads[f.wrt], rtol=1e-12)
