"""What stands within the bracket of a condition: 0 < x < 1, x > 0 ∨ y > 0, ¬m."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import sympy

from symgrad.ops.record import Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars.logic import LogicalAnd, LogicalNot, LogicalOr
from symgrad.ops.scalars.printer import ADD

_NEGATED: dict[type, type] = {
    f.Greater: f.LessEqual,
    f.GreaterEqual: f.Less,
    f.Less: f.GreaterEqual,
    f.LessEqual: f.Greater,
    f.Equal: f.NotEqual,
    f.NotEqual: f.Equal,
}


class LogicSigns(Protocol):
    """The part of a printer that conditions need."""

    conjunction: str
    disjunction: str
    negation: str
    equal_signs: ClassVar[Mapping[str, str]]

    def piece(self, expr: sympy.Expr) -> Piece: ...
    def wrap(self, piece: Piece, least: int) -> str: ...


def condition(printer: LogicSigns, expr: sympy.Expr) -> str:
    """The condition without its bracket."""
    if isinstance(expr, f.Comparison):
        return printer.piece(expr).text[1:-1]
    if isinstance(expr, LogicalNot):
        return _negated(printer, expr.args[0])
    if isinstance(expr, LogicalAnd):
        return _chained(printer, *expr.args) or _joined(printer, expr, LogicalOr, printer.conjunction)
    if isinstance(expr, LogicalOr):
        return _joined(printer, expr, LogicalAnd, printer.disjunction)
    piece = printer.piece(expr)
    return piece.text if expr.is_Symbol else printer.wrap(piece, ADD)


def _negated(printer: LogicSigns, expr: sympy.Expr) -> str:
    """x ≥ 0 for not x < 0."""
    turned = _NEGATED.get(type(expr))
    if turned is not None:
        return condition(printer, turned(*expr.args))
    text = condition(printer, expr)
    return f"{printer.negation}({text})" if expr.args else f"{printer.negation}{text}"


def _joined(printer: LogicSigns, expr: sympy.Expr, other: type, sign: str) -> str:
    parts = (condition(printer, a) for a in expr.args)
    return sign.join(
        f"({text})" if isinstance(a, other) else text for a, text in zip(expr.args, parts, strict=True)
    )


def _chained(printer: LogicSigns, one: sympy.Expr, other: sympy.Expr) -> str | None:
    """0 < x < 1 for two comparisons of one value; None for others."""
    first, second = _rising(one), _rising(other)
    if first is None or second is None:
        return None
    for (low, lower, middle), (again, upper, high) in ((first, second), (second, first)):
        if middle == again and not middle.is_number:
            a, b, c = (printer.wrap(printer.piece(e), ADD) for e in (low, middle, high))
            lower, upper = (printer.equal_signs.get(s, s) for s in (lower, upper))
            return f"{a} {lower} {b} {upper} {c}"
    return None


def _rising(e: sympy.Expr) -> tuple[sympy.Expr, str, sympy.Expr] | None:
    """A comparison with the smaller side first."""
    if isinstance(e, f.Less | f.LessEqual):
        return e.args[0], e.sign, e.args[1]
    if isinstance(e, f.Greater | f.GreaterEqual):
        return e.args[1], e.sign.replace(">", "<"), e.args[0]
    return None
