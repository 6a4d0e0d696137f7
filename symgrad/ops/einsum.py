"""Sums of products in index notation, for what no other product says.

``spec`` is NumPy's with the output written out and no ellipsis: ``"ij,jk->ik"``.  A label may occur twice
within one operand (its diagonal), once in the output, and an axis of size 1 broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Dim, format_shape, same
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import (
    ARG,
    INDEX,
    Access,
    Attrs,
    Definition,
    Emitter,
    Example,
    Magnitude,
    Node,
    Notation,
    Op,
    Piece,
    Type,
)
from symgrad.ops.scalars.printer import ATOM


@lru_cache(maxsize=1024)
def labels_of(spec: str) -> tuple[tuple[str, ...], str]:
    """The labels of each operand, and those of the output."""
    left, out = spec.split("->")
    return tuple(left.split(",")), out


def sizes_of(terms: Sequence[str], shapes: Sequence[Sequence[Dim]], where: str) -> dict[str, Dim]:
    """The size of each label.

    Raises:
        ShapeError: one label, two sizes, neither of them 1; or an operand with another number of axes.
    """
    sizes: dict[str, Dim] = {}
    for labels, shape in zip(terms, shapes, strict=True):
        if len(labels) != len(shape):
            raise ShapeError(
                "An operand has another number of axes than labels.",
                where=where,
                expected=f"{len(labels)} axes, as in {labels!r}",
                got=format_shape(tuple(shape)),
            )
        for label, size in zip(labels, shape, strict=True):
            known = sizes.setdefault(label, size)
            if same(known, 1):
                sizes[label] = size
            elif not same(size, 1) and not same(size, known):
                error = ShapeError(
                    f"The label {label} has two sizes: {known} and {size}.",
                    where=where,
                    fix="if both are meant to be the same size, give them the same name in shapes",
                )
                error.clash = (known, size)
                raise error
    return sizes


def _infer(args: Sequence[Type], attrs: Attrs) -> Type:
    terms, out = labels_of(attrs["spec"])
    if all(a.kind == "bool" for a in args):
        raise UnsupportedError(
            "einsum of truth values alone is no sum.",
            where=f"einsum({attrs['spec']!r})",
            fix="multiply one of them by 1.0",
        )
    sizes = sizes_of(terms, [a.shape for a in args], f"einsum({attrs['spec']!r})")
    return Type(tuple(sizes[label] for label in out))


def _vjp(e: Emitter, node: Node, g: str) -> list[str | None]:
    """Each adjoint is the same sum, with the adjoint of the result in the operand's place."""
    terms, out = labels_of(node.attrs["spec"])
    shapes = [e.type(a).shape for a in node.args]
    g = e.full(g, node.shape)
    result: list[str | None] = []
    for i, (labels, shape) in enumerate(zip(terms, shapes, strict=True)):
        others = [(a, t) for j, (a, t) in enumerate(zip(node.args, terms, strict=True)) if j != i]
        operands, there = [g, *(a for a, _ in others)], [out, *(t for _, t in others)]
        shown = sizes_of(there, [e.type(a).shape for a in operands], "einsum")
        once = "".join(dict.fromkeys(labels))
        own = dict(zip(labels, shape, strict=True))
        # A label of size 1 that was broadcast is summed over.
        kept = "".join(c for c in once if c in shown and same(own[c], shown[c]))
        found = e.emit("einsum", *operands, spec=f"{','.join(there)}->{kept}")
        # Labels that nothing else has repeat the adjoint along their axis.
        found = e.emit("reshape", found, shape=tuple(own[c] if c in kept else 1 for c in once))
        found = e.full(found, tuple(own[c] for c in once))
        result.append(_on_diagonal(e, found, labels, once, own))
    return result


