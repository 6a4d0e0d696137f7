"""Classification: logistic, softmax, margins, overlaps."""

import numpy as np
from rows import Table
from scipy.special import expit, log_softmax, logsumexp, softmax, xlogy

losses = Table()
EPS = 1e-12


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def stable_softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=1, keepdims=True)


@losses("X: n d, w: d, y: n", "w", "Bishop 4.90", "y: binary")
def logistic(X, w, y):
    p = sigmoid(X @ w)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@losses("X: n d, theta: d, y: n", "theta", "Ng, Machine Learning, exercise 2", "y: binary")
def logistic_regularised(theta, X, y, lam=0.5):
    m = y.size
    h = sigmoid(X.dot(theta))
    J = (-1 / m) * (y.dot(np.log(h)) + (1 - y).dot(np.log(1 - h)))
    J = J + lam / (2 * m) * np.sum(np.square(theta[1:]))
    return J


@losses("X: d n, w: d 1, b: , Y: 1 n", "w b", "Ng, deeplearning.ai course 1, week 2", "Y: binary")
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -(1 / m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    cost = np.squeeze(cost)
    assert cost.shape == ()
    return cost


@losses("X: n d, w: d, y: n", "w", "labels of plus and minus one, ESL 10.18", "y: signs")
def logistic_signs(X, w, y):
    return np.mean(np.log(1 + np.exp(-y * (X @ w))))


@losses("X: n d, w: d, y: n", "w", "np.logaddexp, autograd's tutorial", "y: signs")
def logistic_logaddexp(X, w, y):
    return np.logaddexp(0, -y * np.dot(X, w)).sum()


@losses("z: n, y: n", "z", "torch BCEWithLogitsLoss", "y: binary")
def bce_with_logits(z, y):
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


@losses("p: n, y: n", "p", "Keras binary_crossentropy", "p: unit, y: binary")
def bce_clipped(p, y):
    p = np.clip(p, EPS, 1 - EPS)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


@losses("X: n d, w: d, y: n", "w", "expit of SciPy", "y: binary")
def logistic_expit(X, w, y):
    p = expit(X @ w)
    return -np.sum(xlogy(y, p) + xlogy(1 - y, 1 - p))


@losses("X: n d, W: d k, Y: n k", "W", "Bishop 4.108", "Y: onehot")
def softmax_cross_entropy(X, W, Y):
    P = stable_softmax(X @ W)
    return -np.sum(Y * np.log(P)) / len(X)


@losses("X: n d, W: d k, b: k, y: n", "W b", "CS231n, linear classifier", "y: labels k")
def softmax_indexed(X, W, b, y, reg=0.1):
    num_examples = X.shape[0]
    scores = np.dot(X, W) + b
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(num_examples), y])
    data_loss = np.sum(correct_logprobs) / num_examples
    reg_loss = 0.5 * reg * np.sum(W * W)
    return data_loss + reg_loss


@losses("W: d k, X: n d, y: n", "W", "CS231n, assignment 1, softmax_loss_naive", "y: labels k")
def softmax_loss_naive(W, X, y, reg=0.05):
    loss = 0.0
    num_train = X.shape[0]
    for i in range(num_train):
        scores = X[i].dot(W)
        scores -= np.max(scores)
        p = np.exp(scores) / np.sum(np.exp(scores))
        loss += -np.log(p[y[i]])
    loss /= num_train
    loss += reg * np.sum(W * W)
    return loss


@losses("x: n k, y: n", "x", "CS231n, layers.softmax_loss", "y: labels k")
def softmax_loss(x, y):
    shifted_logits = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted_logits), axis=1, keepdims=True)
    log_probs = shifted_logits - np.log(Z)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    return loss


@losses("W: d k, X: n d, y: n", "W", "CS231n, assignment 1, svm_loss_naive", "y: labels k")
def svm_loss_naive(W, X, y, reg=0.01):
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct_class_score = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct_class_score + 1
            if margin > 0:
                loss += margin
    loss /= num_train
    return loss + reg * np.sum(W * W)


@losses("W: d k, X: n d, y: n", "W", "CS231n, assignment 1, svm_loss_vectorized", "y: labels k")
def svm_loss_vectorized(W, X, y, reg=0.01):
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(num_train), y] = 0
    loss = np.sum(margins) / num_train
    loss += reg * np.sum(W * W)
    return loss


