"""Optimizers: the tutorial's run, PyTorch's, groups, state, and what is refused."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symgrad.autograd as ag
from symgrad import nn, optim
from symgrad.errors import ShapeError, SpecError

GOLDEN = {50: 0.0034512377, 100: 1.9654874e-06, 150: 1.0552412e-09, 200: 3.8653525e-12}

flow = SimpleNamespace(
    tensor=ag.tensor, float32=ag.float32, matmul=ag.functions.matmul, randn=ag.randn, nn=nn, optim=optim
)


def tutorial(optimizer: Any) -> tuple[dict[int, str], Any]:
    """The tutorial's OneFlow program, from a fixed start."""
    x = flow.tensor([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=flow.float32)
    y = flow.tensor([[8], [13], [26], [9]], dtype=flow.float32)

    class MyLrModule(flow.nn.Module):  # type: ignore[name-defined]
        def __init__(self, lr: float, iter_count: int) -> None:
            super().__init__()
            self.w = flow.nn.Parameter(flow.randn(2, 1, dtype=flow.float32))
            self.lr = lr
            self.iter_count = iter_count

        def forward(self, x: Any) -> Any:
            return flow.matmul(x, self.w)

    model = MyLrModule(0.01, 500)
    model.w.data = np.array([[2], [1]], np.float32)
    loss = flow.nn.MSELoss(reduction="sum")
    stepper = optimizer(model)
    lines = {}
    for i in range(model.iter_count):
        y_pred = model(x)
        value = loss(y_pred, y)
        if (i + 1) % 50 == 0:
            lines[i + 1] = f"{i + 1}/{model.iter_count} loss:{value}"
        stepper.zero_grad()
        value.backward()
        stepper.step()
    return lines, model


def test_the_tutorials_program_reaches_the_golden_numbers() -> None:
    lines, model = tutorial(lambda model: flow.optim.SGD(model.parameters(), model.lr))
    for step, expected in GOLDEN.items():
        text = lines[step].removeprefix(f"{step}/500 loss:")
        assert float(text) == pytest.approx(expected, rel=1e-7)
        assert text == repr(float(text))
    np.testing.assert_allclose(model.w.data, [[2.000001], [2.9999993]], rtol=1e-7)
    assert f"\nw: {model.w}" == (
        "\nw: tensor([[2.0000],\n        [3.0000]], dtype=symgrad.float32, grad_fn=<accumulate_grad>)"
    )


TORCH_CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}, {}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}, {}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}, {}),
    ("SGD", {"lr": 0.05, "maximize": True}, {}),
    ("Adam", {"lr": 0.05}, {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True}, {}),
    ("AdamW", {"lr": 0.05}, {"weight_decay": 0}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1}, {}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}, {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8}, {}),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "options", "other"), TORCH_CASES)
def test_runs_agree_with_torch(
    name: str, options: dict[str, Any], other: dict[str, Any], dtype: type
) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y, start = (rng.standard_normal(s).astype(dtype) for s in ((8, 3), (8, 2), (3, 2)))
    a, b = nn.Parameter(start.copy()), torch.tensor(start.copy(), requires_grad=True)
    mine, theirs = getattr(optim, name)([a], **options), getattr(torch.optim, name)([b], **options, **other)
    for _ in range(20):
        mine.zero_grad()
        nn.MSELoss()(ag.functions.matmul(ag.tensor(x), a), ag.tensor(y)).backward()
        mine.step()
        theirs.zero_grad()
        torch.nn.functional.mse_loss(torch.tensor(x) @ b, torch.tensor(y)).backward()
        theirs.step()
    tolerance = 1e-10 if dtype is np.float64 else 2e-5
    np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=tolerance, atol=tolerance)
    assert a.data.dtype == dtype


def param(*values: float) -> nn.Parameter:
    p = nn.Parameter(np.array(values))
    p.grad = ag.tensor(np.ones(len(values)))
    return p


def test_defaults_are_oneflows() -> None:
    assert optim.SGD().defaults == {
        "lr": 0.001,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }
    for name in ("Adam", "AdamW"):
        assert getattr(optim, name)().defaults == {
            "lr": 0.001,
            "betas": (0.9, 0.999),
            "eps": 1e-08,
            "weight_decay": 0.0,
            "amsgrad": False,
            "do_bias_correction": True,
        }
    assert optim.RMSprop().defaults["lr"] == 0.001
    assert optim.Adagrad().defaults["lr"] == 0.001
    assert optim.Adadelta().defaults["lr"] == 1.0
    optim.SGD([param(1.0)], 0.1, contiguous_params=True, fused=True)


def test_without_parameters_it_is_a_rule() -> None:
    rule = optim.SGD(lr=0.01)
    assert rule.rule.hyper == (("lr", 0.01),)
    assert rule.formula() == "w ← w − ηg\nwith η = lr = 0.01"
    with pytest.raises(SpecError) as caught:
        rule.step()
    assert str(caught.value) == (
        "this optimizer has no parameters to step\n"
        "  where:    SGD.step\n"
        "  expected: parameters, given when it was made\n"
        "  fix:      SGD(model.parameters(), lr=0.01)"
    )
    w = param(1.0)
    rule.add_param_group({"params": [w]})
    rule.step()
    assert w.tolist() == [0.99]


def test_the_rule_of_a_bound_optimizer() -> None:
    assert optim.Adam([param(1.0)]).formula() == optim.Adam().formula()


