"""Images and signals: convolutions, pooling, smoothness."""

import numpy as np
from rows import Table

losses = Table()
KERNEL = 3


@losses(
    "x: n, w: 3, y: m",
    "x w",
    "valid convolution as a loop over outputs",
    m=lambda s: s["n"] - 2,
    sizes="n: 6",
)
def conv1d_loop(x, w, y):
    out = []
    for i in range(len(x) - len(w) + 1):
        out.append(np.dot(x[i : i + len(w)], w))
    return np.sum((np.array(out) - y) ** 2)


@losses(
    "x: n, w: 3, y: m",
    "x w",
    "valid convolution by slices of the signal",
    m=lambda s: s["n"] - 2,
    sizes="n: 6",
)
def conv1d_slices(x, w, y):
    n = x.shape[0]
    out = 0
    for k in range(3):
        out = out + w[k] * x[k : n - 2 + k]
    return 0.5 * np.mean((out - y) ** 2)


@losses("x: n, w: 3, y: m", "x w", "np.convolve", m=lambda s: s["n"] - 2, sizes="n: 6")
def conv1d_numpy(x, w, y):
    return np.sum((np.convolve(x, w, mode="valid") - y) ** 2)


@losses("x: n, w: 3, y: n", "x w", "padding by np.pad")
def conv1d_same(x, w, y):
    p = np.pad(x, 1)
    out = p[:-2] * w[0] + p[1:-1] * w[1] + p[2:] * w[2]
    return np.sum((np.tanh(out) - y) ** 2)


@losses(
    "X: h w, K: 3 3, b: , Y: u v",
    "X K b",
    "valid 2-D convolution, four loops",
    u=lambda s: s["h"] - 2,
    v=lambda s: s["w"] - 2,
    sizes="h: 5, w: 4",
)
def conv2d_loops(X, K, b, Y):
    H, W = X.shape
    kh, kw = K.shape
    out = np.zeros((H - kh + 1, W - kw + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(X[i : i + kh, j : j + kw] * K) + b
    return 0.5 * np.sum((out - Y) ** 2)


@losses(
    "X: h w, K: 3 3, Y: u v",
    "X K",
    "valid 2-D convolution by shifted slices",
    u=lambda s: s["h"] - 2,
    v=lambda s: s["w"] - 2,
    sizes="h: 5, w: 4",
)
def conv2d_slices(X, K, Y):
    h, w = X.shape
    out = np.zeros((h - 2, w - 2))
    for i in range(KERNEL):
        for j in range(KERNEL):
            out += K[i, j] * X[i : h - 2 + i, j : w - 2 + j]
    return np.mean((out - Y) ** 2)


@losses(
    "x: n c h w, f: k c 2 2, b: k",
    "x f b",
    "CS231n, conv_forward_naive",
    sizes="n: 2, c: 2, h: 3, w: 2, k: 3",
)
def conv_forward_naive(x, f, b, stride=1, pad=1):
    N, C, H, W = x.shape
    F, _, HH, WW = f.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for k in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    window = xp[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, k, i, j] = np.sum(window * f[k]) + b[k]
    return np.sum(out**2)


@losses(
    "x: n c h w, f: k c 2 2", "x f", "im2col by stacking and tensordot", sizes="n: 2, c: 2, h: 3, w: 4, k: 3"
)
def conv_tensordot(x, f):
    H, W = x.shape[2:]
    patches = np.stack([x[:, :, i : H - 1 + i, j : W - 1 + j] for i in range(2) for j in range(2)], axis=2)
    out = np.tensordot(patches, f.reshape(f.shape[0], f.shape[1], 4), axes=([1, 2], [1, 2]))
    return np.sum(np.maximum(out, 0) ** 2)


@losses("x: n c h w, f: k c", "x f", "one-by-one convolution by einsum", sizes="n: 2, c: 3, h: 2, w: 4, k: 5")
def conv_1x1(x, f):
    return np.sum(np.tanh(np.einsum("nchw,kc->nkhw", x, f)))


@losses("x: n h w, t: n 2 2", "x", "max pooling by reshape", sizes="h: 4, w: 6")
def max_pool(x, t):
    n, h, w = x.shape
    out = x.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4))
    return np.sum(out**2) + np.sum(t**2)


