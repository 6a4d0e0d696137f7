"""Bringing a caller's arrays into the form that a kernel takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError, SpecError
from symgrad.ops.dims import bind_dims
from symgrad.program import Program, Recent, check_labels, labels_of

_DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "int": np.dtype(np.int64),
    "bool": np.dtype(np.bool_),
}


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
    wanted = _DTYPES[dtype if kind == "real" else kind]
    if type(value) is np.ndarray and value.dtype is wanted and value.flags.carray:
        return value
    array = of_kind(name, real_array(name, value), kind)
    return np.require(array, wanted, ["C_CONTIGUOUS", "ALIGNED"])


_solved: Recent[tuple[Program, dict[str, int], bool]] = Recent(256)
"""For a program (held, so that no other takes its id) and shapes: the sizes, and whether there are labels."""


def bind(
    program: Program, arrays: Mapping[str, Any], dtype: str
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The inputs in the kernel's form, and the size of every dimension.

    Raises:
        SpecError: an input is missing or unknown.
        ShapeError: the sizes do not fit.
        DataError: an array holds no real numbers, or a label is no class.
    """
    wanted = program.shapes
    if wanted.keys() != arrays.keys():
        name = next(n for n in [*wanted, *arrays] if n not in arrays or n not in wanted)
        raise SpecError(
            f"{name!r} is {'missing' if name in wanted else 'no input of the loss'}.",
            expected=", ".join(wanted),
            got=", ".join(arrays) or "nothing",
        )
    made = {i.name: as_array(i.name, arrays[i.name], dtype, i.kind) for i in program.inputs}
    key = (id(program), *[a.shape for a in made.values()])
    known = _solved.get(key)
    if known is None:
        sizes = bind_dims(wanted, {n: a.shape for n, a in made.items()})
        labelled = any(labels_of(i.domain) is not None for i in program.inputs)
        known = _solved.put(key, (program, sizes, labelled))
    _, sizes, labelled = known
    if labelled:
        check_labels(program, made, sizes)
    return made, dict(sizes)
