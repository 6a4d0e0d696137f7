"""Metric learning, factorisations, clustering, graphs."""

import numpy as np
from rows import Table
from scipy.special import logsumexp

losses = Table()


def pairwise_sq(X, Y):
    return np.sum(X**2, axis=1, keepdims=True) - 2 * X @ Y.T + np.sum(Y**2, axis=1)


def normalize(x, axis=1):
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


@losses("U: n r, V: m r, R: n m, M: n m", "U V", "Koren 2009", "M: binary")
def matrix_factorization(U, V, R, M, lam=0.1):
    E = M * (R - U @ V.T)
    return 0.5 * np.sum(E**2) + lam / 2 * (np.sum(U**2) + np.sum(V**2))


@losses(
    "U: n r, V: m r, bu: n, bi: m, mu: , i: t, j: t, r: t",
    "U V bu bi mu",
    "Netflix prize, triples",
    "i: labels n, j: labels m",
)
def biased_factorization(U, V, bu, bi, mu, i, j, r, reg=0.02):
    pred = mu + bu[i] + bi[j] + np.sum(U[i] * V[j], axis=1)
    loss = np.sum((r - pred) ** 2)
    loss += reg * (np.linalg.norm(U) ** 2 + np.linalg.norm(V) ** 2)
    return loss


@losses(
    "params: p, Y: m u, R: m u",
    "params",
    "Ng, exercise 8, cofiCostFunc",
    "R: binary",
    p=lambda s: 2 * (s["m"] + s["u"]),
)
def cofi(params, Y, R, num_features=2, lambda_=1.5):
    num_movies, num_users = Y.shape
    X = params[: num_movies * num_features].reshape(num_movies, num_features)
    Theta = params[num_movies * num_features :].reshape(num_users, num_features)
    J = 0.5 * np.sum((R * (X @ Theta.T - Y)) ** 2)
    return J + lambda_ / 2 * np.sum(Theta**2) + lambda_ / 2 * np.sum(X**2)


@losses("P: n r, Q: r m, R: n m", "P Q", "albertauyeung, loops over rated entries", "R: binary")
def factor_loops(P, Q, R, beta=0.02):
    e = 0
    for i in range(R.shape[0]):
        for j in range(R.shape[1]):
            if R[i][j] > 0:
                e = e + pow(R[i][j] - np.dot(P[i, :], Q[:, j]), 2)
                for k in range(P.shape[1]):
                    e = e + (beta / 2) * (pow(P[i][k], 2) + pow(Q[k][j], 2))
    return e


@losses("u: r, v: r, w: r", "u v w", "Rendle 2009, Bayesian personalised ranking")
def bpr(u, v, w):
    x = u @ v - u @ w
    return -np.log(1 / (1 + np.exp(-x))) + 0.01 * (u @ u + v @ v + w @ w)


@losses("W: n r, H: r m, V: n m", "W H", "Lee and Seung 2001, KL", "W: positive, H: positive, V: positive")
def nmf_kl(W, H, V):
    WH = W @ H
    return np.sum(V * np.log(V / WH) - V + WH)


@losses(
    "W: n r, H: r m, V: n m", "W H", "Itakura-Saito, Fevotte 2009", "W: positive, H: positive, V: positive"
)
def nmf_is(W, H, V):
    ratio = V / np.dot(W, H)
    return np.sum(ratio - np.log(ratio) - 1)


@losses("X: n d, W: d k", "W", "Bishop 12.1, reconstruction")
def pca_reconstruction(X, W):
    Xc = X - X.mean(axis=0)
    return np.mean(np.sum((Xc - Xc @ W @ W.T) ** 2, axis=1))


@losses("X: n d, w: d", "w", "variance along a unit vector")
def pca_variance(X, w):
    w = w / np.sqrt(np.sum(w**2))
    Xc = X - np.mean(X, axis=0, keepdims=True)
    C = np.dot(Xc.T, Xc) / X.shape[0]
    return -w.dot(C).dot(w)


