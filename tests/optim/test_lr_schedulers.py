"""Schedules: closed forms against PyTorch's recursive ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgrad import nn, optim
from symgrad.errors import SpecError
from symgrad.optim import lr_scheduler


def half(step: int) -> float:
    return 0.5**step


CASES: list[tuple[str, dict[str, Any]]] = [
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 4}),
    ("StepLR", {"step_size": 3}),
    ("MultiStepLR", {"milestones": [2, 5], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": half}),
]


def stepper(**options: Any) -> optim.Optimizer:
    return optim.SGD([nn.Parameter(np.ones(1))], **options)


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_schedules_agree_with_torch(name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    mine = getattr(lr_scheduler, name)(stepper(lr=0.1), **options)
    sgd = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    theirs = getattr(torch.optim.lr_scheduler, name)(sgd, **options)
    for _ in range(10):
        assert mine.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)
        assert mine.optimizer.param_groups[0]["lr"] == mine.get_last_lr()[0]
        mine.step()
        theirs.step()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_closed_form_is_what_step_sets(name: str, options: dict[str, Any]) -> None:
    schedule = getattr(lr_scheduler, name)(stepper(lr=0.1), **options)
    for step in range(8):
        assert schedule.get_last_lr() == [schedule.get_lr(0.1, step)]
        schedule.step()


def test_every_group_keeps_its_own_base() -> None:
    a, b = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    sgd = optim.SGD([{"params": [a]}, {"params": [b], "lr": 1.0}], lr=0.1)
    schedule = lr_scheduler.LambdaLR(sgd, [half, lambda step: 1.0])
    schedule.step()
    assert schedule.get_last_lr() == [0.05, 1.0]
    with pytest.raises(SpecError, match="one function per group"):
        lr_scheduler.LambdaLR(sgd, [half])


def test_an_unbound_rule_can_be_scheduled() -> None:
    schedule = lr_scheduler.StepLR(optim.SGD(lr=0.1), 2)
    assert [schedule.get_lr(0.1, step) for step in (0, 2)] == [0.1, pytest.approx(0.01)]


def test_a_schedule_goes_on_from_its_state() -> None:
    first = lr_scheduler.ExponentialLR(stepper(lr=0.1), 0.5)
    first.step()
    second = lr_scheduler.ExponentialLR(stepper(lr=0.1), 0.5)
    second.load_state_dict(first.state_dict())
    assert second.get_last_lr() == [0.05]
    with pytest.raises(SpecError, match="the state has 'gamma', which this schedule does not"):
        lr_scheduler.ConstantLR(stepper(lr=0.1)).load_state_dict(first.state_dict())


def test_verbose_prints_each_rate(capsys: pytest.CaptureFixture[str]) -> None:
    lr_scheduler.ExponentialLR(stepper(lr=0.1), 0.5, verbose=True)
    assert capsys.readouterr().out == "step 0: learning rate of group 0 is 0.1\n"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lr_scheduler.StepLR(stepper(), 0), "StepLR needs a number of steps"),
        (lambda: lr_scheduler.StepLR(0.1, 3), "a schedule sets the rates of an optimizer"),  # type: ignore[arg-type]
        (lambda: lr_scheduler.LRScheduler(stepper()), "this schedule has no get_lr"),
    ],
)
def test_what_schedules_refuse(make: Any, message: str) -> None:
    with pytest.raises(SpecError, match="^" + message):
        make()
