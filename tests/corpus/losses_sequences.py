"""Sequences: recurrent cells, attention, hidden states, filters, words."""

import numpy as np
from rows import Table
from scipy.special import logsumexp

losses = Table()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    x = x - np.max(x, axis=axis, keepdims=True)
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@losses("x: 4 d, Wx: h d, Wh: h h, b: h, V: k h, y: 4 k", "Wx Wh b V", "Goodfellow 10.8", "Wh: small")
def rnn(x, Wx, Wh, b, V, y):
    h = np.zeros(Wh.shape[0])
    loss = 0
    for t in range(x.shape[0]):
        h = np.tanh(Wx @ x[t] + Wh @ h + b)
        loss += 0.5 * np.sum((V @ h - y[t]) ** 2)
    return loss


@losses(
    "Wxh: h k, Whh: h h, Why: k h, bh: h 1, by: k 1, inputs: t, targets: t, hprev: h 1",
    "Wxh Whh Why bh by",
    "Karpathy, min-char-rnn",
    "inputs: labels k, targets: labels k, Whh: small",
)
def min_char_rnn(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    xs, hs, ps = {}, {}, {}
    hs[-1] = np.copy(hprev)
    vocab_size = Why.shape[0]
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        y = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


@losses("x: n t d, Wx: d h, Wh: h h, b: h", "x Wx Wh b", "CS231n, rnn_forward into np.zeros", "Wh: small")
def rnn_forward(x, Wx, Wh, b):
    N, T, D = x.shape
    H = b.shape[0]
    hs = np.zeros((N, T, H))
    prev = np.zeros((N, H))
    for t in range(T):
        prev = np.tanh(x[:, t, :].dot(Wx) + prev.dot(Wh) + b)
        hs[:, t, :] = prev
    return np.sum(hs**2)


@losses(
    "x: 3 d, W: g e, b: g, w: h, y: ",
    "W b",
    "Hochreiter 1997; gates cut from one product",
    "W: small",
    g=lambda s: 4 * s["h"],
    e=lambda s: s["d"] + s["h"],
)
def lstm(x, W, b, w, y):
    H = w.shape[0]
    h, c = np.zeros(H), np.zeros(H)
    for xt in x:
        z = W @ np.concatenate([xt, h]) + b
        i, f, o, g = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return 0.5 * (w @ h - y) ** 2


@losses(
    "x: n d, prev_h: n h, prev_c: n h, Wx: d g, Wh: h g, b: g",
    "x prev_h prev_c Wx Wh b",
    "CS231n, lstm_step_forward",
    g=lambda s: 4 * s["h"],
)
def lstm_step(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return np.sum(next_h) + 0.5 * np.sum(next_c**2)


@losses(
    "x: 3 d, Wz: h d, Uz: h h, Wr: h d, Ur: h h, W: h d, U: h h",
    "Wz Uz Wr Ur W U",
    "Cho 2014, gated recurrent unit",
    "Uz: small, Ur: small, U: small",
)
def gru(x, Wz, Uz, Wr, Ur, W, U):
    h = np.zeros(U.shape[0])
    for t in range(3):
        z = sigmoid(Wz @ x[t] + Uz @ h)
        r = sigmoid(Wr @ x[t] + Ur @ h)
        h_tilde = np.tanh(W @ x[t] + U @ (r * h))
        h = (1 - z) * h + z * h_tilde
    return -np.sum(np.log(sigmoid(h)))


@losses("Q: n d, K: m d, V: m e, T: n e", "Q K V", "Vaswani 2017, equation 1")
def attention(Q, K, V, T):
    d_k = Q.shape[-1]
    scores = Q @ K.T / np.sqrt(d_k)
    return np.sum((softmax(scores) @ V - T) ** 2)


@losses("X: b t d, Wq: d d, Wk: d d, Wv: d d", "Wq Wk Wv", "causal self-attention in a batch")
def causal_attention(X, Wq, Wk, Wv):
    B, T, D = X.shape
    q, k, v = X @ Wq, X @ Wk, X @ Wv
    att = q @ k.transpose(0, 2, 1) / np.sqrt(D)
    mask = np.tril(np.ones((T, T)))
    att = np.where(mask == 1, att, -1e9)
    return np.mean((softmax(att) @ v - X) ** 2)


@losses(
    "X: b t 4, W: 4 12, Wo: 4 4", "W Wo", "two heads by reshape and transpose, nanoGPT", sizes="b: 2, t: 3"
)
def multi_head(X, W, Wo, n_head=2):
    B, T, C = X.shape
    q, k, v = np.split(X @ W, 3, axis=2)
    q = q.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)
    k = k.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)
    v = v.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)
    att = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1]))
    y = (att @ v).transpose(0, 2, 1, 3).reshape(B, T, C)
    return np.sum((y @ Wo) ** 2)


