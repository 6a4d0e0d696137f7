"""The largest and the smallest entry over axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from symgrad.ops.scalars.functions import Equal
from symgrad.ops.sum import sum_attrs


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    return Type(reduced_shape(args[0].shape, attrs), args[0].kind)


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    (a,), attrs = node.args, node.attrs
    shape = e.type(a).shape
    reached = e.emit("pointwise", a, spread(e, node.name, shape, attrs), fn=Equal(ARG(0), ARG(1)))
    ties = e.emit("sum", reached, **sum_attrs(len(shape), attrs["axes"], keepdims=True))
    return [e.pointwise(ARG(0) * ARG(1) / ARG(2), spread(e, g, shape, attrs), reached, ties)]


def _extremum(name: str, word: str) -> Op:
    def define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
        shape = args[0].shape
        access = Access(0, entry_index(len(shape), attrs))
        return Definition(len(out.shape), (access,), ARG(0), reduced_sizes(shape, attrs), combine=name)

    def magnitude(args: Sequence[Magnitude], attrs: Attrs, out: Any) -> Any:
        # Any entry that comes near may be the one that is taken.
        return args[0].size.max(axis=tuple(attrs["axes"]), keepdims=attrs["keepdims"])

    return Op(
        name=name,
        infer=_infer,
        vjp=_vjp,
        define=define,
        numpy=lambda args, attrs, dim: f"np.{name}({args[0]}{options(attrs)})",
        notation=lambda style, args, attrs: called(style, name, args[0], attrs),
        magnitude=magnitude,
        roundings=lambda shapes, attrs: 0,
        rule=f"m = {name} A  ⇒  Ā = m̄ ⊙ [A = m] / (number of entries with A = m)",
        why=(
            f"a small change of m follows the {word} entry alone; at a tie the derivative jumps, the "
            "subdifferential is the convex hull of the tied entries' slopes, and its middle is taken: "
            "they share the adjoint equally",
        ),
        source="Boyd and Vandenberghe (2004), Convex Optimization, 3.2.3; Rockafellar (1970), Convex Analysis, "
        "sec. 23 (subdifferential of a maximum)",
        examples=(
            Example((("n", "d"),), sum_attrs(2, (0, 1)), nonempty=True),
            Example((("n", "d"),), sum_attrs(2, (0,)), nonempty=True),
            Example((("n", "d"),), sum_attrs(2, (1,)), nonempty=True),
            Example((("n", "d"),), sum_attrs(2, (1,), keepdims=True), nonempty=True),
            Example((("n",),), sum_attrs(1, (0,)), nonempty=True),
            Example((("n", "d", "k"),), sum_attrs(3, (0, 2)), nonempty=True),
        ),
        stack=stacking(name),
    )


MAX = _extremum("max", "largest")
MIN = _extremum("min", "smallest")
