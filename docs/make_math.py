"""Write docs/math.md from the records of vector mathematics: ``python docs/make_math.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symgrad.compile.vector_math import OPTIONS, VECTOR_MATH, VectorFunction

PAGE = Path(__file__).with_name("math.md")

HEAD = """\
# Vector mathematics

Written by `python docs/make_math.py` from the records in `symgrad/compile/vector_math`. Do not edit it: change the
record.

These functions stand in the kernel files that use them, because numba's own are one call of libm for each entry. They
have no branches, so that LLVM computes as many entries at once as a register holds. The columns of errors are upper
bounds in units in the last place: a test holds each function against 160 binary digits, at random arguments of every
size and at the neighbours of all places where something changes, subnormal numbers included; float32 was measured
at a seventh of all its numbers besides. NaN stays NaN.

"""

TAIL = f"""
The polynomials have the smallest largest error that their degree allows; `docs/make_coefficients.py` computes them.
In loops numba's options are `{OPTIONS}`: a product and a sum
may become one operation, and nothing else may be rearranged, whatever the flags of the loop around them. Without numba
there is no fused operation, and the errors can be half a unit larger.

`logaddexp` is as exact as its larger argument: where its result is near 0 all digits may cancel, as in NumPy.

`python tests/benchmarks/run.py exp tanh log log1p sigmoid softplus erf` measures the times beside NumPy's and SciPy's;
`python tests/benchmarks/vector_loops.py` counts the vector instructions of each loop, and shows which shapes of loop
become vectors.
"""


def page() -> str:
    """The text of docs/math.md."""
    head = ("function", "how", "float32", "float64", "at")
    rows = [head, ("---",) * len(head), *(tuple(_row(f)) for f in VECTOR_MATH.values())]
    return (
        HEAD + "".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in r)} |\n" for r in rows) + TAIL
    )


def _row(f: VectorFunction) -> Iterator[str]:
    yield f"`{f.name}`"
    yield f.method
    yield from (f"{f.ulp[p]:g}" for p in ("float32", "float64"))
    yield ", ".join(
        f"({', '.join(map(_number, row))}) ↦ {_number(value)}" for row, value in f.at if value == value
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("inf", "∞").replace("nan", "NaN").replace("-", "−")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
