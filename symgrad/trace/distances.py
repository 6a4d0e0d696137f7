"""``scipy.spatial.distance``: distances between the rows of two matrices, and between two vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import format_shape
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.norms import norm
from symgrad.trace.reductions import amax
from symgrad.trace.refusals import refused

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]


def _squared(builder: Builder, u: Traced, v: Traced) -> Traced:
    return ops.total(ops.elementary(builder, "square", u - v), -1)


def _manhattan(builder: Builder, u: Traced, v: Traced) -> Traced:
    return ops.total(ops.elementary(builder, "abs", u - v), -1)


def _largest(builder: Builder, u: Traced, v: Traced) -> Traced:
    return amax(builder, ops.elementary(builder, "abs", u - v), -1)


def _cosine(builder: Builder, u: Traced, v: Traced) -> Traced:
    return 1 - ops.total(u * v, -1) / (norm(builder, u, axis=-1) * norm(builder, v, axis=-1))


METRICS: dict[str, Rule] = {
    "euclidean": lambda b, u, v: norm(b, u - v, axis=-1),
    "sqeuclidean": _squared,
    "cityblock": _manhattan,
    "chebyshev": _largest,
    "cosine": _cosine,
}
"""Along the last axis; the derivative of the Euclidean distance of equal points is 0."""


def _metric(name: Any, where: str) -> Rule:
    if not isinstance(name, str) or name not in METRICS:
        raise UnsupportedError(
            "This distance is not traced.", where=where, expected=" or ".join(METRICS), got=repr(name)
        )
    return METRICS[name]


def cdist(builder: Builder, XA: Any, XB: Any, metric: Any = "euclidean") -> Traced:
    """The distance of each row of XA (n, d) from each row of XB (m, d): (n, m)."""
    first, second = ops.lift(builder, XA), ops.lift(builder, XB)
    for a in (first, second):
        if a.ndim != 2:
            raise ShapeError("cdist takes two matrices.", where="cdist", got=format_shape(a.dims))
    found: Traced = _metric(metric, "cdist")(
        builder, moves.expand_dims(first, 1), moves.expand_dims(second, 0)
    )
    return found


def _between(name: str) -> Rule:
    def rule(builder: Builder, u: Any, v: Any) -> Traced:
        first, second = ops.lift(builder, u), ops.lift(builder, v)
        for a in (first, second):
            if a.ndim != 1:
                raise ShapeError(f"{name} takes two vectors.", where=name, got=format_shape(a.dims))
        found: Traced = METRICS[name](builder, first, second)
        return found

    return rule


_PAIRS = "use cdist(X, X), and sum over it or over np.triu(cdist(X, X), 1)"

SCIPY_DISTANCE: dict[str, Rule] = {
    "cdist": cdist,
    **{name: _between(name) for name in METRICS},
    **{name: refused(name, _PAIRS, within="scipy.spatial.distance.") for name in ("pdist", "squareform")},
}
"""By the name in ``scipy.spatial.distance``; each rule takes the builder first."""
