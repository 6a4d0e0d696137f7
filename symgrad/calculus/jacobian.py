"""Jacobians, Hessians and products with them, as programs.

A vector-Jacobian product is one backward sweep from a given adjoint of the output.  A Hessian's product with a
vector is that of the gradient (Pearlmutter 1994, Fast exact multiplication by the Hessian, in its reverse-over-
reverse form; Griewank and Walther (2008), Evaluating Derivatives, sec. 3.7 and 5.1).  A Jacobian is the stack of
the products with all unit arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symgrad.calculus.backward import pull_back
from symgrad.calculus.squeeze import squeeze, squeezed
from symgrad.calculus.stacking import stack_over_identity
from symgrad.ops.dims import Dim
from symgrad.program import Builder, Input, Program


def free_name(program: Program, candidates: Iterable[str]) -> str:
    """The first name that no value of the program has."""
    return next(name for name in candidates if name not in program.by_name)


def numbered(stem: str) -> Iterable[str]:
    """``stem``, ``stem_2``, ``stem_3``, …"""
    yield stem
    count = 2
    while True:
        yield f"{stem}_{count}"
        count += 1


def vector_jacobian(program: Program, output: str, wrt: str, adjoint: str, label: str) -> Program:
    """The gradient by ``wrt`` of Σ adjoint ⊙ output.

    Args:
        program: has the output ``output``, of any shape.
        output: what is differentiated.
        wrt: an input.
        adjoint: the name of a new input, of the output's shape.
        label: how the result is called; it has the shape of ``wrt`` and joins the program's outputs.
    """
    return vector_jacobians(program, {output: adjoint}, {wrt: label})


def vector_jacobians(program: Program, adjoints: Mapping[str, str], labels: Mapping[str, str]) -> Program:
    """The gradients by several inputs of Σ adjoint ⊙ output, summed over several outputs.

    Args:
        program: what is differentiated.
        adjoints: for outputs, of any shape, the names of new inputs of the same shape.
        labels: for inputs, how their results are called; these join the program's outputs.
    """
    new = [Input(name, program.type(program.output[o]).shape) for o, name in adjoints.items()]
    builder = Builder.extending(Program((*program.inputs, *new), program.bindings, program.outputs))
    seeds: dict[str, str] = {}
    for output, name in adjoints.items():
        value = program.output[output]
        seeds[value] = builder.add(seeds[value], name) if value in seeds else name
    return _with_gradients(builder, program, seeds, labels)


def jacobian_rows(program: Program, output: str, wrt: str, label: str) -> Program:
    """The Jacobian of an output, with axes of size 1 left out.

    Returns:
        The squeezed program, with one more output ``label`` of shape squeezed(out.shape + wrt.shape): row i holds
        the derivatives of entry i.

    Raises:
        UnsupportedError: an operation on the way has no rule for stacks.
    """
    shape = program.type(program.output[output]).shape
    if not squeezed(shape):
        builder = Builder.extending(program)
        one = builder.constant(1)
        return squeeze(_with_gradients(builder, program, {program.output[output]: one}, {wrt: label}))
    seed = free_name(program, numbered("seed"))
    rows = squeeze(vector_jacobian(program, output, wrt, seed, label))
    made = stack_over_identity(rows, seed, label)
    whole = squeezed((*shape, *program.type(wrt).shape))
    return reshape_output(made, label, whole)


def reshape_output(program: Program, label: str, shape: Sequence[Dim]) -> Program:
    """The program with one of its outputs in another shape."""
    builder = Builder.extending(program)
    changed = builder.emit("reshape", program.output[label], shape=tuple(shape))
    return builder.finish([(n, changed if n == label else value) for n, value in program.outputs])


def _with_gradients(
    builder: Builder, program: Program, seeds: Mapping[str, str], labels: Mapping[str, str]
) -> Program:
    adjoints = pull_back(builder, program, tuple(labels), seeds)
    made = [
        (label, builder.full(adjoints.get(wrt) or builder.constant(0), program.type(wrt).shape))
        for wrt, label in labels.items()
    ]
    return builder.finish([*program.outputs, *made])
