"""Generalised linear models, survival, order and choice."""

import numpy as np
from rows import Table
from scipy.special import expit, gammaln, xlogy
from scipy.stats import norm

losses = Table()


@losses("X: n d, w: d, y: n", "w", "McCullagh and Nelder 6, Poisson", "y: counts")
def poisson(X, w, y):
    eta = X @ w
    return np.sum(np.exp(eta) - y * eta)


@losses("X: n d, w: d, y: n, t: n", "w", "Poisson with exposure and factorials", "y: counts, t: positive")
def poisson_exposure(X, w, y, t):
    lam = t * np.exp(X.dot(w))
    return -(xlogy(y, lam) - lam - gammaln(y + 1)).sum()


@losses("X: n d, w: d, y: n", "w", "Poisson deviance", "y: positive")
def poisson_deviance(X, w, y):
    mu = np.exp(X @ w)
    return 2 * np.sum(y * np.log(y / mu) - (y - mu))


@losses("X: n d, w: d, r: , y: n", "w r", "negative binomial", "y: counts, r: positive")
def negative_binomial(X, w, r, y):
    mu = np.exp(X @ w)
    ll = gammaln(y + r) - gammaln(r) - gammaln(y + 1)
    ll += r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))
    return -np.sum(ll)


@losses("X: n d, w: d, g: , y: n", "w g", "zero-inflated Poisson by masks", "y: counts")
def zero_inflated(X, w, g, y):
    lam = np.exp(X @ w)
    pi = expit(g)
    zero = y == 0
    ll = np.where(zero, np.log(pi + (1 - pi) * np.exp(-lam)), np.log(1 - pi) - lam + y * np.log(lam))
    return -ll.mean()


@losses("X: n d, w: d, y: n", "w", "gamma regression, log link", "y: positive")
def gamma_regression(X, w, y):
    mu = np.exp(X @ w)
    return 2 * np.sum(y / mu - np.log(y / mu) - 1)


@losses("X: n d, w: d, y: n", "w", "Tweedie deviance, p = 1.5", "y: positive")
def tweedie(X, w, y, p=1.5):
    mu = np.exp(X @ w)
    return np.mean(-y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p))


@losses("X: n d, w: d, y: n", "w", "probit regression with the normal distribution of SciPy", "y: binary")
def probit(X, w, y):
    p = norm.cdf(X @ w)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@losses("X: n d, w: d, y: n", "w", "complementary log-log", "y: binary")
def cloglog(X, w, y):
    p = 1 - np.exp(-np.exp(X @ w))
    return -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))


@losses("X: n d, w: d, c: 2, y: n", "w c", "McCullagh 1980, ordered logit", "y: labels 3")
def ordinal(X, w, c, y):
    eta = X @ w
    cuts = np.concatenate([[-np.inf], [c[0]], [c[0] + np.exp(c[1])], [np.inf]])
    upper = expit(cuts[y + 1] - eta)
    lower = expit(cuts[y] - eta)
    return -np.sum(np.log(upper - lower))


@losses("X: n d, b: d, t: n, e: n", "b", "Cox 1972, risk sets as a matrix", "e: binary, t: positive")
def cox_matrix(X, b, t, e):
    eta = X @ b
    at_risk = (t[None, :] >= t[:, None]).astype(float)
    return -np.sum(e * (eta - np.log(at_risk @ np.exp(eta))))


@losses("X: n d, b: d, e: n", "b", "Cox, rows sorted by falling time, cumsum", "e: binary")
def cox_cumsum(X, b, e):
    eta = X @ b
    risk = np.cumsum(np.exp(eta))
    return -np.sum((eta - np.log(risk)) * e)


@losses("X: n d, b: d, t: n, e: n", "b", "Cox in a loop over the events", "e: mask, t: positive")
def cox_loop(X, b, t, e):
    theta = np.dot(X, b)
    ll = 0.0
    for i in range(len(t)):
        if e[i]:
            ll += theta[i] - np.log(np.sum(np.exp(theta[t >= t[i]])))
    return -ll


