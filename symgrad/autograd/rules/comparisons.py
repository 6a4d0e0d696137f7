"""Comparisons and positions.  Their results are booleans and integers, so there is no gradient to speak
of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.autograd.record import Example, TapeOp, register


def _comparison(name: str, forward: Callable[..., Any], doc: str) -> TapeOp:
    return register(
        TapeOp(name, ("a", "b"), forward, {}, (Example(((2, 3), (3,))),), elementwise=True, doc=doc)
    )


eq = _comparison("eq", np.equal, "a = b")
ne = _comparison("ne", np.not_equal, "a ≠ b")
lt = _comparison("lt", np.less, "a < b")
le = _comparison("le", np.less_equal, "a ≤ b")
gt = _comparison("gt", np.greater, "a > b")
ge = _comparison("ge", np.greater_equal, "a ≥ b")


def _position(name: str, forward: Callable[..., Any], doc: str) -> TapeOp:
    return register(
        TapeOp(
            name,
            ("x",),
            lambda x, axis, keepdims: forward(x, axis=axis, keepdims=keepdims),
            {},
            (Example(((2, 3),)), Example(((2, 3),), {"axis": 1})),
            params={"axis": None, "keepdims": False},
            expects="an axis of the tensor, and at least one element",
            doc=doc,
        )
    )


argmax = _position("argmax", np.argmax, "index of the first largest element")
argmin = _position("argmin", np.argmin, "index of the first smallest element")
