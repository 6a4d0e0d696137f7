"""A program evaluated together with a bound on what rounding may do to each entry.

For each value the record of its operation gives the magnitude M, the size of the terms that met in it, and
the number L of roundings on the longest path to it; a computation in arithmetic of unit roundoff u is off
by at most γ_L·M, γ_L = L·u/(1 − L·u), to first order (Higham 2002, section 3).  Two things go beyond first
order:

- where an argument that is itself uncertain by e enters a curved or broken function, the function is
  evaluated at both ends, so that a saturated sigmoid or a relu mask within rounding of its kink is judged
  fairly;
- each operation may lose up to half a smallest subnormal η to underflow; written as a magnitude this is η/u.

The reference is computed in a wider format where there is one, and otherwise its own error is added.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import sympy

from symgrad.ops.dims import dim_symbol
from symgrad.ops.record import ARG, Magnitude
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import numpy_function
from symgrad.program import Binding, Program, numpy_callable

BROKEN = (f.Step, f.Sign, f.Above, f.Comparison, f.Select)
"""Functions that jump; their arguments are moved by at least one unit in the last place."""


@dataclass(frozen=True)
class Format:
    """The arithmetic of a candidate, and the wider one that the reference is computed in."""

    dtype: np.dtype[Any]
    reference: np.dtype[Any]

    @property
    def unit(self) -> Any:
        """The unit roundoff, half the distance from 1 to the next number."""
        return self.reference.type(np.finfo(self.dtype).eps) / 2

    @property
    def underflow(self) -> Any:
        """What one operation may lose to underflow, as a magnitude: η/u, twice the smallest normal number."""
        return 2 * self.reference.type(np.finfo(self.dtype).tiny)

    @property
    def wider(self) -> bool:
        return bool(np.finfo(self.reference).eps < np.finfo(self.dtype).eps)

    def gamma(self, roundings: int) -> Any:
        """γ of that many roundings; infinite where the first-order bound ends."""
        lu = roundings * self.unit
        return lu / (1 - lu) if lu < 1 else self.reference.type(np.inf)


def format_of(dtype: np.dtype[Any]) -> Format:
    """The format for a candidate that computes in ``dtype``."""
    wide = np.dtype(np.float64) if dtype.itemsize < 8 else np.dtype(np.longdouble)
    return Format(dtype, wide)


@dataclass(frozen=True)
class Bounded:
    """A value with the magnitude and the number of roundings that bound its error."""

    value: Any
    size: Any
    roundings: int


@dataclass(frozen=True)
class Evaluation:
    """All values of a program on given arrays.

    Attributes:
        outputs: by label.
        peak: the largest magnitude of any value on the way.
        kinks: how many entries of broken functions lie on a kink, or within rounding of one.
    """

    outputs: Mapping[str, Bounded]
    peak: float
    kinks: int


@lru_cache(maxsize=256)
def _opened(program: Program) -> Program:
    """The program with every binding among its outputs."""
    return Program(program.inputs, program.bindings, tuple((b.name, b.name) for b in program.bindings))


def _values(program: Program, arrays: Mapping[str, Any]) -> dict[str, Any]:
    if not program.bindings:
        return {}
    result = numpy_callable(_opened(program))(*(arrays[i.name] for i in program.inputs))
    first = program.bindings[0].name
    if len(program.bindings) == 1:
        return {first: result}
    value, others = result
    return {first: value, **others}


def evaluate(
    program: Program, arrays: Mapping[str, Any], sizes: Mapping[str, int], fmt: Format
) -> Evaluation | None:
    """Values, magnitudes and roundings of a program's outputs, on arrays in the candidate's dtype.

    Returns:
        None where the formula divides by a size that is 0.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _evaluate(program, arrays, sizes, fmt)
        except ZeroDivisionError:
            return None


def _evaluate(
    program: Program, arrays: Mapping[str, Any], sizes: Mapping[str, int], fmt: Format
) -> Evaluation:
    wide = {n: np.asarray(a, dtype=fmt.reference) for n, a in arrays.items()}
    try:
        values = _values(program, wide)
    except TypeError:
        # SciPy has no long double erf: then the reference is computed in the dtype of the candidate.
        values = _values(program, {n: np.asarray(a, dtype=np.float64) for n, a in arrays.items()})
    symbols = {dim_symbol(n): s for n, s in sizes.items()}
    known: dict[str, Bounded] = {n: Bounded(a, np.abs(a), 0) for n, a in wide.items()}
    peak, kinks = 0.0, 0
    for b in program.bindings:
        args = [known[a] for a in b.args]
        out = np.asarray(values[b.name], dtype=fmt.reference)
        found = _bounded(b, args, out, symbols, fmt)
        known[b.name] = found
        if b.op == "pointwise" and b.attrs["fn"].has(*BROKEN):
            kinks += _on_kink(b.attrs["fn"].xreplace(symbols), args, out, fmt)
        largest = float(np.max(found.size, initial=0.0))
        peak = max(peak, largest) if largest == largest else float("inf")
    return Evaluation({label: known[name] for label, name in program.outputs}, peak, kinks)


