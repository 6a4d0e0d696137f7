"""`grad`: gradients as return values, without touching `.grad`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgrad.autograd.engine import run_backward, seed_gradient
from symgrad.autograd.node import Node
from symgrad.autograd.tensor import Tensor
from symgrad.errors import GradientError, SpecError


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of `outputs` with respect to `inputs`, leaves or computed tensors.

    Args:
        outputs: scalars, or tensors with a `grad_outputs` of their shape.
        inputs: what to differentiate by.
        grad_outputs: vectors of the vector-Jacobian products, one per output.
        retain_graph: allow another backward pass through the same graph.
        allow_unused: give None for an input that the outputs do not depend on, instead of an error.

    Returns:
        One tensor per input, of its shape.

    Raises:
        GradientError: an input does not require a gradient, or is not used.
    """
    ends = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    starts = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    vectors = (
        (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs or (None,) * len(ends))
    )
    if len(vectors) != len(ends):
        raise SpecError(
            "one vector per output is needed",
            where="grad, grad_outputs",
            expected=len(ends),
            got=len(vectors),
        )
    for number, start in enumerate(starts):
        if not start.requires_grad:
            raise GradientError(
                "an input does not require a gradient",
                where=f"grad, inputs[{number}]",
                fix="set requires_grad=True",
            )
    seeds: list[tuple[Node, np.ndarray]] = []
    direct: list[tuple[Tensor, np.ndarray]] = []  # an output that is itself a leaf
    for end, vector in zip(ends, vectors):
        seed = seed_gradient(end, vector, "grad")
        if end._node is None:
            direct.append((end, seed))
        else:
            seeds.append((end._node, seed))
    wanted = {start._node for start in starts if start._node is not None}
    found = run_backward(seeds, retain_graph, wanted)
    for leaf, seed in direct:
        found.add_leaf(leaf, seed)
    results: list[Tensor | None] = []
    for number, start in enumerate(starts):
        if start._node is not None:
            array = found.nodes.get(start._node)
        else:
            array = found.leaves[id(start)][1] if id(start) in found.leaves else None
        if array is None and not allow_unused:
            raise GradientError(
                "the outputs do not depend on this input",
                where=f"grad, inputs[{number}]",
                fix="leave it out, or pass allow_unused=True to get None for it",
            )
        results.append(None if array is None else Tensor(np.array(array)))
    return tuple(results)
