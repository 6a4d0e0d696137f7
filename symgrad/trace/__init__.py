"""From what a user wrote to a program.

Four front ends (``function`` for NumPy code, ``text``, ``sympy_expr``, ``module``) meet in ``operations``, which
writes bindings; ``array`` is the value that NumPy code is run on, ``numpy_functions`` and ``tensor_functions`` are
the tables of what may be called; ``loss`` chooses the front end and checks the result.
"""

from symgrad.trace.array import Traced
from symgrad.trace.loss import TracedLoss, trace_loss

__all__ = ["Traced", "TracedLoss", "trace_loss"]
