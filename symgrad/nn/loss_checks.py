"""What losses refuse: unknown reductions, shapes that would broadcast, weights that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.errors import ShapeError, SpecError

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(where: str, reduction: str) -> None:
    """Refuse anything but "mean", "sum" and "none"."""
    if reduction not in REDUCTIONS:
        raise SpecError(
            f"{where} has no such reduction",
            where=f"{where}, reduction",
            expected="'mean', 'sum' or 'none'",
            got=repr(reduction),
        )


def shape_of(x: Any) -> tuple[Any, ...]:
    """The shape; of an array that stands for all sizes, numbers and symbols."""
    for attribute in ("dims", "shape"):
        if hasattr(x, attribute):
            return tuple(getattr(x, attribute))
    return np.shape(x)


def _refusal(what: str, left: tuple[Any, ...], right: tuple[Any, ...], **parts: Any) -> ShapeError:
    """The error, with the two sizes that differ: a derivation may find that one has to be the other."""
    error = ShapeError(what, **parts)
    differing = [(a, b) for a, b in zip(left, right, strict=False) if a != b]
    if len(left) == len(right) and differing:
        error.clash = differing[0]
    return error


def _broadcast(*shapes: tuple[Any, ...]) -> tuple[int, ...] | None:
    """The common shape; None where there is none, or where lengths are symbols."""
    if not all(isinstance(length, int) for shape in shapes for length in shape):
        return None
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def check_same_shape(where: str, x: Any, target: Any) -> None:
    shapes = shape_of(x), shape_of(target)
    if shapes[0] == shapes[1]:
        return
    together = _broadcast(*shapes)
    text = f"{shapes[0]} and {shapes[1]}"
    raise _refusal(
        f"{where} compares element by element, and the shapes differ",
        *shapes,
        where=f"{where}(input, target)",
        expected="equal shapes",
        got=text if together is None else f"{text}, which would broadcast to {together}",
        fix="reshape one to the other's shape, e.g. target.reshape(input.shape)",
    )


def check_weight(where: str, weight: Any, shape: tuple[Any, ...]) -> None:
    """A weight may broadcast to the losses, never the losses to it."""
    if _broadcast(shape_of(weight), shape) not in (shape, None) or len(shape_of(weight)) > len(shape):
        raise ShapeError(
            f"a weight of {where} does not fit",
            where=f"{where}, weight",
            expected=f"a shape that broadcasts to {shape}",
            got=shape_of(weight),
        )


def check_class_weight(where: str, weight: Any, classes: Any) -> None:
    if weight is not None and shape_of(weight) != (classes,):
        raise _refusal(
            f"{where} takes one weight per class",
            (classes,),
            shape_of(weight),
            where=f"{where}, weight",
            expected=f"({classes},)",
            got=shape_of(weight),
        )
