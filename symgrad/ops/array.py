"""An array of numbers that stands in the formula itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isinf
from typing import Any

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import Attrs, Example, Magnitude, Notation, Op, Piece, Type, Whole
from symgrad.ops.scalars.printer import ATOM

LITERAL = 400
"""Up to so many entries are written out in source text; more are written as the bytes that they are."""
SHOWN = 12

KINDS = {"f": "real", "i": "int", "u": "int", "b": "bool"}


@dataclass(frozen=True)
class Numbers:
    """The entries of an array: bytes in C order, NumPy's name for their dtype, the shape."""

    data: bytes
    dtype: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, array: Any) -> Numbers:
        """The entries of a NumPy array of floats, whole numbers or truth values."""
        import numpy as np

        plain = np.ascontiguousarray(array)
        plain = plain.astype(plain.dtype.newbyteorder("<"))
        return cls(plain.tobytes(), plain.dtype.str, tuple(np.shape(array)))

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


@lru_cache(maxsize=128)
def as_array(numbers: Numbers) -> Any:
    """The NumPy array (read-only)."""
    import numpy as np

    return np.frombuffer(numbers.data, numbers.dtype).reshape(numbers.shape)


@lru_cache(maxsize=32)
def _exact(numbers: Numbers) -> Any:
    import numpy as np

    array = as_array(numbers)
    out = np.empty(array.shape, dtype=object)
    for at in np.ndindex(*array.shape):
        entry = array[at].item()
        out[at] = _exact_entry(entry)
    return out


def _exact_entry(entry: Any) -> Any:
    if not isinstance(entry, float):
        return sympy.Integer(entry)
    if isinf(entry):
        return sympy.oo if entry > 0 else -sympy.oo
    return sympy.Rational(*entry.as_integer_ratio())


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
    return Whole(lambda: _exact(attrs["numbers"]))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Any], str]) -> str:
    numbers = attrs["numbers"]
    array = as_array(numbers)
    usual = {"f": "<f8", "i": "<i8", "b": "|b1"}.get(array.dtype.kind)
    if 0 < array.size <= LITERAL:
        dtype = "" if numbers.dtype == usual else f", dtype=np.{array.dtype.name}"
        entries = repr(array.tolist()).replace("inf", "np.inf")
        return f"np.array({entries}{dtype})"
    return f"np.frombuffer(bytes.fromhex({numbers.data.hex()!r}), {numbers.dtype!r}).reshape({numbers.shape})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    array = as_array(attrs["numbers"])
    if array.size > SHOWN:
        sizes = [style.scalar(sympy.Integer(d), ()) for d in array.shape]
        return Piece(style.call("array", *sizes).text, ATOM, array.ndim)
    exact = _exact(attrs["numbers"])

    def text(part: Any) -> str:
        if getattr(part, "ndim", 0):
            return f"[{', '.join(text(p) for p in part)}]"
        return style.scalar(part, ()).text

    return Piece(text(exact), ATOM, array.ndim)


def _sympy(args: Sequence[Any], shapes: Sequence[Shape], attrs: Attrs, out: Shape) -> Any:
    if len(out) > 2:
        return None
    rows = int(out[0])
    return sympy.ImmutableMatrix(
        rows, int(out[1]) if len(out) == 2 else 1, list(_exact(attrs["numbers"]).flat)
    )


def _example(entries: Any, dtype: str) -> Example:
    import numpy as np

    return Example((), {"numbers": Numbers.of(np.array(entries, dtype=dtype))})


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    return np.abs(out)


ARRAY = Op(
    name="array",
    infer=lambda args, attrs: Type(attrs["numbers"].shape, KINDS[attrs["numbers"].dtype[1]]),
    vjp=lambda e, node, g: (),
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 0,
    rule="a constant has no gradient  ⇒  nothing flows back",
    why=("the numbers are the same whatever the arguments are",),
    source="definition",
    examples=(
        _example([[0.1, -2.5, 3.0], [1e-3, 0.0, 7.0]], "f8"),
        _example([3, -1, 2], "i8"),
        _example([True, False], "?"),
        _example([0.5] * 399 + [0.25, 0.125], "f4"),
    ),
    sympy=_sympy,
)
