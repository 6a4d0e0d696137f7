"""One textbook result: a loss, the book's gradient, and what symgrad prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symgrad as sg

SIZES = {"n": 5, "d": 3, "k": 2, "m": 4, "l": 2, "c": 2}


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: what it is.
        loss: an expression in NumPy, or the lines of a function's body.
        shapes: the shape of each argument.
        wrt: the parameters.
        book: the gradients as the book has them, in our letters.
        source: author, title, equation.
        ours: the lines that are printed: the loss, the values with names, the gradients.
        domains: what is known of the arguments.
        note: where our form is another one, why it is the same.
    """

    name: str
    loss: str
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    book: str
    source: str
    ours: tuple[str, ...]
    domains: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return self.name

    def function(self) -> Callable[..., Any]:
        """The loss as a Python function."""
        body = self.loss if "return " in self.loss else f"return {self.loss}"
        namespace = {"np": np, "sg": sg}
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        exec(f"def loss({', '.join(self.shapes)}):\n{lines}", namespace)
        return namespace["loss"]  # type: ignore[return-value]

    def derive(self) -> sg.Derivation:
        return sg.derive(self.function(), self.shapes, list(self.wrt), domains=self.domains)

    def draw(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Arrays for the arguments, of the values that their domains allow."""
        rng = np.random.default_rng(seed)
        out = {}
        for name, text in self.shapes.items():
            shape = tuple(int(s) if s.isdecimal() else SIZES[s] for s in text.split())
            out[name] = _drawn(rng, shape, self.domains.get(name, "real"))
        return out


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], domain: str) -> np.ndarray:
    values = np.asarray(rng.uniform(-1.5, 1.5, shape))
    if domain == "positive":
        return np.asarray(rng.uniform(0.3, 2, shape))
    if domain == "binary":
        return np.asarray(rng.integers(0, 2, shape)).astype(float)
    if domain == "spd":
        return np.asarray(values @ values.T + np.eye(shape[0]))
    if domain == "prob":
        return np.asarray(np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True))
    if domain == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if domain.startswith("labels"):
        return np.asarray(rng.integers(0, SIZES[domain.split()[1]], shape))
    return values