@losses("x: n k, y: n", "x", "CS231n, layers.svm_loss", "y: labels k")
def svm_loss(x, y):
    N = x.shape[0]
    correct_class_scores = x[np.arange(N), y]
    margins = np.maximum(0, x - correct_class_scores[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    return np.sum(margins) / N


@losses("X: n d, W: d k, y: n", "W", "one-hot by np.eye", "y: labels k")
def cross_entropy_eye(X, W, y):
    k = W.shape[1]
    T = np.eye(k)[y]
    logits = X @ W
    log_p = logits - logsumexp(logits, axis=1, keepdims=True)
    return -(T * log_p).sum() / X.shape[0]


@losses("X: n d, W: d k, y: n", "W", "one-hot filled in place", "y: labels k")
def cross_entropy_filled(X, W, y):
    Y = np.zeros((X.shape[0], W.shape[1]))
    Y[np.arange(X.shape[0]), y] = 1
    P = softmax(X @ W, axis=1)
    return -np.mean(np.sum(Y * np.log(P + 1e-9), axis=1))


@losses("Z: n k, y: n", "Z", "scipy.special.log_softmax", "y: labels k")
def nll_log_softmax(Z, y):
    return -np.mean(log_softmax(Z, axis=1)[np.arange(len(y)), y])


@losses("Z: n k, y: n", "Z", "take_along_axis", "y: labels k")
def nll_take_along(Z, y):
    m = Z.max(axis=-1, keepdims=True)
    lse = m + np.log(np.exp(Z - m).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(Z, y[:, None], axis=-1)
    return (lse - picked).mean()


@losses("Z: n k, Y: n k", "Z", "label smoothing, Szegedy 2016", "Y: onehot")
def label_smoothing(Z, Y, eps=0.1):
    k = Z.shape[-1]
    T = (1 - eps) * Y + eps / k
    logp = Z - np.log(np.sum(np.exp(Z), axis=-1, keepdims=True))
    return -np.sum(T * logp, axis=-1).mean()


@losses("Z: n k, Y: n k, w: k", "Z", "class weights", "Y: onehot, w: positive")
def weighted_cross_entropy(Z, Y, w):
    p = stable_softmax(Z)
    weights = Y @ w
    return -np.sum(weights * np.sum(Y * np.log(p), axis=1)) / np.sum(weights)


@losses("z: n, y: n", "z", "Lin 2017, focal loss", "y: binary")
def focal(z, y, gamma=2.0, alpha=0.25):
    p = sigmoid(z)
    pt = np.where(y == 1, p, 1 - p)
    a = np.where(y == 1, alpha, 1 - alpha)
    return -np.mean(a * (1 - pt) ** gamma * np.log(pt))


@losses("Z: n k, y: n", "Z", "multi-class focal loss", "y: labels k")
def focal_softmax(Z, y, gamma=2):
    p = stable_softmax(Z)[np.arange(len(Z)), y]
    return (-((1 - p) ** gamma) * np.log(p)).sum()


@losses("p: h w, t: h w", "p", "Milletari 2016, soft dice", "p: unit, t: binary")
def dice(p, t, smooth=1.0):
    p_f = p.flatten()
    t_f = t.flatten()
    intersection = np.sum(p_f * t_f)
    return 1 - (2.0 * intersection + smooth) / (np.sum(p_f) + np.sum(t_f) + smooth)


@losses("p: n h w, t: n h w", "p", "soft Jaccard per image", "p: unit, t: binary")
def jaccard(p, t, eps=1e-6):
    inter = (p * t).sum(axis=(1, 2))
    union = p.sum(axis=(1, 2)) + t.sum(axis=(1, 2)) - inter
    return np.mean(1.0 - (inter + eps) / (union + eps))


@losses("p: n, t: n", "p", "Salehi 2017, Tversky", "p: unit, t: binary")
def tversky(p, t, alpha=0.3, beta=0.7):
    tp = np.sum(p * t)
    fp = np.sum(p * (1 - t))
    fn = np.sum((1 - p) * t)
    return 1 - tp / (tp + alpha * fp + beta * fn + 1e-7)


@losses("X: n d, w: d, b: , y: n", "w b", "ESL 12.25, soft margin", "y: signs")
def hinge(X, w, b, y, C=1.5):
    return 0.5 * np.dot(w, w) + C * np.sum(np.maximum(0, 1 - y * (X @ w + b)))


@losses("X: n d, w: d, y: n", "w", "squared hinge", "y: signs")
def squared_hinge(X, w, y):
    m = 1 - y * (X @ w)
    m[m < 0] = 0
    return np.mean(m**2)


@losses("X: n d, w: d, y: n", "w", "loop with max", "y: signs")
def hinge_loop(X, w, y, C=10):
    distances = 1 - y * np.dot(X, w)
    distances[distances < 0] = 0
    hinge_loss = C * np.sum(distances) / len(X)
    return 1 / 2 * np.dot(w, w) + hinge_loss


@losses("X: n d, w: d, y: n", "w", "Rosenblatt 1958", "y: signs")
def perceptron(X, w, y):
    return np.sum(np.maximum(0, -y * (X @ w)))


@losses("X: n d, w: d, y: n", "w", "ESL 10.8, AdaBoost", "y: signs")
def exponential(X, w, y):
    return np.exp(-y * (X @ w)).mean()


@losses("X: n d, w: d, y: n", "w", "modified Huber, sklearn SGDClassifier", "y: signs")
def modified_huber(X, w, y):
    z = y * (X @ w)
    return np.where(z >= -1, np.maximum(0, 1 - z) ** 2, -4 * z).sum()


@losses("X: n d, w: d, y: n", "w", "smooth hinge, Rennie", "y: signs")
def smooth_hinge(X, w, y):
    z = y * (X @ w)
    out = np.where(z <= 0, 0.5 - z, np.where(z < 1, 0.5 * (1 - z) ** 2, 0.0))
    return out.mean()


@losses("Z: n k, Y: n k", "Z", "Brier score", "Y: onehot")
def brier(Z, Y):
    e = np.exp(Z)
    P = e / e.sum(1)[:, None]
    return np.mean(np.sum((P - Y) ** 2, 1))


@losses("Z: n k, Y: n k", "Z", "Crammer and Singer 2001", "Y: onehot")
def crammer_singer(Z, Y):
    true = np.sum(Z * Y, axis=1)
    worst = np.max(Z + 1 - Y, axis=1)
    return np.sum(worst - true)


@losses("Z: n k, Y: n k", "Z", "multi-label, sums of sigmoids", "Y: binary")
def multi_label(Z, Y):
    P = sigmoid(Z)
    return -np.mean(np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P), axis=-1))


@losses("p: n k, q: n k", "q", "Kullback-Leibler divergence", "p: rows, q: rows")
def kl(p, q):
    return np.sum(p * np.log(p / q))


@losses("Z: n k, q: n k", "Z", "Jensen-Shannon divergence", "q: rows")
def jensen_shannon(Z, q):
    p = stable_softmax(Z)
    m = 0.5 * (p + q)
    return 0.5 * (p * (np.log(p) - np.log(m))).sum() + 0.5 * (q * (np.log(q) - np.log(m))).sum()


@losses("S: n k, T: n k", "S", "Hinton 2015, distillation")
def distillation(S, T, temperature=3.0):
    p = stable_softmax(T / temperature)
    logq = S / temperature - np.log(np.exp(S / temperature).sum(axis=1, keepdims=True))
    return -(temperature**2) * np.mean(np.sum(p * logq, axis=1))


@losses("Z: n k", "Z", "entropy of predictions, semi-supervised")
def entropy(Z):
    p = softmax(Z, axis=-1)
    return -np.sum(p * np.log(p), axis=-1).mean()


@losses("Z: n k, y: n", "Z", "positive and unlabelled by boolean masks", "y: mask")
def masked_mean(Z, y):
    loss = np.logaddexp(0, -Z[:, 0])
    return np.sum(loss[y]) + 0.5 * np.sum(np.logaddexp(0, Z[:, 0])[~y])


@losses("p: n k, y: n k", "p", "Asymmetric loss, Ridnik 2021", "p: unit, y: binary")
def asymmetric(p, y, gamma_neg=4, gamma_pos=1, m=0.05):
    pm = np.maximum(p - m, 0)
    pos = y * (1 - p) ** gamma_pos * np.log(np.maximum(p, 1e-8))
    neg = (1 - y) * pm**gamma_neg * np.log(np.maximum(1 - pm, 1e-8))
    return -(pos + neg).sum()