@losses("X: n d, Y: n k, a: d, b: k", "a b", "canonical correlation, Hotelling 1936")
def cca(X, Y, a, b):
    u = X @ a
    v = Y @ b
    u, v = u - u.mean(), v - v.mean()
    return -(u @ v) / np.sqrt((u @ u) * (v @ v))


@losses("X: n d, w: d, y: n", "w", "Fisher discriminant by boolean masks", "y: mask", sizes="n: 6")
def fisher(X, w, y):
    z = X @ w
    a, b = z[y], z[~y]
    return -((a.mean() - b.mean()) ** 2) / (a.var() + b.var() + 0.1)


@losses("X: n d, mu: k d", "mu", "Bishop 9.1, k-means with the nearest centre")
def kmeans(X, mu):
    d = pairwise_sq(X, mu)
    return np.sum(np.min(d, axis=1))


@losses("X: n d, mu: k d, z: n", "mu", "k-means with given assignments", "z: labels k")
def kmeans_assigned(X, mu, z):
    return np.linalg.norm(X - mu[z]) ** 2 / len(X)


@losses("X: n d, mu: k d", "mu", "assignments by argmin")
def kmeans_argmin(X, mu):
    dist = np.linalg.norm(X[:, None] - mu[None], axis=2)
    z = np.argmin(dist, axis=1)
    return np.sum((X - mu[z]) ** 2)


@losses("X: n d, mu: k d", "mu", "soft k-means, MacKay 20", "mu: real")
def soft_kmeans(X, mu, beta=2.0):
    return -np.sum(logsumexp(-beta * pairwise_sq(X, mu), axis=1)) / beta


@losses("U: n k, X: n d, C: k d", "U C", "fuzzy c-means, Bezdek", "U: rows")
def fuzzy_cmeans(U, X, C, m=2):
    d = np.sum((X[:, np.newaxis, :] - C) ** 2, axis=2)
    return np.sum(U**m * d)


@losses("a: n d, b: n d, y: n", "a b", "Hadsell 2006, contrastive", "y: binary")
def contrastive(a, b, y, margin=2.0):
    d = np.sqrt(np.sum((a - b) ** 2, axis=1))
    return np.mean(y * d**2 + (1 - y) * np.maximum(margin - d, 0) ** 2) / 2


@losses("a: n d, p: n d, q: n d", "a p q", "Schroff 2015, triplets")
def triplet(a, p, q, margin=0.5):
    pos = np.square(a - p).sum(axis=1)
    neg = np.square(a - q).sum(axis=1)
    return np.maximum(pos - neg + margin, 0.0).mean()


@losses("x: n d, W: k d, y: n", "x W", "Liu 2017, cosine softmax", "y: labels k")
def normface(x, W, y, s=4.0):
    logits = s * normalize(x) @ normalize(W).T
    return -np.mean(logits[np.arange(len(x)), y] - logsumexp(logits, axis=1))


@losses("x: n d, W: k d, y: n", "x W", "CosFace, margin subtracted at the label", "y: labels k")
def cosface(x, W, y, s=3.0, m=0.2):
    cos = normalize(x) @ normalize(W).T
    cos[np.arange(len(x)), y] -= m
    z = s * cos
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(x)), y])


@losses("z1: n d, z2: n d", "z1 z2", "van den Oord 2018, InfoNCE")
def info_nce(z1, z2, tau=0.5):
    a = z1 / np.linalg.norm(z1, axis=1, keepdims=True)
    b = z2 / np.linalg.norm(z2, axis=1, keepdims=True)
    sim = a @ b.T / tau
    return -np.mean(np.diag(sim) - np.log(np.sum(np.exp(sim), axis=1)))


