"""What a program costs: floating-point operations and bytes moved, as formulas in its sizes or as numbers.

Both are read from the records' definitions: so many entries, so many operations in the function of an entry, one
addition for each term of a sum.  Calls on whole arrays have the usual counts (Golub and Van Loan, *Matrix
Computations*, 4th edition, sections 3 to 8).  Bytes are those of arrays that have memory: each loop nest reads what it
names once and writes its result once; what is written into its reader moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.compile.forms import Call, Form, form_of, is_log_sum_exp
from symgrad.compile.placement import Placement, place
from symgrad.ops.dims import Dim, Shape, product, shape_of
from symgrad.ops.record import Definition
from symgrad.ops.scalars.functions import (
    Above,
    Absolute,
    Maximum,
    Minimum,
    Ratio,
    Relu,
    Select,
    Sign,
    Step,
    Truth,
)
from symgrad.program import Binding, Program

FUNCTION = 16
"""Operations of one exp, tanh or the like: what a vector of them takes, in multiplications."""

BALANCE = 4
"""Operations that a core does in the time in which it moves one byte to or from memory."""

_SINGLE = (Truth, Select, Maximum, Minimum, Relu, Absolute, Sign, Step, Above, Ratio)
"""Functions that are one instruction or two."""

_CALLS: Mapping[str, Callable[[Any, Any], Any]] = {
    "inverse": lambda n, k: 2 * n**3,
    "cofactor": lambda n, k: 22 * n**3,
    "cholesky": lambda n, k: n**3 / 3,
    "pinv": lambda n, k: 24 * n**3,
    "svd_sum": lambda n, k: 24 * n**3,
    "eigh_sum": lambda n, k: 9 * n**3,
    "eigenvectors": lambda n, k: 9 * n**3,
    "upright_eigenvectors": lambda n, k: 9 * n**3,
    "eigvalsh": lambda n, k: 4 * n**3 / 3,
    "svdvals": lambda n, k: 8 * n**3 / 3,
    "det": lambda n, k: 2 * n**3 / 3,
    "logdet": lambda n, k: 2 * n**3 / 3,
    "det_sign": lambda n, k: 2 * n**3 / 3,
    "over_gaps": lambda n, k: 3 * n**2,
    "solve": lambda n, k: 2 * n**3 / 3 + 2 * n**2 * k,
}
"""For each call on a matrix with n as the longest side its operations; k are the columns of a right-hand side."""


@dataclass(frozen=True)
class Cost:
    """Operations and bytes, as expressions in the sizes or as numbers."""

    flops: Any = 0
    bytes: Any = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.bytes + other.bytes)

    def at(self, sizes: Mapping[str, int]) -> Cost:
        """With numbers for the sizes."""
        return Cost(_number(self.flops, sizes), _number(self.bytes, sizes))

    @property
    def intensity(self) -> float:
        """Operations for each byte moved, where both are numbers."""
        return float(self.flops) / max(1.0, float(self.bytes))


def _number(value: Any, sizes: Mapping[str, int]) -> int:
    found = sympy.sympify(value)
    return round(float(found.subs({s: sizes[s.name] for s in found.free_symbols})))


def operations(fn: sympy.Expr) -> int:
    """The operations of one entry's function: 1 for each +, −, ×, ÷ and comparison, ``FUNCTION`` for an exp."""
    fn = sympy.sympify(fn)
    if not fn.args:
        return 0
    inner = sum(operations(a) for a in fn.args)
    if fn.is_Mul:
        top, bottom = fn.as_numer_denom()
        if bottom != 1 and not bottom.is_number:
            return operations(top) + operations(bottom) + 1
        signs = sum(a == -1 for a in fn.args)
        return inner + len(fn.args) - 1 - signs
    if fn.is_Add:
        return inner + len(fn.args) - 1
    if fn.is_Pow:
        return operations(fn.base) + _power(fn.exp)
    if fn.is_number:
        return 0
    return inner + (1 if isinstance(fn, _SINGLE) else FUNCTION)


