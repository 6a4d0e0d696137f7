"""How long, deep and large a text may be, so that none can hang the machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import sympy

from symgrad.errors import ParseError
from symgrad.program import Binding

MAX_LENGTH = 20_000
MAX_DIGITS = 40
MAX_DEPTH = 40
"""Brackets, signs and calls within each other.  A sum of many terms is not deep."""
MAX_RANK = 16
MAX_ENTRIES = 10**8
"""In an array whose sizes the text itself gives: 800 MB of doubles."""
MAX_OPERATIONS = 1000
MAX_ARGUMENTS = 64
"""Arrays in one call, and rounds of what is repeated: powers of a matrix, differences of differences."""
MAX_NODES = 200
"""In a number that is kept exact, such as sqrt(2) + log(3)."""
MAX_COUNT = 10_000
"""In what a text asks for by number: entries of an array of constants, repetitions, axes and indices together."""
MAX_TERMS = 500
"""In a size multiplied out, such as (n + d + 1)**4."""


def check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ParseError("The text is too long.", expected=f"at most {MAX_LENGTH} characters", got=len(text))


def check_digits(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise ParseError("The number is too long.", expected=f"at most {MAX_DIGITS} digits")


def too_deep(depth: int | None = None) -> ParseError:
    return ParseError(
        "The formula is nested too deeply.",
        expected=f"at most {MAX_DEPTH} levels",
        got=depth,
        fix="compute a part of it in given=",
    )


def check_constant(constant: sympy.Expr) -> None:
    """Refuse a number or a size whose exact form is too long; numbers are never rounded before the end."""
    for count, _ in enumerate(sympy.preorder_traversal(constant)):
        if count > MAX_NODES:
            raise ParseError(
                "A constant of the formula is too long.",
                expected=f"at most {MAX_NODES} operations on numbers and sizes",
                fix="compute it before, and make it an argument",
            )
    if constant.free_symbols:
        _check_size(constant)


def check_operations(bindings: int) -> None:
    if bindings > MAX_OPERATIONS:
        raise ParseError("The formula is too long.", expected=f"at most {MAX_OPERATIONS} operations")


def _check_size(size: sympy.Expr) -> None:
    """Refuse a size that has too many terms when it is multiplied out."""
    terms = _terms(size)
    if terms > MAX_TERMS:
        raise ParseError("The size is too long a formula.", expected=f"at most {MAX_TERMS} terms")


def _terms(e: sympy.Expr) -> float:
    """A bound for the number of terms of the expanded expression, found without expanding it."""
    if e.is_Add:
        return sum(_terms(a) for a in e.args)
    if e.is_Mul:
        return math.prod(_terms(a) for a in e.args)
    if e.is_Pow and e.exp.is_Integer:
        inner, power = _terms(e.base), abs(int(e.exp))
        # The coefficients and exponents grow with the power too, also where there is one term only.
        return max(inner, 1.0) if power <= 1 else max(power, inner ** min(power, MAX_TERMS))
    return max([1.0, *(_terms(a) for a in e.args)])


_ROUNDS = ("diff", "matrix_power")


def check_counts(function: str, args: Sequence[object]) -> None:
    """Refuse arguments of a function that ask for too many entries or rounds."""
    numbers: list[int] = []
    for a in args:
        parts = a if isinstance(a, (tuple, list)) else (a,)
        arrays = sum(not isinstance(p, (int, float)) for p in parts)
        if max(arrays, len(args)) > MAX_ARGUMENTS:
            raise ParseError(f"{function} has too many arguments.", expected=f"at most {MAX_ARGUMENTS}")
        numbers += [abs(p) for p in parts if isinstance(p, int) and p]
    if function in _ROUNDS and max(numbers, default=0) > MAX_ARGUMENTS:
        raise ParseError(
            f"{function} has too many rounds.", expected=f"at most {MAX_ARGUMENTS}", got=max(numbers)
        )
    if function == "arange" and any(isinstance(a, float) for a in args):
        raise ParseError(
            "arange counts in whole numbers here.", fix="write np.linspace, or a multiple of arange"
        )
    if math.prod(numbers) > MAX_COUNT:
        raise ParseError(
            "The formula asks for too much.",
            expected=f"numbers and sizes of at most {MAX_COUNT} together",
            got=", ".join(map(str, numbers[:5])),
            fix="make a large array an argument, and its size a name of the shapes",
        )


def check_index(key: object) -> None:
    """Refuse an index that no array has."""
    if isinstance(key, int) and abs(key) > MAX_ENTRIES:
        raise ParseError("There is no array with this index.", expected=f"at most {MAX_ENTRIES}", got=key)


def check_entries(bindings: Iterable[Binding]) -> None:
    """Refuse arrays that are too large, or have too many axes, for every size of the inputs."""
    for b in bindings:
        if len(b.shape) > MAX_RANK:
            raise ParseError("An array has too many axes.", expected=f"at most {MAX_RANK}", got=len(b.shape))
        entries = math.prod(d for d in b.shape if isinstance(d, int))
        if entries > MAX_ENTRIES:
            raise ParseError(
                "The formula makes an array that is too large.",
                where=b.op,
                expected=f"at most {MAX_ENTRIES} entries",
                got=" × ".join(str(d) for d in b.shape),
            )
