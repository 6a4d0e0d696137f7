"""Modules: registration, names, state, printing, layers; other objects in place of parameters."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import symgrad.autograd as ag
from symgrad import nn
from symgrad.autograd import functions as F
from symgrad.errors import DataError, ShapeError, SpecError


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.body = nn.Sequential(nn.Tanh(), nn.Linear(3, 1))
        self.scale = nn.Parameter(ag.ones(1))
        self.register_buffer("mean", ag.zeros(2))

    def forward(self, x: Any) -> Any:
        return self.body(self.first(F.sub(x, self.mean))) * self.scale


NAMES = ["scale", "first.weight", "first.bias", "body.1.weight", "body.1.bias"]


def test_parameters_have_dotted_names() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_modules()] == ["", "first", "body", "body.0", "body.1"]
    assert [name for name, _ in net.named_buffers()] == ["mean"]
    assert [name for name, _ in net.named_children()] == ["first", "body"]
    assert len(list(net.parameters())) == 5


def test_a_shared_parameter_appears_once() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_it_trains_every_parameter() -> None:
    net = Net()
    nn.MSELoss()(net(ag.randn(4, 2)), ag.randn(4, 1)).backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is not None and not p.grad.data.any() for p in net.parameters())
    net.zero_grad(set_to_none=True)
    assert all(p.grad is None for p in net.parameters())


def test_linear_agrees_with_its_definition_and_starts_within_its_bound() -> None:
    ag.manual_seed(0)
    layer = nn.Linear(4, 3)
    x = ag.randn(2, 5, 4)
    expected = x.data @ layer.weight.data.T + layer.bias.data
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-6)
    assert np.abs(layer.weight.data).max() <= 0.5
    assert np.abs(layer.bias.data).max() <= 0.5
    assert nn.Linear(4, 3, bias=False).bias is None
    assert nn.Linear(4, 3, dtype=ag.float64).weight.dtype is ag.float64
    assert nn.Linear(0, 2)(ag.zeros(3, 0)).shape == (3, 2)


ACTIVATIONS = [
    (nn.ReLU(), "ReLU()"),
    (nn.Tanh(), "Tanh()"),
    (nn.Sigmoid(), "Sigmoid()"),
    (nn.GELU(), "GELU(approximate='none')"),
    (nn.GELU("tanh"), "GELU(approximate='tanh')"),
    (nn.SiLU(), "SiLU()"),
    (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
    (nn.ELU(0.5), "ELU(alpha=0.5)"),
    (nn.Softmax(dim=1), "Softmax(dim=1)"),
    (nn.LogSoftmax(dim=1), "LogSoftmax(dim=1)"),
    (nn.Identity(), "Identity()"),
    (nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
]


@pytest.mark.parametrize(("module", "text"), ACTIVATIONS, ids=[text for _, text in ACTIVATIONS])
def test_activations_agree_with_torch(module: nn.Module, text: str) -> None:
    assert repr(module) == text
    torch = pytest.importorskip("torch")
    peer = eval(f"nn.{text}", {"nn": torch.nn})
    x = np.random.default_rng(0).standard_normal((3, 4)) * 2
    np.testing.assert_allclose(
        module(ag.tensor(x)).data, peer(torch.tensor(x)).numpy(), rtol=1e-12, atol=1e-15
    )


def test_softplus_module() -> None:
    assert repr(nn.Softplus(2.0)) == "Softplus(beta=2.0)"
    assert nn.Softplus(2.0)(ag.tensor(0.0)).item() == pytest.approx(np.log(2) / 2)


def test_printing_as_in_torch() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (body): Sequential(\n"
        "    (0): Tanh()\n"
        "    (1): Linear(in_features=3, out_features=1, bias=True)\n"
        "  )\n"
        ")"
    )


def test_state_goes_from_one_module_to_another() -> None:
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    x = ag.randn(3, 2)
    assert a(x).tolist() == b(x).tolist()
    assert pickle.loads(pickle.dumps(a))(x).tolist() == a(x).tolist()
    twin = copy.deepcopy(a)
    assert twin(x).tolist() == a(x).tolist()
    assert twin.scale is not a.scale


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    net = Net()
    before = {name: value.tolist() for name, value in net.state_dict().items()}
    state: dict[str, Any] = {name: np.zeros(value.shape) for name, value in net.state_dict().items()}
    with pytest.raises(SpecError) as caught:
        net.load_state_dict({**state, "extra": np.zeros(1)})
    assert caught.value.got == "extra, which the module does not have"
    with pytest.raises(SpecError, match="does not belong to this module"):
        net.load_state_dict({})
    with pytest.raises(ShapeError, match=r"the state's 'first.bias' has another shape"):
        net.load_state_dict({**state, "first.bias": np.zeros(7)})
    assert {name: value.tolist() for name, value in net.state_dict().items()} == before
    net.load_state_dict({"scale": np.full(1, 3.0)}, strict=False)
    assert net.scale.tolist() == [3.0]


def test_assigning_before_init_is_explained() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(ag.ones(1))
            super().__init__()

    with pytest.raises(SpecError) as caught:
        Early()
    assert str(caught.value) == (
        "a module must be initialised before parameters and submodules are assigned to it\n"
        "  where:    Early.w\n"
        "  expected: super().__init__() as the first line of Early.__init__\n"
        "  fix:      class Early(Module): def __init__(self): super().__init__(); ..."
    )


def test_a_registered_name_keeps_its_kind() -> None:
    net: Any = Net()
    with pytest.raises(SpecError, match="'scale' is registered in this module and takes a Parameter or None"):
        net.scale = np.ones(1)
    net.mean = ag.ones(2)
    assert [name for name, _ in net.named_buffers()] == ["mean"]
    net.scale = None
    assert "scale" not in dict(net.named_parameters())
    net.first = nn.Identity()
    assert net.first(1) == 1
    del net.first
    with pytest.raises(AttributeError, match="'Net' has no attribute 'first'"):
        _ = net.first
    with pytest.raises(SpecError, match="this name cannot be registered"):
        net.register_buffer("a.b", ag.ones(1))


def test_train_and_eval_reach_every_module() -> None:
    net = Net()
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())


def test_freezing() -> None:
    net = Net().requires_grad_(False)
    assert not net(ag.randn(1, 2)).requires_grad


def test_a_module_without_forward() -> None:
    with pytest.raises(SpecError, match="this module has no forward"):
        nn.ModuleList()(1)


def test_containers() -> None:
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    assert len(layers) == 3
    assert layers[-1] is list(layers)[2]
    assert len(layers[1:]) == 2
    layers.append(nn.Tanh()).extend([nn.ReLU()])
    assert len(layers) == 5
    named = nn.Sequential({"a": nn.Tanh(), "b": nn.ReLU()})
    assert [name for name, _ in named.named_children()] == ["a", "b"]
    with pytest.raises(SpecError) as caught:
        nn.Sequential(F.tanh)  # type: ignore[arg-type]
    assert caught.value.fix == "wrap a function as a module, e.g. nn.Tanh() for tanh"
    with pytest.raises(SpecError, match="no such module"):
        layers[9]


def test_a_parameter_is_floating_point_and_shares_memory() -> None:
    with pytest.raises(DataError, match="only floating point tensors"):
        nn.Parameter(ag.tensor([1, 2]))
    source = ag.ones(2)
    assert np.shares_memory(nn.Parameter(source).data, source.data)
    assert isinstance(copy.deepcopy(nn.Parameter([1.0])), nn.Parameter)


def test_parameters_are_swapped_and_put_back() -> None:
    net = Net()
    original = dict(net.named_parameters())
    with nn.swap_parameters(net, {"first.weight": "W", "scale": "s"}):
        assert net.first.weight == "W"
        assert net.scale == "s"
        assert net.first.bias is original["first.bias"]
    assert all(param is original[name] for name, param in net.named_parameters())


def test_parameters_come_back_after_an_exception() -> None:
    net = Net()
    weight = net.first.weight
    with pytest.raises(ZeroDivisionError), nn.swap_parameters(net, {"first.weight": "W"}):
        _ = 1 / 0
    assert net.first.weight is weight


def test_a_shared_parameter_is_swapped_wherever_it_stands() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    shared = net[0].weight
    for name in ("0.weight", "1.weight"):
        with nn.swap_parameters(net, {name: "W"}):
            assert net[0].weight == net[1].weight == "W"
        assert net[0].weight is net[1].weight is shared


def test_a_shared_module_is_swapped_and_put_back() -> None:
    layer = nn.Linear(2, 2)
    weight = layer.weight
    net = nn.Sequential(layer, nn.Tanh(), layer)
    with nn.swap_parameters(net, {"0.weight": "W"}):
        assert net[2].weight == "W"
    assert layer.weight is weight


def test_swapping_an_unknown_parameter() -> None:
    with pytest.raises(SpecError) as caught, nn.swap_parameters(nn.Linear(1, 1), {"w": 1}):
        pass
    assert str(caught.value) == (
        "Linear has no parameter 'w'\n  where:    swap_parameters\n  expected: bias, weight\n  got:      w"
    )


class Recorder:
    """Stands for a symbolic array; every call on it is written down and answered by another one."""

    log: list[str] = []  # noqa: RUF012  (one log for all, read by the test)

    def __init__(self, shape: tuple[Any, ...]) -> None:
        self.shape = shape
        self.ndim = len(shape)

    def __symgrad_function__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recorder:
        self.log.append(name)
        return self


def test_forward_and_loss_can_be_followed_with_other_objects() -> None:
    Recorder.log.clear()
    net = Net()
    names = {name: Recorder(param.shape) for name, param in net.named_parameters()}
    with nn.swap_parameters(net, {**names, "scale": Recorder(("n", 1))}):
        out = F.mul(net.body(net.first(Recorder(("n", 2)))), net.scale)
        nn.MSELoss(reduction="sum")(out, out)
    layer = ["transpose", "matmul", "add"]
    assert Recorder.log == [*layer, "tanh", *layer, "mul", "sub", "square", "sum"]


@pytest.mark.parametrize("name", ["BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "SmoothL1Loss", "L1Loss"])
def test_losses_can_be_followed(name: str) -> None:
    x = Recorder(("n", 3))
    assert getattr(nn, name)()(x, x) is x


def test_cross_entropy_can_be_followed() -> None:
    x, labels = Recorder(("n", 3)), Recorder(("n",))
    Recorder.log.clear()
    nn.CrossEntropyLoss()(x, labels)
    assert Recorder.log[:2] == ["log_softmax", "unsqueeze"]
    assert Recorder.log[2] == "take_along_axis"
    assert Recorder.log[-1] == "mean"


def test_init() -> None:
    ag.manual_seed(0)
    w = nn.Parameter(ag.zeros(50, 40))
    assert np.abs(nn.init.xavier_uniform_(w).data).max() <= np.sqrt(6 / 90)
    assert np.abs(nn.init.kaiming_uniform_(w).data).max() <= np.sqrt(6 / 40)
    assert nn.init.normal_(w, 1.0, 0.1).data.mean() == pytest.approx(1.0, abs=0.02)
    assert (nn.init.ones_(w).data == 1).all()
    assert (nn.init.zeros_(w).data == 0).all()
    with pytest.raises(SpecError, match="for matrices"):
        nn.init.kaiming_uniform_(nn.Parameter(ag.zeros(3)))
