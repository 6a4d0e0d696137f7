"""symgrad: write a loss once; read its gradient, train it at compiled speed, check a gradient written by hand.

    import symgrad as sg
    d = sg.derive("(0.5*(x @ w - y)**2).sum()", {"x": "n d", "w": "d 1", "y": "n 1"}, wrt="w")
    print(d.gradient)                       # xᵀ(xw − y)

The same module is the eager side (``sg.tensor``, ``sg.nn``, ``sg.optim``).  Nothing heavy is imported until a name
is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "symgrad.api.derive": ("derive",),
    "symgrad.api.derivation": ("Derivation", "Formula"),
    "symgrad.api.second_order": ("jacobian",),
    "symgrad.api.derived_array": ("DerivedArray",),
    "symgrad.api.minimize": ("minimize",),
    "symgrad.api.fit": ("fit",),
    "symgrad.api.run": ("Run",),
    "symgrad.api.lambdify": ("lambdify",),
    "symgrad.autograd": (
        "Tensor", "tensor", "zeros", "ones", "full", "randn", "rand", "arange", "eye", "zeros_like", "ones_like",
        "from_numpy", "manual_seed", "no_grad", "enable_grad", "is_grad_enabled",
        "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool_",
    ),
    "symgrad.autograd.functions": (
        "abs", "add", "arctan", "broadcast_to", "cat", "clip", "cos", "div", "elu", "erf", "exp", "expm1", "flatten",
        "gelu", "leaky_relu", "log", "log1p", "logsumexp", "matmul", "maximum", "mean", "minimum", "mul", "neg",
        "pow", "relu", "reshape", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sqrt", "square",
        "squeeze", "stack", "sub", "sum", "tanh", "transpose", "unsqueeze", "where",
    ),
}  # fmt: skip
_SUBMODULES = ("autograd", "errors", "nn", "optim", "updates")
_FOUND_IN = {name: module for module, names in _WHERE.items() for name in names}

__all__ = ["__version__", *sorted(_FOUND_IN), *_SUBMODULES]

if TYPE_CHECKING:
    from symgrad import autograd, errors, nn, optim, updates
    from symgrad.api.derivation import Derivation, Formula
    from symgrad.api.derive import derive
    from symgrad.api.derived_array import DerivedArray
    from symgrad.api.fit import fit
    from symgrad.api.lambdify import lambdify
    from symgrad.api.minimize import minimize
    from symgrad.api.run import Run
    from symgrad.api.second_order import jacobian


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"symgrad.{name}")
    module = _FOUND_IN.get(name)
    if module is None:
        raise AttributeError(f"module 'symgrad' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
