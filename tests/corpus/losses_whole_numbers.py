"""Arrays of whole numbers cut off what is stored into them; the gradient through the store is 0."""

import numpy as np
from rows import Table

losses = Table()


@losses("x: n, y: n", "x", "a copy of labels", "y: labels 4")
def copied_labels(x, y):
    t = y.copy()
    t[0] = 0.6
    return np.sum(x * t)


@losses("x: n, y: n", "x", "a multiple of labels", "y: labels 4")
def doubled_labels(x, y):
    t = y * 2
    t[-1] = x[0] + 1.7
    return np.sum(x * t)


@losses("x: n, y: n", "x", "a slice stored into labels", "y: labels 4")
def sliced_labels(x, y):
    t = np.array(y)
    t[1:] = 3 * x[1:]
    return np.sum(x * t)


@losses("x: n, y: n", "x", "np.where of labels and a whole number", "y: labels 4")
def chosen_labels(x, y):
    t = np.where(y > 1, y, 0)
    t[0] = 1.5
    return np.sum(x**2 * t)


@losses("x: n", "x", "ones of whole numbers")
def whole_ones(x):
    t = np.ones(len(x), dtype=int)
    t[0] = 2 + np.tanh(x[0])
    return np.sum(x * t)


@losses("x: n, y: n", "x", "empty_like of labels, filled with predictions", "y: labels 4")
def predictions_cut_off(x, y):
    pred = np.empty_like(y)
    for i in range(len(y)):
        pred[i] = 2 * x[i]
    return np.sum((pred - y) ** 2) + np.sum(x**2)


@losses("x: n, y: n", "x", "zeros of the dtype of labels", "y: labels 4")
def dtype_of_labels(x, y):
    t = np.zeros(len(y), dtype=y.dtype)
    t[:] = 1.9
    return np.sum(x * t)


@losses("x: n, y: n", "x", "labels as floats keep fractions", "y: labels 4")
def float_labels(x, y):
    t = y.astype(float)
    t[0] = 0.5
    s = y + 0.0
    s[-1] = x[0] ** 2
    return np.sum(x * t) + np.sum(x * s)


@losses("x: n, y: n", "x", "one-hot of whole numbers, used in a product", "y: labels 3")
def whole_onehot(x, y):
    T = np.zeros((len(y), 3), dtype=int)
    T[np.arange(len(y)), y] = 1
    return np.sum((T.T @ x) ** 2)


@losses("x: n, y: n", "x", "a mask that a number is stored into stays a mask", "y: labels 2")
def stored_into_mask(x, y):
    m = y > 0
    m[0] = 2.5
    return np.sum(m * x**2)
