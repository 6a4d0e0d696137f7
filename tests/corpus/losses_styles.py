"""Ways of writing: loops, lists, options, closures, globals, in-place updates, plain Python."""

import math

import numpy as np
from rows import Table

losses = Table()
CONFIG = {"lr": 0.1, "reg": 0.01, "norm": "l2"}
DATA = np.array([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.1]])
TARGET = np.array([1.0, 0.0, 2.0])


def penalty(w, kind="l2", strength=0.1):
    if kind == "l1":
        return strength * np.sum(np.abs(w))
    if kind == "l2":
        return strength * np.sum(w**2)
    if kind is None:
        return 0.0
    raise ValueError(f"unknown penalty {kind}")


def reduced(values, reduction="mean", weight=None):
    if weight is not None:
        values = values * weight
    if reduction == "mean":
        return np.mean(values)
    elif reduction == "sum":
        return np.sum(values)
    raise ValueError(reduction)


@losses("X: n d, w: d, y: n", "w", "options in strings and None")
def options(X, w, y, *, reduction="mean", kind="l1", weight=None):
    return reduced((X @ w - y) ** 2, reduction, weight) + penalty(w, kind=kind, strength=0.3)


@losses("X: n d, w: d, y: n, s: n", "w", "keyword arguments and a weight", "s: positive")
def weighted_options(X, w, y, s):
    return reduced((X @ w - y) ** 2, reduction="sum", weight=s) + penalty(w, None)


@losses("X: n d, w: d, y: n", "w", "a closure and a dict of settings")
def closure(X, w, y):
    reg = CONFIG["reg"]

    def predict(inputs):
        return np.tanh(inputs @ w)

    def regularizer():
        return reg * w @ w if CONFIG["norm"] == "l2" else reg * np.abs(w).sum()

    return np.mean((predict(X) - y) ** 2) + regularizer()


@losses("w: 2, b: ", "w b", "data in module globals")
def global_data(w, b):
    pred = DATA @ w + b
    return np.sum((pred - TARGET) ** 2) / len(TARGET)


@losses("w: 2", "w", "rows of a global array in a loop")
def global_loop(w):
    J = 0
    for row, t in zip(DATA, TARGET):
        J += (np.dot(row, w) - t) ** 2
    return J / DATA.shape[0]


class Model:
    """Parameters on self, as scripts keep them."""

    def __init__(self, W, b, reg=0.05):
        self.W, self.b, self.reg = W, b, reg

    def forward(self, X):
        self.z = X @ self.W + self.b
        return np.maximum(self.z, 0)

    def loss(self, X, Y):
        return 0.5 * np.mean((self.forward(X) - Y) ** 2) + self.reg * np.sum(self.W**2)


@losses("X: n d, W: d k, b: k, Y: n k", "W b", "a class with its parameters on self")
def object_model(X, W, b, Y):
    return Model(W, b).loss(X, Y)


@losses("X: n d, w: d, y: n", "w", "prints, asserts and f-strings on the way")
def chatty(X, w, y):
    n, d = X.shape
    assert w.shape == (d,), f"w has shape {w.shape}, expected {(d,)}"
    assert X.shape[0] == y.shape[0]
    print("shapes:", X.shape, y.shape)
    r = X @ w - y
    print(f"n = {n}, residual {r.shape}")
    return float(1) / n * np.sum(r**2)


@losses("X: n d, w: d, y: n", "w", "int() and float() of sizes")
def size_numbers(X, w, y):
    m = float(X.shape[0])
    k = int(X.shape[1])
    return np.sum((X @ w - y) ** 2) / (2 * m) + np.sum(w**2) / k


@losses("X: n d, w: d, y: n", "w", "list of losses, np.mean of the list")
def list_of_losses(X, w, y):
    out = []
    for i in range(X.shape[0]):
        out.append((X[i] @ w - y[i]) ** 2)
    return np.mean(out)


@losses("X: n d, w: d, y: n", "w", "comprehension and Python's sum")
def comprehension(X, w, y):
    return sum((np.dot(x, w) - t) ** 2 for x, t in zip(X, y)) / len(y)


@losses("X: n d, w: d, y: n", "w", "an array filled entry by entry")
def filled_entries(X, w, y):
    pred = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(w)):
            pred[i] += X[i, j] * w[j]
    return np.sum((pred - y) ** 2)


@losses("X: n d, w: d, y: n", "w", "np.empty, filled by rows, then np.log1p")
def filled_empty(X, w, y):
    out = np.empty((X.shape[0],))
    for i, row in enumerate(X):
        out[i] = np.log1p((row.dot(w) - y[i]) ** 2)
    return out.sum()


@losses("A: n m, B: m k", "A B", "matrix product as three loops")
def triple_loop(A, B):
    n, m = A.shape
    k = B.shape[1]
    C = np.zeros((n, k))
    for i in range(n):
        for j in range(k):
            for l in range(m):
                C[i][j] += A[i][l] * B[l][j]
    return np.sum(np.sin(C))


@losses("x: n", "x", "local array changed by +=, *= and slices")
def inplace_slices(x):
    z = x.copy()
    z *= 2
    z[1:] += x[:-1] ** 2
    z[0] = np.sin(z[0])
    z[-1] -= 1.0
    return np.sum(z**2)


