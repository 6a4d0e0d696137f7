"""How Hessians, their products and Jacobians print, compile, hold for all sizes, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol

import symgrad as sg
from symgrad.errors import ShapeError, SpecError, TraceError, UnsupportedError
from symgrad.ops import OPS

VECTORS = {"x": "n d", "w": "d", "y": "n"}
COLUMNS = {"x": "n d", "w": "d 1", "y": "n 1"}
LOGISTIC = "(np.logaddexp(0, x @ w) - y*(x @ w)).sum()"

HESSIANS = [
    ("0.5*((x @ w - y)**2).sum()", VECTORS, "w", "xᵀx"),
    ("0.5*((x @ w - y)**2).sum()", COLUMNS, "w", "xᵀx"),
    ("((x @ w - y)**2).mean()", VECTORS, "w", "(2/n) xᵀx"),
    ("0.5*((x @ w - y)**2).sum() + 0.5*lam*(w**2).sum()", {**VECTORS, "lam": ""}, "w", "λI + xᵀx"),
    (LOGISTIC, VECTORS, "w", "xᵀ diag(p ⊙ (1 − p))x"),
    (LOGISTIC, COLUMNS, "w", "xᵀ diag(p ⊙ (1 − p))x"),
    ("(np.exp(x @ w) - y*(x @ w)).sum()", VECTORS, "w", "xᵀ diag(exp(xw))x"),
    ("w @ q @ w", {"w": "d", "q": "d d"}, "w", "q + qᵀ"),
    ("0.5*(w @ w)", {"w": "d"}, "w", "I"),
    ("(w**3).sum()", {"w": "d"}, "w", "6 diag(w)"),
    ("w @ y", {"w": "d", "y": "d"}, "w", "0"),
    ("np.exp(2*s)", {"s": ""}, "s", "4 exp(2s)"),
    ("0.5*((x @ w - y)**2).sum()", {"x": "n d", "w": "d k", "y": "n k"}, "w", "xᵀxV"),
]
JACOBIANS = [
    ("x @ w", {"x": "n d", "w": "d"}, "w", "x"),
    ("x @ w", {"x": "n d", "w": "d 1"}, "w", "x"),
    ("np.tanh(x @ w)", {"x": "n d", "w": "d"}, "w", "diag(1 − tanh(xw)²)x"),
    ("sigmoid(x @ w)", {"x": "n d", "w": "d"}, "w", "diag(p ⊙ (1 − p))x"),
    ("a**2", {"a": "n"}, "a", "2 diag(a)"),
    ("a", {"a": "n"}, "a", "I"),
    ("s*v", {"s": "", "v": "n"}, "s", "v"),
    ("x @ w", {"x": "n d", "w": "d k"}, "w", "xV"),
    ("(v**2).sum()", {"v": "n"}, "v", "2v"),
]


@pytest.mark.parametrize(("loss", "shapes", "wrt", "formula"), HESSIANS)
def test_hessians_print_as_in_a_book(loss, shapes, wrt, formula):
    assert sg.derive(loss, shapes, wrt=wrt).hessian(wrt).formula == formula


@pytest.mark.parametrize(("function", "shapes", "wrt", "formula"), JACOBIANS)
def test_jacobians_print_as_in_a_book(function, shapes, wrt, formula):
    assert sg.jacobian(function, shapes, wrt=wrt).formula == formula


def test_pages():
    d = sg.derive(LOGISTIC, COLUMNS, wrt="w")
    first, *others = str(d.hessian()).splitlines()
    assert first.startswith("      L = Σ (")
    assert others == [
        "      p = σ(xw)",
        "∂²L/∂w² = xᵀ diag(p ⊙ (1 − p))x    (d, d), the array is (d, 1, d, 1)",
    ]
    d = sg.derive("0.5*((x @ w - y)**2).sum()", {"x": "n d", "w": "d k", "y": "n k"}, wrt="w")
    assert str(d.hessian()).splitlines()[-1] == "∂²L/∂w²[V] = xᵀxV    (d, k), the array is (d, k, d, k)"
    assert str(d.hvp()).splitlines()[-1] == "∂²L/∂w²·v = xᵀxv    (d, k)"
    assert d.hvp().to_text(ascii=True).splitlines()[-1] == "d^2L/dw^2*v = x'xv    (d, k)"
    assert repr(d.hessian()) == "<hessian ∂²L/∂w²[V], (d, k, d, k)>"
    assert (
        d.hessian()
        .to_latex()
        .endswith("\\frac{\\partial^2 L}{\\partial w^2}\\left[V\\right] &= x^{\\top} x V\n\\end{aligned}")
    )


def test_the_functions_own_name_is_on_the_page():
    def layer(x, w):
        return x @ w

    j = sg.jacobian(layer, {"x": "n d", "w": "d"}, wrt="w")
    assert str(j).splitlines() == ["    layer = xw", "∂layer/∂w = x    (n, d)"]
    assert r"\frac{\partial \mathrm{layer}}{\partial w} &= x" in j.to_latex()
    assert j._repr_latex_().startswith("$\\displaystyle \\begin{aligned}")


def test_numpy_source_is_what_runs():
    h = sg.derive("0.5*((x @ w - y)**2).sum()", VECTORS, wrt="w").hessian()
    source = h.to_numpy()
    assert "def hessian(x, w, y):" in source
    namespace = {}
    exec(source, namespace)
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(namespace["hessian"](x, np.ones(2), np.ones(3)), x.T @ x)
    np.testing.assert_array_equal(h(x=x, w=np.ones(2), y=np.ones(3)), x.T @ x)


def test_sympy():
    n, d = sympy.symbols("n d", integer=True, nonnegative=True)
    x = MatrixSymbol("x", n, d)
    derivation = sg.derive("0.5*((x @ w - y)**2).sum()", COLUMNS, wrt="w")
    assert derivation.hessian().to_sympy() == x.T * x
    assert derivation.hvp().to_sympy() == x.T * x * MatrixSymbol("v", d, 1)
    assert sg.jacobian("a", {"a": "n"}).to_sympy() == sympy.Identity(n)
    several = sg.derive("((x @ w - y)**2).sum()", {"x": "n d", "w": "d k", "y": "n k"}, wrt="w")
    with pytest.raises(UnsupportedError, match="two axes"):
        several.hessian().to_sympy()


def test_dtypes_are_numpys():
    h = sg.derive("(w**3).sum()", {"w": "d"}, wrt="w").hessian()
    assert h(w=np.ones(2, np.float32)).dtype == np.float32
    assert h(w=[1, 2]).dtype == np.float64


# A kernel takes seconds to compile: no two of these have the same operations left.
@pytest.mark.parametrize("case", [HESSIANS[i] for i in (3, 5, 9, 10, 12)], ids=lambda c: c[0])
def test_hessians_compile(case):
    loss, shapes, wrt, _ = case
    compare(sg.derive(loss, shapes, wrt=wrt).hessian(), "float64")


def test_products_compile():
    compare(sg.derive(LOGISTIC, VECTORS, wrt="w").hvp(), "float32")


@pytest.mark.parametrize("case", [JACOBIANS[i] for i in (2, 5, 7)], ids=lambda c: c[0])
def test_jacobians_compile(case):
    function, shapes, wrt, _ = case
    compare(sg.jacobian(function, shapes, wrt=wrt), "float64")


def test_tiny_ones_of_fixed_size_compile():
    compare(
        sg.derive(
            "((x @ w - y)**2).sum() + (w**4).sum()", {"x": "4 3", "w": "3", "y": "4"}, wrt="w"
        ).hessian(),
        "float64",
    )


def compare(derived, dtype):
    rng = np.random.default_rng(0)
    sizes = {"n": 4, "d": 3, "k": 2}
    arrays = {
        i.name: rng.uniform(0.2, 1.2, tuple(sizes.get(str(s), s) for s in i.shape))
        for i in derived.program.inputs
    }
    kernel = derived.compile(dtype)
    found = kernel(arrays)
    assert found.dtype == dtype
    assert "compile" in kernel.timings
    assert "def " in kernel.source
    close = {"float64": 1e-12, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(found, derived(arrays), rtol=close, atol=close)


def test_sizes_that_a_function_needs_as_numbers():
    def powers(z):
        out = np.zeros(len(z))
        for i in range(len(z)):
            out[i] = z[i] ** (i + 1)
        return out

    def loss(z):
        return (powers(z) ** 2).sum()

    jacobian = sg.jacobian(powers, {"z": "n"})
    d = sg.derive(loss, {"z": "n"})
    for size in (2, 3, 5, 3):
        z = np.linspace(0.5, 1.5, size)
        i = np.arange(1, size + 1)
        np.testing.assert_allclose(jacobian(z=z), np.diag(i * z ** (i - 1)), rtol=1e-12)
        second = 2 * i * (2 * i - 1) * z ** (2 * i - 2)
        np.testing.assert_allclose(d.hessian()(z=z), np.diag(second), rtol=1e-12)
        np.testing.assert_allclose(d.hvp()(z=z, v=z), second * z, rtol=1e-12)


def test_kinks_are_flat_and_said_to_be():
    d = sg.derive("np.abs(w).sum() + np.maximum(w, 0).sum()", {"w": "d"}, wrt="w")
    h = d.hessian()
    np.testing.assert_array_equal(h(w=[-1.0, 0.0, 2.0]), np.zeros((3, 3)))
    assert str(h).splitlines()[-1] == (
        "note: where the first derivative jumps, as a comparison or sign does, its derivative is taken as 0"
    )
    assert not sg.derive("(w**2).sum()", {"w": "d"}, wrt="w").hessian().notes


def test_the_direction_has_a_free_name():
    shapes = {"v": "n", "w": "n"}
    d = sg.derive("(v*w**2).sum()", shapes, wrt="w")
    assert [i.name for i in d.hvp().program.inputs] == ["v", "w", "v_w"]
    assert [i.name for i in d.hvp(direction="t").program.inputs] == ["v", "w", "t"]
    with pytest.raises(SpecError, match="a name of its own") as caught:
        d.hvp("w", "v")
    assert str(caught.value) == (
        "The direction needs a name of its own.\n  where:    direction\n  got:      v\n  fix:      choose another one"
    )


def test_several_parameters_are_taken_one_at_a_time():
    d = sg.derive("(u*w**2).sum()", {"u": "n", "w": "n"}, wrt=["u", "w"])
    arrays = {"u": np.array([1.0, 2.0]), "w": np.array([3.0, 4.0])}
    np.testing.assert_array_equal(d.hessian("w")(arrays), np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(d.hessian("u")(arrays), np.zeros((2, 2)))
    with pytest.raises(SpecError, match="by one of the parameters") as caught:
        d.hessian()
    assert caught.value.expected == "one of u, w"
    with pytest.raises(SpecError) as caught:
        sg.derive("(u*w**2).sum()", {"u": "n", "w": "n"}, wrt="u").hvp("w")
    assert caught.value.fix == "derive the loss with wrt='w'"


def test_what_jacobians_refuse():
    with pytest.raises(TraceError) as caught:
        sg.jacobian(lambda a: (a, 2 * a), {"a": "n"})
    assert caught.value.expected == "one array computed from the arguments"
    assert caught.value.got == "tuple"
    with pytest.raises(SpecError, match="by one argument") as caught:
        sg.jacobian("a*b", {"a": "n", "b": "n"})
    assert caught.value.expected == "one of a, b"
    with pytest.raises(SpecError, match="'c' is not an argument"):
        sg.jacobian("a*b", {"a": "n", "b": "n"}, wrt="c")
    with pytest.raises(SpecError, match="'b' is missing"):
        sg.jacobian("a*b", {"a": "n", "b": "n"}, wrt="a")(a=np.ones(3))
    with pytest.raises(ShapeError):
        sg.jacobian("a*b", {"a": "n", "b": "n"}, wrt="a")(a=np.ones(3), b=np.ones(2))


def test_an_operation_without_a_rule_for_stacks_is_named(monkeypatch):
    monkeypatch.setitem(OPS, "matmul", replace(OPS["matmul"], stack=None))
    d = sg.derive("((x @ w - y)**2).sum()", VECTORS, wrt="w")
    with pytest.raises(UnsupportedError) as caught:
        d.hessian()
    assert str(caught.value) == (
        "matmul has no rule for stacks, which Jacobians and Hessians are made by.\n"
        "  where:    matmul\n"
        "  fix:      use the product with one vector, d.hvp, which needs no stacks"
    )
    assert d.hvp().formula == "2xᵀxv"
