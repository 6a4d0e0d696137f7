"""Learning-rate schedules: each a closed form, `get_lr(base_lr, step)`, of the number of steps taken.

Step 0 is before the first update.  A schedule sets the rate of every group of its optimizer when it is
made, and again at each `step()`, which is called after the optimizer's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from symgrad.errors import SpecError
from symgrad.optim.optimizer import Optimizer


class LRScheduler:
    """Base of all schedules; a subclass writes `get_lr`.

    Args:
        optimizer: whose groups' rates are set.
        last_step: the step to go on from; −1 starts anew.
        verbose: print every new rate.
    """

    def __init__(self, optimizer: Optimizer, last_step: int = -1, verbose: bool = False) -> None:
        if not isinstance(optimizer, Optimizer):
            raise SpecError(
                "a schedule sets the rates of an optimizer",
                where=f"{type(self).__name__}, optimizer",
                expected="an Optimizer",
                got=type(optimizer).__name__,
            )
        self.optimizer = optimizer
        self.verbose = verbose
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_step = last_step
        self.step()

    def get_lr(self, base_lr: float, step: int) -> float:
        """The learning rate of a step, from the rate that the group was made with."""
        raise SpecError(
            "this schedule has no get_lr", where=type(self).__name__, fix="define get_lr(self, base_lr, step)"
        )

    def _rates(self) -> list[float]:
        return [self.get_lr(base_lr, self.last_step) for base_lr in self.base_lrs]

    def step(self) -> None:
        """Go on by one step and set the new rates."""
        self.last_step += 1
        for number, (group, rate) in enumerate(zip(self.optimizer.param_groups, self._rates())):
            group["lr"] = float(rate)
            if self.verbose:
                print(f"step {self.last_step}: learning rate of group {number} is {group['lr']}")

    def get_last_lr(self) -> list[float]:
        """The rates in force, one per group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is; functions are not stored."""
        hidden = {"optimizer", "verbose"}
        return {
            key: value
            for key, value in vars(self).items()
            if key not in hidden and not _holds_function(value)
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another schedule of the same kind was."""
        unknown = sorted(set(state_dict) - set(vars(self)))
        if unknown:
            raise SpecError(
                f"the state has '{unknown[0]}', which this schedule does not",
                where=f"{type(self).__name__}.load_state_dict",
                expected=", ".join(self.state_dict()),
            )
        vars(self).update(state_dict)
        for group, rate in zip(self.optimizer.param_groups, self._rates()):
            group["lr"] = float(rate)


def _holds_function(value: Any) -> bool:
    return callable(value) or (isinstance(value, list) and any(callable(item) for item in value))


def _at_least_one(name: str, option: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise SpecError(
            f"{name} needs a number of steps", where=f"{name}, {option}", expected="an integer ≥ 1", got=value
        )
    return value


class ConstantLR(LRScheduler):
    """base · factor for the first total_iters steps, then base."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return base_lr * self.factor if step < self.total_iters else base_lr


class LinearLR(LRScheduler):
    """base times a factor that goes linearly from start_factor to end_factor in total_iters steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _at_least_one("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        share = min(step, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class StepLR(LRScheduler):
    """base · gamma^⌊step / step_size⌋."""

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.step_size, self.gamma = _at_least_one("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return base_lr * self.gamma ** (step // self.step_size)


class MultiStepLR(LRScheduler):
    """base · gamma^(number of milestones reached)."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return base_lr * self.gamma ** bisect_right(self.milestones, step)


class ExponentialLR(LRScheduler):
    """base · gamma^step."""

    def __init__(
        self, optimizer: Optimizer, gamma: float, last_step: int = -1, verbose: bool = False
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return base_lr * self.gamma**step


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base − eta_min) · (1 + cos(π · step / T_max)) / 2 (I. Loshchilov, F. Hutter, 2017, eq.
    5)."""

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        self.T_max, self.eta_min = _at_least_one("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2


class LambdaLR(LRScheduler):
    """base · lr_lambda(step), with one function, or one per group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_step: int = -1,
        verbose: bool = False,
    ) -> None:
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 0
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise SpecError(
                "LambdaLR needs one function per group",
                where="LambdaLR, lr_lambda",
                expected=groups,
                got=len(self.lr_lambdas),
            )
        super().__init__(optimizer, last_step, verbose)

    def get_lr(self, base_lr: float, step: int) -> float:
        return base_lr * self.lr_lambdas[0](step)

    def _rates(self) -> list[float]:
        return [base_lr * f(self.last_step) for base_lr, f in zip(self.base_lrs, self.lr_lambdas)]
