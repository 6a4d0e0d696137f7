"""A program evaluated together with a bound on what rounding may do to each entry.

For each value the record of its operation gives the magnitude M, the size of the terms that met in it, and
the number L of roundings on the longest path to it; a computation in arithmetic of unit roundoff u is off
by at most γ_L·M, γ_L = L·u/(1 − L·u), to first order (Higham 2002, section 3).  Three things go beyond first
order:

- where an argument that is itself uncertain by e enters a curved function, the function is evaluated at both
  ends, so that a saturated sigmoid is judged fairly;
- where a value jumps (a relu mask within rounding of its kink, the largest of equal entries), ``kinks.py`` says
  how far;
- each operation may lose up to half a smallest subnormal η to underflow; written as a magnitude this is η/u.

A matrix that is inverted has a bound as long as it is well conditioned; the record says so.  The reference is
computed in a wider format where there is one, and otherwise its own error is added.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import sympy

from symgrad.ops.dims import dim_symbol
from symgrad.ops.record import ARG, Magnitude
from symgrad.ops.scalars import numpy_function
from symgrad.ops.scalars.magnitude import magnitude
from symgrad.program import Binding, Program, numpy_callable
from verify.kinks import beside_kinks, breaks, broken_leaves, corners, jumps, moves, spread

ILL = 0.01
"""Relative error from which on the condition of a matrix allows no first-order bound."""


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
    """A value with the magnitude and the number of roundings that bound its error.

    ``jump`` says how far each entry may be from the value because something lies on a kink; None for nowhere.
    """

    value: Any
    size: Any
    roundings: int
    jump: Any = None

    def grown(self) -> Magnitude:
        """Value and size, with the jump as part of the size."""
        return Magnitude(self.value, self.size if self.jump is None else self.size + self.jump)


@dataclass(frozen=True)
class Evaluation:
    """All values of a program on given arrays.

    Attributes:
        outputs: by label.
        peak: the largest magnitude of any value on the way.
        largest: the largest value itself.
        kinks: how many entries of broken functions lie on a kink, or within rounding of one.
        nearby: the outputs at points beside the kinks, by label.
        ill: the operation whose matrix is too ill conditioned for a bound; empty where none is.
        reference: what the values were computed in.
    """

    outputs: Mapping[str, Bounded]
    peak: float
    largest: float = 0.0
    kinks: int = 0
    nearby: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ill: str = ""
    reference: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float64))


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
        None where the formula divides by a size that is 0, or inverts a matrix that has no inverse.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _evaluate(program, arrays, sizes, fmt)
        except (ZeroDivisionError, np.linalg.LinAlgError, IndexError):
            return None


def _evaluate(
    program: Program, arrays: Mapping[str, Any], sizes: Mapping[str, int], fmt: Format
) -> Evaluation:
    real = {i.name for i in program.inputs if i.kind == "real"}
    wide = {n: np.asarray(a, dtype=fmt.reference) if n in real else np.asarray(a) for n, a in arrays.items()}
    reference = fmt.reference
    try:
        values = _values(program, wide)
    except TypeError:
        # SciPy's erf and NumPy's linear algebra have no long double: then the candidate's dtype has to do.
        narrow = {
            n: np.asarray(a, dtype=np.float64) if n in real else np.asarray(a) for n, a in arrays.items()
        }
        values, reference = _values(program, narrow), np.dtype(np.float64)
    symbols = {dim_symbol(n): s for n, s in sizes.items()}
    known: dict[str, Bounded] = {n: Bounded(a, np.abs(a), 0) for n, a in wide.items()}
    peak, ill = 0.0, ""
    most = max((float(np.max(np.abs(wide[n]), initial=0.0)) for n in real), default=0.0)
    for b in program.bindings:
        out = np.asarray(values[b.name])
        out = out if b.kind == "int" else out.astype(fmt.reference)
        found = _bounded(b, [known[a] for a in b.args], out, symbols, fmt)
        known[b.name] = found
        largest = float(np.max(found.size, initial=0.0))
        peak = max(peak, largest) if largest == largest else float("inf")
        most = max(most, float(np.max(np.abs(out), initial=0.0, where=np.isfinite(out))))
        if _ill(b, [known[a] for a in b.args], found.roundings, fmt):
            ill = b.op
    kinks, points = beside_kinks(program, wide, known, fmt)
    if kinks:
        known = _with_jumps(program, known, points, symbols, fmt)
    outputs = {label: known[name] for label, name in program.outputs}
    nearby = {label: [p[name] for p in points] for label, name in program.outputs} if kinks else {}
    return Evaluation(outputs, peak, most, kinks, nearby, ill, reference)


def _bounded(
    b: Binding, args: Sequence[Bounded], out: Any, symbols: Mapping[sympy.Symbol, int], fmt: Format
) -> Bounded:
    attrs = {k: _at_sizes(v, symbols) for k, v in b.items}
    if any(isinstance(v, sympy.Expr) and v.has(sympy.zoo, sympy.nan, sympy.oo) for v in attrs.values()):
        raise ZeroDivisionError(b.name)
    size = _size(b, [_real(b, a.grown(), fmt) for a in args], attrs, out)
    own = b.record.roundings([np.shape(a.value) for a in args], attrs)
    roundings = max((a.roundings for a in args), default=0) + own
    size = np.broadcast_to(np.asarray(size, dtype=fmt.reference), out.shape) + own * fmt.underflow
    if b.op == "pointwise" and args and not _polynomial(attrs["fn"], len(args)) and not breaks(attrs["fn"]):
        moved = _swing(attrs["fn"], args, out, fmt)
        size = np.maximum(size, moved / fmt.gamma(max(roundings, 1)))
    return Bounded(out, size, roundings)


def _ill(b: Binding, args: Sequence[Bounded], roundings: int, fmt: Format) -> bool:
    """Whether rounding may grow so far that first-order bounds end."""
    if b.record.condition is None or any(0 in np.shape(a.value) for a in args):
        return False
    try:
        grows = b.record.condition.grows([_narrow(a.grown()) for a in args], b.attrs)
    except np.linalg.LinAlgError:
        return True
    return not float(np.max(grows, initial=0.0)) * fmt.gamma(roundings) <= ILL


def _narrow(a: Magnitude) -> Magnitude:
    return Magnitude(np.asarray(a.value, dtype=np.float64), np.asarray(a.size, dtype=np.float64))


def _size(b: Binding, args: Sequence[Magnitude], attrs: Mapping[str, Any], out: Any) -> Any:
    """The record's magnitude; NumPy's linear algebra has no long double."""
    try:
        return b.record.magnitude(args, attrs, out)
    except TypeError:
        return b.record.magnitude([_narrow(a) for a in args], attrs, out.astype(np.float64))


def _real(b: Binding, a: Magnitude, fmt: Format) -> Magnitude:
    """The same in the numbers that the record's rule calculates with; an index stays whole."""
    if b.op == "pointwise":
        return Magnitude(np.asarray(a.value, dtype=fmt.reference), np.asarray(a.size, dtype=fmt.reference))
    return a


