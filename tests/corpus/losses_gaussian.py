"""Densities: Gaussians, mixtures, Gaussian processes, variational bounds."""

import math

import numpy as np
from rows import Table
from scipy.special import gammaln, logsumexp

losses = Table()


def rbf(A, B, ell, sf=1.0):
    sq = np.sum(A**2, 1)[:, None] + np.sum(B**2, 1)[None, :] - 2 * A @ B.T
    return sf**2 * np.exp(-0.5 * sq / ell**2)


def log_normal(x, mean, log_var):
    return -0.5 * (np.log(2 * np.pi) + log_var + (x - mean) ** 2 / np.exp(log_var))


@losses("x: d, mu: d, S: d d", "mu S", "Bishop 2.43", "S: spd")
def multivariate_normal(x, mu, S):
    d = len(x)
    diff = x - mu
    maha = diff.T @ np.linalg.inv(S) @ diff
    return 0.5 * (d * np.log(2 * np.pi) + np.log(np.linalg.det(S)) + maha)


@losses("X: n d, mu: d, S: d d", "mu S", "Magnus and Neudecker 15.3, maximum likelihood", "S: spd")
def gaussian_likelihood(X, mu, S):
    n, d = X.shape
    C = X - mu
    _, logdet = np.linalg.slogdet(S)
    return 0.5 * n * logdet + 0.5 * np.sum(C @ np.linalg.inv(S) * C)


@losses("X: n d, mu: d, P: d d", "mu P", "precision and einsum", "P: spd")
def gaussian_precision(X, mu, P):
    diff = X - mu[None, :]
    maha = np.einsum("ni,ij,nj->n", diff, P, diff)
    return np.mean(0.5 * maha - 0.5 * np.linalg.slogdet(P)[1])


@losses("x: n, mu: , sigma: ", "mu sigma", "univariate normal, Murphy 2", "sigma: positive")
def normal_nll(x, mu, sigma):
    n = len(x)
    return n / 2 * math.log(2 * math.pi) + n * np.log(sigma) + ((x - mu) ** 2).sum() / (2 * sigma**2)


@losses("K: n n, y: n", "K", "GP book 2.30", "K: spd")
def gp_likelihood(K, y):
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1] + len(y) / 2 * np.log(2 * np.pi)


@losses(
    "X: n d, y: n, ell: , sf: , sn: ", "ell sf sn", "GP book 5.8", "ell: positive, sf: positive, sn: positive"
)
def gp_rbf(X, y, ell, sf, sn):
    K = rbf(X, X, ell, sf) + sn**2 * np.eye(len(X))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


@losses("x: n, y: n, theta: 3", "theta", "logarithms of hyperparameters in one vector")
def gp_log_parameters(x, y, theta):
    ell, sf, sn = np.exp(theta)
    K = sf**2 * np.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / ell**2)
    K = K + (sn**2 + 0.1) * np.eye(len(x))
    return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * np.log(np.linalg.det(K))


@losses("X: n d, y: n, w: d", "w", "automatic relevance determination, loop-built kernel", "w: positive")
def gp_ard_loop(X, y, w):
    n = X.shape[0]
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i, j] = np.exp(-0.5 * np.sum(w * (X[i] - X[j]) ** 2))
    K += 0.1 * np.eye(n)
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


@losses("x: n, y: n, s: m", "s", "GP book 2.25, prediction as a function of the inputs", "x: sorted")
def gp_predict(x, y, s):
    def k(a, b):
        return np.exp(-0.5 * np.subtract.outer(a, b) ** 2)

    Kxx = k(x, x) + 0.1 * np.eye(x.size)
    return np.sum(k(s, x) @ np.linalg.solve(Kxx, y))


@losses("x: n, y: n, ell: ", "ell", "Matern 3/2 with distances off the diagonal", "x: sorted, ell: positive")
def gp_matern(x, y, ell):
    r = np.abs(x[:, None] - x[None, :])
    K = (1 + np.sqrt(3) * r / ell) * np.exp(-np.sqrt(3) * r / ell) + 0.2 * np.eye(len(x))
    return 0.5 * np.dot(y, np.linalg.solve(K, y)) + 0.5 * np.log(np.linalg.det(K))


