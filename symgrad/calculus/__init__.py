"""Differentiation of programs: one backward sweep for all parameters at once, and once more for second order."""

from symgrad.calculus.backward import Differentiated, differentiate
from symgrad.calculus.jacobian import (
    free_name,
    jacobian_rows,
    numbered,
    reshape_output,
    vector_jacobian,
    vector_jacobians,
)
from symgrad.calculus.squeeze import squeezed

__all__ = [
    "Differentiated",
    "differentiate",
    "free_name",
    "jacobian_rows",
    "numbered",
    "reshape_output",
    "squeezed",
    "vector_jacobian",
    "vector_jacobians",
]
