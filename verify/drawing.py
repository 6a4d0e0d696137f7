"""Drawing sizes, values and memory layouts.

One description serves two sources of choice: hypothesis, which shrinks, and a seeded generator, which runs
where hypothesis cannot (inside a user's own ``@given`` test) and for the fixed cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from symgrad.errors import SpecError
from symgrad.ops.dims import shape_of
from symgrad.program import Input, at_sizes, kind_of, labels_of
from symgrad.program.domains import Labels
from verify.sizes import Plan

T = TypeVar("T")

KINDS = ("integers", "ordinary", "ties", "zeros", "ones", "negative", "large", "wide", "small", "huge")
"""Kinds of values, the most readable first."""

LAYOUTS = ("plain", "transposed", "strided", "read-only")
"""Memory layouts, the plain one first."""

SCALES = {"large": 30.0, "small": 1e-8, "huge": 1e8}


class Source(Protocol):
    """Where choices come from."""

    def integer(self, low: int, high: int) -> int: ...
    def choose(self, options: Sequence[T]) -> T: ...


class Seeded:
    """Choices from NumPy's generator."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self.generator.integers(low, high, endpoint=True))

    def choose(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]


@dataclass(frozen=True)
class Case:
    """Arrays by name, and in words how they were drawn."""

    arrays: Mapping[str, Any]
    label: str


def symbols_of(inputs: Sequence[Input]) -> tuple[str, ...]:
    """The dimension symbols, in the order in which the inputs show them."""
    seen: dict[str, None] = {}
    for i in inputs:
        for d in i.shape:
            for s in sorted(getattr(d, "free_symbols", ()), key=str):
                seen.setdefault(s.name)
    return tuple(seen)


def draw_sizes(source: Source, symbols: Sequence[str], largest: int = 4) -> dict[str, int]:
    """Small sizes: mostly unequal, sometimes all equal, 1 or 0."""
    mode = source.choose(("free", "equal", "zero"))
    if mode == "equal":
        size = source.integer(1, largest - 1)
        return dict.fromkeys(symbols, size)
    sizes = {s: source.integer(1, largest) for s in symbols}
    if mode == "zero" and symbols and source.integer(0, 3) == 3:
        sizes[source.choose(symbols)] = 0
    return sizes


def draw_values(source: Source, shape: tuple[int, ...], kind: str, domain: str, dtype: Any) -> Any:
    """An array of this kind, brought into its domain."""
    count = int(np.prod(shape, dtype=int))
    labels = labels_of(domain)
    if labels is not None:
        last = _classes(labels) - (labels.mark is None)
        return _marked(
            np.array([source.integer(0, last) for _ in range(count)], dtype=np.int64), labels
        ).reshape(shape)
    if kind in ("integers", "ties"):
        reach = 3 if kind == "integers" else 1
        flat = [source.integer(-reach, reach) for _ in range(count)]
        if kind_of(domain) != "real":
            return into_domain(np.array(flat, dtype=np.int64).reshape(shape), domain)
        return np.asarray(into_domain(np.array(flat, dtype=np.float64).reshape(shape), domain), dtype=dtype)
    return values(np.random.default_rng(source.integer(0, 2**16)), shape, kind, domain, dtype)


def values(generator: np.random.Generator, shape: tuple[int, ...], kind: str, domain: str, dtype: Any) -> Any:
    """An array of this kind from NumPy's generator."""
    labels = labels_of(domain)
    if labels is not None:
        return _marked(generator.integers(0, _classes(labels) + (labels.mark is not None), shape), labels)
    if kind_of(domain) != "real":
        return into_domain(generator.integers(-3, 4, shape), domain)
    if kind == "integers":
        array = generator.integers(-3, 4, shape).astype(np.float64)
    elif kind == "ties":
        array = generator.integers(-1, 2, shape).astype(np.float64)
    elif kind in ("zeros", "ones"):
        array = np.full(shape, float(kind == "ones"))
    else:
        array = np.asarray(generator.standard_normal(shape))
        if kind == "negative":
            array = -np.abs(array)
        elif kind == "wide":
            array = array * 10.0 ** generator.integers(-8, 9, shape)
        else:
            array = array * SCALES.get(kind, 1.0)
    return np.asarray(into_domain(array, domain), dtype=dtype)


def _classes(labels: Labels) -> int:
    """How many classes there are.

    Raises:
        SpecError: the limit is a size without a number.
    """
    if not isinstance(labels.limit, int) or labels.limit < 1:
        raise SpecError(
            "There is nothing to draw labels from.",
            where="domains",
            expected="one class or more: labels k with a size k of the shapes, or with a number",
            got=labels,
            fix="write the number of classes, such as 'labels 10'",
        )
    return labels.limit


def _marked(drawn: Any, labels: Labels) -> Any:
    """Labels from whole numbers up to the number of classes, which stands for the mark."""
    return drawn if labels.mark is None else np.where(drawn == labels.limit, labels.mark, drawn)


def into_domain(array: Any, domain: str) -> Any:
    """Arrays that satisfy the restriction, made from unrestricted ones."""
    if domain == "positive":
        return np.abs(array) + np.where(np.abs(array) < 0.5, 0.5, 0.0)
    if domain == "nonzero":
        return np.where(array == 0, 1.0, array)
    if domain == "prob":
        return (1 + array / (1 + np.abs(array)) * 0.75) / 2
    if domain == "binary":
        return (array > 0).astype(np.float64)
    if domain == "onehot" and array.ndim and array.shape[-1]:
        return (np.arange(array.shape[-1]) == np.argmax(array, axis=-1)[..., None]).astype(np.float64)
    if domain == "bool":
        return array > 0
    if domain == "spd" and array.ndim >= 2:
        return array @ np.swapaxes(array, -1, -2) + np.eye(array.shape[-1])
    return array


def lay_out(array: Any, layout: str) -> Any:
    """The same numbers in another memory layout."""
    if layout == "transposed" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        room[..., ::2] = array
        return room[..., ::2]
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


def draw_case(
    source: Source, inputs: Sequence[Input], dtype: Any, simple: bool = False, plan: Plan | None = None
) -> Case:
    """Sizes, one kind of values for each input (mostly one for all), and a layout.

    Args:
        source: where choices come from.
        inputs: what is to be drawn.
        dtype: of the arrays.
        simple: small integers in plain arrays only.
        plan: which sizes go together.
    """
    sizes = draw_sizes(source, symbols_of(inputs), 3 if simple else 4)
    sizes = (plan or Plan()).fit(sizes, inputs)
    shared = "integers" if simple else source.choose(KINDS)
    mixed = not simple and source.integer(0, 3) == 3
    layout = "plain" if simple else source.choose(LAYOUTS)
    arrays = {}
    for i in inputs:
        kind = source.choose(KINDS) if mixed else shared
        array = draw_values(source, shape_of(i.shape, sizes), kind, at_sizes(i.domain, sizes), dtype)
        arrays[i.name] = lay_out(array, layout)
    return Case(arrays, f"{'mixed' if mixed else shared} values, {layout}")
