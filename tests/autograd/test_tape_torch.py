"""The tape against PyTorch, where it is installed: values and gradients of every operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tape_checks import draw_operands

from symgrad.autograd import OPS, Tensor
from symgrad.autograd.record import Example, TapeOp

torch = pytest.importorskip("torch")


def _reduce(function: Any) -> Any:
    def call(x: Any, axis: Any, keepdims: bool) -> Any:
        dim = tuple(range(x.ndim)) if axis is None else axis
        return function(x, dim=dim, keepdim=keepdims)

    return call


PEERS: dict[str, Any] = {
    "pow": torch.pow,
    "clip": lambda x, min, max: torch.clamp(x, min, max),
    "where": lambda condition, a, b: torch.where(condition, a, b),
    "arctan": torch.atan,
    "relu": torch.relu,
    "leaky_relu": lambda x, negative_slope: torch.nn.functional.leaky_relu(x, negative_slope),
    "elu": lambda x, alpha: torch.nn.functional.elu(x, alpha),
    "softplus": lambda x, beta: torch.nn.functional.softplus(x, beta, threshold=1e9),
    "silu": torch.nn.functional.silu,
    "gelu": lambda x, approximate: torch.nn.functional.gelu(x, approximate=approximate),
    "reshape": lambda x, shape: x.reshape(shape),
    "flatten": lambda x, start, end: x.flatten(start, end),
    "unsqueeze": lambda x, axis: x.unsqueeze(axis),
    "squeeze": lambda x, axis: x.squeeze() if axis is None else x.squeeze(axis),
    "transpose": lambda x, axes: x.permute(tuple(reversed(range(x.ndim))) if axes is None else axes),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "cast": lambda x, dtype: x.double(),
    "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, indices, axis),
    "cat": lambda *xs, axis: torch.cat(xs, axis),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "sum": _reduce(torch.sum),
    "mean": _reduce(torch.mean),
    "amax": _reduce(torch.amax),
    "amin": _reduce(torch.amin),
    "logsumexp": _reduce(torch.logsumexp),
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
    "argmax": lambda x, axis, keepdims: torch.argmax(x, axis, keepdims),
    "argmin": lambda x, axis, keepdims: torch.argmin(x, axis, keepdims),
}
# torch has no negative steps in an index: NumPy is the measure there
WITHOUT_PEER = {"getitem"}

CASES = [
    pytest.param(op, example, id=f"{name}-{number}")
    for name, op in OPS.items()
    if name not in WITHOUT_PEER
    for number, example in enumerate(op.examples)
]


@pytest.mark.parametrize(("op", "example"), CASES)
def test_values_and_gradients_agree_with_torch(op: TapeOp, example: Example) -> None:
    rng = np.random.default_rng(1)
    operands = list(draw_operands(op, example, rng).values())
    params = op.bind((None,) * len(op.operands), example.params)[1]
    ours = [Tensor(np.asarray(value), requires_grad=value.dtype.kind == "f") for value in operands]
    theirs = [torch.tensor(value, requires_grad=value.dtype.kind == "f") for value in operands]
    mine = op(ours if op.variadic else ours[0], *([] if op.variadic else ours[1:]), **example.params)
    peer = PEERS.get(op.name) or getattr(torch, op.name)
    other = peer(*theirs, **params)
    np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-12, atol=1e-14)
    if not op.vjps:
        return
    seed = rng.standard_normal(mine.shape)
    mine.backward(seed)
    other.backward(torch.tensor(seed))
    for a, b in zip(ours, theirs):
        if a.grad is not None:
            np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-11, atol=1e-13)
