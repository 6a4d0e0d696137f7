"""Hypothesis strategies made from shapes and domains; for your own ``@given`` tests too.

    @given(verify.strategies.arrays({"x": "n d", "w": "d 1"}))
    def test_it(arrays): ...

Everything shrinks towards small sizes, plain arrays and small integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from symgrad.ops.dims import parse_shape
from symgrad.program import Input, kind_of
from verify.drawing import KINDS, LAYOUTS, Case, draw_case, draw_sizes, draw_values, lay_out, symbols_of
from verify.sizes import Plan

T = TypeVar("T")


class Drawn:
    """Choices from hypothesis."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return int(self._draw(_integers(low, high)))

    def choose(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]


def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def inputs_of(shapes: Mapping[str, object], domains: Mapping[str, str] | None = None) -> tuple[Input, ...]:
    """The inputs that shapes and domains describe."""
    return tuple(
        Input(name, parse_shape(shape), kind_of(domain), domain)
        for name, shape in shapes.items()
        for domain in [(domains or {}).get(name, "real")]
    )


@st.composite
def sizes(draw: Any, shapes: Mapping[str, object]) -> dict[str, int]:
    """A value for each dimension symbol: mostly unequal, sometimes all equal, 1 or 0."""
    return draw_sizes(Drawn(draw), symbols_of(inputs_of(shapes)))


@st.composite
def values(
    draw: Any, shape: tuple[int, ...], domain: str = "real", dtype: Any = "float64", kind: str | None = None
) -> Any:
    """An array of a fixed shape; ``kind`` is one of ``verify.drawing.KINDS`` or None for any."""
    source = Drawn(draw)
    return draw_values(source, shape, kind or source.choose(KINDS), domain, np.dtype(dtype))


@st.composite
def layouts(draw: Any, array: Any) -> Any:
    """The same array plain, transposed in memory, strided, or read-only."""
    return lay_out(array, Drawn(draw).choose(LAYOUTS))


@st.composite
def arrays(
    draw: Any,
    shapes: Mapping[str, object],
    domains: Mapping[str, str] | None = None,
    dtype: Any = "float64",
) -> dict[str, Any]:
    """One array for each name in ``shapes``, with sizes that fit together."""
    return dict(draw_case(Drawn(draw), inputs_of(shapes, domains), np.dtype(dtype)).arrays)


@st.composite
def cases(
    draw: Any, inputs: Sequence[Input], dtype: Any, simple: bool = False, plan: Plan | None = None
) -> Case:
    """What a check draws; ``simple`` for small integers in plain arrays only."""
    return draw_case(Drawn(draw), inputs, dtype, simple, plan)
