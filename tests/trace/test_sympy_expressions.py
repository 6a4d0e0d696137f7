"""SymPy expressions against NumPy and numeric differences; failures name the node."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import (
    IndexedBase,
    Lambda,
    Matrix,
    MatrixSymbol,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    Trace,
    exp,
    log,
    sqrt,
    symbols,
)
from sympy.matrices.expressions import (
    Adjoint,
    BlockMatrix,
    Determinant,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    DotProduct,
    HadamardPower,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    OneMatrix,
)

import symgrad as sg
from symgrad.errors import ShapeError, SymgradError, UnsupportedError

n, d = symbols("n d", integer=True, positive=True)
i, j, k = symbols("i j k", integer=True)
t = Symbol("t")
a, b = symbols("a b")
X, w, y = MatrixSymbol("X", n, d), MatrixSymbol("w", d, 1), MatrixSymbol("y", n, 1)
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
E = MatrixSymbol("E", 3, 3)
v = MatrixSymbol("v", 3, 1)
q, p = IndexedBase("q", shape=(n,)), IndexedBase("p", shape=(n, d))
ONE, COLUMN = OneMatrix(1, n), OneMatrix(n, 1)
inv, det = np.linalg.inv, np.linalg.det
sigmoid = Lambda(t, 1 / (1 + exp(-t)))


def norm2(e):
    return Trace(e.T * e)


def logistic(z):
    return 1 / (1 + np.exp(-z))


CASES = {
    # sympy#5858, the Matrix Cookbook: traces, determinants, inverses
    "trace": (Trace(A), lambda A: np.trace(A)),
    "trace of a product": (Trace(A * B * A.T), lambda A, B: np.trace(A @ B @ A.T)),
    "trace with an identity": (Trace(A * (B + 2 * Identity(n))), lambda A, B: np.trace(A @ (B + 2 * np.eye(len(A))))),
    "identity alone": (ONE * (A + a * Identity(n)) * COLUMN, lambda A, a: (A + a * np.eye(len(A))).sum()),
    "scaled trace": (Trace(3 * a * A) + Trace(-A * B), lambda A, B, a: 3 * a * np.trace(A) - np.trace(A @ B)),
    "inverse": (Trace(A.I * B), lambda A, B: np.trace(inv(A) @ B)),
    "inverse of a sum": (y.T * (A + B).I * y, lambda A, B, y: y.T @ inv(A + B) @ y),
    "determinant": (Determinant(A), lambda A: det(A)),
    "log det": (log(Determinant(A)), lambda A: np.log(det(A))),
    "power": (Trace(A**3), lambda A: np.trace(A @ A @ A)),
    "negative power": (Trace(A**-2), lambda A: np.trace(inv(A) @ inv(A))),
    "quadratic forms": (w.T * X.T * A * X * w, lambda A, X, w: w.T @ X.T @ A @ X @ w),
    "cookbook 83": ((X * w + y).T * A * (X * w + y), lambda A, X, w, y: (X @ w + y).T @ A @ (X @ w + y)),
    "adjoint": (Trace(Adjoint(A) * B), lambda A, B: np.trace(A.T @ B)),
    # sympy#21347, backpropagation; sympy#21062, functions of entries inside products
    "logistic layer": (
        ONE * HadamardPower((X * w).applyfunc(sigmoid) - y, 2) / 2,
        lambda X, w, y: ((logistic(X @ w) - y) ** 2).sum() / 2,
    ),
    "own function": (w.T * (X.T * X * w).applyfunc(Lambda(t, t**3 + a * t)), lambda X, w, a: w.T @ ((X.T @ X @ w) ** 3 + a * X.T @ X @ w)),
    "constant function": (ONE * (X * w).applyfunc(Lambda(t, 3 * a)), lambda X, w, a: 3 * a * len(X) + 0 * w.sum()),
    "nested functions": (
        ONE * ((X * w).applyfunc(sympy.tanh) + y).applyfunc(exp),
        lambda X, w, y: np.exp(np.tanh(X @ w) + y).sum(),
    ),
    # sympy#26585, sympy#25118, sympy#26561: sums whose gradient SymPy takes for 0
    "sum of norms": (norm2(A - B) / 2 + norm2(A) / 2, lambda A, B: ((A - B) ** 2).sum() / 2 + (A**2).sum() / 2),
    "norm and number": (norm2(E) - 3, lambda E: (E**2).sum() - 3),
    "squared trace and number": (Trace(E) ** 2 + 1, lambda E: np.trace(E) ** 2 + 1),
    # sympy#28615, sympy#28838: norms and determinants in a chain
    "Frobenius norm": (sqrt(Trace(A.T * A)), lambda A: np.linalg.norm(A)),
    "determinant times scalar": (a * Determinant(E), lambda E, a: a * det(E)),
    "one over determinant": (1 / Determinant(E), lambda E: 1 / det(E)),
    "root of a 1×1 matrix": ((w.T * w) ** Rational(1, 2), lambda w: np.linalg.norm(w)),
    # entrywise products, diagonals, blocks
    "Hadamard": (Trace(HadamardProduct(A, B, A) * B), lambda A, B: np.trace((A * B * A) @ B)),
    "Hadamard with identity": (Trace(HadamardProduct(A, Identity(n)) * B), lambda A, B: np.trace((A * np.eye(len(A))) @ B)),
    "diagonal matrix": (y.T * DiagMatrix(y) * A * y, lambda A, y: y.T @ np.diag(y[:, 0]) @ A @ y),
    "diagonal": (y.T * DiagonalOf(A), lambda A, y: y[:, 0] @ np.diag(A)),
    "its diagonal matrix": (ONE * DiagonalMatrix(A) * B * COLUMN, lambda A, B: (np.diag(np.diag(A)) @ B).sum()),
    "Kronecker": (Trace(KroneckerProduct(A, B) * KroneckerProduct(B, A)), lambda A, B: np.trace(np.kron(A, B) @ np.kron(B, A))),
    "blocks": (Trace(BlockMatrix([[A, B], [B, A]]) ** 2), lambda A, B: np.trace(np.linalg.matrix_power(np.block([[A, B], [B, A]]), 2))),
    "slices": (Trace(E[0:2, 1:3]) + Trace(E[::2, ::2]), lambda E: np.trace(E[:2, 1:3]) + np.trace(E[::2, ::2])),
    "entries": (E[0, 1] * E[2, 2] ** 2 + (E * v)[1, 0], lambda E, v: E[0, 1] * E[2, 2] ** 2 + (E @ v)[1, 0]),
    "last entry": (X[n - 1, 0] ** 2 + X[0, d - 1], lambda X: X[-1, 0] ** 2 + X[0, -1]),
    "explicit norm": (Matrix([a, 2 * a, b]).norm(), lambda a, b: np.sqrt(5 * a**2 + b**2)),
    "explicit entries": (Matrix(v).norm() ** 2, lambda v: (v**2).sum()),
    "explicit matrix": ((sympy.ImmutableMatrix([[a, b, a * b]]) * v)[0, 0], lambda a, b, v: np.array([a, b, a * b]) @ v[:, 0]),
    "explicit in a product": (Trace(sympy.ImmutableMatrix(3, 3, [a, 0, 1, b, 2, 0, 0, 0, a]) * E), lambda a, b, E: a * E[0, 0] + E[2, 0] + b * E[0, 1] + 2 * E[1, 1] + a * E[2, 2]),
    "dot product": (DotProduct(v, E * v), lambda E, v: v[:, 0] @ (E @ v)[:, 0]),
    # sums over indices
    "sum of squares": (Sum((y[i, 0] - (X * w)[i, 0]) ** 2, (i, 0, n - 1)), lambda X, w, y: ((y - X @ w) ** 2).sum()),
    "double sum": (Sum(X[i, j] ** 2 * w[j, 0] * y[i, 0], (i, 0, n - 1), (j, 0, d - 1)), lambda X, w, y: (y.T @ X**2 @ w)),
    "sum in a sum": (Sum((y[i, 0] - Sum(X[i, j] * w[j, 0], (j, 0, d - 1))) ** 2, (i, 0, n - 1)), lambda X, w, y: ((y - X @ w) ** 2).sum()),
    "sum in a function": (Sum(log(1 + exp(-y[i, 0] * Sum(X[i, j] * w[j, 0], (j, 0, d - 1)))), (i, 0, n - 1)), lambda X, w, y: np.log(1 + np.exp(-y * (X @ w))).sum()),
    "transposed entries": (Sum(A[i, j] * A[j, i] * B[i, j], (i, 0, n - 1), (j, 0, n - 1)), lambda A, B: (A * A.T * B).sum()),
    "diagonal entries": (Sum(A[i, i] ** 2 * y[i, 0], (i, 0, n - 1)), lambda A, y: (np.diag(A) ** 2 * y[:, 0]).sum()),
    "sum of a constant": (Sum(a, (i, 0, n - 1)) * Trace(A), lambda A, a: a * len(A) * np.trace(A)),
    "other sum's constant": (Sum(y[i, 0] * Trace(A), (i, 0, n - 1)), lambda A, y: y.sum() * np.trace(A)),
    "inner constant": (Sum(y[i, 0] ** 2, (i, 0, n - 1), (j, 0, d - 1)) + Trace(X.T * X), lambda X, y: X.shape[1] * (y**2).sum() + (X**2).sum()),
    "index as a number": (Sum(i * y[i, 0] + j * y[i, 0], (i, 0, n - 1), (j, 1, 2)), lambda y: sum((2 * i + 3) * y[i, 0] for i in range(len(y)))),
    "differences": (Sum((v[i + 1, 0] - v[i, 0]) ** 2, (i, 0, 1)), lambda v: (np.diff(v[:, 0]) ** 2).sum()),
    "a part": (Sum(v[i, 0] ** 2, (i, 1, 2)), lambda v: (v[1:] ** 2).sum()),
    "product over an index": (sympy.Product(1 + v[i, 0] ** 2, (i, 0, 2)), lambda v: np.prod(1 + v**2)),
    "sum of products": (Sum(sympy.Product(X[i, j], (j, 0, d - 1)), (i, 0, n - 1)), lambda X: X.prod(axis=1).sum()),
    "Kronecker delta": (Sum(sympy.KroneckerDelta(i, j) * A[i, j] ** 2 * y[i, 0], (i, 0, n - 1), (j, 0, n - 1)), lambda A, y: (np.diag(A) ** 2 * y[:, 0]).sum()),
    "floor": (sympy.floor(3 * a) * a + sympy.ceiling(b) * b, lambda a, b: np.floor(3 * a) * a + np.ceil(b) * b),
    "indexed": (Sum((q[i] - p[i, j]) ** 2, (i, 0, n - 1), (j, 0, d - 1)), lambda q, p: ((q[:, None] - p) ** 2).sum()),
    # scalars
    "piecewise": (Piecewise((a**2, a > b), (b, a > 2 * b), (a * b, True)), lambda a, b: a**2 if a > b else a * b),
    "maximum": (sympy.Max(a, 0) ** 2 + sympy.Min(a, b, 2), lambda a, b: a**2 + min(a, b, 2)),
    "cotangent": (sympy.cot(a) + sympy.sec(b), lambda a, b: 1 / np.tan(a) + 1 / np.cos(b)),
    "sizes": (Trace(A) / n + n * d * Trace(X.T * X), lambda A, X: np.trace(A) / len(A) + X.size * (X**2).sum()),
}  # fmt: skip

SIZES = [{"n": 3, "d": 2}, {"n": 1, "d": 1}, {"n": 2, "d": 2}]


def arrays_for(derived, sizes):
    rng = np.random.default_rng(1)
    out = {}
    for one in derived.program.inputs:
        dims = tuple(sizes.get(str(s), s) for s in one.shape)
        out[one.name] = rng.uniform(0.5, 1.5, dims)
        if one.name in ("A", "B", "E"):
            out[one.name] = out[one.name] + 2 * np.eye(dims[0])
    return out


def differences(f, arrays, name, h=1e-6):
    grad = np.empty(arrays[name].shape)
    for at in np.ndindex(grad.shape):
        values = []
        for sign in (1, -1):
            moved = arrays[name].copy()
            moved[at] += sign * h
            values.append(float(np.squeeze(f(**{**arrays, name: moved}))))
        grad[at] = (values[0] - values[1]) / (2 * h)
    return grad


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:log:symgrad.errors.SymgradWarning")
def test_values_and_gradients(case, sizes):
    expr, f = CASES[case]
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    derived = sg.derive(expr, wrt=list(names))
    assert {one.name for one in derived.program.inputs} == set(names)
    arrays = arrays_for(derived, sizes)
    value, grads = derived(**arrays)
    assert value == pytest.approx(float(np.squeeze(f(**arrays))), rel=1e-12)
    for name in names:
        expected = differences(f, arrays, name)
        scale = 1 + np.abs(expected).max()
        np.testing.assert_allclose(grads[name], expected, rtol=1e-6, atol=1e-7 * scale)


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        (sympy.Function("f")(a), "The function f has no formula"),
        (sympy.gamma(a), "SymPy's gamma has no rule"),
        (sympy.Integral(a, (a, 0, b)), "SymPy's Integral has no rule"),
        (sympy.Eq(a, 2), "A relation is no loss"),
        (a > b, "A relation is no loss"),
        (Trace(A**10_000_000), "This power of a matrix is too high"),
        (Trace(A**k), "A matrix has whole powers only"),
        (Trace(A ** Rational(1, 2)), "A matrix has whole powers only"),
        (Piecewise((a, a > 0)), "This Piecewise has no value elsewhere"),
        (Sum(y[i, 0], (i, 1, n)), "An index runs beyond its axis"),
        (Sum(y[2 * i, 0], (i, 0, n - 1)), "one plus a number"),
        (Sum(X[i, j], (i, 0, j), (j, 0, n - 1)), "The bounds of a sum depend on another index"),
        (Sum(y[i, 0], (i, k, n - 1)), "A sum starts at a whole number"),
        (Sum(Trace(A * X[i, 0]), (i, 0, n - 1)), "depends on a summation index"),
        (X[k, 0] + Trace(A), "An index of an entry is a whole number"),
        (sympy.I * a, "Only real numbers can take part"),
        (sqrt(-2) * a, "Only real numbers can take part"),
        (sympy.oo * a, "Only real numbers can take part"),
        (Trace(sympy.FunctionMatrix(3, 3, Lambda((i, j), i + j)) * E), "FunctionMatrix has no rule"),
        (A, "The loss is not a scalar"),
    ],
    ids=str,
)
def test_what_is_refused_by_name(expr, words):
    with pytest.raises(SymgradError) as caught:
        sg.derive(expr, wrt="a")
    assert words in str(caught.value)


def test_the_message_names_the_node():
    with pytest.raises(UnsupportedError) as caught:
        sg.derive(a + exp(sympy.gamma(a)), wrt="a")
    assert caught.value.where == "gamma(a)"


def test_arrays_without_a_declared_shape():
    free = IndexedBase("z")
    derived = sg.derive(Sum(free[i] ** 2, (i, 0, n - 1)), {"z": "n"}, wrt="z")
    assert str(derived.gradient) == "2z"


def test_a_column_may_be_given_as_a_vector():
    derived = sg.derive((X * w - y).T * (X * w - y) / 2, {"X": "n d", "w": "d", "y": "n"}, wrt="w")
    rng = np.random.default_rng(0)
    x, u, z = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)
    np.testing.assert_allclose(derived(X=x, w=u, y=z)[1]["w"], x.T @ (x @ u - z), rtol=1e-12)
    with pytest.raises(ShapeError, match="X is declared with another shape"):
        sg.derive(Trace(X.T * X), {"X": "d n"}, wrt="X")


def test_a_mutable_matrix_is_a_loss():
    assert str(sg.derive(Matrix([[a**2]]), wrt="a").gradient) == "2a"


x = MatrixSymbol("x", n, 1)
COLUMNS = {
    # what is written, by what, the loss as printed, the gradient as printed
    "norm": (sqrt((x.T * x)[0, 0]), "x", "‖x‖", "x / ‖x‖"),
    "norm of a matrix expression": (sqrt(x.T * x), "x", "‖x‖", "x / ‖x‖"),
    "norm by a trace": (sqrt(Trace(x.T * x)), "x", "‖x‖", "x / ‖x‖"),
    "norm by a sum": (sqrt(Sum(x[i, 0] ** 2, (i, 0, n - 1))), "x", "‖x‖", "x / ‖x‖"),
    "square": ((x.T * x)[0, 0] / 2, "x", "½‖x‖²", "x"),
    "product": ((x.T * y)[0, 0], "x", "xᵀy", "y"),
    "quadratic form": ((x.T * A * x)[0, 0], "x", "xᵀAx", "(A + Aᵀ)x"),
    "its trace": (Trace(x.T * A * x), "x", "xᵀAx", "(A + Aᵀ)x"),
    "its sum": (Sum(A[i, j] * x[i, 0] * x[j, 0], (i, 0, n - 1), (j, 0, n - 1)), "x", "xᵀAx", "(A + Aᵀ)x"),
    "bilinear form": (Sum(2 * a * A[i, j] * y[i, 0] * x[j, 0], (i, 0, n - 1), (j, 0, n - 1)), "x", "2ayᵀAx", "2aAᵀy"),
    "least squares": (((X * w - y).T * (X * w - y))[0, 0] / 2, "w", "½(Xw − y)ᵀ(Xw − y)", "Xᵀ(Xw − y)"),
    "squared errors": (Sum((y[i, 0] - (X * w)[i, 0]) ** 2, (i, 0, n - 1)), "w", "Σ (Xw − y)²", "2Xᵀ(Xw − y)"),
    "form in a function": (exp(-(x.T * A * x)[0, 0]), "x", "exp(−xᵀAx)", "−(A(hx) + hAᵀx), where h = exp(−xᵀAx)"),
    "sum of norms": (Sum(sqrt(Sum(X[i, j] ** 2, (j, 0, d - 1))), (i, 0, n - 1)), "X", "Σ norm(X, axis=1)", "diag(norm(X, axis=1))⁻¹X"),
}  # fmt: skip


@pytest.mark.parametrize("case", COLUMNS)
def test_scalars_of_columns_are_printed_like_products(case):
    expr, wrt, loss, gradient = COLUMNS[case]
    derived = sg.derive(expr, wrt=wrt)
    assert str(derived).splitlines()[0].split(" = ", 1)[1].split("    (")[0].strip() == loss
    assert str(derived.gradient) == gradient
    assert derived.to_sympy() is not None


@pytest.mark.parametrize(
    "expr", [*(COLUMNS[c][0] for c in COLUMNS if "norm" in c), sqrt((X * w).T * (X * w))], ids=str
)
def test_norms_are_finite_at_zero(expr):
    derived = sg.derive(expr, wrt=str(next(iter(expr.atoms(MatrixSymbol)))))
    zeros = {
        one.name: np.zeros([{"n": 3, "d": 2}.get(str(s), s) for s in one.shape])
        for one in derived.program.inputs
    }
    value, grads = derived(**zeros)
    assert value == 0
    assert all(not g.any() for g in grads.values())


SPELLINGS = [
    "np.sqrt(x @ x)",
    "(x @ x)**.5",
    "(x**2).sum()**0.5",
    "np.sqrt((x**2).mean())",
    "np.power(x @ x, 0.5)",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_roots_of_sums_of_squares_are_norms_in_text_too(text):
    _, grads = sg.derive(text, {"x": "n"}, "x")(x=np.zeros(3))
    assert not grads["x"].any()


COLUMN_SPELLINGS = [
    lambda x: np.sqrt((x.T @ x)[0, 0]),
    lambda x: np.sqrt((x.T @ x).item()),
    lambda x: ((x.T @ x) ** 0.5)[0, 0],
    lambda x: np.sqrt(np.trace(x @ x.T)),
    lambda x: (x[:, 0] @ x[:, 0]) ** 0.5,
]


@pytest.mark.parametrize("f", COLUMN_SPELLINGS, ids=range(5))
def test_and_of_a_numpy_column(f):
    derived = sg.derive(f, {"x": "n 1"}, "x")
    assert str(derived.gradient) == "x / ‖x‖"
    assert not derived(x=np.zeros((3, 1)))[1]["x"].any()
    column = np.array([[3.0], [4.0]])
    np.testing.assert_allclose(derived(x=column)[1]["x"], column / 5)
    assert derived.to_sympy() is not None


def test_a_slice_with_steps_has_numpys_shape_and_not_sympys():
    part = v[::2, :]  # SymPy takes it for 1×1
    derived = sg.derive(Trace(part * part.T), wrt="v")
    value, grads = derived(v=np.array([[1.0], [2.0], [3.0]]))
    assert value == 10
    np.testing.assert_array_equal(grads["v"], [[2], [0], [6]])
