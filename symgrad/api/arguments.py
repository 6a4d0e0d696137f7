"""The arrays that a derivation is called with: checked, and given to the NumPy source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError, SpecError
from symgrad.ops.dims import bind_dims
from symgrad.program import FAILURES, Program, check_labels, explained, numpy_callable


def checked(program: Program, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """One array for each input, in the order of the inputs.

    Raises:
        SpecError: an input is missing or unknown; DataError: no numbers.
    """
    from symgrad.compile import real_array

    wanted = [i.name for i in program.inputs]
    for name in [*wanted, *given]:
        if name not in given or name not in wanted:
            raise SpecError(
                f"{name!r} is {'missing' if name in wanted else 'no input of the loss'}.",
                where="call",
                expected=", ".join(wanted),
                got=", ".join(given) or "nothing",
            )
    return {n: real_array(n, given[n]) for n in wanted}


def evaluate(program: Program, values: Mapping[str, np.ndarray]) -> tuple[Any, np.dtype[Any]]:
    """What the program's NumPy source returns for checked arrays, and the dtype that they promote to.

    Raises:
        ShapeError: sizes do not fit; DataError: other numbers where whole ones are needed, a division by a size 0,
            a matrix without an inverse, an index out of range.
    """
    from symgrad.compile.arrays import of_kind

    wanted = {i.name: i for i in program.inputs}
    sizes = bind_dims({n: i.shape for n, i in wanted.items()}, {n: a.shape for n, a in values.items()})
    check_labels(program, values, sizes)
    floats = [a.dtype for a in values.values() if a.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    # Whole numbers are cast first: in their own dtype they would wrap around.
    ready = [
        a if a.dtype.kind == "f" or wanted[n].kind != "real" else a.astype(dtype)
        for n, a in ((n, of_kind(n, a, wanted[n].kind)) for n, a in values.items())
    ]
    try:
        return numpy_callable(program)(*ready), dtype
    except ZeroDivisionError:
        empty = [n for n, a in values.items() if a.size == 0]
        raise DataError(
            "The formula divides by a size that is 0.",
            where=", ".join(empty) or "call",
            fix="pass some rows",
        ) from None
    except FAILURES as error:
        raise explained(error, "call") from error
