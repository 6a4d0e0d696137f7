"""Calls on whole arrays as statements: a matrix product or an inverse for each matrix of a stack, and the like."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.compile.entries import DTYPES, Scope
from symgrad.compile.forms import Call
from symgrad.compile.nests import loops
from symgrad.compile.placement import is_view
from symgrad.compile.products import product_text, vector_side
from symgrad.ops.dims import same
from symgrad.program import Binding


def call_statements(scope: Scope, b: Binding, call: Call, size_texts: Sequence[str]) -> list[str]:
    """The call for every matrix or line of the result.

    Args:
        scope: the writer of the kernel.
        b, call: the binding and its form.
        size_texts: the sizes of the result.
    """
    program, name = scope.program, scope.names[b.name]
    if call.function != "dot":
        scope.helpers.add(call.function)
    if call.on == "line":
        return _lines(scope, b, call, size_texts)
    # The last axes are the matrix's, what stands before them is the stack.
    own = call.gives
    lead = len(b.shape) - own
    arguments = []
    for a, axes in zip(b.args, call.takes, strict=True):
        shape = program.type(a).shape
        stack = shape[: len(shape) - axes]
        shift = lead - len(stack)
        at = ["0" if same(d, 1) else f"i{shift + k}" for k, d in enumerate(stack)]
        text = _operand(scope, a, at)
        if call.function != "dot":
            text = f"np.ascontiguousarray({text})" if text.endswith(".T") else text
            text = (
                f"{text}.reshape(({size_texts[-1]}, 1))" if call.function == "solve" and axes == 1 else text
            )
        arguments.append(text)
    at = [f"i{k}" for k in range(lead)]
    if call.function == "dot":
        side = vector_side(program, b, call)
        if side == "both":
            scope.helpers.add("vecdot")
            target = f"{name}[{', '.join(at)}]" if b.shape else name
            return loops(tuple(size_texts), [f"{target} = vecdot({', '.join(arguments)})"])
        target = f"{name}[{', '.join(at)}]" if at else name
        operands, flat, adds = (arguments[0], arguments[1]), call.takes != (2, 2), b.name in scope.adding
        text = product_text(scope.helpers, side, operands, target, flat, adds)
        return loops(tuple(size_texts[:lead]), [text])
    value = f"{call.function}({', '.join([*arguments, *call.extra])})" + "[:, 0]" * (
        call.function == "solve" and own == 1
    )
    if b.shape == ():
        return [f"{name} = {value}"]
    return loops(tuple(size_texts[:lead]), [f"{name}[{', '.join([*at, *[':'] * own])}] = {value}"])


def _operand(scope: Scope, name: str, at: Sequence[str]) -> str:
    """One matrix or vector of an argument; a transposed one is a view."""
    b = scope.program.by_name[name]
    if isinstance(b, Binding) and scope.placement.place[name] == "inline":
        assert is_view(b)
        return f"{_operand(scope, b.args[0], at)}.T"
    text = scope.names[name] + (f"[{', '.join(at)}]" if at else "")
    return text if scope.program.type(name).kind == "real" else f"{text}.astype(F)"


def _lines(scope: Scope, b: Binding, call: Call, size_texts: Sequence[str]) -> list[str]:
    """A call for each line along the axis."""
    a, name = b.args[0], scope.names[b.name]
    rank = len(scope.program.type(a).shape)
    others = [f"i{k}" for k in range(rank - 1)]
    line = [*others[: call.axis], ":", *others[call.axis :]]
    source = f"{scope.names[a]}[{', '.join(line)}]"
    if call.fills:
        sizes = [*size_texts[: call.axis], *size_texts[call.axis + 1 :]]
        return loops(tuple(sizes), [f"{call.function}({source}, {name}[{', '.join(line)}])"])
    kept = len(b.shape) == rank
    sizes = [*size_texts[: call.axis], *size_texts[call.axis + kept :]]
    found = f"{DTYPES[b.kind]}({call.function}({source}))"
    if b.shape == ():
        return [f"{name} = {found}"]
    target = [*others[: call.axis], *["0"] * kept, *others[call.axis :]]
    return loops(tuple(sizes), [f"{name}[{', '.join(target)}] = {found}"])
