"""What is known of a value's form: an array with its axes, a number, a record of several, a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verify.scripts.dims import Axis


@dataclass(frozen=True)
class Array:
    """An array, rank 0 included, with its dtype where the script states it."""

    axes: tuple[Axis, ...]
    dtype: str | None = None


@dataclass(frozen=True)
class Number:
    """A Python number; `axis` where it is the size of one, as `x.shape[0]` is."""

    value: float | int | None
    axis: Axis | None = None


@dataclass(frozen=True)
class Several:
    """A tuple or list, `shape` among them."""

    items: tuple[Kind | None, ...]


@dataclass(frozen=True)
class Record:
    """A dict."""

    entries: Mapping[str, Kind | None]


@dataclass(frozen=True)
class Word:
    """A text, a dtype, None, a slice: what says how and not what."""

    text: str | None


Kind = Array | Number | Several | Record | Word


def axes_of(kind: Kind | None) -> tuple[Axis, ...] | None:
    """The axes of an array or a number; None for everything else."""
    if isinstance(kind, Array):
        return kind.axes
    return () if isinstance(kind, Number) else None


def whole_number(kind: Kind | None) -> int | None:
    """The integer that a number is, where it is one."""
    if isinstance(kind, Number) and isinstance(kind.value, int) and not isinstance(kind.value, bool):
        return kind.value
    return None