@losses("X: n d, Wq: d k, Wk: d k, v: d", "Wq Wk v", "einsum attention, one head")
def einsum_attention(X, Wq, Wk, v):
    s = np.einsum("nd,dk,me,ek->nm", X, Wq, X, Wk)
    a = softmax(s, axis=1)
    return np.einsum("nm,md,d->", a, X, v)


@losses("h: t d, s: d, W: d d, U: d d, v: d", "W U v", "Bahdanau 2015, additive attention")
def additive_attention(h, s, W, U, v):
    e = np.tanh(h @ W + s @ U) @ v
    a = np.exp(e) / np.exp(e).sum()
    return np.sum((a @ h) ** 2)


@losses("E: v d, W: d v, x: n, y: n", "E W", "bigram model, Karpathy makemore", "x: labels v, y: labels v")
def bigram(E, W, x, y):
    logits = E[x] @ W
    counts = np.exp(logits)
    probs = counts / counts.sum(1, keepdims=True)
    return -np.log(probs[np.arange(x.shape[0]), y]).mean() + 0.01 * (W**2).mean()


@losses(
    "C: v e, W1: f h, b1: h, W2: h v, X: n 3, Y: n",
    "C W1 b1 W2",
    "Bengio 2003, neural language model",
    "X: labels v, Y: labels v",
    f=lambda s: 3 * s["e"],
)
def neural_language_model(C, W1, b1, W2, X, Y):
    emb = C[X]
    h = np.tanh(emb.reshape(emb.shape[0], -1) @ W1 + b1)
    logits = h @ W2
    logp = logits - logsumexp(logits, axis=1, keepdims=True)
    return -np.mean(logp[np.arange(len(Y)), Y])


@losses("u: d, V: k d", "u V", "Mikolov 2013, skip-gram with negative samples")
def negative_sampling(u, V):
    pos = np.log(sigmoid(V[0] @ u))
    neg = np.sum(np.log(sigmoid(-V[1:] @ u)))
    return -(pos + neg)


@losses("vc: d, U: v d, o: ", "vc U", "CS224n, naiveSoftmaxLossAndGradient", "o: labels v")
def naive_softmax(vc, U, o):
    y_hat = softmax(U @ vc)
    return -np.log(y_hat[o])


@losses(
    "vc: d, U: v d, o: , neg: 3", "vc U", "CS224n, negSamplingLossAndGradient", "o: labels v, neg: labels v"
)
def neg_sampling_indices(vc, U, o, neg):
    loss = -np.log(sigmoid(np.dot(U[o], vc)))
    for k in neg:
        loss -= np.log(sigmoid(-np.dot(U[k], vc)))
    return loss


@losses("W: v d, Z: v d, b: v, c: v, X: v v", "W Z b c", "Pennington 2014, GloVe", "X: positive")
def glove(W, Z, b, c, X, x_max=1.0, alpha=0.75):
    f = np.where(X < x_max, (X / x_max) ** alpha, 1)
    inner = W @ Z.T + b[:, np.newaxis] + c[np.newaxis, :] - np.log(X)
    return np.sum(f * inner**2)


@losses("E: v d, W: d v, ctx: 4, y: ", "E W", "continuous bag of words", "ctx: labels v, y: labels v")
def cbow(E, W, ctx, y):
    h = np.mean(E[ctx], axis=0)
    s = W.T @ h
    return -s[y] + np.log(np.sum(np.exp(s)))


@losses(
    "A: k k, B: k m, pi: k, obs: 4",
    "A B pi",
    "Rabiner 1989, forward algorithm",
    "A: rows, B: rows, pi: rows, obs: labels m",
)
def hmm_forward(A, B, pi, obs):
    alpha = pi * B[:, obs[0]]
    for t in range(1, len(obs)):
        alpha = (alpha @ A) * B[:, obs[t]]
    return -np.log(np.sum(alpha))


@losses("T: k k, E: t k, pi: k", "T E pi", "forward algorithm in logarithms")
def hmm_log(T, E, pi):
    log_T = T - logsumexp(T, axis=1, keepdims=True)
    alpha = pi - logsumexp(pi) + E[0]
    for t in range(1, E.shape[0]):
        alpha = logsumexp(alpha[:, None] + log_T, axis=0) + E[t]
    return -logsumexp(alpha)


@losses(
    "A: k k, B: k m, pi: k, obs: 4",
    "A B",
    "Rabiner, scaled forward pass",
    "A: rows, B: rows, pi: rows, obs: labels m",
)
def hmm_scaled(A, B, pi, obs):
    ll = 0.0
    alpha = pi * B[:, obs[0]]
    for o in obs[1:]:
        c = alpha.sum()
        ll += np.log(c)
        alpha = alpha / c
        alpha = A.T.dot(alpha) * B[:, o]
    return -(ll + np.log(alpha.sum()))


