"""More places where a tracer may go astray: truth values and whole numbers, arithmetic of sizes, layouts, joins."""

import math

import numpy as np
from rows import Table

losses = Table()


@losses("X: n d, Y: n d", "X", "squeezed columns meet columns: n by n where d is 1")
def squeeze_then_broadcast(X, Y):
    return np.sum((np.squeeze(X) - Y) ** 2)


@losses("X: n d", "X", "an axis after squeeze is another axis where n is 1")
def squeeze_then_axis(X):
    return np.sum(np.squeeze(X).sum(axis=0) ** 2)


@losses("x: n, y: n", "x", "sums of truth values are truth values")
def mask_sum(x, y):
    either = (x > 0) + (y > 0)
    both = (x > -1) * (y > -1)
    return np.sum(either * x**2) + np.sum(both) * np.sum(x)


@losses("x: n, y: n", "x", "and, or, not, xor of masks")
def mask_logic(x, y):
    m = (x > 0) & ~(y > 0) | (y > 1)
    k = np.logical_xor(x > 0, y < 0)
    return np.sum(np.where(m, x**2, x)) + np.sum(x[k] ** 3) + m.mean() * np.sum(x)


@losses("x: n, y: n", "x", "full_like of labels is made of whole numbers", "y: labels 3")
def full_like_labels(x, y):
    return np.sum(x * np.full_like(y, 1.9)) + np.sum(x**2 * np.ones_like(y))


@losses("x: n, y: n", "x", "whole-number powers and products of labels", "y: labels 4")
def label_powers(x, y):
    return np.sum(x * y**2) + np.sum(x * 2**y) + np.sum(y) // 2 * np.sum(x) + np.sum(x / (1 + y))


@losses("x: n, y: n", "x", "floor, round and remainder of data", "y: positive")
def rounded_data(x, y):
    return np.sum(x * np.floor(2 * y)) + np.sum(x**2 * (y % 0.7)) + np.sum(x * np.round(y))


@losses("x: n", "x", "floor of the parameter has no slope at generic points")
def rounded_parameter(x):
    return np.sum(x * np.floor(3 * x)) + np.sum(np.ceil(x) * x**2)


@losses("x: n", "x", "remainder of the parameter has slope one")
def remainder(x):
    return np.sum((x % 0.7) ** 2)


