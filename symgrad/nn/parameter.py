"""`Parameter`: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.autograd import Tensor, tensor


class Parameter(Tensor):
    """A tensor that requires a gradient and that `Module` registers when it is assigned.

    Args:
        data: a tensor or array, whose memory it shares, or numbers as for `symgrad.tensor`.
        requires_grad: False freezes it.

    Raises:
        DataError: the data are not floating point numbers.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        source = data if isinstance(data, Tensor | np.ndarray) else tensor(data)
        super().__init__(source.data if isinstance(source, Tensor) else source, requires_grad)