@losses("X: n d, b: d, t: n, e: n", "b", "Cox with argsort", "e: binary, t: positive")
def cox_argsort(X, b, t, e):
    order = np.argsort(-t)
    eta = (X @ b)[order]
    log_risk = np.log(np.cumsum(np.exp(eta)))
    return -np.sum((eta - log_risk) * e[order]) / np.sum(np.ones_like(e))


@losses(
    "X: n d, b: d, k: , t: n, e: n",
    "b k",
    "Weibull regression with censoring",
    "e: binary, t: positive, k: positive",
)
def weibull(X, b, k, t, e):
    lam = np.exp(X @ b)
    H = (t / lam) ** k
    return np.sum(H - e * (np.log(k) - np.log(lam) + (k - 1) * np.log(t / lam)))


@losses("H: n m, t: n, e: n", "H", "discrete-time hazards by cumprod", "H: unit, t: labels m, e: binary")
def discrete_hazard(H, t, e):
    S = np.cumprod(1 - H, axis=1)
    i = np.arange(len(t))
    p = H[i, t] * S[i, t] / (1 - H[i, t])
    return -np.sum(e * np.log(p) + (1 - e) * np.log(S[i, t]))


@losses("V: n j, c: n", "V", "McFadden 1974, multinomial logit", "c: labels j")
def multinomial_logit(V, c):
    eV = np.exp(V)
    P = eV / np.sum(eV, axis=1).reshape(-1, 1)
    ll = 0
    for n in range(len(c)):
        ll += np.log(P[n, c[n]])
    return -ll


@losses("s: k, i: n, j: n", "s", "Bradley and Terry 1952", "i: labels k, j: labels k")
def bradley_terry(s, i, j):
    return -np.sum(np.log(np.exp(s[i]) / (np.exp(s[i]) + np.exp(s[j])))) + 0.5 * np.sum(s**2)


@losses(
    "theta: n, a: m, b: m, Y: n m", "theta a b", "Birnbaum 1968, two-parameter item response", "Y: binary"
)
def item_response(theta, a, b, Y):
    p = expit(a * (theta[:, None] - b))
    return -np.sum(np.where(Y == 1, np.log(p), np.log(1 - p)))


@losses("p: n k", "p", "log score over groups by split", "p: unit", sizes="k: 4")
def split_groups(p):
    left, right = np.split(np.log(p), 2, axis=1)
    return -np.sum(left) - 2 * np.mean(right)


@losses(
    "alpha: , beta: , mu: , t: n",
    "alpha beta mu",
    "Hawkes process, recursive sum",
    "t: sorted, alpha: unit, beta: positive, mu: positive",
)
def hawkes(alpha, beta, mu, t):
    A = 0.0
    ll = np.log(mu)
    for i in range(1, len(t)):
        A = np.exp(-beta * (t[i] - t[i - 1])) * (1 + A)
        ll += np.log(mu + alpha * A)
    comp = mu * t[-1] + alpha / beta * np.sum(1 - np.exp(-beta * (t[-1] - t)))
    return comp - ll


@losses("w: k, X: n d, y: n, b: d, z: n", "w b", "random intercepts, penalised", "z: labels k, y: binary")
def random_intercepts(w, X, y, b, z):
    eta = X @ b + w[z]
    return np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * np.dot(w, w)


@losses("X: n d, b: d, y: n", "b", "Firth 1993, Jeffreys penalty", "y: binary")
def firth(X, b, y):
    p = expit(X @ b)
    info = X.T @ np.diag(p * (1 - p)) @ X + 0.05 * np.eye(X.shape[1])
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) - 0.5 * np.linalg.slogdet(info)[1]


@losses(
    "X: n d, w: d, y: n", "w", "area under the curve, smoothed, by pairs of masks", "y: mask", sizes="n: 6"
)
def soft_auc(X, w, y):
    s = X @ w
    pos, neg = s[y], s[np.logical_not(y)]
    return np.sum(expit(neg[None, :] - pos[:, None])) / len(s)
