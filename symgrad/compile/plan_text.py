"""Pieces of a printed plan: amounts, shapes, operations, tables."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.ops.scalars import numpy_text
from symgrad.program import Binding

_PREFIXES = ("", " k", " M", " G", " T", " P")
_WIDEST = 44


def amount(value: object) -> str:
    """A number with three digits and a prefix, ``257 M``; a formula as it is."""
    if isinstance(value, sympy.Basic) and value.free_symbols:
        return str(value).replace("*", "·") if "**" not in str(value) else str(value)
    number, k = float(value), 0  # type: ignore[arg-type]
    while number >= 999.5 and k < len(_PREFIXES) - 1:
        number, k = number / 1000, k + 1
    return f"{number:.3g}{_PREFIXES[k]}"


def count(number: int) -> str:
    """A number with spaces between its thousands."""
    return f"{number:,}".replace(",", " ")


def memory(value: object) -> str:
    """Bytes, ``1.5 kB``."""
    text = amount(value)
    if isinstance(value, sympy.Basic) and value.free_symbols:
        return f"{text} bytes"
    return f"{text}B" if " " in text else f"{text} B"


def size_text(shape: Shape) -> str:
    """``n×d``; nothing for a number."""
    return "×".join(map(str, shape))


def operation(b: Binding) -> str:
    """What a binding computes: ``v1 - y``, ``matmul(x, w)``."""
    if b.op in ("constant", "pointwise"):
        fn = sympy.sympify(b.attrs["value" if b.op == "constant" else "fn"])
        names = {ARG(i): a for i, a in enumerate(b.args)}
        sizes = {s: s.name for s in fn.free_symbols if s not in names}
        text = numpy_text(fn, {**sizes, **names}).replace("np.", "")
    else:
        text = f"{b.op}({', '.join(b.args)})"
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns, under their heads."""
    everything = [head, *rows]
    widths = [max(len(r[k]) for r in everything) for k in range(len(head))]
    return ["  ".join(f"{x:<{w}}" for x, w in zip(r, widths, strict=True)).rstrip() for r in everything]
