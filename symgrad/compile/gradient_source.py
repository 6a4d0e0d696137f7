"""The source of ``loss_and_gradient``: fills one array for each gradient and returns the loss."""

from __future__ import annotations

from symgrad.compile import unrolled
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import Namer
from symgrad.compile.source import LOOP_FLAGS, UNROLLED_FLAGS, kernel_file
from symgrad.ops.dims import shape_of
from symgrad.program import Program

NAME = "loss_and_gradient"
LOSS = "loss"


def gradient_source(program: Program, dtype: str) -> str:
    """The text of a kernel file whose function takes the inputs, then an array for each gradient.

    A program without symbolic sizes is unrolled where it is tiny.
    """
    helpers: set[str] = set()
    namer = Namer(program)
    gradients = {
        label: namer.fresh(f"gradient_{namer.values.get(label, label)}")
        for label, _ in program.outputs
        if label != LOSS
    }
    fixed = all(isinstance(d, int) for i in program.inputs for d in i.shape)
    tiny = fixed and unrolled.cost(program, {}) <= unrolled.LIMIT
    body, arrays = (_unrolled if tiny else _loops)(program, helpers, namer, gradients, dtype)
    flags = UNROLLED_FLAGS if tiny else LOOP_FLAGS
    arguments = [*(namer.values[i.name] for i in program.inputs), *gradients.values()]
    return kernel_file(program, NAME, arguments, body, helpers, dtype, flags, arrays)


def _loops(
    program: Program, helpers: set[str], namer: Namer, gradients: dict[str, str], dtype: str
) -> tuple[list[str], list[str]]:
    """The function's statements, and the file's arrays of numbers."""
    writer = LoopWriter(program, helpers, namer, gradients, dtype == "float64")
    body = writer.size_statements({}, {})
    body += [f"{b.text} = np.empty({writer.shape(b.shape)}, {b.dtype})" for b in writer.buffers()]
    body = [*body, *writer.statements(), f"return {writer.scalar(program.output[LOSS])}"]
    return body, writer.file_arrays()


def _unrolled(
    program: Program, helpers: set[str], namer: Namer, gradients: dict[str, str], dtype: str
) -> tuple[list[str], list[str]]:
    scalars = unrolled.evaluation(program, {}, helpers, namer)
    body = [*scalars.loads, *scalars.statements]
    for label, array in gradients.items():
        value = program.output[label]
        for p in unrolled.positions(shape_of(program.type(value).shape, {})):
            body.append(f"{unrolled.place_in(array, p)} = {scalars.entry[value, p]}")
    return [*body, f"return {scalars.entry[program.output[LOSS], ()]}"], []
