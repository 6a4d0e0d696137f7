"""Regression, robust losses and penalties."""

import math

import numpy as np
from rows import Table

losses = Table()
LAMBDA = 0.1


def mse(a, b):
    return np.mean((a - b) ** 2)


@losses("X: n d, w: d, y: n", "w", "Bishop 3.12")
def sum_of_squares(X, w, y):
    r = y - X @ w
    return 0.5 * r @ r


@losses("X: n d, w: d, b: , y: n", "w b", "Goodfellow 5.1.4")
def mse_with_bias(X, w, b, y):
    y_hat = np.dot(X, w) + b
    return mse(y_hat, y)


@losses("X: n d, theta: d 1, y: n 1", "theta", "Ng, Machine Learning, week 2")
def compute_cost(X, y, theta):
    m = len(y)
    h = X.dot(theta)
    J = 1 / (2 * m) * np.sum(np.square(h - y))
    return J


@losses("X: n d, theta: d, y: n", "theta", "Ng, Machine Learning, exercise 5")
def regularised_cost(X, y, theta, lam=1.0):
    m = y.shape[0]
    residual = X @ theta - y
    reg = lam / (2 * m) * np.sum(theta[1:] ** 2)
    return np.sum(residual**2) / (2 * m) + reg


@losses("X: n d, w: d, y: n", "w", "ESL 3.41")
def ridge(X, w, y):
    return np.linalg.norm(X @ w - y) ** 2 + LAMBDA * np.linalg.norm(w) ** 2


@losses("X: n d, w: d, y: n", "w", "ESL 3.52")
def lasso(X, w, y, alpha=0.5):
    n = X.shape[0]
    return 1 / (2 * n) * np.sum((y - X @ w) ** 2) + alpha * np.sum(np.abs(w))


@losses("X: n d, w: d, y: n", "w", "Zou and Hastie 2005")
def elastic_net(X, w, y, alpha=0.3, l1_ratio=0.7):
    n_samples = len(X)
    penalty = alpha * l1_ratio * np.linalg.norm(w, 1)
    penalty += 0.5 * alpha * (1 - l1_ratio) * np.linalg.norm(w, 2) ** 2
    return ((X @ w - y) ** 2).sum() / (2 * n_samples) + penalty


@losses("X: n d, w: d, y: n, s: n", "w", "ESL, weighted least squares", "s: positive")
def weighted_least_squares(X, w, y, s):
    W = np.diag(s)
    e = y - X @ w
    return e.T @ W @ e


@losses("X: n d, w: d, y: n, S: n n", "w", "Bishop 3, generalised least squares", "S: spd")
def generalised_least_squares(X, w, y, S):
    e = y - X @ w
    return e @ np.linalg.solve(S, e)


@losses("X: n d, w: d, y: n", "w", "Huber 1964")
def huber(X, w, y, delta=1.0):
    r = y - X.dot(w)
    small = np.abs(r) <= delta
    return np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).sum()


@losses("X: n d, w: d, y: n", "w", "Huber 1964, with masks as weights")
def huber_masked(X, w, y, delta=0.7):
    r = X @ w - y
    a = np.abs(r)
    quadratic = np.minimum(a, delta)
    linear = a - quadratic
    return np.mean(0.5 * quadratic**2 + delta * linear)


@losses("x: n, y: n", "x", "torch.nn.SmoothL1Loss")
def smooth_l1(x, y, beta=0.5, reduction="mean"):
    d = np.abs(x - y)
    loss = np.where(d < beta, 0.5 * d**2 / beta, d - 0.5 * beta)
    if reduction == "mean":
        return loss.mean()
    elif reduction == "sum":
        return loss.sum()
    return loss


@losses("X: n d, w: d, y: n", "w", "Koenker and Bassett 1978")
def quantile(X, w, y, tau=0.3):
    u = y - X @ w
    return np.sum(np.maximum(tau * u, (tau - 1) * u))


@losses("X: n d, w: d, y: n", "w", "Koenker and Bassett 1978, with the indicator")
def pinball(X, w, y, tau=0.8):
    u = y - X @ w
    return np.sum(u * (tau - (u < 0)))


