"""Where the largest and the smallest entry of an axis are, as whole numbers; of equal entries the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.ops.record import Attrs, Example, Op, Type, Whole
from symgrad.ops.reduction import called, options, reduced_shape, stacking
from symgrad.ops.scalars.functions import Greater, GreaterEqual, Less, LessEqual
from symgrad.ops.sum import sum_attrs


def _argextremum(name: str, word: str) -> Op:
    before, after = (Greater, GreaterEqual) if name == "argmax" else (Less, LessEqual)

    def place(line: Sequence[Any]) -> Any:
        cases = []
        for j, entry in enumerate(line):
            beats = [before(entry, other) for other in line[:j]]
            holds = [after(entry, other) for other in line[j + 1 :]]
            cases.append(j * sympy.Mul(*beats, *holds))
        return sympy.Add(*cases)

    def define(args: Sequence[Type], attrs: Attrs, out: Type) -> Whole:
        def fn(a: Any) -> Any:
            import numpy as np

            moved = np.moveaxis(a, attrs["axes"][0], -1)
            result = np.empty(moved.shape[:-1], dtype=object)
            for at in np.ndindex(*moved.shape[:-1]):
                result[at] = place(list(moved[at]))
            return result.reshape(out.shape)

        return Whole(fn)

    return Op(
        name=name,
        infer=lambda args, attrs: Type(reduced_shape(args[0].shape, attrs), "int"),
        vjp=lambda e, node, g: [None],
        define=define,
        numpy=lambda args, attrs, dim: f"np.{name}({args[0]}{options(attrs)})",
        notation=lambda style, args, attrs: called(style, name, args[0], attrs),
        magnitude=lambda args, attrs, out: abs(out),
        roundings=lambda shapes, attrs: 0,
        rule=f"the place of the {word} entry is piecewise constant  ⇒  nothing flows back",
        why=("the place does not move while the entries move a little, so its derivative is 0",),
        source="definition; of equal entries the first counts",
        examples=(
            Example((("n",),), sum_attrs(1, (0,)), nonempty=True),
            Example((("n", "d"),), sum_attrs(2, (1,)), nonempty=True),
            Example((("n", "d"),), sum_attrs(2, (0,), keepdims=True), nonempty=True),
        ),
        stack=stacking(name),
    )


ARGMAX = _argextremum("argmax", "largest")
ARGMIN = _argextremum("argmin", "smallest")