@losses("x: h w", "x", "CS231n, max_pool_forward_naive", sizes="h: 4, w: 6")
def max_pool_loops(x, size=2, stride=2):
    H, W = x.shape
    out = np.zeros((H // stride, W // stride))
    for i in range(H // stride):
        for j in range(W // stride):
            out[i, j] = np.max(x[i * stride : i * stride + size, j * stride : j * stride + size])
    return 0.5 * np.sum(out * out)


@losses("x: n c h w, W: c k, y: n", "x W", "global average pooling and softmax", "y: labels k")
def global_pool(x, W, y):
    s = x.mean(axis=(2, 3)) @ W
    s = s - s.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean()


@losses("x: h w", "x", "average pooling with strides in slices", sizes="h: 4, w: 6")
def average_pool(x):
    out = (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
    return np.sum(out**3)


@losses("u: h w, f: h w", "u", "Rudin, Osher and Fatemi 1992", sizes="h: 4, w: 3")
def total_variation(u, f, lam=0.3, eps=1e-2):
    dx = u[1:, :-1] - u[:-1, :-1]
    dy = u[:-1, 1:] - u[:-1, :-1]
    return 0.5 * np.sum((u - f) ** 2) + lam * np.sum(np.sqrt(dx**2 + dy**2 + eps))


@losses("u: h w", "u", "anisotropic total variation by np.diff", sizes="h: 4, w: 3")
def tv_diff(u):
    return np.abs(np.diff(u, axis=0)).sum() + np.abs(np.diff(u, axis=1)).sum()


@losses("u: n, f: n", "u", "periodic differences by np.roll")
def roll_smoothness(u, f):
    lap = np.roll(u, 1) + np.roll(u, -1) - 2 * u
    return np.sum(lap**2) + 0.5 * np.sum((u - f) ** 2)


@losses("u: h w, s: h w", "u", "Ising energy with np.roll", "s: signs")
def ising(u, s):
    return -np.sum(u * s * (np.roll(s, 1, axis=0) + np.roll(u, 1, axis=1)))


@losses("F: c s, G: c s", "F", "Gatys 2016, style by Gram matrices")
def style(F, G):
    c, s = F.shape
    A = F @ F.T
    B = np.dot(G, G.T)
    return np.sum((A - B) ** 2) / (4.0 * c**2 * s**2)


@losses("x: h w, y: h w", "x", "global SSIM", "x: positive, y: positive")
def ssim(x, y, C1=0.01, C2=0.03):
    mx, my = x.mean(), y.mean()
    vx, vy = x.var(), y.var()
    cov = ((x - mx) * (y - my)).mean()
    return 1 - ((2 * mx * my + C1) * (2 * cov + C2)) / ((mx**2 + my**2 + C1) * (vx + vy + C2))


@losses("x: n, y: n", "x", "peak signal to noise ratio")
def psnr(x, y, peak=1.0):
    err = np.mean((x - y) ** 2)
    return -10 * np.log10(peak**2 / err)


@losses(
    "x: n h w, A: m h, B: k w",
    "A B",
    "separable filter, batched products",
    sizes="n: 2, h: 3, w: 4, m: 2, k: 5",
)
def separable(x, A, B):
    return np.sum(np.square(A @ x @ B.T))


@losses("x: h w, y: h w", "x", "flip consistency")
def flip(x, y):
    return np.sum((x[::-1] - y) ** 2) + np.sum((np.fliplr(x) * x))


@losses("x: n, h: n", "h", "circulant by index arrays")
def circulant(x, h):
    n = len(x)
    idx = (np.arange(n)[:, None] - np.arange(n)[None, :]) % n
    return np.sum((h[idx] @ x) ** 2)


@losses("x: n, y: n", "x", "repeat and tile")
def upsample(x, y):
    return np.sum((np.repeat(x, 2) - np.tile(y, 2)) ** 2)
