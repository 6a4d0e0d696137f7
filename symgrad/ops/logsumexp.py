"""log Σ exp over axes, without overflow."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import sympy

from symgrad.ops.record import ARG, Access, Attrs, Definition, Emitter, Example, Magnitude, Node, Op, Type
from symgrad.ops.reduction import (
    called,
    entry_index,
    options,
    reduced_shape,
    reduced_sizes,
    spread,
    stacking,
)
from symgrad.ops.sum import sum_attrs


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    (a,), attrs = node.args, node.attrs
    shape = e.type(a).shape
    share = e.emit("pointwise", a, spread(e, node.name, shape, attrs), fn=sympy.exp(ARG(0) - ARG(1)))
    return [e.pointwise(ARG(0) * ARG(1), spread(e, g, shape, attrs), share)]


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    shape = args[0].shape
    access = Access(0, entry_index(len(shape), attrs))
    return Definition(
        len(out.shape),
        (access,),
        sympy.exp(ARG(0)),
        reduced_sizes(shape, attrs),
        after=sympy.log(ARG(0)),
    )


def _numpy(args: Sequence[str], attrs: Attrs, dim: object) -> str:
    # Pairwise logaddexp: it never overflows, and is right for -inf and inf, where a shift by the maximum is not.
    every = {**attrs, "total": False}  # ufunc.reduce takes the first axis unless told
    return f"np.logaddexp.reduce({args[0]}{options(every)})"


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
    import numpy as np

    size = args[0].size.max(axis=tuple(attrs["axes"]), keepdims=attrs["keepdims"], initial=0)
    return np.abs(out) + size


LOGSUMEXP = Op(
    name="logsumexp",
    infer=lambda args, attrs: Type(reduced_shape(args[0].shape, attrs)),
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=lambda style, args, attrs: called(style, "logsumexp", args[0], attrs),
    magnitude=_magnitude,
    roundings=lambda shapes, attrs: 8 * prod(shapes[0][i] for i in attrs["axes"]),
    rule="s = log Σ exp A  ⇒  Ā = s̄ ⊙ exp(A − s), the softmax of A",
    why=("each entry gets the share exp(a − s) that it has in the sum, and the shares add up to 1",),
    source="Boyd and Vandenberghe (2004), Convex Optimization, 3.1.5; Blanchard, Higham and Higham (2021), "
    "Accurately computing the log-sum-exp and softmax functions, eq. 1.3",
    examples=(
        Example((("n", "d"),), sum_attrs(2, (0, 1)), nonempty=True),
        Example((("n", "d"),), sum_attrs(2, (0,)), nonempty=True),
        Example((("n", "d"),), sum_attrs(2, (1,)), nonempty=True),
        Example((("n", "d"),), sum_attrs(2, (1,), keepdims=True), nonempty=True),
        Example((("n",),), sum_attrs(1, (0,)), nonempty=True),
        Example((("n", "d", "k"),), sum_attrs(3, (0, 2)), nonempty=True),
    ),
    stack=stacking("logsumexp"),
)