@losses("U: t k, T: k k, y: t", "U T", "Lafferty 2001, linear-chain CRF", "y: labels k")
def crf(U, T, y):
    n = U.shape[0]
    score = U[np.arange(n), y].sum() + T[y[:-1], y[1:]].sum()
    a = U[0]
    for t in range(1, n):
        m = a[:, None] + T
        top = m.max(axis=0)
        a = U[t] + top + np.log(np.exp(m - top).sum(axis=0))
    top = a.max()
    return top + np.log(np.sum(np.exp(a - top))) - score


@losses("y: 5, q: , r: ", "q r", "Kalman filter, local level model", "q: positive, r: positive")
def local_level(y, q, r):
    m, P, nll = 0.0, 1.0, 0.0
    for t in range(len(y)):
        P = P + q
        S = P + r
        v = y[t] - m
        nll += 0.5 * (np.log(2 * np.pi * S) + v**2 / S)
        K = P / S
        m = m + K * v
        P = (1 - K) * P
    return nll


@losses(
    "A: d d, H: m d, Q: d d, R: m m, y: 3 m",
    "A H",
    "Murphy 18.3, innovations likelihood",
    "A: small, Q: spd, R: spd",
)
def kalman(A, H, Q, R, y):
    d = A.shape[0]
    m, P = np.zeros(d), np.eye(d)
    nll = 0
    for yt in y:
        m = A @ m
        P = A @ P @ A.T + Q
        S = H @ P @ H.T + R
        v = yt - H @ m
        Si = np.linalg.inv(S)
        nll += 0.5 * (v @ Si @ v + np.log(np.linalg.det(S)))
        K = P @ H.T @ Si
        m = m + K @ v
        P = P - K @ H @ P
    return nll


@losses("y: n, phi: 2", "phi", "autoregression by slices", sizes="n: 6")
def ar2(y, phi):
    e = y[2:] - phi[0] * y[1:-1] - phi[1] * y[:-2]
    return np.sum(e**2)


@losses("y: n, theta: , mu: ", "theta mu", "moving average, conditional sum of squares", "theta: unit")
def ma1(y, theta, mu):
    e = np.zeros(len(y))
    for t in range(len(y)):
        e[t] = y[t] - mu - (theta * e[t - 1] if t > 0 else 0)
    return np.sum(e**2)


@losses("r: n, omega: , a: , b: ", "omega a b", "Bollerslev 1986, GARCH", "omega: unit, a: unit, b: unit")
def garch(r, omega, a, b):
    s2 = np.var(r)
    nll = 0
    for t in range(len(r)):
        nll += 0.5 * (np.log(s2) + r[t] ** 2 / s2)
        s2 = omega + a * r[t] ** 2 + b * s2
    return nll


@losses("y: n, alpha: , l: ", "alpha l", "simple exponential smoothing", "alpha: unit")
def exponential_smoothing(y, alpha, l):
    level = l
    sse = 0.0
    for obs in y:
        sse += (obs - level) ** 2
        level = alpha * obs + (1 - alpha) * level
    return sse


@losses("logp: t, r: t", "logp", "REINFORCE with discounted returns in a loop")
def reinforce(logp, r, gamma=0.9):
    T = len(r)
    G = np.zeros(T)
    running = 0
    for t in reversed(range(T)):
        running = r[t] + gamma * running
        G[t] = running
    return -np.sum(logp * G)


@losses(
    "logits: n a, act: n, old: n, adv: n", "logits", "Schulman 2017, PPO clip", "act: labels a, old: small"
)
def ppo(logits, act, old, adv, eps=0.2):
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    ratio = np.exp(logp[np.arange(len(act)), act] - old + 1)
    clipped = np.clip(ratio, 1 - eps, 1 + eps)
    return -np.mean(np.minimum(ratio * adv, clipped * adv))


@losses(
    "Q: s a, S: n, A: n, R: n, S2: n, done: n",
    "Q",
    "semi-gradient left out: full TD error",
    "S: labels s, A: labels a, S2: labels s, done: binary",
)
def td_error(Q, S, A, R, S2, done, gamma=0.95):
    target = R + gamma * (1 - done) * np.max(Q[S2], axis=1)
    return 0.5 * np.mean((Q[S, A] - target) ** 2)


@losses("X: t d, W: d d, P: t d", "W", "Markov chain of hidden states kept in a list")
def state_list(X, W, P):
    states = [X[0]]
    for t in range(1, len(X)):
        states.append(np.tanh(states[-1] @ W + X[t]))
    H = np.stack(states)
    return np.sum(H * P)
