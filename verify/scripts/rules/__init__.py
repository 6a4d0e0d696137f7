"""One shape rule for each operation that scripts use to make data and to write losses."""

from __future__ import annotations

from collections.abc import Mapping

from verify.scripts.kinds import Kind
from verify.scripts.rules.arguments import Rule
from verify.scripts.rules.computing import COMPUTING
from verify.scripts.rules.forming import FORMING
from verify.scripts.rules.making import MAKING, generator_rule
from verify.scripts.shapes import Shapes
from verify.scripts.values import Apply, Value

RULES: Mapping[str, Rule] = {**MAKING, **FORMING, **COMPUTING}


def form(shapes: Shapes, value: Apply) -> Kind | None:
    """The form of an operation's result, None where no rule tells."""
    rule = RULES.get(value.op) or generator_rule(value)
    if rule is None or not (value.operands or value.op in MAKING):
        return None
    return rule(shapes, value)


def new_shapes(names: Mapping[Value, str]) -> Shapes:
    """A reader of forms that knows all rules.

    Args:
        names: the names of the values.
    """
    return Shapes(names, form)
