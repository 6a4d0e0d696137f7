"""One program for many values of one input: the input becomes an identity, every value a stack of values.

With a vector-Jacobian product and its seed as the input, row i of the result is row i of the Jacobian.
"""

from __future__ import annotations

from symgrad.calculus.diagonal import DiagonalBuilder
from symgrad.errors import UnsupportedError
from symgrad.ops.dims import product
from symgrad.program import Program


def stack_over_identity(program: Program, seed: str, moving: str) -> Program:
    """The program with ``seed`` taken through all unit arrays, in C order.

    Args:
        program: any program with an input ``seed`` of shape s.
        seed: the input.
        moving: the output that becomes a stack, of shape (m, …) with m the number of entries of s.  The other
            outputs may not read the seed.

    Raises:
        UnsupportedError: an operation between seed and output has no rule for stacks.
    """
    shape = program.type(seed).shape
    size = product(shape)
    builder = DiagonalBuilder(i for i in program.inputs if i.name != seed)
    value = {i.name: i.name for i in program.inputs}
    value[seed] = builder.emit("reshape", builder.identity(size), shape=(size, *shape))
    stacked = {seed}
    for b in program.bindings:
        args = [value[a] for a in b.args]
        flags = [a in stacked for a in b.args]
        if not any(flags):
            value[b.name] = builder.emit(b.op, *args, **b.attrs)
        elif b.record.stack is None:
            raise UnsupportedError(
                f"{b.op} has no rule for stacks, which Jacobians and Hessians are made by.",
                where=b.op,
                fix="use the product with one vector, d.hvp, which needs no stacks",
            )
        else:
            value[b.name] = b.record.stack(builder, b, args, flags)
            stacked.add(b.name)
        if b.label is not None:
            builder.label(value[b.name], b.label)
    outputs = [(label, value[name]) for label, name in program.outputs if label != moving]
    end = program.output[moving]
    whole = builder.full(value[end], (size, *program.type(end).shape))
    return builder.finish([*outputs, (moving, whole)])