@losses("X: n d, mu: k d, logits: k, log_s: k d", "mu logits log_s", "Bishop 9.14, diagonal mixture")
def mixture_diagonal(X, mu, logits, log_s):
    log_pi = logits - logsumexp(logits)
    z = (X[:, None, :] - mu[None, :, :]) / np.exp(log_s)[None]
    log_p = -0.5 * np.sum(z**2, axis=-1) - np.sum(log_s, axis=-1) - 0.5 * X.shape[1] * np.log(2 * np.pi)
    return -np.sum(logsumexp(log_pi + log_p, axis=1))


@losses("x: n, pi: k, mu: k, s: k", "pi mu s", "mixture as written, unstable", "pi: rows, s: positive")
def mixture_unstable(x, pi, mu, s):
    p = np.exp(-0.5 * ((x[:, None] - mu) / s) ** 2) / (np.sqrt(2 * np.pi) * s)
    return -np.log(p @ pi).sum()


@losses(
    "X: n d, mu: k d, S: k d d, pi: k",
    "mu S pi",
    "full covariances in a loop over components",
    "S: spd, pi: rows",
)
def mixture_full(X, mu, S, pi):
    n, d = X.shape
    p = np.zeros(n)
    for k in range(len(pi)):
        diff = X - mu[k]
        q = np.sum(diff @ np.linalg.inv(S[k]) * diff, axis=1)
        p += pi[k] * np.exp(-0.5 * q) / np.sqrt((2 * np.pi) ** d * np.linalg.det(S[k]))
    return -np.sum(np.log(p))


@losses("R: n k, X: n d, mu: k d", "mu", "expected complete-data log-likelihood, Bishop 9.40", "R: rows")
def expected_log_likelihood(R, X, mu):
    Q = 0.0
    for k in range(mu.shape[0]):
        Q += np.sum(R[:, k] * np.sum((X - mu[k]) ** 2, axis=1))
    return 0.5 * Q


@losses(
    "x: n d, We: d h, Wm: h k, Ws: h k, Wd: k d, eps: n k",
    "We Wm Ws Wd",
    "Kingma and Welling 2014",
    "Ws: small",
)
def vae(x, We, Wm, Ws, Wd, eps):
    h = np.tanh(x @ We)
    mu, logvar = h @ Wm, h @ Ws
    z = mu + np.exp(0.5 * logvar) * eps
    rec = 0.5 * np.sum((z @ Wd - x) ** 2)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return (rec + kl) / x.shape[0]


@losses("mu0: d, S0: d d, mu1: d, S1: d d", "mu0 S0 mu1 S1", "KL of two Gaussians", "S0: spd, S1: spd")
def gaussian_kl(mu0, S0, mu1, S1):
    d = mu0.shape[0]
    S1_inv = np.linalg.inv(S1)
    diff = mu1 - mu0
    t = np.trace(S1_inv @ S0) + diff @ S1_inv @ diff - d
    return 0.5 * (t + np.log(np.linalg.det(S1) / np.linalg.det(S0)))


@losses(
    "mu: d, log_s: d, eps: m d, X: n d, y: n", "mu log_s", "Bayes by backprop, Blundell 2015", "y: binary"
)
def variational_logistic(mu, log_s, eps, X, y):
    W = mu + np.exp(log_s) * eps
    z = W @ X.T
    ll = y * z - np.logaddexp(0, z)
    kl = np.sum(-log_s + 0.5 * (np.exp(2 * log_s) + mu**2 - 1))
    return -np.mean(np.sum(ll, axis=1)) + kl


@losses("z: n d, m: d, lv: d", "z m lv", "importance weighted bound, Burda 2016")
def importance_weighted(z, m, lv):
    logw = np.sum(log_normal(z, 0.0, np.zeros_like(z)) - log_normal(z, m, lv), axis=1)
    top = np.max(logw)
    return -(np.log(np.mean(np.exp(logw - top))) + top)


@losses("x: n, w: d, u: d, b: , z: n d", "w u b", "planar flow, Rezende 2015")
def planar_flow(x, w, u, b, z):
    a = z @ w + b
    f = z + u * np.tanh(a)[:, None]
    psi = (1 - np.tanh(a) ** 2)[:, None] * w
    return np.mean(0.5 * np.sum(f**2, 1) - np.log(np.abs(1 + psi @ u) + 1e-3)) + np.sum(x**2)


