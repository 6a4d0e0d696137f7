"""Is an assignment a step along a gradient?  The new value is read as `old + sign · factors · gradient + …`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from verify.scripts.values import (
    Apply,
    Constant,
    Value,
    call_of,
    depends,
    reachable,
    resolved,
)

_PLUS = frozenset({"add", "numpy.add"})
_MINUS = frozenset({"sub", "numpy.subtract"})
_TIMES = frozenset({"mul", "numpy.multiply"})
_OVER = frozenset({"div", "numpy.divide", "numpy.true_divide"})
_SAME = frozenset({"pos", "method.copy", "method.astype", "numpy.array", "numpy.asarray", "numpy.copy"})
_CLIPPED = frozenset({"numpy.clip", "method.clip"})
_SIZES = frozenset({"attr.shape", "attr.size", "builtins.len", "numpy.shape", "numpy.size"})


@dataclass(frozen=True)
class Factor:
    """A factor of a term, or a divisor."""

    value: Value
    divides: bool


@dataclass(frozen=True)
class Term:
    """A summand: sign · factors · target."""

    sign: int
    factors: tuple[Factor, ...]
    target: Value


@dataclass(frozen=True)
class Update:
    """An assignment that moves a parameter.

    Args:
        parameter: the value that is moved.
        name: its variable.
        line: the line of the assignment.
        text: its source.
        whole: whether the variable as a whole is set, not an entry or an attribute.
        gradient: the call of an own function, or the part of its result, that the parameter moves along.
        sign: +1 where the gradient is added, -1 where it is subtracted.
        factors: what multiplies or divides the gradient.
        memory: whether earlier gradients take part (momentum).
        problem: "inline" where the gradient is written out in the script, "mixed" where terms besides the result
            of a function depend on the parameter; then `gradient` is None.
    """

    parameter: Value
    name: str
    line: int
    text: str
    whole: bool
    gradient: Value | None
    sign: int
    factors: tuple[Factor, ...]
    memory: bool
    problem: Literal["inline", "mixed"] | None


def read_update(
    old: Value, new: Value, name: str, names: Mapping[Value, str], line: int, text: str, whole: bool
) -> Update | None:
    """The update that sets `old` to `new`, or None where the new value is no step from the old one.

    Args:
        old: what the variable holds.
        new: what it is set to.
        name: its name.
        names: the names of all values, which tell a rate that has a name from a bare number.
        line: the line of the assignment.
        text: its source.
        whole: whether the variable as a whole is set.
    """
    terms = _terms(new, old)
    while not any(term.target is old for term in terms):
        inside = resolved(new)  # the step is made by a function of the file
        if inside is None:
            return None
        new, terms = inside, _terms(inside, old)
    kept = [term for term in terms if term.target is old]
    moving = [term for term in terms if term.target is not old and depends(term.target, [old])]
    if not moving:
        return None
    calls = [term for term in moving if call_of(term.target) is not None]
    clean = len(kept) == 1 and kept[0].sign == 1 and not kept[0].factors
    blank = Update(old, name, line, text, whole, None, 1, (), len(terms) > len(kept) + len(moving), None)
    if clean and len(moving) == 1 and calls:
        step = moving[0]
        return replace(blank, gradient=step.target, sign=step.sign, factors=step.factors)
    return replace(blank, problem="mixed" if calls else "inline")


def coefficient(update: Update, names: Mapping[Value, str]) -> tuple[str, str | None]:
    """The learning rate of an update, and what else multiplies its gradient (None: nothing).

    A size of an array, or a bare number beside something that has a name, is no learning rate.

    Args:
        update: the update.
        names: the names of all values.
    """
    own = call_of(update.gradient) if update.gradient is not None else None
    rates: list[tuple[str, bool]] = []
    rest: list[tuple[str, bool]] = []
    parts = [part for factor in update.factors for part in _split(factor)]
    named = any(not _bare(part, names) and not _size(part.value) for part in parts)
    for part in parts:
        if own is not None and any(found is own for found in reachable([part.value])):
            continue  # a norm or a running mean of the gradient itself rescales the step
        aside = _size(part.value) or (named and _bare(part, names))
        (rest if aside else rates).append((names.get(part.value, part.value.text), part.divides))
    return _product(rates) or "1", _product(rest)


def _terms(value: Value, base: Value) -> list[Term]:
    if value is base:
        return [Term(1, (), value)]
    if not isinstance(value, Apply) or not value.operands:
        return [Term(1, (), value)]
    first = value.operands[0]
    second = value.operands[1] if len(value.operands) > 1 else None
    if value.op in _PLUS and second is not None:
        return _terms(first, base) + _terms(second, base)
    if value.op in _MINUS and second is not None:
        return _terms(first, base) + [replace(term, sign=-term.sign) for term in _terms(second, base)]
    if value.op in ("neg", "numpy.negative"):
        return [replace(term, sign=-term.sign) for term in _terms(first, base)]
    if value.op in _SAME or value.op in _CLIPPED:
        return _terms(first, base)
    if value.op in _TIMES and second is not None:
        main, other = (first, second) if depends(first, [base]) else (second, first)
        if depends(other, [base]) or not depends(main, [base]):
            return [Term(1, (), value)]
        return [_scaled(term, Factor(other, False)) for term in _terms(main, base)]
    if value.op in _OVER and second is not None:
        return [_scaled(term, Factor(second, True)) for term in _terms(first, base)]
    return [Term(1, (), value)]


def _scaled(term: Term, factor: Factor) -> Term:
    sign, value = term.sign, factor.value
    while isinstance(value, Apply) and value.op in ("neg", "pos"):
        sign = -sign if value.op == "neg" else sign
        value = value.operands[0]
    if isinstance(value, Constant) and isinstance(value.value, int | float) and value.value < 0:
        sign = -sign
    return Term(sign, (*term.factors, Factor(value, factor.divides)), term.target)


def _split(factor: Factor) -> list[Factor]:
    """A factor that is itself a product, factor by factor."""
    value = factor.value
    if isinstance(value, Apply) and value.op in _TIMES | _OVER and len(value.operands) == 2:
        second = factor.divides != (value.op in _OVER)
        left = _split(Factor(value.operands[0], factor.divides))
        return left + _split(Factor(value.operands[1], second))
    if isinstance(value, Apply) and value.op in ("pos", "builtins.float") and value.operands:
        return _split(Factor(value.operands[0], factor.divides))
    return [factor]


def _bare(factor: Factor, names: Mapping[Value, str]) -> bool:
    return isinstance(factor.value, Constant) and factor.value not in names


def _size(value: Value) -> bool:
    return any(isinstance(found, Apply) and found.op in _SIZES for found in reachable([value]))


def _product(parts: list[tuple[str, bool]]) -> str | None:
    above = [text for text, divides in parts if not divides]
    below = [text for text, divides in parts if divides]
    if not parts:
        return None
    text = " * ".join(above) or "1"
    return text + "".join(f" / {_grouped(part)}" for part in below)


def _grouped(text: str) -> str:
    return text if text.replace("_", "").replace(".", "").isalnum() or text.endswith(")") else f"({text})"