def _with_jumps(
    program: Program,
    known: Mapping[str, Bounded],
    points: Sequence[Mapping[str, Any]],
    symbols: Mapping[sympy.Symbol, int],
    fmt: Format,
) -> dict[str, Bounded]:
    """The same values, with how far a kink may move them."""
    out = {i.name: known[i.name] for i in program.inputs}
    for b in program.bindings:
        args, before = [out[a] for a in b.args], known[b.name]
        source = jumps(program, b) and bool(np.any(moves(before, [p[b.name] for p in points], fmt)))
        if not source and all(a.jump is None for a in args):
            out[b.name] = before
            continue
        found = _bounded(b, args, before.value, symbols, fmt)
        moved = spread([p[b.name] for p in points], before.value)
        attrs = {k: _at_sizes(v, symbols) for k, v in b.items}
        leaves = broken_leaves(b, args, points, attrs)
        still = [_real(b, Magnitude(a.value, np.abs(a.value)), fmt) for a in args]
        grown = [
            _real(b, Magnitude(a.value, np.abs(a.value) + (0 if a.jump is None else a.jump)), fmt)
            for a in args
        ]
        if leaves:
            reach = magnitude(attrs["fn"], {**_arguments(grown), **leaves}).size - np.abs(
                magnitude(attrs["fn"], {**_arguments(still), **_still(leaves)}).size
            )
        else:
            value = before.value
            reach = _size(b, grown, attrs, value) - _size(b, still, attrs, value)
        reach = np.broadcast_to(np.asarray(reach, dtype=fmt.reference), before.value.shape)
        reach = np.maximum(np.where(np.isnan(reach), np.inf, reach), moved)
        if b.op == "pointwise" and not _polynomial(attrs["fn"], len(args)):
            met = [[p[a] for p in points] for a in b.args]
            reach = np.maximum(reach, corners(attrs["fn"], [a.value for a in args], met, before.value))
        out[b.name] = replace(found, jump=reach)
    return out


