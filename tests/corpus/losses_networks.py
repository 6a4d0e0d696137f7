"""Feed-forward networks, normalisation, activations."""

import numpy as np
from rows import Table
from scipy.special import erf

losses = Table()
HIDDEN = 4


def relu(x):
    return np.maximum(0, x)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@losses("X: n d, W1: d h, W2: h k, Y: n k", "W1 W2", "PyTorch tutorial, NumPy warm-up")
def two_layer_relu(X, W1, W2, Y):
    h = X.dot(W1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(W2)
    return np.square(y_pred - Y).sum()


@losses("X: n d, W1: d h, W2: h k, Y: n k", "W1 W2", "in-place relu")
def two_layer_inplace(X, W1, W2, Y):
    h = X @ W1
    h[h < 0] = 0
    return np.sum((h @ W2 - Y) ** 2)


@losses("X: n d, W1: d h, b1: h, W2: h k, b2: k, y: n", "W1 b1 W2 b2", "CS231n, case study", "y: labels k")
def two_layer_softmax(X, W1, b1, W2, b2, y, reg=1e-3):
    N = X.shape[0]
    hidden = np.maximum(0, X @ W1 + b1)
    scores = hidden @ W2 + b2
    scores = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).sum() / N
    loss += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    return loss


@losses("X: n d, W1: d h, b1: h, w2: h, b2: , y: n", "W1 b1 w2 b2", "Goodfellow 6.1", "y: binary")
def xor_net(X, W1, b1, w2, b2, y):
    p = sigmoid(np.tanh(X @ W1 + b1) @ w2 + b2)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@losses("x: d 1, W1: h d, b1: h 1, W2: k h, b2: k 1, y: k 1", "W1 b1 W2 b2", "Nielsen, chapter 2")
def nielsen(x, y, W1, b1, W2, b2):
    activation = x
    for b, w in zip([b1, b2], [W1, W2]):
        z = np.dot(w, activation) + b
        activation = sigmoid(z)
    return 0.5 * np.linalg.norm(activation - y) ** 2


@losses("X: d n, W1: h d, b1: h 1, W2: 1 h, b2: 1 1, Y: 1 n", "W1 b1 W2 b2", "Ng, planar data", "Y: binary")
def planar(X, Y, W1, b1, W2, b2):
    parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    m = Y.shape[1]
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = sigmoid(Z2)
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    return -np.sum(logprobs) / m


def layer_forward(A_prev, W, b, activation):
    Z = W.dot(A_prev) + b
    if activation == "sigmoid":
        return sigmoid(Z)
    elif activation == "relu":
        return relu(Z)
    raise ValueError(activation)


@losses(
    "X: d n, W1: h d, b1: h 1, W2: h h, b2: h 1, W3: 1 h, b3: 1 1, Y: 1 n",
    "W1 b1 W2 b2 W3 b3",
    "Ng, L-layer model",
    "Y: binary",
)
def l_layer(X, Y, W1, b1, W2, b2, W3, b3):
    params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}
    L = len(params) // 2
    A = X
    caches = []
    for l in range(1, L):
        A_prev = A
        A = layer_forward(A_prev, params[f"W{l}"], params[f"b{l}"], activation="relu")
        caches.append(A)
    AL = layer_forward(A, params["W" + str(L)], params["b" + str(L)], "sigmoid")
    cost = -1 / Y.shape[1] * (np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T))
    return np.squeeze(cost)


@losses(
    "theta: p, X: n d, y: n",
    "theta",
    "Ng, exercise 4, unrolled parameters",
    "y: labels 3",
    p=lambda s: 4 * (s["d"] + 1) + 3 * 5,
)
def unrolled(theta, X, y, lam=0.2):
    m, d = X.shape
    Theta1 = np.reshape(theta[: HIDDEN * (d + 1)], (HIDDEN, d + 1))
    Theta2 = np.reshape(theta[HIDDEN * (d + 1) :], (3, HIDDEN + 1))
    a1 = np.concatenate([np.ones((m, 1)), X], axis=1)
    a2 = sigmoid(a1 @ Theta1.T)
    a2 = np.concatenate([np.ones((m, 1)), a2], axis=1)
    h = sigmoid(a2 @ Theta2.T)
    Y = np.eye(3)[y]
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    return J + lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))


