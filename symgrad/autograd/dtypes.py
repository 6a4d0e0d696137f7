"""Data types of tensors: thin names over NumPy's, printed as `symgrad.float32`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symgrad.errors import DataError

_KINDS = "biuf"  # bool, signed, unsigned, floating: what a tensor may hold


@dataclass(frozen=True, eq=False)
class DType:
    """One element type.  Equal to, and accepted in place of, the NumPy dtype of the same name.

    Args:
        name: the name that is printed after `symgrad.`.
        dtype: the NumPy dtype; under this attribute name NumPy itself accepts a `DType`.
    """

    name: str
    dtype: np.dtype

    def __repr__(self) -> str:
        return f"symgrad.{self.name}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.dtype == other.dtype
        try:
            return self.dtype == np.dtype(other)  # type: ignore[call-overload]
        except TypeError:
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __reduce__(self) -> tuple[object, ...]:
        return dtype_of, (self.dtype.name,)

    @property
    def is_floating_point(self) -> bool:
        return self.dtype.kind == "f"

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize


bool_ = DType("bool", np.dtype(np.bool_))
uint8 = DType("uint8", np.dtype(np.uint8))
int8 = DType("int8", np.dtype(np.int8))
int16 = DType("int16", np.dtype(np.int16))
int32 = DType("int32", np.dtype(np.int32))
int64 = DType("int64", np.dtype(np.int64))
float16 = DType("float16", np.dtype(np.float16))
float32 = DType("float32", np.dtype(np.float32))
float64 = DType("float64", np.dtype(np.float64))

_BY_NAME = {t.dtype.name: t for t in (bool_, uint8, int8, int16, int32, int64, float16, float32, float64)}


def numpy_dtype(dtype: object) -> np.dtype:
    """The NumPy dtype meant by a `DType`, a NumPy dtype, a name or a Python type.

    Raises:
        DataError: it is none of these, or one that a tensor cannot hold (complex, object, text).
    """
    if isinstance(dtype, DType):
        return dtype.dtype
    if dtype is float:
        return float32.dtype  # as in torch and OneFlow, Python's float names the default type
    try:
        found = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        raise DataError(
            "this is no element type", where="dtype", got=repr(dtype), fix="symgrad.float32"
        ) from None
    check_numeric(found)
    return found


def check_numeric(dtype: np.dtype) -> None:
    """Refuse element types that the tape has no arithmetic for.

    Raises:
        DataError: complex numbers, objects, text, dates.
    """
    if dtype.kind not in _KINDS:
        raise DataError(
            "a tensor cannot hold this kind of element",
            where="dtype",
            expected="bool, integer or floating point numbers",
            got=str(dtype),
            fix="convert the array first, e.g. np.asarray(a, dtype=np.float32)",
        )


def dtype_of(dtype: np.dtype | str) -> DType:
    """The `DType` of a NumPy dtype; one without a name of its own (longdouble) is named as NumPy does."""
    found = np.dtype(dtype)
    return _BY_NAME.get(found.name) or DType(found.name, found)
