"""Write docs/ops.md from the operations' records: ``python docs/make_ops.py``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from symgrad.ops import OPS
from symgrad.ops.dims import format_shape
from symgrad.ops.pointwise import partial
from symgrad.ops.record import ARG, OUT, Op
from symgrad.ops.scalars import ELEMENTARY, Elementary, numpy_text

PAGE = Path(__file__).with_name("ops.md")

HEAD = """\
# Operations

Written by `python docs/make_ops.py` from the records in `symgrad/ops`. Do not edit it: change the record.

A bar marks an adjoint: Ā is the derivative of the loss by A, in the shape of A. ⊙ is the product entry by entry.

## Operations with a rule of their own

"""

MIDDLE = """
## Elementwise functions

All of these are the one operation `pointwise`. Their derivatives are not written by hand: SymPy differentiates the
function in the first formula column. `a`, `b`, `c` are the arguments and `f` is the function's own value. The column
"at a kink" says which slope is used where the function has none. "Differentiable where" is empty when that is
everywhere (off the kink).

"""

DOMAINS = {
    "positive": "{} > 0",
    "unit": "|{}| < 1",
    "nonzero": "{} ≠ 0",
    "above-minus-one": "{} > −1",
    "above-one": "{} > 1",
    "fraction": "{} is neither whole nor half of an odd number",
    "bool": "{} is a condition",
}
LETTERS = "abc"


def page() -> str:
    """The text of docs/ops.md."""
    operations = _table(
        ("operation", "rule", "shapes it is tested at", "source"), map(_operation, OPS.values())
    )
    functions = _table(
        ("function", "value", "derivatives", "NumPy", "differentiable where", "at a kink"),
        map(_function, ELEMENTARY),
    )
    return HEAD + operations + MIDDLE + functions


def _operation(op: Op) -> Iterator[str]:
    yield _code(op.name)
    yield op.rule
    yield "; ".join(dict.fromkeys(", ".join(map(format_shape, e.shapes)) or "none" for e in op.examples))
    yield op.source


def _function(e: Elementary) -> Iterator[str]:
    names = {ARG(i): letter for i, letter in enumerate(LETTERS)} | {OUT: "f"}
    slopes = (numpy_text(partial(e.expr, i), names) for i in range(e.arity))
    yield _code(e.name)
    yield _code(numpy_text(e.expr, names))
    yield ", ".join(_code(slope) for slope in slopes)
    yield _code(f"np.{e.ufunc}") if e.ufunc else ""
    yield ", ".join(DOMAINS[d].format(x) for x, d in zip(LETTERS, e.domain) if d != "real")
    yield e.convention


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *(tuple(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
