"""Test functions of optimisation, differential equations, unrolled iterations."""

import math
from functools import reduce

import numpy as np
from rows import Table

losses = Table()


@losses("x: n", "x", "Rosenbrock 1960, scipy.optimize.rosen")
def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


@losses("x: n", "x", "Rosenbrock in a loop", sizes="n: 4")
def rosenbrock_loop(x):
    f = 0
    for i in range(len(x) - 1):
        f += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return f


@losses("x: n", "x", "Rastrigin")
def rastrigin(x, A=10):
    n = len(x)
    return A * n + np.sum(x**2 - A * np.cos(2 * np.pi * x))


@losses("x: n", "x", "Ackley")
def ackley(x):
    d = x.size
    a = -20 * np.exp(-0.2 * np.sqrt(np.sum(x * x) / d))
    return a - np.exp(np.sum(np.cos(2 * math.pi * x)) / d) + 20 + math.e


@losses("x: n", "x", "Griewank, np.prod")
def griewank(x):
    i = np.arange(1, len(x) + 1)
    return 1 + np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(i)))


@losses("x: n", "x", "Styblinski-Tang by enumerate")
def styblinski(x):
    total = 0
    for i, v in enumerate(x):
        total += v**4 - 16 * v**2 + (i + 5) * v
    return total / 2


@losses("x: 2", "x", "Himmelblau, unpacking")
def himmelblau(x):
    a, b = x
    return (a**2 + b - 11) ** 2 + (a + b**2 - 7) ** 2


@losses("x: 2", "x", "Beale by entries")
def beale(x):
    return (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2


@losses("x: 4", "x", "Powell's singular function")
def powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


@losses("k: 2, y0: 2, obs: 6 2", "k y0", "Lotka-Volterra by Euler steps", "k: unit, y0: positive")
def lotka_volterra(k, y0, obs, dt=0.1):
    y = y0
    err = 0.0
    for t in range(6):
        dy = np.array([k[0] * y[0] - y[0] * y[1], y[0] * y[1] - k[1] * y[1]])
        y = y + dt * dy
        err += np.sum((y - obs[t]) ** 2)
    return err


@losses("c: , v: , x0: , obs: 5", "c v x0", "damped oscillator with scalars and a list", "c: unit")
def oscillator(c, v, x0, obs):
    xs = []
    x, dt = x0, 0.2
    for _ in range(5):
        v = v + dt * (-x - c * v)
        x = x + dt * v
        xs.append(x)
    return np.sum((np.array(xs) - obs) ** 2)


@losses("A: d d, y: d, z: d", "A y", "Runge-Kutta in a helper", "A: small")
def runge_kutta(A, y, z, h=0.3):
    def f(u):
        return np.tanh(A @ u)

    for _ in range(2):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum((y - z) ** 2)


@losses("w: d, X: n d, y: n", "w", "MAML, one inner gradient step by hand, Finn 2017")
def maml(w, X, y, alpha=0.1):
    grad = 2 * X.T @ (X @ w - y) / len(y)
    w_new = w - alpha * grad
    return np.mean((X @ w_new - y) ** 2)


@losses("w: d, X: n d, y: n", "w", "unrolled gradient descent")
def unrolled_descent(w, X, y):
    for step in range(3):
        w = w - 0.05 / (step + 1) * X.T @ (X @ w - y)
    return 0.5 * np.linalg.norm(X @ w - y) ** 2


@losses("x: 5", "x", "Horner's rule with reduce")
def horner(x):
    return reduce(lambda acc, c: acc * 0.7 + c, x) ** 2


@losses("a: , b: ", "a b", "while loop with a counter and math constants")
def newton_root(a, b):
    x, i = 1.5, 0
    while i < 4:
        x = x - (x**2 - (a**2 + b**2 + 1)) / (2 * x)
        i += 1
    return x * math.pi
