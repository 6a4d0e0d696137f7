"""What the names in a formula stand for, in either syntax."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.errors import SpecError
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced

CONSTANTS: Mapping[str, sympy.Expr] = {"pi": sympy.pi, "e": sympy.E}


def look_up(name: str, builder: Builder, names: Mapping[str, Traced]) -> Traced:
    """An array, the size that is called so in the shapes, π or e.

    Raises:
        SpecError: none of these, or two of them.
    """
    if name in names:
        return names[name]
    sizes = {str(s): s for i in builder.inputs for d in i.shape for s in sympy.sympify(d).free_symbols}
    if name in sizes and name in CONSTANTS:
        raise SpecError(
            f"{name} is a size of the shapes and a constant.",
            where=name,
            fix=f"call the size other than {name}",
        )
    if name in sizes:
        return ops.lift(builder, sizes[name])
    if name in CONSTANTS:
        return ops.lift(builder, CONSTANTS[name])
    known = list(dict.fromkeys([*(i.name for i in builder.inputs), *names]))
    raise SpecError(
        f"Nothing says what {name!r} is.",
        expected=f"one of {', '.join(known)}" if known else None,
        fix=f"give its shape, such as {name}: n d",
    )
