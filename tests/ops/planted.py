"""Mistakes of every kind that a record can have, as functions from a record to records with the mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import sympy
from ops.record_checks import check_definition, check_magnitude, check_vjp

from symgrad.errors import SymgradError
from symgrad.ops.record import ARG, INDEX, Access, Definition, Op, Type

FAILURES = (AssertionError, SymgradError, ValueError, IndexError, KeyError, TypeError)
"""How a check fails; NumPy's own refusals of shapes, indices and matrices are among the ValueErrors."""


def _positions(op: Op) -> list[int]:
    """The arguments that are real numbers somewhere: the sweep asks for no adjoint of an index."""
    return sorted(
        {
            i
            for e in op.examples
            for i in range(len(e.shapes))
            if not e.domains or not e.domains[i].startswith("labels")
        }
    )


def _with_flow(op: Op, position: int, change: Callable) -> Op:
    def vjp(e, node, g):
        out = list(op.vjp(e, node, g))
        if position < len(out):
            out[position] = change(e, node, g, out[position])
        return out

    return replace(op, vjp=vjp)


def doubled_vjp(op: Op) -> Iterator[Op]:
    """Twice what flows back to one argument."""
    for position in _positions(op):
        yield _with_flow(
            op, position, lambda e, node, g, flow: None if flow is None else e.pointwise(2 * ARG(0), flow)
        )


def missing_vjp(op: Op) -> Iterator[Op]:
    """Nothing flows back to one argument."""
    for position in _positions(op):
        yield _with_flow(op, position, lambda e, node, g, flow: None)


def flipped_vjp(op: Op) -> Iterator[Op]:
    """What flows back to one argument has its last axis reversed."""

    def flipped(e, node, g, flow):
        position = len(e.type(flow).shape) - 1 if flow is not None else -1
        if position < 0:
            return flow
        shape = e.type(flow).shape
        return e.emit(
            "slice",
            flow,
            shape=shape,
            start=(*(0,) * position, shape[-1] - 1),
            step=(*(1,) * position, -1),
            size=shape,
            drop=(),
        )

    for position in _positions(op):
        yield _with_flow(op, position, flipped)


def _with_shape(op: Op, change: Callable) -> Op:
    def infer(args, attrs):
        out = op.infer(args, attrs)
        return Type(change(out.shape), out.kind)

    return replace(op, infer=infer)


def reversed_shape(op: Op) -> Iterator[Op]:
    """The axes of the result in the other order."""
    yield _with_shape(op, lambda shape: shape[::-1])


def longer_shape(op: Op) -> Iterator[Op]:
    """One axis too many."""
    yield _with_shape(op, lambda shape: (*shape, 1))


def _with_definition(op: Op, change: Callable, whole: Callable) -> Op:
    def define(args, attrs, out):
        definition = op.define(args, attrs, out)
        if isinstance(definition, Definition):
            return change(definition)
        return replace(definition, fn=lambda *arrays: whole(np.asarray(definition.fn(*arrays), dtype=object)))

    return replace(op, define=define)


def doubled_definition(op: Op) -> Iterator[Op]:
    """Twice the function of the entries; the negative of a whole array."""
    yield _with_definition(op, lambda d: replace(d, fn=2 * sympy.sympify(d.fn)), lambda a: -a)


def swapped_definition(op: Op) -> Iterator[Op]:
    """The first two indices exchanged; a whole array from its end."""
    swap = {INDEX(0): INDEX(1), INDEX(1): INDEX(0)}

    def swapped(d: Definition) -> Definition:
        access = tuple(
            Access(a.arg, tuple(sympy.sympify(i).xreplace(swap) for i in a.index)) for a in d.access
        )
        return replace(d, access=access, fn=sympy.sympify(d.fn).xreplace(swap))

    yield _with_definition(op, swapped, lambda a: a.ravel()[::-1].reshape(a.shape))


def any_numbers(op: Op) -> Iterator[Op]:
    """Examples whose arguments are real numbers, whatever their domain was."""
    if any(e.domains for e in op.examples):
        yield replace(op, examples=tuple(replace(e, domains=()) for e in op.examples))


def no_magnitude(op: Op) -> Iterator[Op]:
    """A magnitude of 0."""
    yield replace(op, magnitude=lambda args, attrs, out: np.zeros(np.shape(out)))


FAULTS = {
    doubled_vjp: check_vjp,
    missing_vjp: check_vjp,
    flipped_vjp: check_vjp,
    reversed_shape: check_definition,
    longer_shape: check_definition,
    doubled_definition: check_definition,
    swapped_definition: check_definition,
    any_numbers: check_definition,
    no_magnitude: check_magnitude,
}
"""Each kind of mistake, and the check that has to notice it."""
