"""The backward pass: iterative, youngest node first.

Every operand is older than its result, so going through the nodes by falling age is a topological order;
a heap holds those that wait.  Nothing here recurses, and nothing is written into a leaf before the whole
pass has succeeded.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np

from symgrad.autograd.node import Edge, Node
from symgrad.errors import GradientError, ShapeError

if TYPE_CHECKING:
    from symgrad.autograd.tensor import Tensor


def sum_to_shape(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum over the axes along which an operand of this shape was broadcast."""
    if array.shape == shape:
        return array
    extra = array.ndim - len(shape)
    stretched = tuple(extra + i for i, size in enumerate(shape) if size == 1 and array.shape[extra + i] != 1)
    return array.sum(axis=(*range(extra), *stretched), keepdims=True).reshape(shape)


def operand_gradient(node: Node, edge: Edge, grad: np.ndarray) -> np.ndarray:
    """Apply one rule of a node's record, and bring the result to the operand's shape and dtype."""
    op = node.op
    saved = {
        name: edge.position if name == "position" else node.saved[name] for name in op.reads[edge.operand]
    }
    found = np.asarray(op.vjps[edge.operand](grad, **saved))
    if op.elementwise and found.shape != edge.shape:
        found = sum_to_shape(np.broadcast_to(found, np.broadcast_shapes(found.shape, grad.shape)), edge.shape)
    if found.shape != edge.shape:
        raise GradientError(
            "a backward rule gave a gradient of the wrong shape",
            where=f"{op.name}, operand '{edge.operand}'",
            expected=edge.shape,
            got=found.shape,
            fix="correct the rule in its record",
        )
    return found.astype(edge.dtype, copy=False)


class Gradients:
    """What a backward pass found: arrays by leaf, in order of arrival, and by node where wanted."""

    def __init__(self) -> None:
        self.leaves: dict[int, tuple[Tensor, np.ndarray]] = {}
        self.nodes: dict[Node, np.ndarray] = {}

    def add_leaf(self, leaf: Tensor, grad: np.ndarray) -> None:
        before = self.leaves.get(id(leaf))
        # out of place: rules may hand the same array to several operands
        self.leaves[id(leaf)] = (leaf, grad if before is None else before[1] + grad)


def run_backward(
    seeds: Iterable[tuple[Node, np.ndarray]], retain_graph: bool, wanted: Collection[Node] = ()
) -> Gradients:
    """Propagate gradients from `seeds` to everything they were computed from.

    Args:
        seeds: nodes and the gradients to start from.
        retain_graph: keep what the rules saved, so that another pass may follow.
        wanted: nodes whose gradients the caller wants to see.

    Returns:
        The gradients of the leaves, of the wanted nodes, and of nodes that retain theirs.

    Raises:
        GradientError: the graph was freed, or a tensor it needs was changed in place.
    """
    arrived: dict[Node, np.ndarray] = {}
    waiting: list[tuple[int, Node]] = []
    for node, grad in seeds:
        _add(arrived, waiting, node, grad)
    result = Gradients()
    visited: list[Node] = []
    with np.errstate(all="ignore"):
        while waiting:
            _, node = heapq.heappop(waiting)
            grad = arrived.pop(node)
            node.check()
            visited.append(node)
            if node.retainer is not None or node in wanted:
                result.nodes[node] = grad
            for edge in node.edges:
                found = operand_gradient(node, edge, grad)
                if isinstance(edge.target, Node):
                    _add(arrived, waiting, edge.target, found)
                else:
                    result.add_leaf(edge.target, found)
    if not retain_graph:
        for node in visited:
            node.free()
    return result


def _add(
    arrived: dict[Node, np.ndarray], waiting: list[tuple[int, Node]], node: Node, grad: np.ndarray
) -> None:
    before = arrived.get(node)
    if before is None:
        arrived[node] = grad
        heapq.heappush(waiting, (-node.order, node))
    else:
        arrived[node] = before + grad


def seed_gradient(output: Tensor, gradient: Tensor | np.ndarray | None, where: str) -> np.ndarray:
    """The gradient that a backward pass from `output` starts with.

    Raises:
        GradientError: `output` does not require a gradient, or is no scalar and no gradient is given.
        ShapeError: the gradient given has another shape.
    """
    if not output.requires_grad:
        raise GradientError(
            "this tensor was not computed from anything that requires a gradient",
            where=where,
            expected="a tensor with requires_grad=True among what it was computed from",
            got=repr(output) if output.numel() <= 4 else f"a tensor of shape {output.shape}",
            fix="set requires_grad=True on the parameters, and compute outside of no_grad",
        )
    if gradient is None:
        if output.numel() != 1:
            raise GradientError(
                "the gradient of a tensor with several elements is not defined",
                where=where,
                expected="a scalar",
                got=f"shape {output.shape}",
                fix="reduce it first (.sum(), .mean()), or pass gradient= for a vector-Jacobian product",
            )
        return np.ones(output.shape, output.data.dtype)
    array = np.asarray(gradient)
    if array.shape != output.shape:
        raise ShapeError(
            "the gradient passed in has another shape than the tensor",
            where=f"{where}, gradient",
            expected=output.shape,
            got=array.shape,
        )
    return array.astype(output.data.dtype, copy=False)
