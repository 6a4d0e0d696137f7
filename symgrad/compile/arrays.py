"""Bringing a caller's arrays into the form that a kernel takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError, SpecError
from symgrad.ops.dims import bind_dims
from symgrad.program import Program


def check_dtype(dtype: Any) -> str:
    """``"float32"`` or ``"float64"``.

    Raises:
        SpecError: any other dtype.
    """
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = repr(dtype)
    if name not in ("float32", "float64"):
        raise SpecError(
            "Kernels compute in float32 or float64.", where="dtype", got=name, fix='dtype="float64"'
        )
    return name


def real_array(name: str, value: Any) -> np.ndarray:
    """The caller's array, whatever its layout.

    Raises:
        DataError: complex numbers, objects, text, a mask.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise DataError(
            "A masked array has entries that are not there.",
            where=name,
            expected="an ordinary array",
            fix=f"fill the gaps, as in {name}.filled(0), or leave those rows out",
        )
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise DataError(
            "This is no array.", where=name, got=f"a {type(value).__name__} with rows of unequal lengths"
        ) from None
    if array.dtype.kind not in "fiub":
        raise DataError(
            "The array holds no real numbers.",
            where=name,
            expected="floats, integers or booleans",
            got=f"dtype {array.dtype}",
        )
    return array


def as_array(name: str, value: Any, dtype: str) -> np.ndarray:
    """A C-contiguous array of the kernel's dtype; the caller's own where it is one already.

    Raises:
        DataError: as ``real_array``.
    """
    return np.require(real_array(name, value), dtype, ["C_CONTIGUOUS", "ALIGNED"])


def bind(
    program: Program, arrays: Mapping[str, Any], dtype: str
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The inputs in the kernel's form, and the size of every dimension.

    Raises:
        SpecError: an input is missing or unknown.
        ShapeError: the sizes do not fit.
        DataError: an array holds no real numbers.
    """
    wanted = {i.name: i.shape for i in program.inputs}
    for name in [*wanted, *arrays]:
        if name not in arrays or name not in wanted:
            raise SpecError(
                f"{name!r} is {'missing' if name in wanted else 'no input of the loss'}.",
                expected=", ".join(wanted),
                got=", ".join(arrays) or "nothing",
            )
    made = {name: as_array(name, arrays[name], dtype) for name in wanted}
    return made, bind_dims(wanted, {n: a.shape for n, a in made.items()})