@losses("X: n d", "X", "arithmetic of sizes")
def size_arithmetic(X):
    n, d = X.shape
    a = np.sum(X**2) * (n**2 - n // 2 + n % 3) / (2 * d + 1)
    return a + np.sum(X) * math.sqrt(n) * d**-0.5 + np.log(n + d) * X.size / len(X)


@losses("X: n d", "X", "shapes added, compared, multiplied")
def shape_tuples(X):
    Z = np.zeros(X.shape[:1] + (2,))
    assert X.shape == (X.shape[0], X.shape[1])
    Z = Z + X[:, :1]
    return np.sum(Z**2) + np.prod(X.shape) * np.sum(X) + len(X.shape) + np.size(X, 0) * np.sum(X**3)


@losses("X: n d", "X", "centring matrix")
def centring(X):
    n = len(X)
    H = np.eye(n) - np.ones((n, n)) / n
    return np.trace(X.T @ H @ X) + np.sum((H @ X) ** 4)


@losses("x: n", "x", "entries at computed positions")
def computed_positions(x):
    n = len(x)
    return x[n // 2] ** 2 + x[n - 1] * x[-n] + x[min(2, n - 1)] ** 3 + np.sum(x[: n - 1])


@losses("X: n d", "X", "vec by columns: order F")
def column_major(X):
    n, d = X.shape
    v = X.flatten("F")
    u = X.ravel()
    W = v.reshape((d, n))
    return np.sum(v * np.arange(v.size)) + np.sum(u * v) + np.sum(W**2 * X.T)


@losses("v: m, X: n d", "v", "a vector folded by columns", m=lambda s: s["n"] * s["d"])
def fold_columns(v, X):
    V = v.reshape(X.shape, order="F")
    return np.sum((V - X) ** 2 * X)


@losses("t: , p: n 2", "t p", "a rotation matrix of scalars")
def rotation(t, p):
    R = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    q = p @ R.T
    return np.sum(q[:, 0] ** 3 + q[:, 1])


@losses("A: n n, B: n m, C: m m", "A B C", "a block matrix")
def blocks(A, B, C):
    M = np.block([[A, B], [B.T, C]])
    return np.sum(M @ M) + np.trace(M) ** 2


@losses("x: n, y: n, X: n d", "x y X", "hstack and vstack of vectors and matrices, c_ and r_")
def stacks(x, y, X):
    a = np.hstack([x, y])
    b = np.vstack([x, y])
    c = np.c_[X, x]
    e = np.r_[x, 1.0, y]
    return np.sum(a**3) + np.sum(b[0] * b[1]) + np.sum(c**2 * c[:, :1]) + np.sum(e * np.arange(e.size))


@losses("X: n d", "X", "means over lists of arrays, arrays of lists")
def array_lists(X):
    parts = [X, X**2, np.sin(X)]
    m = np.mean(parts, axis=0)
    s = np.sum([np.sum(p) for p in parts])
    rows = np.array([r * 2 for r in X])
    return np.sum(m**2) + s + np.sum(rows**3)


@losses("X: n d", "X", "tile, repeat, flip, rot90, roll with and without axes")
def rearranged(X):
    a = np.tile(X, (2, 1)) * np.repeat(X, 2, axis=0)
    b = np.roll(X, 1) * X + np.roll(X, 1, axis=1) ** 2
    c = np.flipud(X) * np.flip(X)
    return np.sum(a) + np.sum(b) + np.sum(c) + np.sum(np.rot90(X) ** 3)


@losses("X: n d", "X", "maximum over several axes, minimum, any position of the axis")
def extremes(X):
    return (
        X.max() ** 2
        + np.sum(X.max(axis=0) * X.min(axis=0))
        + np.sum(np.max(X, axis=(0, 1)))
        + np.sum(X.min(-1) ** 3)
    )


@losses("X: n d", "X", "trapezoid, gradient and ediff", sizes="n: 4, d: 3")
def numeric_calculus(X):
    return np.sum(np.trapezoid(X, axis=0) ** 2) + np.sum(np.diff(X, n=2, axis=0) ** 2)


@losses("X: n d", "X", "np.cov and np.corrcoef of columns", sizes="n: 5, d: 3")
def covariances(X):
    C = np.cov(X, rowvar=False)
    return np.sum(C**2)


@losses("A: n d, b: n", "A b", "least squares solved inside", sizes="n: 5, d: 3")
def normal_equations(A, b):
    G = A.T @ A + 0.5 * np.eye(A.shape[1])
    x = np.linalg.solve(G, A.T @ b)
    return np.sum((A @ x - b) ** 2) + np.sum(np.linalg.inv(G) @ x)


@losses("A: n d, b: n", "b", "pseudo-inverse of data", sizes="n: 5, d: 3")
def pseudo_inverse(A, b):
    return np.sum((np.linalg.pinv(A) @ b) ** 2)


@losses("A: d d", "A", "eigenvalues of a symmetric matrix", "A: spd")
def eigenvalues(A):
    return np.sum(np.log(np.linalg.eigvalsh((A + A.T) / 2)))


@losses("A: n d", "A", "nuclear norm")
def nuclear(A):
    return np.sum(np.linalg.svd(A, compute_uv=False))


@losses("A: d d", "A", "powers minus one, zero, one, two", "A: spd")
def matrix_powers(A):
    P = np.linalg.matrix_power
    return np.trace(P(A, -1)) + np.trace(P(A, 0)) + np.sum(P(A, 1) ** 2) + np.trace(P(A, 2) @ A)


@losses("A: d d, b: d", "A b", "a batch of one, solved and inverted", "A: spd")
def batch_of_one(A, b):
    x = np.linalg.solve(A[None], b[None, :, None])[0, :, 0]
    return np.sum(x**2) + np.linalg.det(A[None])[0] + np.sum(np.linalg.inv(A[np.newaxis]))


@losses("A: k d d, B: k d m", "A B", "batched determinants, solves and traces", "A: spd")
def batched_linear_algebra(A, B):
    s, l = np.linalg.slogdet(A)
    X = np.linalg.solve(A, B)
    return (
        np.sum(l * s) + np.sum(X**2) + np.sum(np.trace(A, axis1=1, axis2=2) ** 2) + np.sum(np.linalg.inv(A))
    )


@losses("x: n, n_steps: ", "x", "a scalar argument that is data", "n_steps: positive")
def scalar_data(x, n_steps):
    return np.sum(x**2) / n_steps + n_steps**2 * np.sum(x)


@losses("x: n", "x", "a sum of slices that do not cover everything", sizes="n: 6")
def partial_cover(x):
    return np.sum(x[1:4] * x[2:5]) + np.sum(x[5:] ** 2) + np.sum(x[100:])


@losses("X: n d", "X", "softplus, logsumexp and entropy, unstable as written", "X: small")
def unstable_forms(X):
    a = np.log(1 + np.exp(X))
    b = np.log(np.sum(np.exp(X), axis=1))
    p = np.exp(X) / np.sum(np.exp(X), axis=1, keepdims=True)
    return np.sum(a) + np.sum(b**2) - np.sum(p * np.log(p))


@losses("X: n d, y: n 1, w: d 1", "w", "column vectors all the way, a 1 by 1 result")
def one_by_one(X, y, w):
    r = X @ w - y
    return (r.T @ r)[0, 0] / (2 * len(y)) + (w.T @ w).item()


@losses("X: n d, y: n 1, w: d 1", "w", "a 1 by 1 result made a number by float and squeeze")
def one_by_one_float(X, y, w):
    r = X.dot(w) - y
    return float(np.squeeze(r.T.dot(r))) / 2


@losses("W: k d, X: d n, Y: k n", "W", "axes the other way round, sums by axis 0", "Y: onehot")
def columns_as_samples(W, X, Y):
    Z = W @ X
    E = np.exp(Z - Z.max(axis=0))
    P = E / E.sum(axis=0)
    return -np.sum(Y * np.log(P)) / X.shape[1]


@losses("x: n, c: n", "x", "sorted by data, parameter moved along")
def sorted_by_data(x, c):
    order = np.argsort(c)
    return np.sum(x[order] * np.arange(len(x))) + np.sum(np.cumsum(x[order]) ** 2)


@losses("x: n", "x", "largest two entries by sort", sizes="n: 5")
def top_two(x):
    return np.sum(np.sort(x)[-2:] ** 2)


@losses("X: n d, M: n d", "X", "np.ma avoided: masked softmax with minus infinity", "M: mask")
def minus_infinity(X, M):
    Z = np.where(M, X, -np.inf)
    Z = np.concatenate([Z, np.zeros((len(X), 1))], axis=1)
    return np.sum(np.log(np.sum(np.exp(Z), axis=1)))