def _on_diagonal(e: Emitter, value: str, labels: str, once: str, sizes: Mapping[str, Dim]) -> str:
    """A value with each label once, as an array in which repeated labels mean its diagonal and 0 beside it."""
    if labels == once:
        return value
    used = [once]
    fresh = iter(c for c in LETTERS if c not in labels)
    deltas, target = [], []
    for position, label in enumerate(labels):
        if label not in labels[:position]:
            target.append(label)
            continue
        new = next(fresh)
        deltas.append(e.emit("eye", **eye_attrs(sizes[label])))
        used.append(label + new)
        target.append(new)
    return e.emit("einsum", value, *deltas, spec=f"{','.join(used)}->{''.join(target)}")


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _define(args: Sequence[Type], attrs: Attrs, out: Type) -> Definition:
    terms, result = labels_of(attrs["spec"])
    sizes = sizes_of(terms, [a.shape for a in args], "einsum")
    summed = [label for label in sizes if label not in result]
    place = {label: INDEX(i) for i, label in enumerate([*result, *summed])}
    access = tuple(
        Access(i, tuple(0 if same(d, 1) else place[c] for c, d in zip(labels, args[i].shape, strict=True)))
        for i, labels in enumerate(terms)
    )
    product = sympy.Mul(*(ARG(i) for i in range(len(terms))))
    return Definition(len(result), access, product, tuple(sizes[label] for label in summed))


def _numpy(args: Sequence[str], attrs: Attrs, dim: Callable[[Dim], str]) -> str:
    best = ", optimize=True" if len(args) > 1 else ""
    return f"np.einsum({attrs['spec']!r}, {', '.join(args)}{best})"


def _notation(style: Notation, args: Sequence[Piece], attrs: Attrs) -> Piece:
    return style.call("einsum", Piece(attrs["spec"], ATOM), *args)


def _magnitude(args: Sequence[Magnitude], attrs: Attrs, out: object) -> Any:
    import numpy as np

    return np.einsum(attrs["spec"], *(a.size for a in args))


def _roundings(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> int:
    terms, out = labels_of(attrs["spec"])
    sizes = sizes_of(terms, shapes[: len(terms)], "einsum")
    return len(terms) * prod(int(sizes[c]) for c in sizes if c not in out)


def _stack(e: Emitter, node: Node, args: Sequence[str], stacked: Sequence[bool]) -> str:
    terms, out = labels_of(node.attrs["spec"])
    new = next(c for c in LETTERS if c not in node.attrs["spec"])
    moved = [new + t if s else t for t, s in zip(terms, stacked, strict=True)]
    return e.emit("einsum", *args, spec=f"{','.join(moved)}->{new}{out}")


EINSUM = Op(
    name="einsum",
    infer=_infer,
    vjp=_vjp,
    define=_define,
    numpy=_numpy,
    notation=_notation,
    magnitude=_magnitude,
    roundings=_roundings,
    rule="C = einsum(s; A, B, …)  ⇒  Ā = einsum of C̄ and the other operands, with the labels of A left over",
    why=("a sum of products is linear in each operand, whose place the adjoint of the result takes",),
    source="product rule and linearity; Laue, Mitterreiter and Giesen (2020), A simple and efficient tensor "
    "calculus",
    examples=(
        Example((("n", "d"), ("d", "k"), ("k", "n")), {"spec": "ij,jk,ki->ik"}),
        Example((("n", "d", "k"), ("d", "k", "n")), {"spec": "ijk,jkl->il"}),
        Example((("n", "d"), ("n", "k")), {"spec": "ij,ik->jk"}),
        Example((("n", "d", "k"),), {"spec": "ijk->k"}),
        Example((("n", "n", "d"),), {"spec": "iij->i"}),
        Example((("n", "n"), ("n",)), {"spec": "ii,i->"}),
        Example((("n", "d", "n"), ("d", "d")), {"spec": "iji,jk->ik"}),
        Example((("n", 1), ("d", "k")), {"spec": "ij,jk->ik"}),
        Example(((), ("n", "d")), {"spec": ",ij->j"}),
    ),
    stack=_stack,
)