@losses("z1: n d, z2: n d", "z1 z2", "Radford 2021, CLIP")
def clip_symmetric(z1, z2, tau=0.7):
    logits = normalize(z1) @ normalize(z2).T / tau
    labels = np.arange(logits.shape[0])
    i = logsumexp(logits, axis=1) - logits[labels, labels]
    t = logsumexp(logits, axis=0) - logits[labels, labels]
    return (i.mean() + t.mean()) / 2


@losses("z: m d", "z", "Chen 2020, NT-Xent of concatenated views", sizes="m: 6")
def nt_xent(z, tau=0.5):
    n2 = z.shape[0]
    n = n2 // 2
    zn = normalize(z)
    sim = zn @ zn.T / tau
    np.fill_diagonal(sim, -np.inf)
    pos = np.concatenate([np.diagonal(sim, n), np.diagonal(sim, -n)])
    return np.mean(-pos + np.log(np.sum(np.exp(sim), axis=1)))


@losses("za: n d, zb: n d", "za zb", "Zbontar 2021, Barlow Twins")
def barlow_twins(za, zb, lam=0.05):
    n, d = za.shape
    a = (za - za.mean(0)) / (za.std(0) + 0.1)
    b = (zb - zb.mean(0)) / (zb.std(0) + 0.1)
    c = a.T @ b / n
    on = np.sum((np.diag(c) - 1) ** 2)
    off = np.sum(c**2) - np.sum(np.diag(c) ** 2)
    return on + lam * off


@losses("za: n d, zb: n d", "za zb", "Bardes 2022, VICReg", sizes="n: 4")
def vicreg(za, zb):
    inv = np.mean((za - zb) ** 2)
    std = np.sqrt(za.var(axis=0) + 1e-2)
    var = np.mean(np.maximum(0, 1 - std))
    zc = za - za.mean(axis=0)
    cov = zc.T @ zc / za.shape[0]
    off = cov - np.eye(cov.shape[0]) * cov
    return 25 * inv + 25 * var + (off**2).sum() / za.shape[1]


@losses("Y: n 2, P: n n", "Y", "van der Maaten 2008, t-SNE", "P: positive")
def tsne(Y, P):
    n = Y.shape[0]
    sum_Y = np.sum(np.square(Y), 1)
    num = -2.0 * np.dot(Y, Y.T)
    num = 1.0 / (1.0 + np.add(np.add(num, sum_Y).T, sum_Y))
    num[range(n), range(n)] = 0.0
    Q = num / np.sum(num)
    Q = np.maximum(Q, 1e-12)
    return np.sum(P * np.log(P / Q))


@losses("Y: n d, P: n n", "Y", "symmetric SNE with eye instead of assignment", "P: rows")
def sne(Y, P):
    n = len(Y)
    D = pairwise_sq(Y, Y)
    E = np.exp(-D) * (1 - np.eye(n))
    Q = E / E.sum() + 1e-10
    return -(P * np.log(Q)).sum()


@losses("X: n d, D: n n", "X", "stress of multidimensional scaling, Kruskal 1964", "D: positive")
def mds_loop(X, D):
    stress = 0.0
    n = X.shape[0]
    for i in range(n):
        for j in range(i + 1, n):
            dij = np.sqrt(np.sum((X[i] - X[j]) ** 2))
            stress += (dij - D[i, j]) ** 2
    return stress


@losses("X: n d, y: n, A: k d", "A", "Goldberger 2005, neighbourhood components", "y: labels 2")
def nca(X, y, A):
    Z = X @ A.T
    D = np.sum((Z[:, None] - Z[None, :]) ** 2, axis=-1)
    P = np.exp(-D) * (1 - np.eye(len(X)))
    P = P / (P.sum(axis=1, keepdims=True) + 1e-9)
    same = y[:, None] == y[None, :]
    return -np.sum(P * same)