def test_groups_have_options_of_their_own() -> None:
    a, b = param(1.0), param(1.0)
    stepper = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5, "momentum": 0.9}], lr=0.1)
    stepper.step()
    assert (a.tolist(), b.tolist()) == ([0.9], [0.5])
    stepper.param_groups[0]["lr"] = 0.2
    stepper.step()
    assert a.tolist() == pytest.approx([0.7])
    stepper.param_groups[0]["weight_decay"] = 1.0
    stepper.step()
    assert a.tolist() == pytest.approx([0.7 - 0.2 * 1.7])


def test_parameters_without_a_gradient_are_left_alone() -> None:
    a, b = param(1.0), param(1.0)
    b.grad = None
    optim.Adam([a, b], lr=0.1).step()
    assert a.tolist() != [1.0]
    assert b.tolist() == [1.0]


def test_a_closure_is_recorded_and_its_value_returned() -> None:
    w = nn.Parameter(np.array([2.0]))
    stepper = optim.SGD([w], lr=0.1)

    def closure() -> ag.Tensor:
        stepper.zero_grad()
        loss = w.square().sum()
        loss.backward()
        return loss

    with ag.no_grad():
        assert stepper.step(closure).item() == 4.0
    assert w.tolist() == [1.6]


def test_zero_grad() -> None:
    w = param(1.0)
    stepper = optim.SGD([w], lr=0.1)
    stepper.zero_grad()
    assert w.grad is not None
    assert w.grad.tolist() == [0.0]
    stepper.zero_grad(set_to_none=True)
    assert w.grad is None


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adadelta"])
def test_a_saved_state_goes_on_as_if_nothing_had_happened(name: str) -> None:
    options = {"momentum": 0.9} if name == "SGD" else {}

    def steps(stepper: Any, w: nn.Parameter, count: int) -> None:
        for i in range(count):
            w.grad = ag.tensor(np.sin(np.arange(3.0) + i))
            stepper.step()

    straight = param(1.0, 2.0, 3.0)
    steps(first := getattr(optim, name)([straight], lr=0.1, **options), straight, 3)
    resumed = nn.Parameter(straight.data.copy())
    saved = copy.deepcopy(first.state_dict())
    second = getattr(optim, name)([resumed], **options)
    second.load_state_dict(saved)
    steps(first, straight, 3)
    steps(second, resumed, 3)
    assert resumed.tolist() == straight.tolist()
    assert second.param_groups[0]["lr"] == 0.1
    assert saved["param_groups"][0]["params"] == [0]


def test_a_state_that_does_not_fit() -> None:
    stepper = optim.Adam([param(1.0)])
    stepper.step()
    with pytest.raises(SpecError) as caught:
        optim.Adam([param(1.0), param(2.0)]).load_state_dict(stepper.state_dict())
    assert caught.value.expected == "groups of [2] parameters"
    with pytest.raises(ShapeError, match="another shape than its parameter"):
        optim.Adam([param(1.0, 2.0)]).load_state_dict(stepper.state_dict())
    with pytest.raises(SpecError, match="has an option 'amsgrad' that is not one of this optimizer"):
        optim.SGD([param(1.0)]).load_state_dict(stepper.state_dict())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.SGD([]), "an optimizer without parameters has nothing to do"),
        (lambda: optim.SGD(0.01), "an optimizer takes a sequence of parameters"),
        (lambda: optim.SGD(param(1.0)), "an optimizer takes a sequence of parameters"),
        (lambda: optim.SGD([param(1.0) * 2]), "an optimizer works on leaves of the graph"),
        (lambda: optim.SGD([ag.tensor([1])]), "an optimizer works on leaves of the graph"),
        (lambda: optim.SGD([np.ones(1)]), "an optimizer works on tensors"),
        (lambda: optim.SGD([w := param(1.0), w]), "a parameter is given twice"),
        (lambda: optim.SGD([{"params": [param(1.0)], "rate": 1}]), "a parameter group has no 'rate'"),
        (lambda: optim.SGD([{"lr": 1}]), "a parameter group needs 'params'"),
        (lambda: optim.SGD([param(1.0)], lr=-1), "SGD cannot work with this lr"),
        (lambda: optim.Adam([{"params": [param(1.0)], "eps": -1}]), "Adam cannot work with this eps"),
        (lambda: optim.SGD(lr=float("inf")), "SGD cannot work with this lr"),
    ],
)
def test_what_optimizers_refuse(make: Any, message: str) -> None:
    with pytest.raises(SpecError, match="^" + message):
        make()


def test_a_used_up_generator_is_explained() -> None:
    model = nn.Linear(2, 1)
    parameters = model.parameters()
    optim.SGD(parameters, 0.1)
    with pytest.raises(SpecError) as caught:
        optim.SGD(parameters, 0.1)
    assert str(caught.value) == (
        "an optimizer without parameters has nothing to do\n"
        "  where:    SGD, params\n"
        "  got:      an empty sequence\n"
        "  fix:      a generator is used up after one pass: call model.parameters() again; or omit params"
    )


def test_printing() -> None:
    assert repr(optim.Adadelta(rho=0.5)).splitlines()[:3] == ["Adadelta (", "Unbound rule", "    lr: 1.0"]
    assert repr(optim.SGD([param(1.0)])).splitlines()[1] == "Parameter Group 0"
