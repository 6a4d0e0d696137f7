"""Matrix calculus: traces, determinants, inverses, norms, decompositions."""

import numpy as np
from rows import Table

losses = Table()


@losses("a: d, X: d k, b: k", "X", "Matrix Cookbook 70")
def cookbook_70(a, X, b):
    return a.T @ X @ b


@losses("a: d, X: k d, b: k", "X", "Matrix Cookbook 71")
def cookbook_71(a, X, b):
    return a @ X.T @ b


@losses("b: d, X: k d, c: d", "X", "Matrix Cookbook 77")
def cookbook_77(b, X, c):
    return b.T.dot(X.T).dot(X).dot(c)


@losses("B: k d, x: d, b: k, C: k m, D: m d, e: m", "x", "Matrix Cookbook 78")
def cookbook_78(B, x, b, C, D, e):
    return (B @ x + b).T @ C @ (D @ x + e)


@losses("x: d, B: d d", "x", "Matrix Cookbook 81")
def cookbook_81(x, B):
    return np.inner(x, B @ x)


@losses("b: k, X: d k, D: d d, c: k", "X", "Matrix Cookbook 82")
def cookbook_82(b, X, D, c):
    return b @ X.T @ D @ X @ c


@losses("X: d k, b: k, c: d, D: d d", "X", "Matrix Cookbook 83")
def cookbook_83(X, b, c, D):
    return (X @ b + c).T @ D @ (X @ b + c)


@losses("x: m, A: m d, s: d, W: m m", "A s", "Matrix Cookbook 84 to 88", "W: symmetric")
def cookbook_84(x, A, s, W):
    return (x - A @ s).T @ W @ (x - A @ s)


@losses("a: d, X: d d, b: d", "X", "Matrix Cookbook 91, third power")
def cookbook_91(a, X, b):
    return a @ np.linalg.matrix_power(X, 3) @ b


@losses("X: d d", "X", "Matrix Cookbook 49", "X: spd")
def determinant(X):
    return np.linalg.det(X)


@losses("A: k d, X: d d, B: d k", "X", "Matrix Cookbook 50, square case of the product", "X: spd")
def determinant_product(A, X, B):
    return np.linalg.det(np.eye(A.shape[0]) + A @ X @ B)


@losses("X: n d", "X", "Matrix Cookbook 54", sizes="n: 4, d: 3")
def log_gram_determinant(X):
    return np.log(np.linalg.det(X.T @ X + np.eye(X.shape[1])))


@losses("X: d d", "X", "Matrix Cookbook 57", "X: spd")
def log_determinant(X):
    sign, logdet = np.linalg.slogdet(X)
    return logdet


@losses("X: d d", "X", "log |det| of a general matrix")
def log_abs_det(X):
    return np.log(np.abs(np.linalg.det(X)))


@losses("a: d, X: d d, b: d", "X", "Matrix Cookbook 61", "X: spd")
def cookbook_61(a, X, b):
    return a.T @ np.linalg.inv(X) @ b


@losses("A: d d, X: d d, B: d d", "X", "Matrix Cookbook 63", "X: spd")
def cookbook_63(A, X, B):
    return np.trace(A @ np.linalg.inv(X) @ B)


@losses("A: d d, X: d d", "X", "Matrix Cookbook 64", "X: spd, A: spd")
def cookbook_64(A, X):
    return np.trace(np.linalg.inv(X + A))


@losses("A: k d, X: d m, B: m k", "X", "Matrix Cookbook 101")
def cookbook_101(A, X, B):
    return np.trace(A @ X @ B)


@losses("A: k m, X: d m, B: d k", "X", "Matrix Cookbook 102")
def cookbook_102(A, X, B):
    return np.trace(A @ X.T @ B)


@losses("A: d d, X: k k", "X", "Matrix Cookbook 105, Kronecker product")
def kronecker_trace(A, X):
    return np.trace(np.kron(A, X))


@losses("A: d k, B: m h, X: d m", "A B", "Kronecker product and vec")
def kronecker_fit(A, B, X):
    v = np.kron(A, B).sum(axis=1)
    return np.sum((v - X.reshape(-1)) ** 2)


@losses("X: d d", "X", "Matrix Cookbook 106")
def trace_square(X):
    return np.trace(X @ X)


@losses("X: d k, B: d d", "X", "Matrix Cookbook 108")
def cookbook_108(X, B):
    return np.trace(X.T @ B @ X)


