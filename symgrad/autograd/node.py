"""The graph: one `Node` per recorded operation, pointing at what it was computed from.

Nodes point backwards only and hold arrays, never result tensors, so a graph lives exactly as long as
something that was computed from it.  Dropping a long graph needs no stack: CPython's deallocator unrolls
chains of plain objects.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType

import numpy as np

from symgrad.errors import GradientError

if TYPE_CHECKING:
    from symgrad.autograd.record import TapeOp
    from symgrad.autograd.tensor import Tensor

_order = itertools.count()


class Version:
    """Counts in-place changes of one piece of memory; views share it with their base."""

    __slots__ = ("count", "has_views")

    def __init__(self) -> None:
        self.count = 0
        self.has_views = False


class Edge:
    """From a node to one operand that wants a gradient.

    Args:
        operand: the operand's name in the record.
        position: which of the operands, counted from 0.
        target: the node that made the operand, or the leaf tensor itself.
        shape, dtype: what the gradient must look like.
    """

    __slots__ = ("dtype", "operand", "position", "shape", "target")

    def __init__(
        self, operand: str, position: int, target: Node | Tensor, shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self.operand = operand
        self.position = position
        self.target = target
        self.shape = shape
        self.dtype = dtype


class Node:
    """One recorded operation.

    Args:
        op: its record.
        edges: the operands that want a gradient.
        saved: what the rules read, by name.
        versions: for saved arrays that may be changed in place: name, counter, count when saved.
    """

    __slots__ = ("__weakref__", "edges", "freed", "op", "order", "retainer", "saved", "versions")

    def __init__(
        self,
        op: TapeOp,
        edges: tuple[Edge, ...],
        saved: dict[str, Any],
        versions: tuple[tuple[str, Version, int], ...],
    ) -> None:
        self.op = op
        self.edges = edges
        self.saved = saved
        self.versions = versions
        self.freed = False
        self.retainer: ReferenceType[Tensor] | None = None  # the tensor that asked for this gradient
        self.order = next(_order)  # an operand is always older than the result

    def name(self) -> str:
        return f"{self.op.name}_backward"

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise GradientError(
            "a graph cannot be copied or pickled",
            where=repr(self),
            fix="pickle the tensor; its data is what is stored",
        )

    def free(self) -> None:
        """Let go of saved arrays and of the way back; a second backward pass through here is refused."""
        self.freed = True
        self.saved = {}
        self.versions = ()
        self.edges = ()

    def check(self) -> None:
        """Refuse to go backward where that would give a wrong gradient.

        Raises:
            GradientError: the graph was freed, or a saved array was changed in place.
        """
        if self.freed:
            raise GradientError(
                "backward a second time through a graph that was already freed",
                where=repr(self),
                expected="one backward pass per forward pass",
                fix="compute the loss again, or call backward(retain_graph=True) the first time",
            )
        for name, version, count in self.versions:
            if version.count != count:
                raise GradientError(
                    "a tensor that the backward pass needs was changed in place",
                    where=f"{self!r}, argument '{name}'",
                    expected=f"version {count}",
                    got=f"version {version.count}",
                    fix="call backward before the change, or compute a new tensor instead",
                )


class AccumulateGrad:
    """What `grad_fn` shows for a leaf: its gradient is added to `.grad`."""

    __slots__ = ()

    def name(self) -> str:
        return "accumulate_grad"

    def __repr__(self) -> str:
        return "<accumulate_grad>"
