"""Where random choices come from: hypothesis, which can shrink them, or a seeded generator, which is quick."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """Where the draws come from: hypothesis, or a generator of random numbers."""

    def among(self, options: Sequence[T]) -> T: ...
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Seeded:
    rng: random.Random

    def among(self, options: Sequence[T]) -> T:
        return options[self.rng.randrange(len(options))]

    def seed(self) -> int:
        return self.rng.randrange(2**32)


@dataclass(frozen=True)
class Drawn:
    draw: Callable[..., Any]

    def among(self, options: Sequence[T]) -> T:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def seed(self) -> int:
        return self.draw(st.integers(0, 2**32 - 1))