@losses("A: m k, X: k d, B: d d, C: k m", "X", "Matrix Cookbook 118 in spirit")
def cookbook_118(A, X, B, C):
    return np.trace(A @ X @ B @ X.T @ C)


@losses("A: m d, X: d k, B: k n, C: m n", "X", "Matrix Cookbook 119")
def cookbook_119(A, X, B, C):
    E = A @ X @ B + C
    return np.trace(E @ E.T)


@losses("X: d k, C: d d, B: k k", "X", "Matrix Cookbook 125", "C: spd, B: spd")
def cookbook_125(X, C, B):
    return np.trace(np.linalg.inv(X.T @ C @ X + np.eye(X.shape[1])) @ B)


@losses("A: d d, X: d d", "X", "Matrix Cookbook 128, elementwise function under a trace")
def trace_sine(A, X):
    return np.trace(np.sin(X) @ A)


@losses("x: d, a: d", "x", "Matrix Cookbook 129, 130")
def euclidean_distance(x, a):
    return np.linalg.norm(x - a)


@losses("x: d", "x", "Matrix Cookbook 131")
def squared_norm(x):
    return np.linalg.norm(x) ** 2


@losses("X: d k", "X", "Matrix Cookbook 132")
def squared_frobenius(X):
    return np.linalg.norm(X, "fro") ** 2


@losses("X: d k", "X", "nuclear norm by trace of inverse square roots left out; Schatten 4")
def schatten_four(X):
    G = X.T @ X
    return np.trace(G @ G) ** 0.25


@losses("X: d k", "X", "column norms, norm with axis")
def column_norms(X):
    return np.sum(np.linalg.norm(X, axis=0))


@losses("X: d k", "X", "max row sum norm")
def max_row_sum(X):
    return np.linalg.norm(X, np.inf)


@losses("X: d k", "X", "max column sum by hand")
def max_column_sum(X):
    return np.max(np.sum(np.abs(X), axis=0))


@losses("A: d d, x: d", "x", "Rayleigh quotient, Golub and Van Loan", "A: symmetric")
def rayleigh(A, x):
    return (x @ A @ x) / (x @ x)


@losses("A: d d, B: d d, x: d", "x", "generalised Rayleigh quotient, ESL 4.16", "A: spd, B: spd")
def fisher_ratio(A, B, x):
    return -np.dot(x, A.dot(x)) / np.dot(x, B.dot(x))


@losses("A: d d, b: d, c: d", "A b", "solve in a chain, JAX tests", "A: spd")
def solve_chain(A, b, c):
    x = np.linalg.solve(A, b)
    return np.sum(np.tanh(x) * c)


@losses("A: d d, B: d k", "A B", "solve with a matrix right-hand side", "A: spd")
def solve_matrix(A, B):
    return np.linalg.norm(np.linalg.solve(A, B)) ** 2


@losses("A: d d", "A", "Cholesky factor, entries as written", "A: spd")
def cholesky_entries(A):
    L = np.linalg.cholesky((A + A.T) / 2)
    return np.sum(np.log(np.diag(L)))


@losses("A: d d, b: d", "A b", "Cholesky and a triangular solve", "A: spd")
def cholesky_solve(A, b):
    L = np.linalg.cholesky(A @ A.T)
    z = np.linalg.solve(L, b)
    return 0.5 * z @ z + np.log(np.diagonal(L)).sum()


@losses("L: d d, x: d", "L x", "precision by its lower triangle", "L: lower")
def lower_triangle(L, x):
    T = np.tril(L)
    z = T.T @ x
    return 0.5 * z @ z - np.sum(np.log(np.abs(np.diag(L))))


@losses("A: d d", "A", "upper triangle by index arrays")
def triangle_indices(A):
    i, j = np.triu_indices(A.shape[0], k=1)
    return np.sum((A[i, j] - A[j, i]) ** 2) + np.sum(A**2)


@losses("X: n d", "X", "NOTEARS by a power series, Zheng 2018", sizes="n: 3, d: 3")
def notears_series(X):
    W = X.T @ X
    M = np.eye(W.shape[0]) + W / W.shape[0]
    E = np.linalg.matrix_power(M, 3)
    return (E.T * M).sum() - W.shape[0]


