"""What stops a computation on numbers, in symgrad's words: a matrix without an inverse, an index out of range."""

from __future__ import annotations

import linecache

import numpy as np

from symgrad.errors import DataError

FAILURES = (np.linalg.LinAlgError, IndexError)
"""What generated code raises, in NumPy or compiled, for numbers that a formula is not defined at."""

_LINALG = (
    ("Singular", "A matrix has no inverse.", "add a multiple of the identity, or use np.linalg.pinv"),
    ("singular", "A matrix has no inverse.", "add a multiple of the identity, or use np.linalg.pinv"),
    ("positive", "A matrix is not positive definite.", "symmetrise it, and add a multiple of the identity"),
    ("repeated", "Eigenvectors of a repeated eigenvalue have no derivative.", None),
)


def explained(error: Exception, where: str) -> DataError:
    """The refusal that one of ``FAILURES`` stands for.

    Args:
        error: what was raised while numbers were computed.
        where: what was being run; the line of NumPy source that failed is named instead, where there is one.
    """
    text = str(error)
    place = _line(error) or where
    if isinstance(error, IndexError):
        return DataError("An index lies outside of its axis.", where=place, got=text)
    for word, what, fix in _LINALG:
        if word in text:
            return DataError(what, where=place, fix=fix)
    return DataError("A computation with a matrix failed.", where=place, got=text)


def _line(error: Exception) -> str | None:
    """The statement of ``numpy_source`` that was running."""
    trace, found = error.__traceback__, None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<symgrad numpy"):
            found = found or linecache.getline(name, trace.tb_lineno).strip()
        trace = trace.tb_next
    return found
