"""Losses of linear algebra: values and gradients against the scalar witness and against PyTorch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
from calculus.witness import witness

import symgrad as sg
from symgrad.errors import SymgradError

pytestmark = pytest.mark.filterwarnings(
    "ignore::symgrad.errors.SymgradWarning"
)  # of inv and log(det) as written

CLOSE = {"rtol": 1e-9, "atol": 1e-10}
SHAPES = {
    "A": "n n", "B": "n n", "S": "n n", "X": "n d", "Y": "d n", "Z": "d d", "a": "n", "b": "n", "u": "d", "T": "k n n", "R": "k n d", "V": "k n",
    "t": "",
}  # fmt: skip

# One text for NumPy, PyTorch and the derivation; the first argument is the parameter, or all where noted.
LOSSES = {
    "inv": "lambda A, a, b: a @ np.linalg.inv(A) @ b",
    "inv trace": "lambda A, B: np.trace(np.linalg.inv(A) @ B)",
    "inv of a product": "lambda X, Z: np.trace(np.linalg.inv(X.T @ X + Z @ Z.T + 1) @ Z)",
    "inv twice": "lambda A, B: np.sum(np.linalg.inv(np.linalg.inv(A) + B) ** 2)",
    "solve vector": "lambda A, b, a: a @ np.linalg.solve(A, b)",
    "solve matrix": "lambda A, X: np.sum(np.linalg.solve(A, X) ** 2)",
    "solve transposed": "lambda A, b: np.sum(np.linalg.solve(A.T, b) ** 3)",
    "solve itself": "lambda A: np.sum(np.linalg.solve(A, A.T) ** 2)",
    "solve stack, one vector": "lambda T, b: np.sum(np.linalg.solve(T, b) ** 2)",
    "solve stack, one matrix": "lambda T, X: np.sum(np.linalg.solve(T, X) ** 2)",
    "solve one, stack of sides": "lambda A, R: np.sum(np.linalg.solve(A, R) ** 2)",
    "solve stack": "lambda T, R: np.sum(np.linalg.solve(T, R) ** 2)",
    "solve stack, columns": "lambda T, V: np.sum(np.linalg.solve(T, V[:, :, None]) ** 2)",
    "det": "lambda A, B: np.linalg.det(A @ B) + np.linalg.det(A) ** 2",
    "det stack": "lambda T: np.sum(np.linalg.det(T) ** 2)",
    "log det": "lambda A: np.log(np.linalg.det(A @ A.T))",
    "log det rectangular": "lambda X, Z: np.log(np.linalg.det(X.T @ X + Z @ Z.T))",
    "slogdet": "lambda A: np.linalg.slogdet(A)[1] * np.linalg.slogdet(A)[0]",
    "slogdet names": "lambda A: np.linalg.slogdet(A).logabsdet + np.linalg.slogdet(A).sign * A.sum()",
    "slogdet stack": "lambda T: np.sum(np.linalg.slogdet(T)[1] ** 2)",
    "gp": "lambda S, a, t: 0.5 * a @ np.linalg.solve(S @ S.T + t ** 2, a) + 0.5 * np.linalg.slogdet(S @ S.T + t ** 2)[1]",
    "cholesky of a product": "lambda S, B: np.sum(np.linalg.cholesky(S @ S.T) * B)",
    "cholesky solve": "lambda S, a: np.sum(np.linalg.solve(np.linalg.cholesky(S @ S.T), a) ** 2)",
    "cholesky log det": "lambda S: 2 * np.sum(np.log(np.diag(np.linalg.cholesky(S @ S.T))))",
    "power": "lambda A, a, b: a @ np.linalg.matrix_power(A, 3) @ b",
    "power 0": "lambda A, B: np.sum(np.linalg.matrix_power(A, 0) * B * A)",
    "power 1": "lambda A, B: np.sum(np.linalg.matrix_power(A, 1) * B)",
    "power 2": "lambda A, B: np.trace(np.linalg.matrix_power(A, 2) @ B)",
    "negative power": "lambda A, B: np.trace(np.linalg.matrix_power(A, -2) @ B)",
    "power of a stack": "lambda T: np.sum(np.linalg.matrix_power(T, 2) ** 2)",
    "trace": "lambda X, A, Y: np.trace(Y @ A @ X)",
    "trace squared": "lambda A, B: np.trace(A @ B) ** 2",
    "diag of a vector": "lambda a, A, B: np.trace(A @ np.diag(a) @ B)",
    "diag of a matrix": "lambda A, a: np.diag(A @ A) @ a",
    "diag beside": "lambda a, b: np.sum(np.diag(a * b, 1) ** 2) + np.sum(np.diag(a, -2) ** 3)",
    "diagonal stack": "lambda T: np.sum(np.diagonal(T, 0, 1, 2) ** 2)",
    "norm": "lambda X, u, b: np.linalg.norm(X @ u - b)",
    "norm squared": "lambda X, u, b: np.linalg.norm(X @ u - b) ** 2",
    "frobenius": "lambda X: np.linalg.norm(X, 'fro') ** 3",
    "norm by default": "lambda X, Y: np.linalg.norm(X) / np.linalg.norm(Y)",
    "kron": "lambda X, A: np.sum(np.kron(X, A) ** 2 + np.kron(X, A))",
    "kron of vectors": "lambda a, u: np.sum(np.kron(a, u) ** 3)",
    "multi_dot": "lambda X, A, Y, a: a @ np.linalg.multi_dot([A, X, Y]) @ a",
    "multi_dot ends": "lambda a, A, B, b: np.linalg.multi_dot([a, A, B, b])",
    "jitter": "lambda S, a: a @ np.linalg.solve(S @ S.T + 0.01 * np.eye(len(a)), a)",
    "ridge": "lambda X, b, t: np.sum((X @ np.linalg.solve(X.T @ X + t**2 * np.eye(X.shape[1]), X.T @ b) - b) ** 2)",
    "whitened": "lambda X, S: np.trace(X.T @ np.linalg.inv(S @ S.T) @ X)",
}  # fmt: skip

# What PyTorch spells otherwise: the witness and NumPy's value only.
OTHERS = {
    "norm 1": "lambda X, u, b: np.linalg.norm(X @ u - b, 1)",
    "norm 2": "lambda X, u, b: np.linalg.norm(X @ u - b, ord=2)",
    "norm 3": "lambda a: np.linalg.norm(a, 3)",
    "norm 1.5": "lambda X: np.sum(np.linalg.norm(X, 1.5, axis=0))",
    "norm of rows": "lambda X: np.sum(np.linalg.norm(X, axis=1) ** 3)",
    "norm of columns": "lambda X: np.sum(X / np.linalg.norm(X, axis=0, keepdims=True) * X)",
    "norm of rows squared": "lambda X: np.sum(np.linalg.norm(X, axis=1, keepdims=True) ** 2 * X)",
    "norms of matrices": "lambda R: np.sum(np.linalg.norm(R, axis=(1, 2)) ** 3)",
    "norm inf": "lambda a, b: np.linalg.norm(a - b, np.inf) ** 2 + np.linalg.norm(a, -np.inf)",
    "norm inf of rows": "lambda X: np.sum(np.linalg.norm(X, np.inf, axis=1, keepdims=True) * X)",
    "matrix norm 1": "lambda X: np.linalg.norm(X, 1) ** 2 + np.linalg.norm(X, -1)",
    "matrix norm inf": "lambda X: np.linalg.norm(X, np.inf) ** 2 + np.linalg.norm(X, -np.inf)",
    "matrix norms of a stack": "lambda R: np.sum(np.linalg.norm(R, 1, axis=(2, 1)) ** 2)",
    "norm of a scalar": "lambda t: np.linalg.norm(t)",
    "vector_norm": "lambda X: np.linalg.vector_norm(X, ord=3) + np.sum(np.linalg.vector_norm(X, axis=0))",
    "matrix_norm": "lambda R: np.sum(np.linalg.matrix_norm(R) ** 3)",
    "trace beside": "lambda A: np.trace(A @ A, offset=1) + np.trace(A, -1) ** 2",
    "trace axes": "lambda T: np.sum(np.trace(T, axis1=1, axis2=2) ** 2)",
    "trace rectangular": "lambda X: np.trace(X) ** 2",
    "diagonal rectangular": "lambda X: np.sum(np.diagonal(X, 1) ** 2) + np.sum(np.diag(X, -1) ** 3)",
    "diagflat": "lambda X: np.sum(np.diagflat(X, 1) ** 2)",
    "kron of two ranks": "lambda a, X: np.sum(np.kron(a, X) ** 2)",
    "trace method": "lambda A: (A @ A).trace()",
    "cholesky upper": "lambda S, B: np.sum(np.linalg.cholesky(S @ S.T, upper=True) * B)",
    "scipy inv": "lambda A, B: np.sum(linalg.inv(A) * B) + linalg.det(A)",
    "scipy solve": "lambda A, b: np.sum(linalg.solve(A, b) ** 2)",
    "scipy solve pos": "lambda S, b: np.sum(linalg.solve(S @ S.T, b, assume_a='pos') ** 2)",
    "scipy cholesky": "lambda S, B: np.sum(linalg.cholesky(S @ S.T) * B)",
    "scipy lower cholesky": "lambda S, B: np.sum(linalg.cholesky(S @ S.T, lower=True) * B)",
    "solve_triangular": "lambda A, b: np.sum(linalg.solve_triangular(A, b) ** 2)",
    "solve_triangular lower": "lambda A, X: np.sum(linalg.solve_triangular(A, X, lower=True) ** 2)",
    "solve_triangular transposed": "lambda A, b: np.sum(linalg.solve_triangular(A, b, trans=1, lower=True) ** 2)",
    "solve_triangular unit": "lambda A, b: np.sum(linalg.solve_triangular(A, b, unit_diagonal=True) ** 2)",
    "cho_solve": "lambda S, b: b @ linalg.cho_solve(linalg.cho_factor(S @ S.T), b)",
    "cho_solve lower": "lambda S, b: b @ linalg.cho_solve((linalg.cholesky(S @ S.T, lower=True), True), b)",
}  # fmt: skip

SIZES = (
    {"n": 3, "d": 2, "k": 2},
    {"n": 2, "d": 2, "k": 2},
    {"n": 2, "d": 3, "k": 1},
    {"n": 1, "d": 1, "k": 1},
    {"n": 1, "d": 3, "k": 3},
)


def written(text, **names):
    return eval(text, {"np": np, "linalg": scipy.linalg, **names})


def arguments(text):
    return [n.strip() for n in text.removeprefix("lambda ").split(":", 1)[0].split(",")]


def draw(names, sizes, seed=0):
    rng = np.random.default_rng(seed)
    out = {}
    for name in names:
        shape = tuple(sizes[d] for d in SHAPES[name].split())
        value = rng.uniform(0.2, 1.0, shape) * rng.choice([-1, 1], shape)
        if len(shape) >= 2 and SHAPES[name].split()[-1] == SHAPES[name].split()[-2]:
            value = value / 2 + 1.5 * np.eye(shape[-1])
        out[name] = value
    return out


def derived(text, **options):
    names = arguments(text)
    return sg.derive(written(text), {n: SHAPES[n] for n in names}, names, **options)


@pytest.mark.parametrize("text", [*LOSSES.values(), *OTHERS.values()], ids=[*LOSSES, *OTHERS])
def test_value_and_gradient_against_numpy_and_the_witness(text):
    names = arguments(text)
    d = derived(text)
    for seed, sizes in enumerate(SIZES):
        used = {s: sizes[s] for n in names for s in SHAPES[n].split()}
        arrays = draw(names, sizes, seed)
        value, grads = d(arrays)
        np.testing.assert_allclose(value, written(text)(**arrays), **CLOSE)
        fixed = sg.derive(written(text), {n: np.shape(arrays[n]) for n in names}, names)
        expected, expected_grads = witness(fixed.program, names, arrays, used)
        np.testing.assert_allclose(value, expected, **CLOSE)
        for n in names:
            assert np.shape(grads[n]) == arrays[n].shape
            np.testing.assert_allclose(grads[n], expected_grads[n], **CLOSE, err_msg=f"{n} at {sizes}")


def torch_names(torch):
    """NumPy's names for PyTorch's functions."""
    linalg = SimpleNamespace(
        inv=torch.linalg.inv,
        solve=lambda a, b: (
            torch.linalg.solve(a, b[..., None])[..., 0] if b.ndim == 1 else torch.linalg.solve(a, b)
        ),
        det=torch.linalg.det,
        slogdet=torch.linalg.slogdet,
        cholesky=torch.linalg.cholesky,
        matrix_power=torch.linalg.matrix_power,
        norm=torch.linalg.norm,
        multi_dot=torch.linalg.multi_dot,
    )
    return SimpleNamespace(
        linalg=linalg, trace=torch.trace, sum=torch.sum, log=torch.log, diag=torch.diag, kron=torch.kron,
        diagonal=torch.diagonal,
        eye=lambda n: torch.eye(n, dtype=torch.float64),
    )  # fmt: skip


@pytest.mark.parametrize("text", LOSSES.values(), ids=LOSSES)
def test_value_and_gradient_against_torch(text):
    torch = pytest.importorskip("torch")
    names = arguments(text)
    d = derived(text)
    for sizes in ({"n": 4, "d": 3, "k": 2}, {"n": 6, "d": 2, "k": 3}, {"n": 1, "d": 1, "k": 1}):
        arrays = draw(names, sizes, 7)
        value, grads = d(arrays)
        tensors = {n: torch.tensor(a, dtype=torch.float64, requires_grad=True) for n, a in arrays.items()}
        loss = written(text, np=torch_names(torch))(**tensors)
        loss.backward()
        np.testing.assert_allclose(value, loss.item(), **CLOSE)
        for n in names:
            expected = np.zeros_like(arrays[n]) if tensors[n].grad is None else tensors[n].grad.numpy()
            np.testing.assert_allclose(grads[n], expected, **CLOSE, err_msg=f"{n} at {sizes}")


def gradient(loss, **arrays):
    """The gradient by the first argument."""
    name = next(iter(arrays))
    shapes = {n: SHAPES[n] for n in arrays}
    return sg.derive(loss, shapes, name)(arrays)[1][name]


# Where a textbook's formula has no value ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((1, 1)),
        np.outer([1.0, 2.0], [3.0, -1.0]),
        np.array([[1.0, 2, 3], [4, 5, 6], [5, 7, 9]]),
        np.zeros((3, 3)),
        np.diag([2.0, 0, 3, -1]),
    ],
    ids=str,
)
def test_the_gradient_of_a_zero_determinant_is_the_cofactors(matrix):
    grad = gradient(lambda A: np.linalg.det(A), A=matrix)
    n = len(matrix)
    expected = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(matrix, i, 0), j, 1)) for j in range(n)]
        for i in range(n)
    ]
    np.testing.assert_allclose(grad, expected, atol=1e-12)


def test_matrices_without_entries():
    d = sg.derive(lambda A, t: t * np.linalg.det(A) + np.linalg.norm(A), {"A": "n n", "t": ""}, ["A", "t"])
    value, grads = d({"A": np.zeros((0, 0)), "t": np.array(3.0)})
    assert value == 3
    assert grads["A"].shape == (0, 0)
    assert grads["t"] == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "loss",
    [
        lambda a: np.linalg.norm(a),
        lambda a: np.linalg.norm(a) ** 2,
        lambda a: np.linalg.norm(a) * np.linalg.norm(a),
        lambda a: np.linalg.norm(a, 3),
        lambda a: np.linalg.norm(a, axis=0) ** 2,
    ],
)
def test_norms_at_zero_have_the_gradient_zero(loss):
    np.testing.assert_array_equal(gradient(loss, a=np.zeros(3)), np.zeros(3))


@pytest.mark.filterwarnings("error")
def test_one_row_at_zero_leaves_the_others_alone():
    grad = gradient(lambda X: np.linalg.norm(X, axis=1).sum(), X=np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(grad, [[0, 0], [0.6, 0.8]])


def test_the_square_of_a_norm_has_no_root_and_stays_exact():
    d = sg.derive(lambda x: np.linalg.norm(x) ** 2, {"x": "n"})
    assert "sqrt" not in d.to_numpy()
    assert "norm" not in d.to_numpy()
    tiny = np.array([1e-200, -2e-200])
    np.testing.assert_array_equal(d(x=tiny)[1]["x"], 2 * tiny)


def test_the_cholesky_gradient_is_by_the_lower_triangle():
    matrix, weights = np.array([[4.0, 99], [2, 3]]), np.array([[1.0, 5], [2, 3]])
    grad = gradient(lambda A, B: np.sum(np.linalg.cholesky(A) * B), A=matrix, B=weights)
    assert grad[0, 1] == 0
    step = 1e-6
    for i, j in ((0, 0), (1, 0), (1, 1)):
        moved = matrix.copy()
        moved[i, j] += step
        up = np.sum(np.linalg.cholesky(moved) * weights)
        moved[i, j] -= 2 * step
        down = np.sum(np.linalg.cholesky(moved) * weights)
        np.testing.assert_allclose(grad[i, j], (up - down) / (2 * step), rtol=1e-7)


# Refusals -----------------------------------------------------------------------------------------------------------

REFUSED = {
    "number of entries": ("lambda a: np.linalg.norm(a, 0)", "ord=1"),
    "unknown norm": ("lambda a: np.linalg.norm(a, 'fro')", "no such norm"),
    "three axes": ("lambda T: np.linalg.norm(T, 1)", "one axis or two"),
    "pinv with a cut-off": ("lambda X: np.sum(np.linalg.pinv(X, rcond=0.1))", "pinv"),
    "eigenvalues": ("lambda A: np.sum(np.linalg.eigvals(A))", "eigvals"),
    "rank": ("lambda A: np.linalg.matrix_rank(A) * A[0, 0]", "matrix_rank"),
    "svd": ("lambda A: np.linalg.svd(A)[1].sum()", "svd"),
    "qr": ("lambda A: np.linalg.qr(A)[1].sum()", "qr"),
    "scipy expm": ("lambda A: linalg.expm(A).sum()", "expm"),
    "inverse of a rectangle": ("lambda X: np.linalg.inv(X).sum()", "square"),
    "determinant of a vector": ("lambda a: np.linalg.det(a)", "square"),
    "solve without fit": ("lambda A, u: np.linalg.solve(A, u).sum()", "does not fit"),
    "stack of vectors": ("lambda T, V: np.linalg.solve(T, V).sum()", "solve"),
    "fractional power": ("lambda A: np.linalg.matrix_power(A, 0.5).sum()", "whole number"),
    "power of a rectangle": ("lambda X: np.linalg.matrix_power(X, 0).sum()", "square"),
    "diagonal of a stack": ("lambda T: np.diag(T).sum()", "vector or a matrix"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_is_wrong(text, words):
    with pytest.raises(SymgradError, match=words):
        derived(text)


# The book's form -----------------------------------------------------------------------------------------------------

BOOK = {
    "lambda A: np.linalg.slogdet(A)[1]": "A⁻ᵀ",
    "lambda A, a, b: a @ np.linalg.inv(A) @ b": "−A⁻ᵀabᵀA⁻ᵀ",
    "lambda A, B: np.trace(np.linalg.inv(A) @ B)": "−A⁻ᵀBᵀA⁻ᵀ",
    "lambda X, A, Y: np.trace(Y @ A @ X)": "AᵀYᵀ",
    "lambda A: np.trace(A)": "I",
    "lambda X, A: np.trace(X.T @ A @ X)": "AX + AᵀX",
    "lambda a, A: a @ A @ a": "(A + Aᵀ)a",
    "lambda a: np.linalg.norm(a)": "a / ‖a‖",
    "lambda X, u, b: np.linalg.norm(X @ u - b) ** 2": "2(Xu − b)uᵀ",
}


@pytest.mark.parametrize(("text", "expected"), BOOK.items())
def test_gradients_read_like_the_book(text, expected):
    names = arguments(text)
    d = sg.derive(written(text), {n: SHAPES[n] for n in names}, names[0])
    assert f"= {expected}  " in str(d).replace("\n", "  ")