@losses("theta: 21, X: n 3, y: n", "theta", "autograd's neural net example, sizes in a list")
def unpack_layers(theta, X, y):
    sizes = [3, 4, 1]
    start, h = 0, X
    for m, n in zip(sizes[:-1], sizes[1:]):
        W = theta[start : start + m * n].reshape((m, n))
        start += m * n
        b = theta[start : start + n]
        start += n
        h = np.tanh(h @ W + b)
    return np.mean((h[:, 0] - y) ** 2)


@losses("X: n h, Ws: 3 h h, bs: 3 h, y: n h", "Ws bs", "layers stacked in one array", "Ws: small")
def stacked_layers(X, Ws, bs, y):
    h = X
    for W, b in zip(Ws, bs):
        h = np.tanh(np.dot(h, W) + b)
    return 0.5 * np.mean((h - y) ** 2)


@losses("X: n d, W: d h, v: h", "W v", "residual block, He 2016")
def residual_block(X, W, v):
    h = X + relu(X @ W) @ W.T
    return np.sum((h @ W @ v) ** 2)


@losses("X: n d, gamma: d, beta: d, T: n d", "X gamma beta", "Ioffe and Szegedy 2015")
def batch_norm(X, gamma, beta, T, eps=1e-2):
    mu = X.mean(axis=0)
    var = X.var(axis=0)
    x_hat = (X - mu) / np.sqrt(var + eps)
    return np.sum((gamma * x_hat + beta - T) ** 2)


@losses("x: n d, gamma: d, beta: d, dout: n d", "x gamma beta", "CS231n, batchnorm_forward by steps")
def batchnorm_forward(x, gamma, beta, dout, eps=1e-3):
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return np.sum(out * dout)


@losses("x: n d, gamma: d, beta: d, t: n d", "x gamma beta", "Ba 2016, layer norm")
def layer_norm(x, gamma, beta, t):
    mean = np.mean(x, axis=-1, keepdims=True)
    std = np.std(x, axis=-1, keepdims=True)
    y = gamma * (x - mean) / (std + 1e-1) + beta
    return ((y - t) ** 2).mean()


@losses("x: n d, g: d, t: n d", "x g", "Zhang and Sennrich 2019, RMSNorm")
def rms_norm(x, g, t, eps=1e-6):
    rms = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps)
    return np.sum(x / rms * g * t)


