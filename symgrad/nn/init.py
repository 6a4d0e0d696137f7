"""Filling parameters, in place."""

from __future__ import annotations

import math

from symgrad.autograd import Tensor, no_grad, rand, randn
from symgrad.errors import SpecError


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Independent uniform numbers from [a, b)."""
    with no_grad():
        return tensor.copy_(rand(tensor.shape, dtype=tensor.dtype) * (b - a) + a)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Independent normal numbers."""
    with no_grad():
        return tensor.copy_(randn(tensor.shape, dtype=tensor.dtype) * std + mean)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere."""
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 1.0)


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim != 2:
        raise SpecError(
            "this initialisation is for matrices", where="init", expected="shape (out, in)", got=tensor.shape
        )
    return tensor.shape[1], tensor.shape[0]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform with variance gain² · 2 / (in + out) (X. Glorot, Y. Bengio, 2010, eq. 16)."""
    fan_in, fan_out = _fans(tensor)
    bound = gain * math.sqrt(6 / max(1, fan_in + fan_out))
    return uniform_(tensor, -bound, bound)


def kaiming_uniform_(tensor: Tensor, a: float = 0.0) -> Tensor:
    """Uniform with variance 2 / ((1 + a²) · in), for leaky_relu of slope a (K. He et al., 2015, eq. 15)."""
    fan_in, _ = _fans(tensor)
    bound = math.sqrt(6 / ((1 + a * a) * max(1, fan_in)))
    return uniform_(tensor, -bound, bound)