@losses("X: n d, w: d, y: n", "w", "log-cosh regression")
def log_cosh(X, w, y):
    return np.sum(np.log(np.cosh(X @ w - y)))


@losses("X: n d, w: d, y: n", "w", "Cauchy loss, robust statistics")
def cauchy(X, w, y, c=2.385):
    r = (X @ w - y) / c
    return c**2 / 2 * np.sum(np.log1p(r**2))


@losses("X: n d, w: d, y: n", "w", "Tukey biweight")
def tukey(X, w, y, c=1.5):
    r = X @ w - y
    rho = c**2 / 6 * (1 - (1 - (r / c) ** 2) ** 3)
    rho = np.where(np.abs(r) > c, c**2 / 6, rho)
    return rho.sum()


@losses("X: n d, w: d, y: n", "w", "Charbonnier, Barron 2019")
def charbonnier(X, w, y, eps=1e-3):
    return np.sqrt((X @ w - y) ** 2 + eps**2).mean()


@losses("X: n d, w: d, y: n", "w", "Welsch loss")
def welsch(X, w, y, c=1.2):
    return np.sum(c**2 / 2 * (1 - np.exp(-(((y - X @ w) / c) ** 2))))


@losses("X: n d, w: d, y: n", "w", "epsilon-insensitive, Smola and Schoelkopf")
def svr(X, w, y, C=2.0, eps=0.1):
    err = np.abs(X @ w - y) - eps
    return 0.5 * w @ w + C * np.sum(np.maximum(0, err))


@losses("x: n, a: , b: , y: n", "a b", "script with a loop over the points")
def line_loop(x, a, b, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - (a * x[i] + b)) ** 2
    return total / float(len(x))


@losses("x: n, y: n, p: 2", "p", "Siraj Raval, linear regression")
def points_loop(x, y, p):
    m, b = p
    errors = []
    for xi, yi in zip(x, y):
        errors.append((yi - (m * xi + b)) ** 2)
    return sum(errors) / len(errors)


@losses("x: n, w: 4, y: n", "w", "Bishop 1.1, polynomial curve")
def polynomial(x, w, y):
    powers = np.stack([x**j for j in range(4)], axis=1)
    return 0.5 * np.sum((powers @ w - y) ** 2) + 0.05 * w @ w


@losses("x: n, w: d, y: n", "w", "Bishop 1.1, with np.vander")
def vandermonde(x, w, y):
    Phi = np.vander(x, len(w), increasing=True)
    return mse(Phi @ w, y)


@losses("x: n, c: k, w: k, y: n", "c w", "Bishop 3.4, radial basis functions")
def radial_basis(x, c, w, y, s=0.8):
    Phi = np.exp(-((x[:, None] - c[None, :]) ** 2) / (2 * s**2))
    return 0.5 * ((Phi @ w - y) ** 2).sum()


@losses("x: n, w: 5, y: n", "w", "Fourier features, by columns")
def fourier(x, w, y):
    Phi = np.ones((len(x), 5))
    Phi[:, 1] = np.sin(x)
    Phi[:, 2] = np.cos(x)
    Phi[:, 3] = np.sin(2 * x)
    Phi[:, 4] = np.cos(2 * x)
    return np.mean((Phi.dot(w) - y) ** 2)


@losses("X: n d, w: d, y: n", "w", "bias column by hstack")
def bias_column(X, w, y, bias=0.3):
    Xb = np.hstack([np.ones((X.shape[0], 1)), X])
    wb = np.concatenate(([bias], w))
    return ((Xb @ wb - y) ** 2).mean()


@losses("X: n d, W: k d, y: n k", "W", "multivariate regression, Magnus and Neudecker")
def multi_output(X, W, y):
    E = y - X @ W.T
    return np.trace(E.T @ E) / (2 * X.shape[0])


@losses("A: n d, x: d, b: n", "x", "Nocedal and Wright 10.1, p-norm")
def p_norm(A, x, b, p=3):
    return np.sum(np.abs(A @ x - b) ** p) ** (1 / p)


