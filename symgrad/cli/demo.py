"""``symgrad demo``: the tutorial's problem from formula to verdict."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import click
import numpy as np

from symgrad.cli.load import our_verify
from symgrad.cli.output import is_ascii, say
from symgrad.cli.problem import LEARNING_RATE, SHAPES, STEPS, data, forward, gradient, loss, numpy_program
from symgrad.cli.train import show_run

if TYPE_CHECKING:
    from symgrad.api.run import Run


@click.command("demo")
def command() -> None:
    """Derive, train and verify the tutorial's problem: w so that x w = y, by gradient descent."""
    from symgrad.api.derive import derive

    say("1  The formula: forward(x, w) = x w, loss = (0.5*(y_pred - y)**2).sum(), derived by w\n")
    derivation = derive(loss, SHAPES, wrt="w", given={"y_pred": forward})
    say(_indented(derivation.to_text(ascii=is_ascii(), with_steps=True)))
    say(f"\n2  The training run: {STEPS} steps of w ← w − {LEARNING_RATE} ∂L/∂w, compiled into one loop\n")
    _train()
    say("\n3  The verdict\n")
    _verify()


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())


def _train() -> None:
    from symgrad.api.minimize import minimize
    from symgrad.optim import SGD

    x, y, w = data()

    def train() -> Run:
        return minimize(
            loss, {"w": w}, {"x": x, "y": y}, SGD(lr=LEARNING_RATE), STEPS, given={"y_pred": forward}
        )

    first = train()
    compiled = min(train().timings["run"] for _ in range(9))
    show_run(first, STEPS)
    start = perf_counter()
    last_w, losses = numpy_program()
    plain = perf_counter() - start
    say(f"   compile {first.timings['compile'] * 1e3:.0f} ms, once; then loaded from the cache")
    say(f"   run     {compiled * 1e6:.1f} µs")
    say(f"   NumPy   {plain * 1e6:.0f} µs for the tutorial's own loop, {plain / compiled:.0f} times as long;")
    say(f"           its last loss is {float(losses[-1]):.6g}, its w {_numbers(last_w)}")


def _numbers(a: np.ndarray) -> str:
    return np.array2string(a.ravel(), precision=7)


def _verify() -> None:
    import symgrad as flow

    verify = our_verify()
    report = verify.check(gradient, of=loss, shapes=SHAPES, wrt="w", given={"y_pred": forward})
    say("   gradient(x, y, y_pred), written by hand as np.matmul(x.T, (y_pred-y)):")
    say(_indented(str(report)))

    class Linear(flow.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = flow.nn.Parameter(flow.zeros(2, 1))

        def forward(self, x: flow.Tensor) -> flow.Tensor:
            return flow.matmul(x, self.w)

    tape = verify.check_autograd(
        Linear(), {"x": "n 2", "y": "n 1"}, criterion=flow.nn.MSELoss(reduction="sum"), cases=20
    )
    say("\n   the tape autograd of the same model with MSELoss(reduction='sum'):")
    say(_indented(str(tape)))