def _arguments(args: Sequence[Magnitude]) -> dict[sympy.Symbol, Magnitude]:
    return {ARG(i): a for i, a in enumerate(args)}


def _still(leaves: Mapping[sympy.Expr, Magnitude]) -> dict[sympy.Expr, Magnitude]:
    return {e: Magnitude(m.value, np.abs(m.value)) for e, m in leaves.items()}


def _at_sizes(value: Any, symbols: Mapping[sympy.Symbol, int]) -> Any:
    if isinstance(value, sympy.Expr):
        return value.xreplace(symbols)
    if isinstance(value, tuple):
        return tuple(_at_sizes(v, symbols) for v in value)
    return value


@lru_cache(maxsize=4096)
def _polynomial(fn: sympy.Expr, arguments: int) -> bool:
    return bool(fn.is_polynomial(*(ARG(i) for i in range(arguments))))


def _swing(fn: sympy.Expr, args: Sequence[Bounded], out: Any, fmt: Format) -> Any:
    """How far the function's value moves when its arguments move by their errors."""
    errors = [fmt.gamma(a.roundings) * a.size for a in args]
    call = numpy_function([ARG(i) for i in range(len(args))], [fn])
    moved = np.zeros(out.shape, dtype=fmt.reference)
    for signs in product((-1, 1), repeat=len(args)):
        at = [a.value + (s * e if np.any(e) else 0) for a, s, e in zip(args, signs, errors, strict=True)]
        value = np.asarray(_call(call, at), dtype=fmt.reference)
        difference = np.abs(value - out)
        moved = np.maximum(moved, np.where(np.isnan(difference), np.inf, difference))
    return moved


def _call(call: Any, at: list[Any]) -> Any:
    try:
        return call(*at)[0]
    except TypeError:  # no long double erf, as above
        return call(*(np.asarray(a, dtype=np.float64) for a in at))[0]


def error_bound(found: Bounded, fmt: Format, own: Bounded | None = None) -> Any:
    """How far a right candidate may be from the reference, entry by entry.

    Args:
        found: the reference.
        fmt: the arithmetic of the candidate.
        own: the candidate's own program, where it was traced; its terms may be larger than the reference's.
    """
    twice = 2 if fmt.wider else 4
    bound = fmt.gamma(twice * max(found.roundings, 1)) * found.size
    if own is not None and np.shape(own.size) == np.shape(found.size):
        extra = fmt.gamma(max(own.roundings, 1)) * own.size
        bound = np.where(np.isfinite(extra), np.maximum(bound, bound / 2 + extra), bound)
    return bound


def _name(dtype: Any) -> str:
    return "extended precision" if np.dtype(dtype).itemsize > 8 else str(dtype)


def describe(fmt: Format, roundings: int, traced: bool, program: Program, reference: np.dtype[Any]) -> str:
    """Where the tolerance came from, in a sentence."""
    who = (
        "the formula's and the candidate's own terms"
        if traced
        else "the formula's terms, candidate not traced"
    )
    conditions = {f"; for {b.op} {b.record.condition.text}" for b in program.bindings if b.record.condition}
    return (
        f"γ·M, M the sum of the absolute terms ({who}), γ from {roundings} roundings in {fmt.dtype} "
        f"(u = {float(fmt.unit):.1e}), plus underflow; reference in {_name(reference)}"
        + "".join(sorted(conditions))
    )