@losses("x: n c s, gamma: c, beta: c, t: n c s", "x gamma beta", "group norm, Wu and He 2018", sizes="c: 4")
def group_norm(x, gamma, beta, t, G=2):
    N, C, S = x.shape
    x = x.reshape(N, G, C // G, S)
    mean = x.mean(axis=(2, 3), keepdims=True)
    var = x.var(axis=(2, 3), keepdims=True)
    x = (x - mean) / np.sqrt(var + 1e-2)
    x = x.reshape(N, C, S)
    return np.sum((x * gamma[None, :, None] + beta[None, :, None]) * t)


@losses("x: n c h w, t: n c h w", "x", "instance norm, Ulyanov 2016")
def instance_norm(x, t):
    mu = np.mean(x, axis=(2, 3), keepdims=True)
    var = np.mean((x - mu) ** 2, axis=(2, 3), keepdims=True)
    return np.sum((x - mu) / np.sqrt(var + 0.01) * t)


@losses("v: h d, g: h, x: n d, y: n h", "v g", "weight normalisation, Salimans 2016")
def weight_norm(v, g, x, y):
    w = g[:, None] * v / np.linalg.norm(v, axis=1, keepdims=True)
    return np.mean((x @ w.T - y) ** 2)


@losses("x: n d, W: d d, t: n d", "W", "Hendrycks 2016, exact gelu")
def gelu_exact(x, W, t):
    z = x @ W
    return np.sum((0.5 * z * (1 + erf(z / np.sqrt(2))) - t) ** 2)


@losses("x: n d, W: d d", "W", "gelu by tanh, GPT-2 in NumPy")
def gelu_tanh(x, W):
    z = x @ W
    g = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    return (g**2).sum()


@losses("x: n d, W: d h", "W", "leaky relu by where")
def leaky_relu(x, W, alpha=0.1):
    z = x @ W
    return np.where(z > 0, z, alpha * z).mean()


@losses("x: n d, W: d h", "W", "elu, Clevert 2016")
def elu(x, W, alpha=1.0):
    z = np.dot(x, W)
    return np.sum(np.where(z > 0, z, alpha * (np.exp(z) - 1)) ** 2)


@losses("x: n d, W: d h", "W", "selu by masks")
def selu(x, W):
    z = x @ W
    scale, alpha = 1.0507, 1.67326
    out = scale * ((z > 0) * z + (z <= 0) * alpha * np.expm1(z))
    return np.sum(out**2)


@losses("x: n d, W: d h", "W", "swish with beta, Ramachandran 2017")
def swish(x, W, beta=1.5):
    z = x @ W
    return np.mean(z * sigmoid(beta * z))


@losses("x: n d, W: d h", "W", "softplus and mish")
def mish(x, W):
    z = x @ W
    return np.sum(z * np.tanh(np.log(1 + np.exp(z))))


@losses("x: n d, W: d h", "W", "relu6, hard sigmoid by clip")
def hard_swish(x, W):
    z = x @ W
    return np.sum(z * np.clip(z + 3, 0, 6) / 6)


@losses("x: n d, W1: d h, W2: d h", "W1 W2", "gated linear unit, Dauphin 2017")
def glu(x, W1, W2):
    return np.sum((x @ W1) * sigmoid(x @ W2))


@losses("x: n m, W: m d, t: n d", "x W", "maxout, Goodfellow 2013", sizes="d: 4")
def maxout(x, W, t):
    z = x @ W
    z = z.reshape(z.shape[0], z.shape[1] // 2, 2).max(axis=-1)
    return np.sum(z**2)


@losses(
    "X: n d, mask: n h, W1: d h, W2: h k, Y: n k", "W1 W2", "inverted dropout, mask given", "mask: binary"
)
def dropout(X, mask, W1, W2, Y, p=0.5):
    h = relu(X @ W1) * mask / (1 - p)
    return 0.5 * np.sum((h @ W2 - Y) ** 2)


@losses("X: n d, W: d h, c: d", "W c", "tied autoencoder, Vincent 2008")
def autoencoder(X, W, c):
    code = sigmoid(X @ W)
    out = code @ W.T + c
    return np.mean(np.sum((X - out) ** 2, axis=1))


@losses("X: n d, W: d h, V: h d, rho: ", "W V", "UFLDL sparse autoencoder", "rho: unit")
def sparse_autoencoder(X, W, V, rho, beta=3.0, lam=1e-2):
    a = sigmoid(X @ W)
    rho_hat = a.mean(axis=0)
    kl = np.sum(rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat)))
    rec = 0.5 * np.sum((sigmoid(a @ V) - X) ** 2) / X.shape[0]
    return rec + lam / 2 * (np.sum(W**2) + np.sum(V**2)) + beta * kl


@losses("X: n d, W: d h", "W", "contractive penalty, Rifai 2011")
def contractive(X, W):
    h = sigmoid(X @ W)
    return np.sum((h * (1 - h)) ** 2 @ np.sum(W**2, axis=0))


@losses("x: d, w: d h, u: h, b: h", "w u b", "mixture density output, one row")
def one_row(x, w, u, b):
    z = x @ w + b
    a = softmax(z, axis=0)
    return -np.log(np.sum(a * np.exp(-0.5 * (u - z) ** 2)))


@losses("X: n d, W: d k, V: k d, y: n", "W V", "factorisation machine, Rendle 2010")
def factorization_machine(X, W, V, y):
    w = W[:, 0]
    inter = 0.5 * np.sum((X @ V.T) ** 2 - (X**2) @ (V.T**2), axis=1)
    return np.mean((X @ w + inter - y) ** 2)


@losses("X: n d, W1: d h, W2: h 1, y: n", "W1 W2", "the (n, 1) minus (n,) mistake, as written")
def broadcast_mistake(X, W1, W2, y):
    pred = relu(X @ W1) @ W2
    return np.mean((pred - y) ** 2)
