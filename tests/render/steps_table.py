"""Derivations as courses make them: the loss, the book's lines, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from textbook_row import Row

BISHOP = "Bishop (2006), Pattern Recognition and Machine Learning"
GOODFELLOW = "Goodfellow, Bengio and Courville (2016), Deep Learning"
MURPHY = "Murphy (2022), Probabilistic Machine Learning: An Introduction"
NIELSEN = "Nielsen (2015), Neural Networks and Deep Learning"


@dataclass(frozen=True)
class Derivation:
    """A derivation.

    Attributes:
        name: what it is.
        loss: the lines of a function's body.
        shapes, wrt, domains: as for ``sg.derive``.
        book: the book's lines, in its order, with our letters.
        source: author, title, place.
        note: how ours differs.
    """

    name: str
    loss: str
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    book: tuple[str, ...]
    source: str
    domains: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def row(self) -> Row:
        return Row(self.name, self.loss, self.shapes, self.wrt, "", self.source, (), domains=self.domains)

    def derive(self) -> Any:
        return self.row.derive()

    def function(self) -> Callable[..., Any]:
        return self.row.function()

    def draw(self, seed: int = 0) -> dict[str, np.ndarray]:
        return self.row.draw(seed)


NETWORK = {"X": "n d", "W1": "d m", "b1": "m", "W2": "m k", "b2": "k", "Y": "n k"}

DERIVATIONS = (
    Derivation(
        "Linear regression with a bias",
        "r = X @ w + b - y\nreturn 0.5 * np.sum(r**2)",
        {"X": "n d", "w": "d", "b": "", "y": "n"},
        ("w", "b"),
        ("∂L/∂w = Xᵀ(Xw + b − y)", "∂L/∂b = Σ (Xw + b − y)"),
        f"{BISHOP}, eq. 3.12–3.13, 3.18–3.19",
        note="Bishop sums over the rows of X, Σ rᵢxᵢ, which is Xᵀr.",
    ),
    Derivation(
        "Ridge regression",
        "r = X @ w - y\nreturn 0.5 * r @ r + 0.5 * lam * w @ w",
        {"X": "n d", "w": "d", "y": "n", "lam": ""},
        ("w",),
        ("∂L/∂w = Xᵀ(Xw − y) + λw",),
        f"{BISHOP}, eq. 3.27–3.28",
    ),
    Derivation(
        "Logistic regression",
        "p = 1 / (1 + np.exp(-(X @ w + b)))\nreturn -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))",
        {"X": "n d", "w": "d", "b": "", "y": "n"},
        ("w", "b"),
        ("∂p/∂z = p(1 − p)", "∂L/∂z = p − y", "∂L/∂w = Xᵀ(p − y)"),
        f"{BISHOP}, eq. 4.88, 4.90–4.91; {MURPHY}, section 10.2.3",
        domains={"y": "binary"},
    ),
    Derivation(
        "Softmax regression, one-hot labels",
        "Z = X @ W + b\nE = np.exp(Z - Z.max(axis=1, keepdims=True))\nP = E / E.sum(axis=1, keepdims=True)\n"
        "return -np.sum(Y * np.log(P))",
        {"X": "n d", "W": "d k", "b": "k", "Y": "n k"},
        ("W", "b"),
        ("∂L/∂Z = P − Y", "∂L/∂W = Xᵀ(P − Y)"),
        f"{BISHOP}, eq. 4.108–4.109; {GOODFELLOW}, section 6.2.2.3",
        domains={"Y": "onehot"},
        note="log P is recognised as Z − log Σ exp Z; P is softmax(Z).",
    ),
    Derivation(
        "Softmax regression, labels as numbers",
        "scores = X @ W\nscores = scores - np.max(scores, axis=1, keepdims=True)\n"
        "p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)\n"
        "return np.mean(-np.log(p[np.arange(len(y)), y]))",
        {"X": "n d", "W": "d k", "y": "n"},
        ("W",),
        ("∂Lᵢ/∂fₖ = pₖ − [yᵢ = k]", "dscores = (p − onehot(y))/n", "dW = Xᵀ dscores"),
        "Stanford CS231n, course notes: Putting it together, a minimal neural network case study",
        domains={"y": "labels k"},
    ),
    Derivation(
        "A two-layer network with tanh and squared error",
        "h = np.tanh(X @ W1 + b1)\ny_hat = h @ W2 + b2\nreturn 0.5 * np.sum((y_hat - Y) ** 2)",
        NETWORK,
        ("W1", "b1", "W2", "b2"),
        (
            "δₖ = yₖ − tₖ (5.54)",
            "δⱼ = (1 − hⱼ²) Σₖ wₖⱼδₖ (5.56, 5.66)",
            "∂Eₙ/∂wⱼᵢ = δⱼxᵢ, ∂Eₙ/∂wₖⱼ = δₖhⱼ (5.53, 5.67)",
        ),
        f"{BISHOP}, section 5.3.1–5.3.2",
        note="Bishop has one sample and weights W[k, j]; here samples are rows, so that Σₖ wₖⱼδₖ is δ₂W₂ᵀ.",
    ),
    Derivation(
        "A three-layer network with sigmoids",
        "a1 = 1 / (1 + np.exp(-(x @ W1 + b1)))\na2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))\n"
        "return 0.5 * np.sum((a2 - y) ** 2)",
        {"x": "d", "W1": "d m", "b1": "m", "W2": "m k", "b2": "k", "y": "k"},
        ("W1", "b1", "W2", "b2"),
        (
            "δᴸ = ∇ₐC ⊙ σ′(zᴸ) (BP1)",
            "δˡ = (wˡ⁺¹)ᵀδˡ⁺¹ ⊙ σ′(zˡ) (BP2)",
            "∂C/∂bˡ = δˡ (BP3)",
            "∂C/∂wˡⱼₖ = aˡ⁻¹ₖδˡⱼ (BP4)",
        ),
        f"{NIELSEN}, ch. 2",
        note="Nielsen's w has a row for each output, ours a column: his (w)ᵀδ is our W₂δ.",
    ),
    Derivation(
        "A relu network with cross-entropy",
        "z1 = X @ W1 + b1\nh = np.maximum(z1, 0)\nz2 = h @ W2 + b2\n"
        "log_p = z2 - np.log(np.sum(np.exp(z2), axis=1, keepdims=True))\n"
        "return -np.mean(np.sum(Y * log_p, axis=1))",
        NETWORK,
        ("W1", "b1", "W2", "b2"),
        (
            "G ← ∇ŷ L",
            "G ← G ⊙ f′(a) (the activation)",
            "∇b J = G, ∇W J = Hᵀ G (the parameters)",
            "G ← G Wᵀ (to the layer below)",
        ),
        f"{GOODFELLOW}, algorithm 6.4 and section 6.5.7",
        domains={"Y": "onehot"},
        note="The book's G is ours ∂L/∂h before, and δ after the activation.",
    ),
    Derivation(
        "Matrix factorization",
        "E = R - U @ V.T\nreturn 0.5 * np.sum(M * E**2) + 0.5 * lam * (np.sum(U**2) + np.sum(V**2))",
        {"U": "n k", "V": "m k", "R": "n m", "M": "n m", "lam": ""},
        ("U", "V"),
        ("∂L/∂u = −e v + λu", "∂L/∂v = −e u + λv"),
        "Koren, Bell and Volinsky (2009), Matrix factorization techniques for recommender systems, eq. 2",
        domains={"M": "binary"},
    ),
    Derivation(
        "The marginal likelihood of a Gaussian process",
        "A = K + s * np.eye(len(y))\nalpha = np.linalg.solve(A, y)\n"
        "logdet = np.linalg.slogdet(A)[1]\nreturn 0.5 * y @ alpha + 0.5 * logdet",
        {"K": "n n", "s": "", "y": "n"},
        ("K", "s"),
        ("∂L/∂θ = −½ tr((ααᵀ − A⁻¹) ∂A/∂θ), α = A⁻¹y",),
        "Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, eq. 5.9",
        domains={"K": "spd", "s": "positive"},
        note="∂L/∂A is what stands before ∂A/∂θ in the trace.",
    ),
    Derivation(
        "Layer normalisation",
        "mu = x.mean(axis=1, keepdims=True)\nvar = ((x - mu) ** 2).mean(axis=1, keepdims=True)\n"
        "x_hat = (x - mu) / np.sqrt(var + 1e-5)\ny = g * x_hat + b\nreturn 0.5 * np.sum((y - t) ** 2)",
        {"x": "n d", "g": "d", "b": "d", "t": "n d"},
        ("x", "g", "b"),
        (
            "∂L/∂x̂ = ∂L/∂y ⊙ γ",
            "∂L/∂σ² = Σ ∂L/∂x̂ (x − μ)(−½)(σ² + ε)^(−3/2)",
            "∂L/∂x = ∂L/∂x̂ /√(σ² + ε) + ∂L/∂σ² · 2(x − μ)/d + ∂L/∂μ · 1/d",
            "∂L/∂γ = Σ ∂L/∂y x̂, ∂L/∂β = Σ ∂L/∂y",
        ),
        "Ioffe and Szegedy (2015), Batch normalization, section 3, with rows for batches; Ba, Kiros and Hinton "
        "(2016), Layer normalization",
        note="∂L/∂(x − μ) has a line of its own here; the paper goes on to x and μ at once.",
    ),
    Derivation(
        "Attention",
        "S = Q @ K.T / np.sqrt(Q.shape[1])\nA = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)\nO = A @ V\n"
        "return 0.5 * np.sum((O - T) ** 2)",
        {"Q": "n d", "K": "m d", "V": "m k", "T": "n k"},
        ("Q", "K", "V"),
        (
            "dV = Aᵀ dO",
            "dA = dO Vᵀ",
            "dSᵢⱼ = Aᵢⱼ(dAᵢⱼ − Σₗ AᵢₗdAᵢₗ)",
            "dQ = dS K/√d",
            "dK = dSᵀQ/√d",
        ),
        "Dao, Fu, Ermon, Rudra and Ré (2022), FlashAttention, appendix B.2",
    ),
    Derivation(
        "A recurrent step: the LSTM's cell",
        "f = 1 / (1 + np.exp(-(Wf @ v)))\ni = 1 / (1 + np.exp(-(Wi @ v)))\no = 1 / (1 + np.exp(-(Wo @ v)))\n"
        "g = np.tanh(Wg @ v)\nc = f * c0 + i * g\nh = o * np.tanh(c)\nreturn 0.5 * np.sum((h - t) ** 2)",
        {"v": "d", "c0": "m", "Wf": "m d", "Wi": "m d", "Wo": "m d", "Wg": "m d", "t": "m"},
        ("Wf", "Wi", "Wo", "Wg"),
        (
            "δo = δh ⊙ tanh(c) ⊙ o(1 − o)",
            "δc = δh ⊙ o ⊙ (1 − tanh²(c))",
            "δf = δc ⊙ c₀ ⊙ f(1 − f)",
            "δi = δc ⊙ g ⊙ i(1 − i)",
            "δg = δc ⊙ i ⊙ (1 − g²)",
            "δW = δ vᵀ",
        ),
        "Greff et al. (2017), LSTM: a search space odyssey, section II.B",
    ),
    Derivation(
        "A loop over the rows",
        "L = 0.0\nfor j in range(len(y)):\n    L = L + (X[j] @ w - y[j]) ** 2\nreturn L / len(y)",
        {"X": "3 d", "w": "d", "y": "3"},
        ("w",),
        ("∂L/∂w = (2/n) Σ (xⱼᵀw − yⱼ) xⱼ",),
        f"{BISHOP}, eq. 3.13, summed row by row",
    ),
)