def _power(exponent: sympy.Expr) -> int:
    """A whole power by squaring, a root, or a function."""
    whole = sympy.Abs(exponent)
    if whole == sympy.Rational(1, 2):
        return 1 + int(bool(exponent.is_negative))
    if whole.is_Integer and whole <= 64:
        n = int(whole)
        return n.bit_length() - 1 + n.bit_count() - 1 + int(bool(exponent.is_negative))
    return FUNCTION


def flops(
    program: Program, b: Binding, form: Form | None = None, sizes: Mapping[str, int] | None = None
) -> Any:
    """The operations of one binding: an expression in the sizes, or a number where they are given."""
    form = form or form_of(program, b)

    def count(shape: Iterable[Dim]) -> Any:
        shape = tuple(shape)
        return product(shape) if sizes is None else product(shape_of(shape, sizes))

    if isinstance(form, Call) and form.function != "dot":
        return _call(program, b, form, count)
    found = b.record.define([program.type(a) for a in b.args], b.attrs, b.type) if b.args else None
    found = form if isinstance(form, Definition) else found
    if not isinstance(found, Definition):
        return 0
    if found.parts:
        return sum((count(p.sizes) * (operations(p.fn) + int(p.adds)) for p in found.parts), 0)
    each = operations(found.fn) + (1 if found.reduce else 0) + (2 if is_log_sum_exp(found) else 0)
    return count((*b.shape, *found.reduce)) * each + count(b.shape) * operations(found.after)


def _call(program: Program, b: Binding, form: Call, count: Callable[[Shape], Any]) -> Any:
    """A call for every matrix of a stack, or for every line."""
    shape = program.type(b.args[0]).shape
    if form.on == "line":
        entries = count(shape)
        sorting = form.function == "argsort"
        return entries * (3 if form.function == "prod_others" else 1) * (FUNCTION if sorting else 1)
    lead, (rows, columns) = shape[: len(shape) - 2], shape[-2:]
    longest = sympy.Max(count((rows,)), count((columns,)))
    if form.function == "matrix_power":
        return count(lead) * 2 * longest**3 * max(1, abs(int(b.attrs["p"])).bit_length())
    right = program.type(b.args[1]).shape if len(b.args) > 1 else ()
    return count(lead) * _CALLS[form.function](longest, count(right[-1:]) if len(right) > 1 else 1)


def itemsize(kind: str, dtype: str) -> int:
    """Bytes of an entry."""
    return {"int": 8, "bool": 1}.get(kind, 4 if dtype == "float32" else 8)


def size_in_bytes(program: Program, name: str, dtype: str) -> Any:
    """Bytes of a value's array."""
    t = program.type(name)
    return product(t.shape) * itemsize(t.kind, dtype)


def memory_read(program: Program, b: Binding, placement: Placement) -> tuple[str, ...]:
    """The values with memory that a loop nest or call reads, each once, through those that are written into it."""
    found: dict[str, None] = {}
    waiting = list(b.args)
    while waiting:
        name = waiting.pop(0)
        where = placement.place.get(name)
        if where in ("inline", "number"):
            value = program.by_name[name]
            waiting += value.args if isinstance(value, Binding) else ()
        elif where != "scalar" and program.type(name).shape:
            found[name] = None
    return tuple(found)


def program_cost(program: Program, dtype: str) -> Cost:
    """One evaluation of the whole program by loops over whole arrays."""
    placement = place(program)
    total: Any = 0
    moved: Any = 0
    for b in program.bindings:
        total += flops(program, b, placement.forms[b.name])
        if placement.place[b.name] in ("buffer", "scalar"):
            moved += sum(size_in_bytes(program, n, dtype) for n in memory_read(program, b, placement))
        if placement.place[b.name] == "buffer":
            moved += size_in_bytes(program, b.name, dtype)
    return Cost(sympy.expand(total), sympy.expand(moved))
