"""Where a tracer may go astray: views and copies, overlapping writes, whole-number arrays, sizes in branches."""

import math
from functools import partial

import numpy as np
from rows import Table

losses = Table()


@losses("x: n, w: n", "x w", "a view is written, and its base is read", sizes="n: 4")
def view_written(x, w):
    z = x * w
    v = z[1:]
    v += x[:-1]
    return np.sum(z**3)


@losses("X: n d", "X", "rows of a local matrix written through the loop variable")
def rows_written(X):
    C = X**2
    for row in C:
        row *= row[0]
    return np.sum(C)


@losses("X: n d", "X", "a row taken before it is overwritten is a view")
def row_view_overwritten(X):
    C = X * 1.5
    first = C[0]
    C[0] = C[-1] ** 2
    return np.sum(first * X[0])


@losses("X: n d", "X", "a copied row keeps its values")
def row_copied(X):
    C = X * 1.5
    first = C[0].copy()
    C[0] = 0
    return np.sum(first**2) + np.sum(C)


@losses("X: n d", "X", "swapping rows by tuple assignment, which views spoil")
def swapped_views(X):
    C = X * 2.0
    C[0], C[-1] = C[-1], C[0]
    return np.sum(C * X)


@losses("X: n d", "X", "swapping rows by an index list")
def swapped_lists(X):
    C = X * 2.0
    C[[0, -1]] = C[[-1, 0]]
    return np.sum(C * X**2)


@losses("X: n d", "X", "written through a transpose")
def transpose_written(X):
    C = np.exp(X)
    T = C.T
    T[0] *= 3.0
    return np.sum(C**2)


@losses("X: n d", "X", "written through ravel, not through flatten")
def ravel_written(X):
    C = X + 0.5
    C.ravel()[0] = 7.0
    C.flatten()[-1] = 9.0
    return np.sum(C**2)


@losses("X: n d", "X", "written through reshape")
def reshape_written(X):
    C = np.sin(X)
    r = C.reshape(-1)
    r[1:] += r[0]
    return np.sum(C**2)


@losses("x: n, i: m", "x", "fancy += counts each index once", "i: labels n", sizes="m: 6")
def fancy_add(x, i):
    z = np.zeros(len(x))
    z[i] += 1.0
    return np.sum(z * x**2)


@losses("x: n, i: m, u: m", "x u", "np.add.at counts every index", "i: labels n", sizes="m: 6")
def add_at(x, i, u):
    z = x**2
    np.add.at(z, i, u)
    return np.sum(z**2)


@losses("x: n, i: m, u: m", "x u", "np.bincount with weights", "i: labels n", sizes="m: 6")
def bincount_weights(x, i, u):
    s = np.bincount(i, weights=u, minlength=len(x))
    return np.sum((s - x) ** 2)


@losses("x: n", "x", "overlapping slices are read before they are written")
def overlapping(x):
    z = x + 1.0
    z[1:] += z[:-1]
    z[:-1] = z[1:]
    return np.sum(z**2)


@losses("x: n", "x", "assigned into an array of whole numbers, which truncates")
def whole_numbers(x):
    z = np.array([0, 1, 2])
    z[0] = 2.7
    return np.sum(x) * z[0] + z[1]


@losses("x: n, y: n", "x", "zeros_like of labels is an array of whole numbers", "y: labels 3")
def zeros_like_labels(x, y):
    z = np.zeros_like(y)
    for i in range(len(y)):
        z[i] = 0.6 + y[i]
    return np.sum(x * z)


