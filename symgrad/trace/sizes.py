"""Questions about sizes that are still symbols.

A question with one answer for all sizes is answered.  One that nearly always has the same answer is answered
so and remembered as an assumption, which is checked when numbers come.  Any other question needs a number:
the trace starts again with that size fixed, and calls with other sizes are derived anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symgrad.errors import TraceError
from symgrad.ops.dims import Dim
from symgrad.ops.scalars.functions import Comparison
from symgrad.program import Builder
from symgrad.trace.checks import passing


class NeedsSize(TraceError):
    """The trace cannot go on while these sizes are symbols."""

    def __init__(self, symbols: Iterable[sympy.Symbol], where: str) -> None:
        self.symbols = tuple(sorted(symbols, key=str))
        names = ", ".join(map(str, self.symbols))
        super().__init__(
            f"The size {names} has to be a number here.", where=where, fix="give it as an int in shapes"
        )


class NeedsKind(TraceError):
    """The trace cannot go on while this input is real: it has to hold whole numbers, labels or truth values."""

    def __init__(self, name: str, kind: str, where: str) -> None:
        self.name, self.kind = name, kind
        values = {"bool": "truth values", "int": "whole numbers"}.get(kind, kind)
        super().__init__(f"{name!r} has to hold {values} here.", where=where)


def constant_of(a: Any) -> sympy.Expr | None:
    """The exact number or size that a traced scalar is; None where it depends on an input or has axes."""
    return None if a.dims else a.builder.constant_value(a.name)


def number(builder: Builder, dim: Dim, where: str) -> int:
    """The size as an int; a symbol makes the trace start again with a number for it."""
    if isinstance(dim, int):
        return dim
    raise builder.refuse(NeedsSize(dim.free_symbols, where))


def assume(builder: Builder, relation: Any, where: str) -> None:
    """Go on as if the relation held; sizes for which it does not are derived on their own."""
    found = sympy.simplify(sympy.sympify(relation))
    if found == sympy.true:
        return
    if found == sympy.false:
        raise builder.refuse(NeedsSize(sympy.sympify(relation).free_symbols, where))
    if found not in builder.assumptions:
        builder.assumptions.append(found)


def usual(builder: Builder, relation: Any, where: str) -> bool:
    """The answer that a relation has for all but a few sizes: sizes differ, and are larger than 1.

    It is remembered as an assumption; a relation without a usual answer makes the trace start again.
    """
    found = sympy.simplify(sympy.sympify(relation))
    if found in (sympy.true, sympy.false):
        return bool(found)
    if isinstance(found, (sympy.Eq, sympy.Ne)):
        assume(builder, sympy.Ne(*found.args), where)
        return isinstance(found, sympy.Ne)
    larger = found.subs({s: s + 2 for s in found.free_symbols})
    if len(found.free_symbols) == 1 and larger in (sympy.true, sympy.false):
        assume(builder, found if larger == sympy.true else sympy.Not(found), where)
        return bool(larger)
    raise builder.refuse(NeedsSize(found.free_symbols, where))


def truth(a: Any) -> bool:
    """The truth of a value that does not depend on the data: a comparison of sizes, a plain number.

    Raises:
        TraceError: it depends on data; NeedsSize: on sizes.
    """
    numbers = a.numbers
    if numbers is not None:
        return bool(numbers)
    value = constant_of(a)
    check = passing() if value is None else None
    if check is not None:
        return check
    if value is None:
        raise a.builder.refuse(
            TraceError(
                "A branch on the data cannot be traced.",
                where=repr(a),
                fix="use np.where(condition, a, b), or branch on an option that is no array",
            )
        )
    if isinstance(value, Comparison):
        return usual(a.builder, _RELATIONS[value.sign](*value.args), str(value))
    if value.is_number:
        return bool(value != 0)
    return usual(a.builder, sympy.Ne(value, 0), str(value))


_RELATIONS: dict[str, Any] = {
    ">": sympy.Gt,
    ">=": sympy.Ge,
    "<": sympy.Lt,
    "<=": sympy.Le,
    "==": sympy.Eq,
    "!=": sympy.Ne,
}


def whole_size(a: Any) -> Any:
    """``int(a)`` of a size: the size itself, taken to be whole where it is divided, such as h/2.

    Raises:
        TraceError: it depends on the data.
    """
    value = constant_of(a)
    if value is None:
        raise TraceError("A traced array has no value yet.", where=repr(a), fix="leave int(...) away")
    if not value.free_symbols:
        return int(value)
    divided(a.builder, value)
    return a


def divided(builder: Builder, size: sympy.Expr) -> None:
    """Go on as if a size such as h/2 were whole; sizes for which it is not are derived on their own."""
    top, bottom = sympy.fraction(sympy.together(size))
    if not top.is_polynomial() or not bottom.is_Integer:
        raise builder.refuse(NeedsSize(size.free_symbols, str(size)))
    if bottom != 1:
        assume(builder, sympy.Eq(sympy.Mod(top, bottom), 0), str(size))