def _bounded(
    b: Binding, args: Sequence[Bounded], out: Any, symbols: Mapping[sympy.Symbol, int], fmt: Format
) -> Bounded:
    attrs = {k: _at_sizes(v, symbols) for k, v in b.items}
    if any(isinstance(v, sympy.Expr) and v.has(sympy.zoo, sympy.nan, sympy.oo) for v in attrs.values()):
        raise ZeroDivisionError(b.name)
    size = b.record.magnitude([Magnitude(a.value, a.size) for a in args], attrs, out)
    own = b.record.roundings([np.shape(a.value) for a in args], attrs)
    roundings = max((a.roundings for a in args), default=0) + own
    size = np.broadcast_to(np.asarray(size, dtype=fmt.reference), out.shape) + own * fmt.underflow
    if b.op == "pointwise" and args and not _polynomial(attrs["fn"], len(args)):
        moved = _swing(attrs["fn"], args, out, fmt)
        size = np.maximum(size, moved / fmt.gamma(max(roundings, 1)))
    return Bounded(out, size, roundings)


def _at_sizes(value: Any, symbols: Mapping[sympy.Symbol, int]) -> Any:
    if isinstance(value, sympy.Expr):
        return value.xreplace(symbols)
    if isinstance(value, tuple):
        return tuple(_at_sizes(v, symbols) for v in value)
    return value


@lru_cache(maxsize=4096)
def _polynomial(fn: sympy.Expr, arguments: int) -> bool:
    return bool(fn.is_polynomial(*(ARG(i) for i in range(arguments))))


def _errors(fn: sympy.Expr, args: Sequence[Bounded], fmt: Format) -> list[Any]:
    """By how much each argument may be off; in front of a function that jumps at least one last place."""
    out = []
    least = np.finfo(fmt.reference).eps if fn.has(*BROKEN) else 0
    for a in args:
        error = fmt.gamma(a.roundings) * a.size
        if least:
            error = error + least * np.abs(a.value) + fmt.underflow * fmt.unit
        out.append(error)
    return out


def _swing(fn: sympy.Expr, args: Sequence[Bounded], out: Any, fmt: Format) -> Any:
    """How far the function's value moves when its arguments move by their errors."""
    errors = _errors(fn, args, fmt)
    call = numpy_function([ARG(i) for i in range(len(args))], [fn])
    moved = np.zeros(out.shape, dtype=fmt.reference)
    for signs in product((-1, 1), repeat=len(args)):
        at = [a.value + s * e for a, s, e in zip(args, signs, errors, strict=True)]
        value = np.asarray(_call(call, at), dtype=fmt.reference)
        difference = np.abs(value - out)
        moved = np.maximum(moved, np.where(np.isnan(difference), np.inf, difference))
    return moved


def _call(call: Any, at: list[Any]) -> Any:
    try:
        return call(*at)[0]
    except TypeError:  # no long double erf, as above
        return call(*(np.asarray(a, dtype=np.float64) for a in at))[0]


def _on_kink(fn: sympy.Expr, args: Sequence[Bounded], out: Any, fmt: Format) -> int:
    """How many entries change by more than rounding when the arguments move by their errors."""
    moved = _swing(fn, args, out, fmt)
    return int(np.count_nonzero(moved > 0.25 * np.maximum(1, np.abs(out)))) if moved.size else 0


def error_bound(found: Bounded, fmt: Format, own: Bounded | None = None) -> Any:
    """How far a right candidate may be from the reference, entry by entry.

    Args:
        found: the reference.
        fmt: the arithmetic of the candidate.
        own: the candidate's own program, where it was traced; its terms may be larger than the reference's.
    """
    twice = 2 if fmt.wider else 4
    bound = fmt.gamma(twice * max(found.roundings, 1)) * found.size
    if own is not None and own.size.shape == found.size.shape:
        extra = fmt.gamma(max(own.roundings, 1)) * own.size
        bound = np.where(np.isfinite(extra), np.maximum(bound, bound / 2 + extra), bound)
    return bound


def _name(dtype: Any) -> str:
    return "extended precision" if np.dtype(dtype).itemsize > 8 else str(dtype)


def describe(fmt: Format, roundings: int, traced: bool) -> str:
    """Where the tolerance came from, in a sentence."""
    who = (
        "the formula's and the candidate's own terms"
        if traced
        else "the formula's terms, candidate not traced"
    )
    return (
        f"γ·M, M the sum of the absolute terms ({who}), γ from {roundings} roundings in {fmt.dtype} "
        f"(u = {float(fmt.unit):.1e}), plus underflow; reference in {_name(fmt.reference)}"
    )
