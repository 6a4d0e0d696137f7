"""Random losses over rows of data: linear combinations, squares, sums, and now and then something else."""

from __future__ import annotations

import random

SHAPES = {
    "X": "n d",
    "Z": "n d",
    "y": "n",
    "s": "n",
    "Y": "n k",
    "w": "d",
    "W": "d k",
    "c": "k",
    "b": "",
    "lam": "",
}
PARAMETERS = ("w", "W", "c", "b")

_VECTORS = (
    "y",
    "s",
    "X @ w",
    "Z @ w",
    "X[:, 0]",
    "X.mean(axis=1)",
    "np.exp(s)",
    "Y @ c",
    "(X * w).sum(axis=1)",
)
_MATRICES = ("Y", "X @ W", "Z @ W", "(X @ W - Y)", "np.tanh(Y)")
_NUMBERS = ("b", "lam", "2", "np.sum(w**2)", "c[0]", "np.exp(b)", "np.mean(y)", "len(y)")
_VECTOR_OF = (
    *("({v} + {v})", "({v} - {v})", "({v} - {v})", "({n} * {v})", "({v} * {v})", "({v} / (2 + s**2))"),
    *("({v})**2", "({v} + {n})", "({m}).sum(axis=1)", "({v} - np.mean({v}))", "(2 * {v} - 1)", "({m})[:, 0]"),
    *(
        "(-{v})",
        "np.where(s > 0, {v}, {v})",
        "np.cumsum(y)",
        "({v})[::-1]",
        "np.einsum('ij,ij->i', {m}, {m})",
    ),
)
_MATRIX_OF = (
    *("({m} + {m})", "({m} - {m})", "({m} + c)", "({v}[:, None] * {m})", "({m})**2", "np.outer({v}, c)"),
    *(
        "({m} * np.exp(c))",
        "({m} @ np.outer(c, c))",
        "(np.outer(c, c) @ ({m}).T).T",
        "({m} - ({m}).mean(axis=0))",
    ),
)
_NUMBER_OF = (
    *("np.sum({v})", "np.sum({m})", "np.mean({v})", "np.mean({m})", "({v} @ {v})", "np.linalg.norm({v})"),
    *(
        "np.linalg.norm({m})",
        "({n} * {n})",
        "np.sqrt(1 + ({n})**2)",
        "np.trace(({m}).T @ {m})",
        "np.var({v})",
    ),
)
_WORDS = {"v": (_VECTORS, _VECTOR_OF), "m": (_MATRICES, _MATRIX_OF), "n": (_NUMBERS, _NUMBER_OF)}


def loss(seed: int, depth: int = 4) -> str:
    """A scalar loss in NumPy's words, that reads at least one parameter."""
    choose = random.Random(seed)

    def made(kind: str, depth: int) -> str:
        leaves, others = _WORDS[kind]
        if depth <= 0 or choose.random() < 0.2:
            return choose.choice(leaves)
        text = choose.choice(others)
        for word in "vmn":
            while f"{{{word}}}" in text:
                text = text.replace(f"{{{word}}}", made(word, depth - 1), 1)
        return text

    return f"{made('n', depth)} + b + c[0]"