@losses("x: n, y: n", "x", "floor division and remainder of labels", "y: labels 5")
def label_arithmetic(x, y):
    return np.sum(x**2 * (y // 2)) + np.sum(x * (y % 2)) + np.sum(x * y / 2)


@losses("x: n", "x", "full of a whole number is made of whole numbers")
def full_whole(x):
    z = np.full(len(x), 2)
    return np.sum(z * x**2) / z.size


@losses("X: n k, y: n k", "X", "binary for one column, softmax for more", "y: onehot")
def by_columns(X, y):
    if X.shape[1] == 1:
        p = 1 / (1 + np.exp(-X))
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    e = np.exp(X)
    return -np.sum(y * np.log(e / e.sum(axis=1, keepdims=True)))


@losses("X: n d", "X", "another formula for square matrices")
def by_squareness(X):
    n, d = X.shape
    if n == d:
        return np.trace(X) ** 2
    return np.sum(X**2)


@losses("x: n", "x", "another formula for few entries")
def by_length(x):
    if len(x) > 3:
        return np.sum(x**2)
    elif len(x) == 1:
        return x[0] ** 3
    return np.prod(x)


@losses("x: n", "x", "odd and even lengths")
def by_parity(x):
    h = len(x) // 2
    if len(x) % 2 == 0:
        return np.sum(x[:h] * x[h:])
    return np.sum(x[:h] ** 2) - x[h]


@losses("x: n", "x", "max(n - 1, 1) in a denominator")
def guarded_denominator(x):
    n = len(x)
    return np.sum((x - x.mean()) ** 2) / max(n - 1, 1) + min(n, 3) * np.sum(x)


@losses("x: n", "x", "the first three entries, or fewer")
def first_three(x):
    return np.sum(x[:3] ** 2) + np.sum(x[-2:] ** 3) + np.sum(np.ones(x[:2].shape[0]))


@losses("x: n", "x", "inner entries, which may be none")
def inner_entries(x):
    return np.sum(x[1:-1] ** 2) + np.sum(x[2:-2]) + x[1:-1].size


@losses("x: n", "x", "strided slices of symbolic length")
def strided(x):
    return np.sum(x[::2] ** 2) + np.sum(x[1::2] ** 3) + np.sum(x[::-2]) * x[::3].shape[0]


@losses("X: n d, w: d", "w", "squeeze without an axis")
def squeeze_all(X, w):
    r = np.squeeze(X @ w[:, None])
    return np.sum(r**2) + r.ndim


@losses("X: n d, w: d 1", "w", "squeeze changes what is broadcast")
def squeeze_broadcast(X, w):
    r = np.squeeze(X @ w)
    return np.sum(r * np.ones((2, 1))) + np.sum(r**2)


@losses("x: n, y: n", "x y", "a column against a row")
def column_row(x, y):
    D = x.reshape(-1, 1) - y.reshape(1, -1)
    return np.sum(D**2) + np.sum(x[:, None] * y)


@losses("X: n n, s: n", "X s", "a square matrix scaled by rows or columns")
def square_scaled(X, s):
    return np.sum((X * s) ** 2) + np.sum(X * s[:, None]) + np.sum((s @ X) * (X @ s))


@losses("X: n n", "X", "a square matrix: sums by axis, transposed and not")
def square_axes(X):
    return np.sum(X.sum(axis=0) * X.sum(axis=1) ** 2) + np.sum(X * X.T**2) + np.sum((X - X.mean(axis=0)) ** 2)


@losses("T: n n n, u: n", "T u", "equal axes of a cube")
def cube(T, u):
    a = np.einsum("ijk,j->ik", T, u)
    b = np.einsum("iij->j", T)
    c = T.transpose(2, 0, 1) * T
    return np.sum(a**2) + np.sum(b * u) + np.sum(c * u[:, None])


@losses("A: n n", "A", "diagonals by einsum, np.diag twice, offsets", sizes="n: 4")
def diagonals(A):
    d = np.einsum("ii->i", A)
    off = np.diag(A, k=1)
    return np.sum(d**3) + np.sum(off**2) + np.trace(A, offset=-1) + np.sum(np.diag(np.diag(A)) @ A)


@losses("x: n", "x", "linspace, arange with steps, eye with an offset", sizes="n: 4")
def constants_of_size(x):
    n = len(x)
    t = np.linspace(0, 1, n)
    s = np.arange(0, 2 * n, 2)
    return np.sum(t * x) + np.sum(s * x**2) + x @ np.eye(n, k=1) @ x


@losses("x: n, y: m", "x y", "meshgrid")
def grids(x, y):
    A, B = np.meshgrid(x, y)
    return np.sum(A * B**2) + np.sum(A[0] ** 2)


@losses("X: n d", "X", "variance with ddof, by axis", sizes="n: 4, d: 3")
def sample_variance(X):
    return np.sum(np.var(X, axis=0, ddof=1)) + np.std(X) + np.sum(X.std(axis=1, ddof=1) ** 2)


@losses("X: n d", "X", "standard deviation of what may be one entry")
def deviations(X):
    return np.sum(np.std(X, axis=0) + np.var(X, axis=0)) + np.sum(X**2)


@losses("X: n d", "X", "cumulative sums with and without an axis")
def cumulative(X):
    return np.sum(np.cumsum(X) ** 2) + np.sum(np.cumsum(X, axis=1) ** 3) + X.cumsum(0)[-1] @ X[0]


@losses("X: n d", "X", "builtin sum, max, min, abs, pow on arrays")
def builtins_on_arrays(X):
    s = sum(X)
    v = X[0]
    return sum(abs(s)) + max(v) ** 2 + min(v) + sum(pow(v, 3)) + np.sum(max(v[0] ** 2, 1.5) * v)


@losses("a: , b: ", "a b", "functions of math on scalars", "a: unit, b: unit")
def math_scalars(a, b):
    return math.sqrt(1 + 2) * math.exp(0.5) * a**2 + np.exp(a) * np.sqrt(b) / math.log(10)


@losses("x: n", "x", "math functions of a reduced value")
def math_of_sum(x):
    s = np.sum(x**2) + 1
    return math.log(s) + math.sqrt(s) + math.exp(-s)


@losses("X: n d, Y: m d", "X Y", "np.dot of higher ranks, inner, tensordot by a number")
def ranks(X, Y):
    T = X[:, None, :] * Y[None]
    return np.sum(np.dot(T, X.T) ** 2) + np.sum(np.inner(X, Y)) + np.tensordot(X, X**2, 2)


@losses("x: 3, y: 3, z: 3", "x y z", "cross product, triple product")
def triple_product(x, y, z):
    return np.dot(np.cross(x, y), z) ** 2


@losses("A: n m, B: m k, C: k n", "A B C", "multi_dot")
def chained(A, B, C):
    return np.trace(np.linalg.multi_dot([A, B, C])) ** 2


@losses("p: k, x: n", "p x", "np.polyval", sizes="k: 3")
def polyval(p, x):
    return np.sum(np.polyval(p, x) ** 2)


@losses("x: n", "x", "an error state around a safe division")
def error_state(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        r = x / np.sqrt(x**2 + 1)
    return np.sum(r**2)


@losses("X: n d, w: d, y: n", "w", "functools.partial of a general loss")
def partial_loss(X, w, y):
    def general(a, b, power, scale):
        return scale * np.sum(np.abs(a - b) ** power)

    cubic = partial(general, power=3, scale=0.5)
    return cubic(X @ w, y)


@losses("x: n", "x", "recursion over halves of a fixed depth")
def recursion(x):
    def go(v, depth):
        if depth == 0:
            return np.sum(v**2)
        return go(np.sin(v), depth - 1) + 0.5 * go(v[1:], depth - 1)

    return go(x, 2)


@losses("X: n d, w: d", "X w", "dicts, generators, map, lambda")
def containers(X, w):
    acts = {"sin": np.sin, "tanh": np.tanh, "id": lambda v: v}
    outs = {name: f(X @ w) for name, f in acts.items()}
    return sum(np.sum(v**2) for v in outs.values()) + sum(map(lambda r: r @ w, X))


@losses("x: n", "x", "nonlocal counter and enumerate from 1")
def counter(x):
    total = 0.0

    def add(v, k):
        nonlocal total
        total = total + v**k

    for k, v in enumerate(x, 1):
        add(v, k)
    return total


@losses("x: n", "x", "list repeated, entries reassigned, aliasing of lists")
def aliased_lists(x):
    h = [np.zeros(len(x))] * 2
    h[0] = h[0] + x
    g = h
    g[1] = x**2
    return np.sum(h[0] * h[1])


@losses("x: n", "x", "accumulator shared by two names")
def shared_accumulator(x):
    a = b = np.zeros(len(x))
    a += x
    b *= 2
    return np.sum(a**2) + np.sum(b)


@losses("x: n", "x", "asarray does not copy, array does")
def asarray_copy(x):
    z = x * 1.0
    v = np.asarray(z)
    c = np.array(z)
    v[0] = 5.0
    c[-1] = 6.0
    return np.sum(z**2) + np.sum(c**2)


@losses("X: n d", "X", "where keeps both sides; the other side is not finite")
def where_guard(X):
    safe = np.where(X > 0, X, 1.0)
    return np.sum(np.where(X > 0, np.log(safe), X**2))


@losses("x: n", "x", "a mask multiplied, compared and counted")
def counted(x):
    m = x > 0
    k = np.sum(m)
    return np.sum(x[m] ** 2) / (k + 1) + np.sum(x * m) + np.mean(x * (x < 1))


@losses("x: n", "x", "sign, abs, relu and their powers at generic points")
def kinked_powers(x):
    return np.sum(np.abs(x) ** 1.5 + np.maximum(x, 0) ** 2 * np.sign(x) + np.abs(x) * x)


@losses("x: n, p: ", "x p", "powers with a parameter in the exponent", "x: positive, p: positive")
def exponent(x, p):
    return np.sum(x**p) ** (1 / p) + np.sum(2.0**x) + np.sum(x ** np.arange(len(x)))


@losses("x: n", "x", "whole powers of negative numbers")
def whole_powers(x):
    return np.sum(x**3 - x**2 + np.power(x, 5)) + np.sum(x ** np.array(4.0)) + np.sum((x**2) ** 0.5)


@losses("X: n d, b: d", "X b", "np.insert and np.delete, np.append", sizes="d: 3")
def inserted(X, b):
    A = np.insert(X, 0, 1.0, axis=1)
    B = np.delete(A, 1, axis=1)
    c = np.append(b, b[0] ** 2)
    return np.sum(A**2) + np.sum(B @ b) + np.sum(c**3)


@losses("x: n", "x", "max along with its position, ties far away")
def log_of_max(x):
    return np.log(1 + np.max(x**2)) + np.max(np.abs(x)) + np.minimum.reduce(x)


@losses("X: n d, Y: n d", "X Y", "norms over axes, with orders and keepdims")
def norm_axes(X, Y):
    a = np.linalg.norm(X - Y, axis=1)
    b = np.linalg.norm(X, ord=1, axis=0)
    c = np.linalg.norm(Y, axis=-1, keepdims=True)
    return np.sum(a**3) + np.sum(b**2) + np.sum(X / (1 + c))


@losses("x: n", "x", "norm at its own zero is multiplied away")
def zero_norm(x):
    return np.linalg.norm(x - x.mean()) + np.sum(x**2)


@losses("X: n d", "X", "softmax over every axis, by default all of them", "X: small")
def softmax_axes(X):
    a = np.exp(X) / np.sum(np.exp(X))
    b = np.exp(X) / np.sum(np.exp(X), axis=0)
    c = np.exp(X) / np.sum(np.exp(X), axis=1)[:, None]
    return np.sum(a * X**2) + np.sum(b * X) + np.sum(c**2)


@losses("X: n d, y: n", "X", "slices chosen by labels and negative indices", "y: labels d")
def picked(X, y):
    rows = np.arange(len(y))
    return np.sum(X[rows, y] ** 2) + np.sum(X[rows, -1]) + np.sum(X[-1, y] * X[0, y[::-1]])


@losses("X: n d", "X", "asserts and warnings about the data")
def checked_data(X):
    p = 1 / (1 + np.exp(-X))
    assert np.all(p >= 0)
    assert not np.any(np.isnan(p))
    return -np.sum(np.log(p))


@losses("X: n d", "X", "a progress line with numbers in it")
def progress(X):
    loss = np.sum(X**2)
    print(f"loss: {loss}")
    print("loss is %s" % loss)
    return loss
