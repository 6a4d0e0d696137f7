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
        note: how ours differs, where it was not compared line by line.
        beside: what a comparison with the book, line by line, showed: where ours differs and why.
    """

    name: str
    loss: str
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    book: tuple[str, ...]
    source: str
    domains: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    beside: str = ""

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
        ("∂L/∂w = Σᵢ (wᵀxᵢ − yᵢ) xᵢ = XᵀXw − Xᵀy (4.93)", "∂L/∂b = 0 solved for b (3.18–3.19)"),
        f"{BISHOP}, sections 3.1.1 and 4.3.3",
        beside="The book differentiates the sum over the samples and then gathers it in the matrix whose rows are the "
        "samples. Ours gives the residual a line of its own, so that Xᵀ comes of one product rule, and multiplies "
        "nothing out: Xᵀδ is XᵀXw − Xᵀy. The book's b is the weight of a feature that is 1, or is solved for at once; "
        "ours sums δ, which is δ against that feature.",
    ),
    Derivation(
        "Ridge regression",
        "r = X @ w - y\nreturn 0.5 * r @ r + 0.5 * lam * w @ w",
        {"X": "n d", "w": "d", "y": "n", "lam": ""},
        ("w",),
        ("L = ½ Σᵢ (yᵢ − wᵀxᵢ)² + ½λwᵀw (3.27)", "∂L/∂w = 0 at w = (λI + XᵀX)⁻¹Xᵀy (3.28)"),
        f"{BISHOP}, section 3.1.4",
        beside="The book goes from the loss to its minimum in one step and leaves the gradient to the reader. Ours is "
        "that gradient: w is used twice, so Xᵀδ and λw are added. Set to 0 it is (XᵀX + λI)w = Xᵀy, the book's 3.28.",
    ),
    Derivation(
        "Logistic regression",
        "p = 1 / (1 + np.exp(-(X @ w + b)))\nreturn -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))",
        {"X": "n d", "w": "d", "b": "", "y": "n"},
        ("w", "b"),
        ("∂p/∂z = p(1 − p) (4.88)", "∂L/∂w = Σᵢ (pᵢ − yᵢ) xᵢ (4.91) = Xᵀ(p − y) (4.96)"),
        f"{BISHOP}, section 4.3.2–4.3.3; {MURPHY}, section 10.2.3",
        domains={"y": "binary"},
        beside="The same order: the slope of the sigmoid, the loss, the error times the features. Bishop says that the "
        "factor p(1 − p) cancels; here ∂L/∂p has a line, and the next line shows the factor and what is left of it. "
        "Bishop's y is our p, his t our y, and b is one of his weights.",
    ),
    Derivation(
        "Softmax regression, one-hot labels",
        "Z = X @ W + b\nE = np.exp(Z - Z.max(axis=1, keepdims=True))\nP = E / E.sum(axis=1, keepdims=True)\n"
        "return -np.sum(Y * np.log(P))",
        {"X": "n d", "W": "d k", "b": "k", "Y": "n k"},
        ("W", "b"),
        (
            "∂pₖ/∂zⱼ = pₖ([j = k] − pⱼ) (4.106)",
            "L = −Σ Y log P (4.108)",
            "∂L/∂wⱼ = Σᵢ (pᵢⱼ − yᵢⱼ) xᵢ (4.109)",
        ),
        f"{BISHOP}, section 4.3.4; {GOODFELLOW}, section 6.2.2.3",
        domains={"Y": "onehot"},
        beside="Bishop multiplies by the Jacobian of the softmax and uses Σₖ yₖ = 1 at the end. Ours reads log P as "
        "Z − log Σ exp Z, as Goodfellow's eq. 6.30 does, and needs no Jacobian; the same fact, that each row of Y "
        "sums to 1, leaves P whole. Bishop has a vector w for each class; here they are the columns of W.",
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
        beside="Line for line the notes' dscores and dW. They are statements of NumPy there, 1 taken off at the labels "
        "and all divided by n; here onehot(y) comes of the rule for reading entries, and 1/n of the mean. The notes "
        "also have a bias, whose gradient is summed over the rows, and add the gradient of a penalty on W.",
    ),
    Derivation(
        "A two-layer network with tanh and squared error",
        "h = np.tanh(X @ W1 + b1)\ny_hat = h @ W2 + b2\nreturn 0.5 * np.sum((y_hat - Y) ** 2)",
        NETWORK,
        ("W1", "b1", "W2", "b2"),
        (
            "δₖ = yₖ − tₖ (5.65)",
            "δⱼ = (1 − hⱼ²) Σₖ wₖⱼδₖ (5.66)",
            "∂Eₙ/∂wⱼᵢ = δⱼxᵢ, ∂Eₙ/∂wₖⱼ = δₖhⱼ (5.67)",
        ),
        f"{BISHOP}, section 5.3.2",
        beside="The same δ in the same order: the outputs, the hidden units with the slope 1 − h² read off the forward "
        "value, the weights. The book has one sample, weights W[k, j] with a row for each output, and a bias as the "
        "weight of a unit that is 1. Here the samples are rows and the outputs columns: Σₖ wₖⱼδₖ is δ₂W₂ᵀ, the sum of "
        "δⱼxᵢ over the samples Xᵀδ₁, and a bias sums δ over the rows. ∂L/∂h has a line of its own; 5.66 is two of ours. "
        "Bishop's a is our z, his z our h.",
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
        beside="The names are the same, z, a and δ, and so is the order of the layers. BP2 is two lines here, ∂L/∂a₁ and "
        "δ₁, and W and b of a layer come as soon as its δ is known, not after all of them. σ′(z) is a ⊙ (1 − a), read "
        "off the forward value. Nielsen's w has a row for each output, x @ W a column: his (w)ᵀδ is our W₂δ, and his "
        "δˡⱼaˡ⁻¹ₖ our a₁δ₂ᵀ. Both take one sample, so a bias gets δ as it is.",
    ),
    Derivation(
        "A relu network with cross-entropy",
        "z1 = X @ W1 + b1\nh = np.maximum(z1, 0)\nz2 = h @ W2 + b2\n"
        "log_p = z2 - np.log(np.sum(np.exp(z2), axis=1, keepdims=True))\n"
        "return -np.mean(np.sum(Y * log_p, axis=1))",
        NETWORK,
        ("W1", "b1", "W2", "b2"),
        (
            "G, the gradient by z₂, from the cross-entropy",
            "∂J/∂W₂ = HᵀG",
            "∂J/∂H = GW₂ᵀ",
            "G′, the same with 0 where z₁ < 0",
            "∂J/∂W₁ = XᵀG′",
        ),
        f"{GOODFELLOW}, section 6.5.7; for the biases algorithm 6.4",
        domains={"Y": "onehot"},
        beside="Line for line in the same order; the book's G is δ₂, its G′ δ₁. The cross-entropy is one operation there; "
        "here log_p is a value of the code and has a line, and the second form of δ₂ is what the book's operation "
        "would give. The book's network has no biases, and weight decay besides. Algorithm 6.4 has biases, for one "
        "sample as a column: ∇b = g, ∇W = ghᵀ, Wᵀg to the layer below. With samples as rows these are the sum of δ "
        "over the rows, hᵀδ, and δWᵀ.",
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
        beside="The book differentiates by one number θ and needs ∂A⁻¹ = −A⁻¹ ∂A A⁻¹ and ∂ log det A = tr(A⁻¹ ∂A). Ours "
        "has the same two rules, turned round: what flows back to A as a matrix, ½(A⁻¹ − ααᵀ), which is what stands "
        "before ∂A/∂θ in the book's trace. With A = K + sI the trace against ∂A/∂s = I is ∂L/∂s. The book's is the log "
        "likelihood, ours its negative.",
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
        "Dao, Fu, Ermon, Rudra and Ré (2022), FlashAttention, appendix B.2 and algorithm 3",
        beside="Line for line in the same order, dV, dA, dS, dQ, dK. The paper takes one row at a time, by the Jacobian "
        "diag(a) − aaᵀ of the softmax; ours has the rule for all rows, in which (P̄ ⊙ P)𝟏 holds the sum over l of each "
        "row. The paper calls A P and derives without the factor 1/√d.",
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
        ("w ← w + η(yⱼ − wᵀxⱼ) xⱼ (3.23)",),
        f"{BISHOP}, section 3.1.3",
        beside="The book's step goes against the gradient of one term, half the square: (wᵀxⱼ − yⱼ)xⱼ. Each ∂L/∂rⱼ is "
        "that error, times 2/n for the mean of whole squares, and the last line adds the terms, as a sum over a batch "
        "does. The sum over rows is what Xᵀδ is in the first derivation of this page.",
    ),
)
