"""Which values of a page get a name: those that would otherwise be written again."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from symgrad.ops.record import ARG
from symgrad.program import Binding, Program
from symgrad.render.softmax import axes_of

LONGEST_REPEATED = 6
"""So many signs may be written again beside the loss: Xw − y twice, as books do, but σ(HV + 𝟏bᵀ) not."""

JOINING = ("matmul", "outer", "transpose", "reshape", "broadcast_to")
"""Operations that need no sign of their own."""


def repeated(program: Program, page: Program, worth: Callable[[Binding], bool]) -> set[str]:
    """The values that are written more than once in the gradients, or are long and stand in the loss too.

    Args:
        program: the gradients.
        page: the gradients and the loss.
        worth: whether a value may have a name at all.
    """
    may = {b.name for b in program.bindings if worth(b)}
    shares = {n for n in may if axes_of(page, page.by_name[n]) is not None}  # p, also where it is short

    def again(name: str, gradients: int, all_: int) -> bool:
        return name in may and (gradients > 1 or (name in shares and all_ > 1))

    letters = _letters(page, _named(program, page, again))

    def long(name: str, gradients: int, all_: int) -> bool:
        return again(name, gradients, all_) or (name in may and (all_ - 1) * letters[name] > LONGEST_REPEATED)

    return _named(program, page, long)


def _named(program: Program, page: Program, needs: Callable[[str, int, int], bool]) -> set[str]:
    """The values that need a name, by how often they are written in the gradients and on the whole page."""
    named: set[str] = set()
    counts = dict.fromkeys(page.by_name, (0, 0))

    def write(name: str, gradients: int, all_: int) -> None:
        before = counts[name]
        counts[name] = (before[0] + gradients, before[1] + all_)

    if page is not program:
        write(page.output["loss"], 0, 1)
    for _, name in program.outputs:
        write(name, 1, 1)
    for b in reversed(page.bindings):
        gradients, all_ = counts[b.name]
        if needs(b.name, gradients, all_):
            named.add(b.name)
            gradients, all_ = 1, 1
        for argument, times in _arguments(page, b).items():
            write(argument, gradients * times, all_ * times)
    return named


def _arguments(page: Program, b: Binding) -> dict[str, int]:
    """How often each argument stands in the formula of a value."""
    if axes_of(page, b) is not None:
        of = page.by_name[b.args[0]]  # the user's own name for the logits is shown
        return {b.args[0]: 2 if isinstance(of, Binding) and of.label is not None else 1}
    count = dict.fromkeys(b.args, 0)
    for i, a in enumerate(b.args):
        count[a] += max(1, _occurrences(b.attrs["fn"], i)) if b.op == "pointwise" else 1
    return count


def _letters(page: Program, named: Collection[str]) -> dict[str, int]:
    """How many names and functions there are in the formula of a value, up to a bound."""
    length = {i.name: 1 for i in page.inputs}
    for b in page.bindings:
        parts = sum(length[a] * times for a, times in _arguments(page, b).items())
        joined = b.op in JOINING or (b.op == "pointwise" and (b.attrs["fn"].is_Add or b.attrs["fn"].is_Mul))
        parts += not joined
        length[b.name] = 1 if b.name in named else min(parts, LONGEST_REPEATED + 1)
    return length


def _occurrences(fn: sympy.Expr, position: int) -> int:
    return sum(1 for e in sympy.preorder_traversal(fn) if e == ARG(position))
