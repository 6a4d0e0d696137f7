"""Elementwise functions: the SymPy classes, the table of records, and their printing as source.

``functions``, ``rounding``, ``logic`` and ``special`` hold the SymPy classes that SymPy lacks, ``table`` one
record per function, ``printer`` the walk that every target language shares, ``numpy_code`` the NumPy target.
"""

from symgrad.ops.scalars.elementary import Elementary
from symgrad.ops.scalars.numpy_code import SCIPY_NAMES, numpy_function, numpy_names, numpy_text, scipy_names
from symgrad.ops.scalars.table import BY_NAME, BY_UFUNC, ELEMENTARY, in_own_terms

__all__ = [
    "BY_NAME",
    "BY_UFUNC",
    "ELEMENTARY",
    "SCIPY_NAMES",
    "Elementary",
    "in_own_terms",
    "numpy_function",
    "numpy_names",
    "numpy_text",
    "scipy_names",
]
