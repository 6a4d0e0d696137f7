"""The source of ``loss_and_gradient``: fills one array for each gradient and returns the loss."""

from __future__ import annotations

from symgrad.compile import unrolled
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import Namer
from symgrad.compile.reuse import told
from symgrad.compile.source import LOOP_FLAGS, UNROLLED_FLAGS, Function, kernel_file
from symgrad.ops.dims import shape_of
from symgrad.program import Program

NAME = "loss_and_gradient"
LOSS = "loss"


def gradient_source(program: Program, dtype: str, reuse: bool = True) -> str:
    """The text of a kernel file whose function takes the inputs, then an array for each gradient.

    A program without symbolic sizes is unrolled where it is tiny.

    Args:
        program: outputs ``loss`` and the gradients.
        dtype: ``float32`` or ``float64``.
        reuse: whether values take the memory of earlier ones.
    """
    helpers: set[str] = set()
    namer = Namer(program)
    gradients = {
        label: namer.fresh(f"gradient_{namer.values.get(label, label)}")
        for label, _ in program.outputs
        if label != LOSS
    }
    arguments = (*(namer.values[i.name] for i in program.inputs), *gradients.values())
    if is_tiny(program):
        body = _unrolled(program, helpers, namer, gradients)
        return kernel_file(program, [Function(NAME, arguments, tuple(body))], helpers, dtype, UNROLLED_FLAGS)
    writer = LoopWriter(program, helpers, namer, gradients, dtype == "float64", reuse=reuse)
    body = [*writer.size_statements({}), *writer.allocations()]
    body = [*body, *writer.statements(), f"return {writer.scalar(program.output[LOSS])}"]
    return kernel_file(
        program, [Function(NAME, arguments, tuple(body))], helpers, dtype, LOOP_FLAGS, writer.file_arrays(),
        order=told(writer.shared),
    )  # fmt: skip


def is_tiny(program: Program) -> bool:
    """Whether every entry becomes a variable: all sizes are numbers, and small ones."""
    fixed = all(isinstance(d, int) for i in program.inputs for d in i.shape)
    return fixed and unrolled.cost(program, {}) <= unrolled.LIMIT


def _unrolled(program: Program, helpers: set[str], namer: Namer, gradients: dict[str, str]) -> list[str]:
    """The statements for a tiny problem."""
    scalars = unrolled.evaluation(program, {}, helpers, namer)
    body = [*scalars.loads, *scalars.statements]
    for label, array in gradients.items():
        value = program.output[label]
        for p in unrolled.positions(shape_of(program.type(value).shape, {})):
            body.append(f"{unrolled.place_in(array, p)} = {scalars.entry[value, p]}")
    return [*body, f"return {scalars.entry[program.output[LOSS], ()]}"]
