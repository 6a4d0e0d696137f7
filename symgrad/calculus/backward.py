"""The backward sweep: from a program with a scalar loss to one that computes its gradients too.

Linnainmaa (1976); Griewank and Walther (2008), Evaluating Derivatives, ch. 3.  Each binding is visited once,
in reverse, and asks its record for the adjoints of its arguments; nothing here knows an operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.errors import ShapeError, SpecError
from symgrad.ops.dims import format_shape
from symgrad.program import Builder, Program

LOSS = "loss"


@dataclass(frozen=True)
class Differentiated:
    """The program with gradients, and what the sweep learned on the way.

    Attributes:
        program: outputs ``loss`` and one output for each name in ``wrt``.
        adjoints: for each forward value that the parameters influence, the name of its adjoint.
        forward: the names of the forward bindings, in order.
    """

    program: Program
    adjoints: Mapping[str, str]
    forward: tuple[str, ...]


def active(program: Program, wrt: Sequence[str]) -> set[str]:
    """The values that one of these inputs has an effect on."""
    found = set(wrt)
    for b in program.bindings:
        if b.kind == "real" and any(a in found for a in b.args):
            found.add(b.name)
    return found


def pull_back(
    builder: Builder, program: Program, wrt: Sequence[str], seeds: Mapping[str, str]
) -> dict[str, str]:
    """One backward sweep.

    Args:
        builder: holds the program already; the adjoints are written into it.
        program: what is differentiated.
        wrt: names of inputs.
        seeds: for the values that the sweep starts from, their adjoints.

    Returns:
        The adjoint of every value between ``wrt`` and the seeds, which may be smaller than what it stands for
        (see ``Emitter``).
    """
    reached = active(program, wrt)
    adjoints = {name: g for name, g in seeds.items() if name in reached}
    for b in reversed(program.bindings):
        if b.name not in adjoints:
            continue
        flowing = b.record.vjp(builder, b, adjoints[b.name])
        for arg, g in zip(b.args, flowing, strict=True):
            if g is None or arg not in reached:
                continue
            adjoints[arg] = builder.add(adjoints[arg], g) if arg in adjoints else g
    return adjoints


def differentiate(program: Program, wrt: Sequence[str]) -> Differentiated:
    """Differentiate the output ``loss`` by each name in ``wrt``.

    Args:
        program: has an output ``loss`` of shape ``()``.
        wrt: names of inputs.

    Raises:
        SpecError: a name in ``wrt`` is no input of the program.
        ShapeError: the loss is not a scalar.
    """
    names = [i.name for i in program.inputs]
    for name in wrt:
        if name not in names:
            raise SpecError(
                f"{name!r} is not an argument of the loss.", where="wrt", expected=", ".join(names), got=name
            )
    if LOSS in wrt:
        raise SpecError(
            "A parameter cannot be called loss.",
            where="wrt",
            fix="rename the argument; the loss itself has that name",
        )
    loss = program.output[LOSS]
    if program.type(loss).shape != ():
        raise ShapeError(
            "The loss is not a scalar.",
            where="loss",
            expected="shape ()",
            got=f"shape {format_shape(program.type(loss).shape)}",
            fix="reduce it with .sum() or .mean()",
        )
    builder = Builder.extending(program)
    adjoints = pull_back(builder, program, wrt, {loss: builder.constant(1)})
    outputs = [(LOSS, loss)]
    for name in wrt:
        shape = builder.type(name).shape
        outputs.append((name, builder.full(adjoints.get(name) or builder.constant(0), shape)))
    # Adjoints that no gradient needs are dropped by finish; keep the names of the others.
    marks = [(f"adjoint {name}", g) for name, g in adjoints.items()]
    whole = builder.finish([*outputs, *marks])
    kept = whole.output
    result = whole.only(*(label for label, _ in outputs))
    present = result.by_name
    found = {n: kept[f"adjoint {n}"] for n in adjoints if kept[f"adjoint {n}"] in present}
    last = [b.name for b in result.bindings].index(kept[LOSS]) + 1 if not result.is_input(kept[LOSS]) else 0
    forward = tuple(b.name for b in result.bindings[:last])
    return Differentiated(result, found, forward)
