"""Where derivatives jump: what the values of a program are beside the point that it is evaluated at.

Every rounding, and every real input in its last place, is drawn at random, several times.  What is chosen by a
comparison is then chosen now on one side, now on the other: the mask of a relu at 0, the largest of equal entries.
All that is asked of the operations is how far their rounding goes; a value that changes by more is on a kink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.ops.record import ARG, Magnitude
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars import numpy_function
from symgrad.ops.scalars.table import ELEMENTARY
from symgrad.program import Binding, Input, Program, numpy_callable

if TYPE_CHECKING:
    from verify.tolerance import Bounded, Format

POINTS = 32
"""How many points beside a kink are looked at."""

BROKEN: tuple[type, ...] = (f.Select, f.Truth, *{type(e.expr) for e in ELEMENTARY if e.kink is not None})
"""Functions of entries whose value or slope jumps somewhere."""

DISCRETE = ("binary", "onehot")
"""Domains of real inputs whose values are exact."""


@lru_cache(maxsize=4096)
def breaks(fn: sympy.Expr) -> bool:
    """Whether a function of entries has a kink or a jump."""
    return bool(fn.has(*BROKEN))


def jumps(program: Program, b: Binding) -> bool:
    """Whether an operation can turn a small change of real numbers into a large one: choices and whole numbers."""
    if b.op == "pointwise":
        return breaks(b.attrs["fn"])
    return b.kind != "real" and any(program.type(a).kind == "real" for a in b.args)


@lru_cache(maxsize=64)
def _sources(program: Program) -> tuple[str, ...]:
    return tuple(b.name for b in program.bindings if jumps(program, b))


@lru_cache(maxsize=64)
def _calls(program: Program) -> tuple[Any, ...]:
    """Each binding as a function of the inputs, for their sizes, and of its arguments."""
    out = []
    for b in program.bindings:
        inner = [a for a in dict.fromkeys(b.args) if not program.is_input(a)]
        extra = tuple(Input(a, program.type(a).shape, program.type(a).kind) for a in inner)
        one = Program((*program.inputs, *extra), (b,), (("value", b.name),))
        out.append((numpy_callable(one), inner))
    return tuple(out)


def beside_kinks(
    program: Program, arrays: Mapping[str, Any], known: Mapping[str, Bounded], fmt: Format
) -> tuple[int, list[dict[str, Any]]]:
    """How many entries lie on a kink, and the values of the program at points beside it."""
    sources = _sources(program)
    if not sources:
        return 0, []
    generator = np.random.default_rng(0)
    points = _pair(program, arrays, known, fmt, generator)
    if not any(np.any(moves(known[n], [p[n] for p in points], fmt)) for n in sources):
        return 0, []
    while len(points) < POINTS:
        points.append(_point(program, arrays, known, fmt, _draws(known, generator)))
    kinks = sum(int(np.count_nonzero(moves(known[n], [p[n] for p in points], fmt))) for n in sources)
    return kinks, points


def _pair(
    program: Program,
    arrays: Mapping[str, Any],
    known: Mapping[str, Bounded],
    fmt: Format,
    generator: np.random.Generator,
) -> list[dict[str, Any]]:
    """Two points on opposite sides."""
    draws = _draws(known, generator)
    return [_point(program, arrays, known, fmt, {n: s * d for n, d in draws.items()}) for s in (1, -1)]


def _draws(known: Mapping[str, Bounded], generator: np.random.Generator) -> dict[str, Any]:
    """For every value numbers from ±[½, 1): both signs, and no two alike, so that ties end."""
    drawn = {n: generator.uniform(-0.5, 0.5, np.shape(b.value)) for n, b in known.items()}
    return {n: d + np.copysign(0.5, d) for n, d in drawn.items()}


def _point(
    program: Program,
    arrays: Mapping[str, Any],
    known: Mapping[str, Bounded],
    fmt: Format,
    draws: Mapping[str, Any],
) -> dict[str, Any]:
    least = _least(fmt)
    values: dict[str, Any] = {}
    exact: set[str] = set()
    for i in program.inputs:
        a = arrays[i.name]
        if i.kind != "real" or i.domain in DISCRETE:
            exact.add(i.name)
        values[i.name] = a if i.name in exact else a + draws[i.name] * (2 * fmt.unit * np.abs(a) + least)
    inputs = [values[i.name] for i in program.inputs]
    for b, (call, inner) in zip(program.bindings, _calls(program), strict=True):
        args = [*inputs, *(values[n] for n in inner)]
        try:
            value = np.asarray(call(*args))
        except TypeError:  # no long double erf or linear algebra
            value = np.asarray(call(*(_narrow(a) for a in args)))
        found = known[b.name]
        rounds = b.record.roundings([np.shape(values[a]) for a in b.args], b.attrs)
        if b.kind == "real":
            value = value.astype(fmt.reference)
            if exact.issuperset(b.args) and _whole(value):
                exact.add(b.name)
            elif rounds and b.args:
                value = value + draws[b.name] * (fmt.gamma(found.roundings) * found.size)
        elif exact.issuperset(b.args):
            exact.add(b.name)
        values[b.name] = value
    return values


def _whole(value: Any) -> bool:
    """Whether these are whole numbers that every format has; computed from such, they come without rounding."""
    return bool(np.all(np.abs(value) < 2**20)) and bool(np.all(value == np.rint(value)))


def _narrow(a: Any) -> Any:
    return a.astype(np.float64) if a.dtype.kind == "f" else a


def _called(call: Any, at: Sequence[Any]) -> Any:
    try:
        return call(*at)[0]
    except TypeError:  # SciPy's functions have no long double
        return call(*(_narrow(np.asarray(a)) for a in at))[0]


def spread(points: Sequence[Any], value: Any) -> Any:
    """The largest distance of these arrays from the value, entry by entry; NaN says nothing."""
    at = np.asarray(value, dtype=np.longdouble)
    apart = [np.abs(np.asarray(p, dtype=np.longdouble) - at) for p in points]
    return np.max([np.where(np.isnan(d), 0, d) for d in apart], axis=0) if apart else np.zeros(at.shape)


def _least(fmt: Format) -> Any:
    """How far an input moves that is 0: so little that its square is still a number of the reference."""
    return fmt.underflow**0.75


def moves(found: Bounded, points: Sequence[Any], fmt: Format) -> Any:
    """The entries that move by more than rounding does."""
    return (
        spread(points, found.value) > 64 * _least(fmt) + 8 * fmt.gamma(max(found.roundings, 1)) * found.size
    )


def broken_leaves(
    b: Binding, args: Sequence[Bounded], points: Sequence[Mapping[str, Any]], attrs: Mapping[str, Any]
) -> dict[sympy.Expr, Magnitude]:
    """The outermost broken parts of a function of entries, each with its value and how far it may jump."""
    if b.op != "pointwise" or not breaks(attrs["fn"]):
        return {}
    symbols = [ARG(i) for i in range(len(args))]
    out = {}
    for part in _outermost(attrs["fn"]):
        call = numpy_function(symbols, [part])
        value = np.asarray(_called(call, [np.asarray(a.value, dtype=np.longdouble) for a in args]))
        there = [_called(call, [np.asarray(p[a], dtype=np.longdouble) for a in b.args]) for p in points]
        out[part] = Magnitude(value, np.abs(value) + spread(there, value))
    return out


def _outermost(expr: sympy.Expr) -> list[sympy.Expr]:
    if isinstance(expr, BROKEN):
        return [expr]
    return [part for a in expr.args for part in _outermost(a)]


def corners(fn: sympy.Expr, args: Sequence[Any], met: Sequence[Sequence[Any]], value: Any) -> Any:
    """How far a curved function goes where each argument is at one end of what it was at these points.

    1/t with t the number of equal entries: each of them may be the only one, also one that never was here.
    """
    call = numpy_function([ARG(i) for i in range(len(args))], [fn])
    ends = []
    for a, points in zip(args, met, strict=True):
        every = np.array([np.asarray(x, dtype=np.longdouble) for x in (a, *points)])
        ends.append((np.nanmin(every, axis=0), np.nanmax(every, axis=0)))
    return spread([_called(call, at) for at in product(*ends)], value)


def explained(error: Any, nearby: Sequence[Any], found: Bounded, bound: Any, fmt: Format) -> bool:
    """Whether an error can come from the kinks: from gradients between the one on them and those beside them.

    What lies between is in the span of the differences.  If they all lie on one line, as for one kink or two equal
    entries, it is between the outermost.  Where half of the points do not show the span of all, or many kinks meet,
    there may be more than these points show, and nothing is said.
    """
    if np.all(np.abs(error) <= bound):
        return True  # on the kink itself
    apart = np.array([np.ravel(np.asarray(p - found.value, dtype=np.float64)) for p in nearby])
    flat = np.ravel(np.asarray(error, dtype=np.float64))
    if not apart.size or not np.all(np.isfinite(apart)):
        return True
    least = max(1e-6, 1e4 * float(fmt.unit))
    span = _span(apart, least)
    if len(span) > MANY or len(_span(apart[: len(apart) // 2], least)) < len(span):
        return True
    along = flat @ span.T
    room = 4 * np.ravel(np.asarray(bound, dtype=np.float64)) + 10 * least * np.max(np.abs(flat), initial=0.0)
    if np.any(np.abs(flat - along @ span) > room):
        return False
    if len(span) != 1:
        return True
    ends = np.append(apart @ span[0], 0.0)
    slack = float(np.linalg.norm(room))
    return bool(np.min(ends) - slack <= along[0] <= np.max(ends) + slack)


MANY = 4
"""In more dimensions than these, the points beside a kink may not show all that lies beside it."""


def _span(apart: Any, least: float) -> Any:
    """An orthonormal basis of what these rows span, but for rounding."""
    _, size, rows = np.linalg.svd(apart, full_matrices=False)
    return rows[size > least * size[0]] if size.size and size[0] > 0 else rows[:0]
