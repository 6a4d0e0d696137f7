"""Labels of a loss of ``symgrad.nn``: whole numbers from 0 to k − 1, which the derivation checks when it is called."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.ops.dims import as_dim
from symgrad.program import labels_of
from symgrad.program.domains import Labels
from symgrad.trace import operations as ops
from symgrad.trace.keys import whole
from symgrad.trace.sizes import NeedsKind

NO_MARK = -100
"""What torch and OneFlow ignore by default; a formula need not have it."""


def labels(a: Any, classes: Any, mark: int) -> tuple[Any, Any]:
    """Labels as indices, and which of them count (None: all).

    Args:
        a: a traced array.
        classes: the number of classes, or its symbol.
        mark: the label of rows that do not count.  With torch's own, −100, all count, and that mark is refused
            when arrays come: the formula stays the textbook's.

    Raises:
        NeedsKind: ``a`` is an argument of which it is not known yet that it holds labels.
    """
    builder = a.builder
    marked = mark != NO_MARK
    limit = as_dim(classes)
    if builder.binding(a.name) is None:
        domain = next(i.domain for i in builder.inputs if i.name == a.name)
        if labels_of(domain) is None and isinstance(limit, int | sympy.Symbol):
            needed = Labels(limit if isinstance(limit, int) else limit.name, mark if marked else None)
            raise builder.refuse(NeedsKind(a.name, str(needed), "cross entropy"))
    whole(builder, a.name, "cross entropy")
    if not marked:
        return a, None
    kept = ops.elementary(builder, "not_equal", a, mark)
    return ops.elementary(builder, "where", kept, a, 0), kept
