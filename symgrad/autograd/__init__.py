"""A tape autograd on NumPy arrays with hand-written rules; see README.md for how the files play together."""

from symgrad.autograd import functions
from symgrad.autograd.creation import (
    arange,
    eye,
    from_numpy,
    full,
    manual_seed,
    ones,
    ones_like,
    rand,
    randn,
    tensor,
    zeros,
    zeros_like,
)
from symgrad.autograd.differentiate import grad
from symgrad.autograd.dtypes import DType, bool_, float16, float32, float64, int8, int16, int32, int64, uint8
from symgrad.autograd.grad_mode import enable_grad, is_grad_enabled, no_grad
from symgrad.autograd.record import OPS
from symgrad.autograd.tensor import Tensor  # first: its operators and the operations need one another

__all__ = [
    "OPS",
    "DType",
    "Tensor",
    "arange",
    "bool_",
    "enable_grad",
    "eye",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "functions",
    "grad",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "manual_seed",
    "no_grad",
    "ones",
    "ones_like",
    "rand",
    "randn",
    "tensor",
    "uint8",
    "zeros",
    "zeros_like",
]