@losses("X: n d, M: d d, y: n", "M", "Mahalanobis metric learning", "M: spd, y: labels 2")
def mahalanobis_pairs(X, M, y):
    total = 0
    for i in range(len(X)):
        for j in range(len(X)):
            diff = X[i] - X[j]
            d = diff @ M @ diff
            total += d if y[i] == y[j] else max(0, 1 - d)
    return total / len(X)


@losses("A: n n, X: n d, W: d h, V: h k, y: n", "W V", "Kipf and Welling 2017", "A: graph, y: labels k")
def gcn(A, X, W, V, y):
    A_hat = A + np.eye(A.shape[0])
    d = A_hat.sum(axis=1)
    D = np.diag(1 / np.sqrt(d))
    S = D @ A_hat @ D
    Z = S @ np.maximum(S @ X @ W, 0) @ V
    Z = Z - Z.max(axis=1, keepdims=True)
    logp = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean()


@losses("A: n n, H: n d, W: d k, a: k, b: k", "W a b", "Velickovic 2018, graph attention", "A: graph")
def gat(A, H, W, a, b):
    Z = H @ W
    e = (Z @ a)[:, None] + (Z @ b)[None, :]
    e = np.where(e > 0, e, 0.2 * e)
    e = np.where(A + np.eye(len(A)) > 0, e, -1e9)
    att = np.exp(e - e.max(axis=1, keepdims=True))
    att /= att.sum(axis=1, keepdims=True)
    return np.sum(np.tanh(att @ Z))


@losses("A: n n, x: n", "x", "graph Laplacian", "A: graph")
def laplacian(A, x):
    L = np.diag(A.sum(axis=1)) - A
    return x.T @ L @ x


@losses("x: n d, src: e, dst: e", "x", "message passing by np.add.at", "src: labels n, dst: labels n")
def message_passing(x, src, dst):
    out = np.zeros_like(x)
    np.add.at(out, dst, x[src])
    return np.sum(np.tanh(out) ** 2)


@losses("M: n n, r: n", "M r", "PageRank by repeated products", "M: rows, r: positive")
def pagerank(M, r, d=0.85):
    n = M.shape[0]
    r = r / r.sum()
    for _ in range(6):
        r = d * M.T @ r + (1 - d) / n
    return -np.sum(np.log(r))


@losses("h: d, r: d, t: d, h2: d, t2: d", "h r t", "Bordes 2013, TransE")
def trans_e(h, r, t, h2, t2, gamma=1.0):
    pos = np.linalg.norm(h + r - t)
    neg = np.linalg.norm(h2 + r - t2)
    return np.maximum(0, gamma + pos - neg)


@losses("h: n r, R: k r r, t: n r, rel: n, y: n", "h R t", "Nickel 2011, RESCAL", "rel: labels k, y: binary")
def rescal(h, R, t, rel, y):
    s = np.einsum("ni,nij,nj->n", h, R[rel], t)
    return np.mean(np.log(1 + np.exp(-(2 * y - 1) * s)))


@losses("s: n, y: n", "s", "Burges 2005, RankNet over all pairs", "y: counts")
def ranknet(s, y):
    S = s[:, None] - s[None, :]
    better = (y[:, None] > y[None, :]).astype(float)
    return np.sum(better * np.log1p(np.exp(-S)))


@losses("s: n", "s", "Cao 2007, ListMLE with cumulative sums from the end")
def list_mle(s):
    e = np.exp(s)
    tail = np.cumsum(e[::-1])[::-1]
    return -np.sum(s - np.log(tail))


@losses("C: n m, a: n, b: m", "C a b", "Cuturi 2013, Sinkhorn iterations", "C: positive, a: rows, b: rows")
def sinkhorn(C, a, b, eps=0.5, iters=4):
    K = np.exp(-C / eps)
    u = np.ones_like(a)
    for _ in range(iters):
        v = b / (K.T @ u)
        u = a / (K @ v)
    P = u[:, None] * K * v[None, :]
    return np.sum(P * C)
