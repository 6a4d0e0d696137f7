"""Functions of a kernel file that take a matrix or a line of an array: what has no formula entry by entry.

numba's ``np.linalg`` is LAPACK's, as NumPy's is; but it refuses numbers that are not finite, where NumPy's
answer is NaN, and its singular values refuse the empty matrix.  Each takes matrices in C order only: for every
other layout numba would compile it again, and ``solve`` takes it seconds.
"""

from __future__ import annotations

ARRAY_HELPERS: dict[str, str] = {
    "finite": """
@njit(**HELPER)
def finite(a):
    for x in a.flat:
        if not math.isfinite(x):
            return False
    return True
""",
    "undefined": """
@njit(**HELPER)
def undefined(a):
    out = np.empty(a.shape, F)
    out[:] = np.nan
    return out
""",
    "inverse": """
@njit(**HELPER)
def inverse(a):
    if not finite(a):
        return undefined(a)
    return np.linalg.inv(a)
""",
    "solve": """
@njit(**HELPER)
def solve(a, b):
    if not (finite(a) and finite(b)):
        return undefined(b)
    return np.linalg.solve(a, b)
""",
    "det": """
@njit(**HELPER)
def det(a):
    return np.linalg.det(a) if finite(a) else F(np.nan)
""",
    "logdet": """
@njit(**HELPER)
def logdet(a):
    return F(np.linalg.slogdet(a)[1]) if finite(a) else F(np.nan)
""",
    "det_sign": """
@njit(**HELPER)
def det_sign(a):
    return F(np.linalg.slogdet(a)[0]) if finite(a) else F(np.nan)
""",
    "cofactor": """
@njit(**HELPER)
def cofactor(a):
    # det(A) A^-T from the singular values, which is right where A has no inverse too
    if a.size == 0 or not finite(a):
        return undefined(a)
    u, s, vh = np.linalg.svd(a)
    scaled = np.empty_like(u)
    for j in range(s.size):
        others = F(1)
        for k in range(s.size):
            if k != j:
                others *= s[k]
        scaled[:, j] = u[:, j] * others
    return F(np.linalg.det(np.dot(u, vh))) * np.dot(scaled, vh)
""",
    "cholesky": """
@njit(**HELPER)
def cholesky(a):
    if not finite(a):
        return undefined(a)
    return np.linalg.cholesky(a)
""",
    "pinv": """
@njit(**HELPER)
def pinv(a):
    if a.size == 0 or not finite(a):
        return undefined(a.T)
    return np.linalg.pinv(a)
""",
    "eigvalsh": """
@njit(**HELPER)
def eigvalsh(a):
    if a.size == 0 or not finite(a):
        return undefined(np.empty(a.shape[0], F))
    return np.linalg.eigvalsh(a)
""",
    "eigenvectors": """
@njit(**HELPER)
def eigenvectors(a):
    if a.size == 0 or not finite(a):
        return undefined(a)
    return np.linalg.eigh(a)[1]
""",
    "upright_eigenvectors": """
@njit(**HELPER)
def upright_eigenvectors(a):
    # each with a last entry that is not negative
    v = eigenvectors(a)
    for j in range(v.shape[1]):
        if v[-1, j] < 0:
            for i in range(v.shape[0]):
                v[i, j] = -v[i, j]
    return v
""",
    "eigh_sum": """
@njit(**HELPER)
def eigh_sum(a, g):
    v = eigenvectors(a)
    scaled = np.empty_like(v)
    for i in range(v.shape[0]):
        for j in range(v.shape[1]):
            scaled[i, j] = v[i, j] * g[j]
    return np.dot(scaled, v.T)
""",
    "over_gaps": """
@njit(**HELPER)
def over_gaps(k, w, checked):
    # k[i, j] / (w[j] - w[i]), and 0 on the diagonal; an entry that asks for more than rounding where w is equal
    # has no value
    small = 16 * w.size * np.finfo(F).eps
    largest, asked = F(0), F(0)
    for i in range(w.size):
        largest = max(largest, abs(w[i]))
        for j in range(w.size):
            asked = max(asked, abs(k[i, j]))
    out = np.zeros_like(k)
    for i in range(w.size):
        for j in range(w.size):
            gap = w[j] - w[i]
            if not abs(gap) <= small * largest:
                out[i, j] = k[i, j] / gap
            elif checked and i != j and abs(k[i, j]) > small * asked:
                raise np.linalg.LinAlgError("Eigenvectors of a repeated eigenvalue have no derivative.")
    return out
""",
    "svdvals": """
@njit(**HELPER)
def svdvals(a):
    if a.size == 0 or not finite(a):
        return undefined(np.empty(min(a.shape[0], a.shape[1]), F))
    return np.linalg.svd(a, False)[1]
""",
    "svd_sum": """
@njit(**HELPER)
def svd_sum(a, g):
    if a.size == 0 or not finite(a):
        return undefined(a)
    u, s, vh = np.linalg.svd(a, False)
    for i in range(u.shape[0]):
        for j in range(u.shape[1]):
            u[i, j] *= g[j]
    return np.dot(u, vh)
""",
    "matrix_power": """
@njit(**HELPER)
def matrix_power(a, p):
    # p > 1
    half = matrix_power(a, p // 2) if p > 3 else a
    square = np.dot(half, half)
    return np.dot(square, a) if p % 2 else square
""",
    "cumsum": """
@njit(**HELPER)
def cumsum(line, out):
    total = 0.0
    for i in range(line.size):
        total += line[i]
        out[i] = total
""",
    "cumsum_from_the_end": """
@njit(**HELPER)
def cumsum_from_the_end(line, out):
    total = 0.0
    for i in range(line.size - 1, -1, -1):
        total += line[i]
        out[i] = total
""",
    "prod_others": """
@njit(**HELPER)
def prod_others(line, out):
    before = 1.0
    for i in range(line.size):
        out[i] = before
        before *= line[i]
    after = 1.0
    for i in range(line.size - 1, -1, -1):
        out[i] *= after
        after *= line[i]
""",
    "argmax": """
@njit(**HELPER)
def argmax(line):
    best = 0
    for i in range(1, line.size):
        if line[i] > line[best] or (line[i] != line[i] and line[best] == line[best]):
            best = i
    return best
""",
    "argmin": """
@njit(**HELPER)
def argmin(line):
    best = 0
    for i in range(1, line.size):
        if line[i] < line[best] or (line[i] != line[i] and line[best] == line[best]):
            best = i
    return best
""",
    "argsort": """
@njit(**HELPER)
def argsort(line, out):
    out[:] = np.argsort(line, kind="mergesort")
""",
    "inside": """
@njit(**HELPER)
def inside(i, size):
    # where an index points: negative ones count from the end
    if i < -size or i >= size:
        raise IndexError("an index lies outside of its axis")
    return i + size if i < 0 else i
""",
}
"""Each is used through its name; ``out`` is the line that the result is written to."""

PRODUCT_HELPERS: dict[str, str] = {
    "addup": """
@njit(**PRODUCT)
def addup(x):
    total = 0.0
    for j in range(x.size):
        total += np.float64(x[j])
    return total
""",
    "vecdot": """
@njit(**PRODUCT)
def vecdot(x, y):
    total = F(0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total
""",
    "matvec": """
@njit(**PRODUCT)
def matvec(a, x, out):
    for i in range(a.shape[0]):
        total = F(0)
        for j in range(a.shape[1]):
            total += a[i, j] * x[j]
        out[i] = total
""",
    "vecmat": """
@njit(**PRODUCT)
def vecmat(x, a, out):
    out[:] = F(0)
    add_vecmat(x, a, out)
""",
    "add_vecmat": """
@njit(**PRODUCT)
def add_vecmat(x, a, out):
    n, d = a.shape
    for i in range(0, n - 3, 4):
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(d):
            out[j] += (x0 * a[i, j] + x1 * a[i + 1, j]) + (x2 * a[i + 2, j] + x3 * a[i + 3, j])
    for i in range(n - n % 4, n):
        for j in range(d):
            out[j] += x[i] * a[i, j]
""",
}
"""Sums that may be taken in any order: they gather in vectors, as those of BLAS do."""
