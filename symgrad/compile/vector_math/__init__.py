"""Elementary functions that LLVM turns into vector instructions; numba's own are one call of libm an entry.

Each is free of branches and calls: range reduction by arithmetic and bits, one polynomial, selections at the ends.
A kernel file gets those that it uses, in its precision; they stand on their own, and run the same without numba.

    coefficients    the polynomials (docs/make_coefficients.py)
    record          precisions, and the record of a function
    exponential, logarithm, error_function, circular      the functions
"""

from __future__ import annotations

from functools import lru_cache

from symgrad.compile.vector_math.circular import CIRCULAR
from symgrad.compile.vector_math.error_function import ERROR_FUNCTION
from symgrad.compile.vector_math.exponential import EXPONENTIAL
from symgrad.compile.vector_math.logarithm import LOGARITHM
from symgrad.compile.vector_math.record import (
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    Precision,
    VectorFunction,
    of_libm,
)

VECTOR_MATH: dict[str, VectorFunction] = {
    f.name: f for f in (*EXPONENTIAL, *LOGARITHM, *ERROR_FUNCTION, *CIRCULAR)
}

OPTIONS = '{"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}'
"""numba's options of these functions in loops.

Only contract: reassoc would undo the range reduction, nsz lose −0, nnan and ninf the ends.  LLVM cannot turn a loop
into vectors around a call that it does not inline (13 to 19 times slower).
"""

UNROLLED_OPTIONS = '{"fastmath": {"contract"}, "error_model": "numpy"}'
"""In code without loops copies make compiling slow, and gain nothing."""


@lru_cache(maxsize=4)
def vector_math_texts(dtype: str, unrolled: bool = False) -> dict[str, str]:
    """The source of every function in a precision; in unrolled code some are libm's."""
    return {
        name: of_libm(name) if unrolled and f.libm else f.text(PRECISIONS[dtype])
        for name, f in VECTOR_MATH.items()
    }


__all__ = [
    "FLOAT32",
    "FLOAT64",
    "OPTIONS",
    "PRECISIONS",
    "UNROLLED_OPTIONS",
    "VECTOR_MATH",
    "Precision",
    "VectorFunction",
    "vector_math_texts",
]
