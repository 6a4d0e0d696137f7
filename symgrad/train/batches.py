"""Which rows each step sees: a new permutation every epoch, the last batch of an epoch being the rest."""

from __future__ import annotations

import numpy as np


class Batches:
    """The rows of every step, drawn in order from one generator.

    Args:
        rows: number of rows of the data.
        size: rows of one batch.
        seed: of the NumPy generator.
    """

    def __init__(self, rows: int, size: int, seed: int) -> None:
        self.data_rows, self.size = rows, size
        self.per_epoch = -(-rows // size)
        self._generator = np.random.default_rng(seed)
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def rows(self, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """``order`` (steps, size) and ``counts`` (steps,) for the steps ``begin … end − 1``; ``begin`` never
        goes back, as the permutations come from one stream.
        """
        order = np.zeros((end - begin, self.size), np.int64)
        counts = np.empty(end - begin, np.int64)
        for i, step in enumerate(range(begin, end)):
            epoch, part = divmod(step, self.per_epoch)
            while self._epoch < epoch:
                self._order = self._generator.permutation(self.data_rows)
                self._epoch += 1
            chosen = self._order[part * self.size : (part + 1) * self.size]
            order[i, : chosen.size] = chosen
            counts[i] = chosen.size
        return order, counts
