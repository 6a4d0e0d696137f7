"""The results of ``sg.lambdify``: the expressions in lists, dicts and matrices, and putting their values back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symgrad.errors import SpecError, UnsupportedError


@dataclass(frozen=True)
class Grid:
    """The entries of one result, by their position: one at () but for explicit matrices and arrays."""

    shape: tuple[int, ...]
    entries: dict[tuple[int, ...], Any]

    def positions(self) -> list[tuple[int, ...]]:
        """Where the entries are."""
        return list(self.entries)


def grid_of(e: Any) -> Grid:
    """The entries of an expression, of an explicit matrix or array."""
    if isinstance(e, sympy.MatrixBase):
        rows, columns = e.shape
        return Grid(e.shape, {(i, j): e[i, j] for i in range(rows) for j in range(columns)})
    if isinstance(e, sympy.NDimArray):
        return Grid(e.shape, {p: e[p] for p in np.ndindex(*e.shape)})
    return Grid((), {(): e})


def taken_apart(expr: Any) -> tuple[Any, list[Any]]:
    """Lists, tuples and dicts with the number of an expression in place of each, and the expressions."""
    found: list[Any] = []

    def part(e: Any) -> Any:
        if isinstance(e, dict):
            return {key: part(value) for key, value in e.items()}
        if isinstance(e, (list, tuple, sympy.Tuple)):
            return [part(x) for x in e] if isinstance(e, list) else tuple(part(x) for x in e)
        if isinstance(e, (bool, int, float, sympy.Basic, sympy.MatrixBase)):
            known = sympy.sympify(e)
            found.append(known.as_immutable() if isinstance(known, sympy.MatrixBase) else known)
            if isinstance(known, (sympy.MatrixBase, sympy.NDimArray)) and 0 in known.shape:
                raise UnsupportedError("A matrix without entries has no rule.", got=str(known.shape))
            return len(found) - 1
        raise SpecError(
            "This is no SymPy expression.",
            where="expr",
            expected="an expression, a matrix, or lists, tuples and dicts of them",
            got=type(e).__name__,
        )

    template = part(expr)
    if not found:
        raise SpecError("There is nothing to compute.", where="expr", got=repr(expr))
    return template, found


def put_together(template: Any, results: Sequence[Any]) -> Any:
    """The values in the places of their numbers."""
    if isinstance(template, int):
        return results[template]
    if isinstance(template, dict):
        return {key: put_together(value, results) for key, value in template.items()}
    return type(template)([put_together(t, results) for t in template])