@losses("X: n d, W: d d", "W", "Bell and Sejnowski 1995, independent components")
def ica(X, W):
    S = X @ W.T
    return np.mean(np.sum(np.log(np.cosh(S)), axis=1)) - np.log(np.abs(np.linalg.det(W)))


@losses("X: n d, w: d", "w", "Hyvarinen, negentropy of one direction")
def fast_ica(X, w):
    s = X @ (w / np.linalg.norm(w))
    return -((np.mean(-np.exp(-(s**2) / 2)) + 0.7) ** 2)


@losses("X: n d, W: d k, log_s: ", "W log_s", "Tipping and Bishop 1999, probabilistic PCA")
def ppca(X, W, log_s):
    n, d = X.shape
    C = W @ W.T + np.exp(2 * log_s) * np.eye(d)
    S = X.T @ X / n
    return n / 2 * (np.log(np.linalg.det(C)) + np.trace(np.linalg.solve(C, S)))


@losses("S: d d, L: d k, psi: d", "L psi", "factor analysis, Murphy 12.1", "S: spd, psi: positive")
def factor_analysis(S, L, psi):
    C = L @ L.T + np.diag(psi)
    return np.linalg.slogdet(C)[1] + np.trace(np.linalg.inv(C) @ S)


@losses("x: n, a: , b: ", "a b", "gamma likelihood", "x: positive, a: positive, b: positive")
def gamma_nll(x, a, b):
    return -np.sum(a * np.log(b) - gammaln(a) + (a - 1) * np.log(x) - b * x)


@losses("x: n, a: , b: ", "a b", "beta likelihood", "x: unit, a: positive, b: positive")
def beta_nll(x, a, b):
    log_beta = gammaln(a) + gammaln(b) - gammaln(a + b)
    return np.sum(log_beta - (a - 1) * np.log(x) - (b - 1) * np.log(1 - x))


@losses("P: n k, alpha: k", "alpha", "Dirichlet likelihood, Minka 2000", "P: rows, alpha: positive")
def dirichlet_nll(P, alpha):
    n = P.shape[0]
    return -n * (gammaln(alpha.sum()) - np.sum(gammaln(alpha))) - np.sum((alpha - 1) * np.log(P))


@losses("C: n k, alpha: k", "alpha", "Dirichlet-multinomial, Murphy 5", "C: counts, alpha: positive")
def polya_nll(C, alpha):
    A = alpha.sum()
    row = gammaln(A) - gammaln(A + C.sum(axis=1)) + np.sum(gammaln(C + alpha) - gammaln(alpha), axis=1)
    return -row.sum()


@losses("x: n, mu: , b: ", "mu b", "Laplace distribution", "b: positive")
def laplace_nll(x, mu, b):
    return np.mean(np.abs(x - mu) / b + np.log(2 * b))


@losses("t: n, mu: , kappa: ", "mu kappa", "wrapped angles", "kappa: positive")
def von_mises_shape(t, mu, kappa):
    return -np.sum(kappa * np.cos(t - mu)) + len(t) * np.log(np.exp(kappa) + np.exp(-kappa))


@losses("X: n d, W: d h, b: d, c: h", "W b c", "free energy of a restricted Boltzmann machine")
def free_energy(X, W, b, c):
    return np.mean(-X @ b - np.sum(np.log(1 + np.exp(X @ W + c)), axis=1))


@losses("X: n d, Y: m d", "X", "maximum mean discrepancy, Gretton 2012")
def mmd(X, Y):
    return rbf(X, X, 1.0).mean() + rbf(Y, Y, 1.0).mean() - 2 * rbf(X, Y, 1.0).mean()


@losses("X: n d, W: d d", "W", "score matching, Hyvarinen 2005", "W: spd")
def score_matching(X, W):
    psi = -X @ W
    return np.mean(0.5 * np.sum(psi**2, axis=1)) - np.trace(W)


@losses("D_real: n, D_fake: m", "D_real D_fake", "Goodfellow 2014, discriminator")
def gan(D_real, D_fake):
    def s(a):
        return 1 / (1 + np.exp(-a))

    return -np.mean(np.log(s(D_real))) - np.mean(np.log(1 - s(D_fake)))
