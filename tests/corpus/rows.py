"""What a row of the corpus is, and how its data is drawn.

The losses stand in ``losses_<topic>.py`` as ordinary people write them: plain NumPy, with nothing of symgrad.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GENERIC = (4, 3, 5, 2, 6, 7)
"""Sizes for the symbols of a row, in the order in which they first occur."""


def _pairs(text: str) -> dict[str, str]:
    """``"x: n d, y: n"`` as a dict."""
    out = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, value = part.partition(":")
        out[name.strip()] = value.strip()
    return out


@dataclass(frozen=True)
class Loss:
    """A loss in plain NumPy.

    Attributes:
        function: the loss itself.
        shapes: of its arguments; symbols stand for sizes.
        wrt: the parameters.
        source: where people meet it.
        data: for arguments that are not plain real numbers, a domain of ``derive`` or a name in ``DRAW``.
        generic: sizes that the loss asks for, for the symbols that have any.
        dependent: sizes that follow from others.
        told: whether ``derive`` is told the domains of the data.
    """

    function: Callable[..., Any]
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    source: str
    data: Mapping[str, str] = field(default_factory=dict)
    generic: Mapping[str, int] = field(default_factory=dict)
    dependent: Mapping[str, Callable[[Mapping[str, int]], int]] = field(default_factory=dict)
    told: bool = True

    @property
    def name(self) -> str:
        return self.function.__name__

    def __str__(self) -> str:
        return self.name

    @property
    def symbols(self) -> tuple[str, ...]:
        """The sizes that may be chosen, in the order in which they occur."""
        words = " ".join(self.shapes.values()).split()
        return tuple(dict.fromkeys(w for w in words if not w.isdecimal() and w not in self.dependent))

    def sizes(self, chosen: Mapping[str, int]) -> dict[str, int]:
        return dict(chosen) | {name: rule(chosen) for name, rule in self.dependent.items()}

    def size_sets(self) -> dict[str, dict[str, int]]:
        """Named choices of sizes: distinct ones, equal ones, and each one 1."""
        names = self.symbols
        generic = dict(zip(names, GENERIC, strict=False)) | dict(self.generic)
        sets = {"generic": generic}
        if names:
            sets["all 2"] = dict.fromkeys(names, 2)
            sets["all 3"] = dict.fromkeys(names, 3)
            sets |= {f"{n}=1": generic | {n: 1} for n in names}
            sets["all 1"] = dict.fromkeys(names, 1)
        return {label: self.sizes(s) for label, s in sets.items()}

    def draw(self, sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
        """Arrays for the arguments."""
        rng = np.random.default_rng(seed)
        out = {}
        for name, text in self.shapes.items():
            shape = tuple(int(w) if w.isdecimal() else sizes[w] for w in text.split())
            kind, *options = self.data.get(name, "real").split()
            out[name] = DRAW[kind](rng, shape, *[int(o) if o.isdecimal() else sizes[o] for o in options])
        return out


class Table(list[Loss]):
    """The losses of one file; calling it makes a decorator that adds a function unchanged."""

    def __call__(
        self, shapes: str, wrt: str, source: str, data: str = "", sizes: str = "", **dependent: Any
    ) -> Callable[..., Any]:
        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            generic = {n: int(v) for n, v in _pairs(sizes).items()}
            row = Loss(function, _pairs(shapes), tuple(wrt.split()), source, _pairs(data), generic, dependent)
            assert set(row.shapes) <= set(inspect.signature(function).parameters), row.name
            self.append(row)
            return function

        return add


def _spd(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = rng.normal(size=shape)
    return a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])


def _symmetric(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = rng.normal(size=shape)
    return (a + a.T) / 2


def _rows(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = rng.uniform(0.2, 1.0, size=shape)
    return a / a.sum(axis=-1, keepdims=True)


def _labels(rng: Any, shape: tuple[int, ...], count: int) -> np.ndarray:
    return rng.integers(0, count, size=shape)


def _onehot(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])]


def _lower(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = np.tril(rng.normal(size=shape), -1)
    return a + np.diag(rng.uniform(0.5, 2.0, size=shape[0]))


def _graph(rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = np.triu(rng.integers(0, 2, size=shape), 1)
    return (a + a.T).astype(float)


DRAW: dict[str, Callable[..., np.ndarray]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "small": lambda rng, shape: 0.4 * rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 2.0, size=shape),
    "nonzero": lambda rng, shape: rng.uniform(0.3, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "rows": _rows,
    "prob": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "binary": lambda rng, shape: rng.integers(0, 2, size=shape).astype(float),
    "mask": lambda rng, shape: rng.integers(0, 2, size=shape).astype(bool),
    "signs": lambda rng, shape: rng.choice([-1.0, 1.0], size=shape),
    "counts": lambda rng, shape: rng.integers(0, 5, size=shape).astype(float),
    "sorted": lambda rng, shape: np.sort(rng.uniform(0.0, 3.0, size=shape), axis=0),
    "onehot": _onehot,
    "labels": _labels,
    "spd": _spd,
    "symmetric": _symmetric,
    "lower": _lower,
    "graph": _graph,
}
"""How data of each kind is drawn; ``labels k`` draws whole numbers below k."""