@losses("Q: d k", "Q", "soft orthogonality, Brock 2017")
def orthogonality(Q):
    k = Q.shape[1]
    G = Q.T @ Q
    return np.linalg.norm(G - np.identity(k)) ** 2


@losses("W: d k", "W", "spectral decoupling: Gram without its diagonal")
def off_diagonal(W):
    G = W.T @ W
    return np.sum((G - np.diag(np.diag(G))) ** 2)


@losses("W: k d", "W", "np.fill_diagonal on a local matrix")
def off_diagonal_filled(W):
    G = W @ W.T
    np.fill_diagonal(G, 0)
    return np.abs(G).sum()


@losses("x: d, A: d d", "x", "matrixcalculus.org, x'*A*x + c*sin(y)'*x")
def sine_quadratic(x, A, c=1.3):
    return x.T @ A @ x + c * np.sin(x).T @ x


@losses("A: n d, x: d", "x", "matrixcalculus.org, sum(log(exp(A*x)+vector(1)))")
def softplus_sum(A, x):
    return np.sum(np.log(np.exp(A @ x) + 1))


@losses("X: n d, w: d", "X w", "log-sum-exp, Boyd 3.1.5")
def log_sum_exp(X, w):
    return np.log(np.sum(np.exp(X @ w)))


@losses("x: d, y: k, A: d k", "x y A", "outer product against a matrix")
def outer_fit(x, y, A):
    return np.sum((np.outer(x, y) - A) ** 2)


@losses("a: d, b: d, c: d", "a b c", "rank-one CP tensor by einsum", "a: small, b: small, c: small")
def cp_rank_one(a, b, c):
    T = np.einsum("i,j,k->ijk", a, b, c)
    return np.sum((T - 1) ** 2)


@losses("A: n r, B: m r, C: k r, T: n m k", "A B C", "Kolda and Bader 2009, CP decomposition")
def cp_decomposition(A, B, C, T):
    return 0.5 * np.linalg.norm(T - np.einsum("nr,mr,kr->nmk", A, B, C)) ** 2


@losses("G: r s, A: n r, B: m s, T: n m", "G A B", "Tucker in two modes by tensordot")
def tucker(G, A, B, T):
    R = np.tensordot(np.tensordot(A, G, axes=1), B, axes=([1], [1]))
    return ((R - T) ** 2).sum()


@losses("A: n d d, x: n d", "A x", "batched quadratic forms")
def batched_quadratic(A, x):
    y = np.matmul(A, x[..., None])[..., 0]
    return np.sum(x * y)


@losses("A: n d d", "A", "sum of log determinants in a loop", "A: spd")
def log_determinants(A):
    total = 0.0
    for i in range(A.shape[0]):
        total += np.linalg.slogdet(A[i])[1]
    return total


@losses("A: d d, B: d d", "A B", "commutator")
def commutator(A, B):
    C = A @ B - B @ A
    return 0.25 * np.trace(C @ C.T)


@losses("A: d d", "A", "trace over explicit indices", "A: real")
def trace_loop(A):
    s = 0
    for i in range(A.shape[0]):
        s += A[i, i] ** 2
    return s


@losses("A: d d, B: d d", "A", "log det divergence, Kulis 2009", "A: spd, B: spd")
def stein_loss(A, B):
    M = A @ np.linalg.inv(B)
    return np.trace(M) - np.log(np.linalg.det(M)) - A.shape[0]


@losses("S: d d, K: d d", "K", "graphical lasso, Friedman 2008", "S: spd, K: spd")
def graphical_lasso(S, K, rho=0.1):
    return -np.linalg.slogdet(K)[1] + np.trace(S @ K) + rho * np.sum(np.abs(K))


@losses("A: n d, b: n", "b", "projection residual, Strang")
def projection(A, b):
    P = A @ np.linalg.inv(A.T @ A + 0.1 * np.eye(A.shape[1])) @ A.T
    return b @ (np.eye(len(b)) - P) @ b


@losses("X: n d, y: n, lam: ", "lam", "PRESS of ridge regression, hat matrix", "lam: positive")
def press(X, y, lam):
    H = X @ np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T)
    r = (y - H @ y) / (1 - np.diag(H))
    return np.mean(r**2)


@losses("M: d d, v: d", "M v", "power iteration", "M: positive, v: positive")
def power_iteration(M, v):
    for _ in range(5):
        v = M @ v
        v = v / np.linalg.norm(v)
    return -(v @ M @ v)
