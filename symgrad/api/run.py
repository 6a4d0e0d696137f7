"""``Run``: what ``minimize`` and ``fit`` return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symgrad.errors import SymgradError

if TYPE_CHECKING:
    import numpy as np

    from symgrad.api.derivation import Derivation
    from symgrad.compile import Plan


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        params: the parameters after the last update.
        losses: the loss of each step, float64; ``losses[i]`` is taken before update i + 1.
        validation: pairs of the number of updates and the loss on the validation data.
        timings: seconds for ``derive``, ``plan``, ``compile`` and ``run``, and for ``compress`` where data was.
        derivation: the formula that was compiled.
        source: the text of the kernel.
        described: makes ``plan``, which nobody may ask for.
        notes: what was done otherwise than written, and why: data compressed to fewer rows.
    """

    params: Mapping[str, np.ndarray]
    losses: np.ndarray
    validation: tuple[tuple[int, float], ...]
    timings: Mapping[str, float]
    derivation: Derivation
    source: str
    described: Callable[[], Plan]
    notes: tuple[str, ...] = ()

    @cached_property
    def plan(self) -> Plan:
        """What was decided about the kernel and why; prints as a text."""
        return self.described()

    def __repr__(self) -> str:
        if not self.losses.size:
            return "<Run of 0 steps>"
        first, last = float(self.losses[0]), float(self.losses[-1])
        return f"<Run of {self.losses.size} steps, loss {first:.6g} → {last:.6g}>"

    def plot(self, ax: Any = None) -> Any:
        """Draw the loss history with a logarithmic scale, and return matplotlib's axes.

        Raises:
            SymgradError: matplotlib is not installed.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise SymgradError(
                "Plots need matplotlib.", where="Run.plot", fix="python -m pip install 'symgrad[plot]'"
            ) from None
        if ax is None:
            _, ax = plt.subplots()
        ax.plot(range(self.losses.size), self.losses, label="loss")
        if self.validation:
            ax.plot(
                [s for s, _ in self.validation], [v for _, v in self.validation], "o-", label="validation"
            )
            ax.legend()
        if (self.losses > 0).all():
            ax.set_yscale("log")
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        return ax
