"""A training run, whoever does it."""

from __future__ import annotations

from dataclasses import dataclass

import models
import numpy as np

from symgrad.train.batches import Batches

BETAS, EPSILON = (0.9, 0.999), 1e-8


@dataclass(frozen=True)
class Training:
    """What is trained, and how.

    Attributes:
        model: the loss.
        steps: number of updates.
        rule: ``sgd`` or ``adam``, with the usual betas and epsilon.
        rate: the learning rate.
        batch: rows of a step, which are gathered by an array of indices; None for all rows.
    """

    model: models.Model
    steps: int
    rule: str
    rate: float
    batch: int | None = None

    def order(self, rows: int) -> np.ndarray:
        """The rows of each step, (steps, batch), as ``sg.minimize`` draws them; the peers are given them."""
        assert self.batch is not None
        assert rows % self.batch == 0, "every batch is full"
        order, _ = Batches(rows, self.batch, seed=0).rows(0, self.steps)
        return order
