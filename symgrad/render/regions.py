"""Regular parts of arrays: parts of parts, parts of the identity, and sums of parts that fill an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symgrad.ops.dims import same
from symgrad.ops.eye import eye_attrs, is_identity
from symgrad.ops.record import ARG
from symgrad.ops.slice import part_shape
from symgrad.program import Binding, Builder

KEYS = ("start", "step", "size", "drop")


def picked(builder: Builder, op: str, core: str, attrs: Mapping[str, Any]) -> str:
    """A slice, or an array among zeros; of another one at once: A[2:, 1:] for A[2:][:, 1:]."""
    inner = builder.binding(core)
    if inner is not None and inner.op == op:
        first, second = (inner.attrs, attrs) if op == "slice" else (attrs, inner.attrs)
        return picked(builder, op, inner.args[0], _composed(first, second))
    if op == "slice" and inner is not None and is_identity(inner.op, inner.attrs):
        made = _block_of_identity(builder, attrs)
        if made is not None:
            return made
    return builder.emit(op, core, **attrs)


def _composed(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """The region of a region, in the indices of the whole array."""
    start, step, size, drop = [], [], [], list(outer["drop"])
    axes = iter(range(len(inner["size"])))
    for axis, (begin, by, count) in enumerate(zip(outer["start"], outer["step"], outer["size"], strict=True)):
        if axis in outer["drop"]:
            start.append(begin)
            step.append(by)
            size.append(count)
            continue
        at = next(axes)
        start.append(_dim(sympy.sympify(begin) + by * sympy.sympify(inner["start"][at])))
        step.append(by * inner["step"][at])
        size.append(inner["size"][at])
        if at in inner["drop"]:
            drop.append(axis)
    return {
        "shape": outer["shape"],
        "start": tuple(start),
        "step": tuple(step),
        "size": tuple(size),
        "drop": tuple(sorted(drop)),
    }


def _dim(value: sympy.Expr) -> Any:
    value = sympy.expand(value)
    return int(value) if value.is_Integer else value


def _block_of_identity(builder: Builder, attrs: Mapping[str, Any]) -> str | None:
    """A block of I that lies on its diagonal, or beside it; None where that is not known."""
    if attrs["drop"] or tuple(attrs["step"]) != (1, 1):
        return None
    (row, column), (rows, columns) = attrs["start"], attrs["size"]
    off = sympy.expand(sympy.sympify(row) - sympy.sympify(column))
    if off == 0 and same(rows, columns):
        return builder.emit("eye", **eye_attrs(rows))
    if (off - columns).is_nonnegative or (-off - rows).is_nonnegative:
        return builder.full(builder.constant(0), part_shape(attrs))
    return None


def stacked(builder: Builder, fn: sympy.Expr, cores: Sequence[str]) -> tuple[sympy.Expr, list[str]]:
    """A sum of parts that together fill an axis as one array: [a; b] for a among zeros plus b among zeros."""
    cores = list(cores)
    if not fn.is_Add:
        return fn, cores
    terms = [t.as_coeff_Mul() for t in fn.args]
    placed = [
        (i, k) for k, of in terms for i in range(len(cores)) if of == ARG(i) and _placed(builder, cores[i])
    ]
    rank = max((len(builder.type(cores[i]).shape) for i, _ in placed), default=0)
    for axis in range(rank):
        for group in _groups(builder, cores, placed, axis):
            made = _joined(builder, cores, group, axis)
            if made is not None:
                rest = fn - sum(k * ARG(i) for i, k in group)
                cores.append(made)
                return stacked(builder, rest + ARG(len(cores) - 1), cores)
    return fn, cores


def _placed(builder: Builder, core: str) -> Binding | None:
    b = builder.binding(core)
    return b if b is not None and b.op == "place" and all(s == 1 for s in b.attrs["step"]) else None


def _groups(
    builder: Builder, cores: Sequence[str], placed: Sequence[tuple[int, sympy.Expr]], axis: int
) -> list[list[tuple[int, sympy.Expr]]]:
    """Parts that differ along one axis only."""
    found: dict[Any, list[tuple[int, sympy.Expr]]] = {}
    for i, k in placed:
        b = _placed(builder, cores[i])
        assert b is not None
        others = tuple(
            (b.attrs["start"][j], b.attrs["size"][j], j in b.attrs["drop"])
            for j in range(len(b.shape))
            if j != axis
        )
        if axis < len(b.shape):
            found.setdefault((b.shape, others), []).append((i, k))
    return [g for g in found.values() if len(g) > 1]


def _joined(
    builder: Builder, cores: Sequence[str], group: Sequence[tuple[int, sympy.Expr]], axis: int
) -> str | None:
    """The parts side by side, where each begins as the one before ends; None where they leave gaps."""
    left = list(group)
    at: Any = 0
    parts: list[str] = []
    first = _placed(builder, cores[group[0][0]])
    assert first is not None
    while left:
        following = [(i, k) for i, k in left if same(builder.binding(cores[i]).attrs["start"][axis], at)]  # type: ignore[union-attr]
        if len(following) != 1:
            return None
        i, k = following[0]
        left.remove((i, k))
        b = _placed(builder, cores[i])
        assert b is not None
        at = _dim(sympy.sympify(at) + sympy.sympify(b.attrs["size"][axis]))
        part = b.args[0] if k == 1 else builder.emit("pointwise", b.args[0], fn=k * ARG(0))
        whole = tuple(d for j, d in enumerate(b.attrs["size"]) if j == axis or j not in b.attrs["drop"])
        parts.append(part if axis not in b.attrs["drop"] else builder.emit("reshape", part, shape=whole))
    if not same(at, first.shape[axis]):
        return None
    dropped = [j for j in first.attrs["drop"] if j != axis]
    made = builder.emit("concatenate", *parts, axis=axis - sum(j < axis for j in dropped))
    attrs = {key: list(first.attrs[key]) for key in ("start", "step", "size")}
    attrs["start"][axis], attrs["size"][axis] = 0, first.shape[axis]
    if not dropped and all(same(d, s) for d, s in zip(attrs["size"], first.shape, strict=True)):
        return made
    region = {key: tuple(value) for key, value in attrs.items()}
    return builder.emit("place", made, shape=first.shape, drop=tuple(dropped), **region)
