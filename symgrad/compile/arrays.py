"""Bringing a caller's arrays into the form that a kernel takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError, SpecError
from symgrad.ops.dims import bind_dims
from symgrad.program import Program, check_labels


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


def of_kind(name: str, array: np.ndarray, kind: str) -> np.ndarray:
    """Labels and indices as whole numbers, masks as truth values, others as they are.

    Raises:
        DataError: other numbers where whole ones are needed.
    """
    if kind == "real" or array.dtype.kind == {"int": "i", "bool": "b"}[kind]:
        return array
    whole = array.astype(np.int64 if kind == "int" else np.bool_)
    if (whole != array).any():
        raise DataError(
            f"{name!r} has to hold {'whole numbers' if kind == 'int' else 'truth values'}.",
            where=name,
            got=f"dtype {array.dtype} with other values",
        )
    return whole


def as_array(name: str, value: Any, dtype: str, kind: str = "real") -> np.ndarray:
    """A C-contiguous array of the kernel's dtype; the caller's own where it is one already.

    Whole numbers are int64 and truth values bool, whatever the kernel's dtype.

    Raises:
        DataError: as ``real_array`` and ``of_kind``.
    """
    array = of_kind(name, real_array(name, value), kind)
    dtypes = {"real": dtype, "int": "int64", "bool": "bool"}
    return np.require(array, dtypes[kind], ["C_CONTIGUOUS", "ALIGNED"])


def bind(
    program: Program, arrays: Mapping[str, Any], dtype: str
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The inputs in the kernel's form, and the size of every dimension.

    Raises:
        SpecError: an input is missing or unknown.
        ShapeError: the sizes do not fit.
        DataError: an array holds no real numbers, or a label is no class.
    """
    wanted = {i.name: i.shape for i in program.inputs}
    for name in [*wanted, *arrays]:
        if name not in arrays or name not in wanted:
            raise SpecError(
                f"{name!r} is {'missing' if name in wanted else 'no input of the loss'}.",
                expected=", ".join(wanted),
                got=", ".join(arrays) or "nothing",
            )
    made = {i.name: as_array(i.name, arrays[i.name], dtype, i.kind) for i in program.inputs}
    sizes = bind_dims(wanted, {n: a.shape for n, a in made.items()})
    check_labels(program, made, sizes)
    return made, sizes