@losses("A: n d, x: d, b: n", "x", "Boyd 6.1, Chebyshev approximation")
def chebyshev(A, x, b):
    return np.linalg.norm(A @ x - b, np.inf)


@losses("A: n d, x: d, b: n", "x", "Boyd 9.3, log barrier of inequalities", "x: small")
def log_barrier(A, x, b):
    slack = np.abs(b) + 5.0 - A @ x
    return x.sum() - np.sum(np.log(slack))


@losses("A: n n, x: n, b: n", "x", "Nocedal and Wright 5.2, quadratic", "A: spd")
def quadratic(A, x, b):
    return 0.5 * x.T @ A @ x - b.T @ x


@losses("y_pred: n, y: n", "y_pred", "R squared, sklearn.metrics.r2_score")
def r_squared(y_pred, y):
    ss_res = np.sum((y - y_pred) ** 2)
    ss_tot = np.sum((y - np.mean(y)) ** 2)
    return 1 - ss_res / ss_tot


@losses("y_pred: n, y: n", "y_pred", "negative Pearson correlation")
def pearson(y_pred, y):
    a = y_pred - y_pred.mean()
    b = y - y.mean()
    return -np.sum(a * b) / (np.sqrt(np.sum(a**2)) * np.sqrt(np.sum(b**2)))


@losses("y_pred: n, y: n", "y_pred", "concordance correlation, Lin 1989")
def concordance(y_pred, y):
    mx, my = np.mean(y_pred), np.mean(y)
    cov = np.mean((y_pred - mx) * (y - my))
    return 1 - 2 * cov / (np.var(y_pred) + np.var(y) + (mx - my) ** 2)


@losses("y_pred: n, y: n", "y_pred", "mean absolute percentage error", "y: positive")
def mape(y_pred, y):
    return 100 * np.mean(np.abs((y - y_pred) / y))


@losses("y_pred: n, y: n", "y_pred", "RMSLE, Kaggle", "y_pred: positive, y: positive")
def rmsle(y_pred, y):
    assert y_pred.shape == y.shape
    return np.sqrt(np.mean(np.power(np.log1p(y) - np.log1p(y_pred), 2)))


@losses("y_pred: n, y: n", "y_pred", "root mean squared error with math.sqrt's sister")
def rmse(y_pred, y):
    diff = np.subtract(y_pred, y)
    return np.sqrt(np.square(diff).mean())


@losses("X: n d, w: d, log_s: , y: n", "w log_s", "heteroscedastic Gaussian, Kendall and Gal 2017")
def gaussian_nll(X, w, log_s, y):
    n = len(y)
    r = y - X @ w
    return 0.5 * n * math.log(2 * math.pi) + n * log_s + 0.5 * np.exp(-2 * log_s) * (r @ r)


@losses("X: n d, w: d, nu: , y: n", "w", "Student t regression, Murphy 11.4", "nu: positive")
def student_t(X, w, nu, y):
    r = y - X @ w
    return np.sum((nu + 1) / 2 * np.log(1 + r**2 / nu))


@losses("x: n, y: n", "x", "total variation and data, Rudin 1992")
def tv_denoise(x, y, lam=0.5):
    return 0.5 * np.sum((x - y) ** 2) + lam * np.sum(np.abs(np.diff(x)))


@losses("x: n, y: n", "x", "Whittaker smoother, second differences")
def whittaker(x, y, lam=2.0):
    d2 = x[2:] - 2 * x[1:-1] + x[:-2]
    return ((x - y) ** 2).sum() + lam * (d2**2).sum()


@losses("W: d k", "W", "group lasso, Yuan and Lin 2006")
def group_lasso(W):
    return np.sum(np.sqrt(np.sum(W**2, axis=1)))


@losses("w: d, v: d", "w", "cosine distance")
def cosine_distance(w, v):
    return 1 - np.dot(w, v) / (np.linalg.norm(w) * np.linalg.norm(v))