@losses("x: n d", "x", "columns changed in place")
def inplace_columns(x):
    z = np.array(x)
    z[:, 0] = np.exp(z[:, 0])
    z[:, -1] *= z[:, 0]
    return z.sum() + np.mean(z**2)


@losses("x: n d", "x", "mask assigned and mask read")
def masks(x):
    z = x.copy()
    z[z > 1] = 1
    z[z < -1] = -1
    return np.sum(z[z > 0] ** 2) + np.sum(z**3)


@losses("x: n", "x", "np.where with one argument is an index; here three, nested, with signs")
def soft_threshold(x, lam=0.3):
    s = np.sign(x) * np.maximum(np.abs(x) - lam, 0)
    return 0.5 * np.sum((s - x) ** 2) + lam * np.abs(s).sum() + np.sum(s**3)


@losses("x: n", "x", "np.piecewise in the spelling of select")
def selected(x):
    y = np.select([x < -0.5, x > 0.5], [x**2, np.sqrt(np.abs(x) + 1)], default=x**3)
    return y.sum()


@losses("x: n", "x", "moments by np.power and ratios")
def kurtosis(x):
    c = x - np.mean(x)
    m2 = np.mean(np.power(c, 2)) + 0.1
    m4 = np.mean(np.power(c, 4))
    return m4 / m2**2 - 3


@losses("X: n d", "X", "np.cov by hand and off-diagonal penalty")
def covariance_penalty(X):
    n = X.shape[0]
    C = (X - X.mean(0)).T.dot(X - X.mean(0)) / (n + 1)
    return np.sum(np.triu(C, 1) ** 2)


@losses("x: n, y: n", "x y", "minimum, maximum, hypot, arctan2 in one", "x: nonzero, y: positive")
def many_ufuncs(x, y):
    a = np.hypot(x, y) + np.arctan2(y, x)
    b = np.minimum(x, y) * np.maximum(x, 2 * y) + np.fmin(x, 1.0)
    return np.sum(a * b) + np.sum(np.cbrt(y)) + np.sum(np.exp2(x) - np.log2(y))


@losses("x: n", "x", "reciprocal, square, sinh, arcsinh, deg2rad", "x: unit")
def more_ufuncs(x):
    return np.sum(np.reciprocal(x) + np.sinh(x) * np.arcsinh(x) + np.arctanh(x) + np.arccos(x) * np.tan(x))


@losses("x: n", "x", "max minus min, ptp, sorted top entry")
def spread(x):
    return (np.max(x) - np.min(x)) ** 2 + x.max() * np.amin(x)


@losses("x: n", "x", "np.argmax as an index")
def argmax_index(x):
    i = np.argmax(x)
    return x[i] ** 2 + np.sum(x)


@losses("x: n", "x", "np.sort and a trapezoid of order statistics")
def order_statistics(x):
    s = np.sort(x)
    return np.sum(np.arange(len(x)) * s) + np.median(x) ** 2


@losses("x: n, y: n", "x y", "stack, concatenate, column_stack, split back")
def joins(x, y):
    A = np.column_stack([x, y])
    B = np.vstack((x, y))
    c = np.concatenate([x, y[::-1], [1.0, 2.0]])
    return np.sum(A @ B) + np.sum(c**3) + np.sum(np.stack([x, y], axis=-1)[:, 0] ** 2)


@losses("x: n, y: n", "x y", "integrals by the trapezoid rule", "x: sorted")
def trapezoid(x, y):
    return np.sum(0.5 * (y[1:] + y[:-1]) * (x[1:] - x[:-1])) ** 2 + np.sum(x * y)


@losses("x: n", "x", "discounted sum with a list of powers")
def discounted(x, gamma=0.9):
    weights = np.array([gamma**i for i in range(len(x))])
    return np.dot(weights, x**2) + np.sum(gamma ** np.arange(len(x)) * x)


@losses("x: n, m: n", "x", "mean over the valid entries", "m: binary")
def masked_average(x, m):
    return np.sum(x**2 * m) / (np.sum(m) + 1e-6) + np.average(x, weights=np.ones_like(x))


@losses("x: 2 3 4", "x", "moveaxis, swapaxes, squeeze, expand_dims")
def axes(x):
    a = np.moveaxis(x, 0, -1)
    b = np.swapaxes(a, 0, 1)
    c = np.squeeze(np.expand_dims(b, 0), axis=0)
    return np.sum(c * np.arange(24).reshape(4, 3, 2)) + np.sum(np.einsum("ijk->kj", x) ** 2)


@losses("x: n d", "x", "Ellipsis, None, negative steps, transposes")
def indexing(x):
    a = x[..., None] * x[:, None, :]
    b = x[::-1, ::-1]
    return np.sum(a[..., 0] ** 2) + np.sum(b.T @ x) + x[-1, 0] * x[0, -1]


@losses("x: n d, w: d", "w", "try and except around nothing, early return")
def early_return(x, w, normalise=True):
    s = x @ w
    if not normalise:
        return np.sum(s)
    if s.ndim != 1:
        raise ValueError("one score per row")
    return np.sum(s**2) / s.shape[0]


@losses("x: n", "x", "log of a sum of squares, floor kept constant", "x: positive")
def scalar_python(x):
    total = np.sum(x)
    return math.log(2.0) * total + max(0.0, 1.0) * abs(-2.0) * total**2 + round(2.7) * total
