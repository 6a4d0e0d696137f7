"""Write symgrad/compile/vector_math/coefficients.py: ``python docs/make_coefficients.py``.

The polynomials of vector mathematics with the smallest largest relative error of the *function* (not of the
polynomial), by Remez's exchange in 50 digits (E. Remez, 1934; N. Trefethen, Approximation Theory and Approximation
Practice, 2013, chapter 10).  Coefficients are rounded to the precision one after the other, the rest fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath
from mpmath import mp, mpf

PAGE = Path(__file__).parents[1] / "symgrad" / "compile" / "vector_math" / "coefficients.py"
DIGITS = 50
MOST_EXCHANGES = 30

HEAD = '''\
"""Polynomials of vector mathematics, constant term first, by name and precision.

Written by `python docs/make_coefficients.py`, which says what each one approximates.  Do not edit it.
"""

from __future__ import annotations

'''


@dataclass(frozen=True)
class Fit:
    """A polynomial for ``target`` on [low, high]; ``weight`` times its error is the function's relative error.

    ``series`` are the target's first coefficients, for arguments so small that the formula loses its digits.
    """

    name: str
    target: Callable[[Any], Any]
    weight: Callable[[Any], Any]
    low: Callable[[], Any]
    high: Callable[[], Any]
    degree: dict[str, int]
    series: Callable[[], tuple[Any, ...]] | None = None

    def value(self, x: Any) -> Any:
        """The target at x."""
        if self.series is not None and abs(x) < mpf(10) ** -12:
            return mpmath.polyval(self.series()[::-1], x)
        return self.target(x)


def _sqrt_of(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda y: f(mpmath.sqrt(y))


def _exp_weight(r: Any) -> Any:
    return abs(r) if abs(r) < mpf(10) ** -12 else abs(r**2 / mpmath.expm1(r))


HALF_LOG2 = lambda: mpmath.log(2) / 2 * mpf("1.0002")  # noqa: E731 - the digits are set later
QUARTER_TURN = lambda: (mpmath.pi / 4) ** 2 * mpf("1.001")  # noqa: E731

FITS = (
    # e^r - 1 = r + r^2 p(r)
    Fit("exp", lambda r: (mpmath.expm1(r) - r) / r**2, _exp_weight, lambda: -HALF_LOG2(), HALF_LOG2,
        {"float32": 4, "float64": 10}, lambda: (mpf(1) / 2, mpf(1) / 6)),
    # log(1 + f) = f - f^2/2 + f^3 p(f)
    Fit("log", lambda f: (mpmath.log1p(f) - f + f**2 / 2) / f**3, lambda f: f**2,
        lambda: mpmath.sqrt(mpf(1) / 2) - 1 - mpf("1e-4"), lambda: mpmath.sqrt(2) - 1 + mpf("1e-4"),
        {"float32": 7}, lambda: (mpf(1) / 3, -mpf(1) / 4)),
    # 2 artanh(t) = 2 t + t^3 p(t^2), for log(1 + f) with t = f/(2 + f): f between sqrt(1/2) - 1 and sqrt(2) - 1
    Fit("artanh_short", _sqrt_of(lambda t: 2 * (mpmath.atanh(t) - t) / t**3), lambda y: y / 2,
        lambda: mpf(0), lambda: mpf("0.0295"), {"float64": 6}, lambda: (mpf(2) / 3, mpf(2) / 5)),
    # ... f between 0 and 1
    Fit("artanh", _sqrt_of(lambda t: 2 * (mpmath.atanh(t) - t) / t**3), lambda y: y / 2,
        lambda: mpf(0), lambda: mpf(1) / 9, {"float32": 3, "float64": 9}, lambda: (mpf(2) / 3, mpf(2) / 5)),
    # erf(x) = x + x p(x^2), |x| < 1
    Fit("erf", _sqrt_of(lambda x: mpmath.erf(x) / x - 1), _sqrt_of(lambda x: x / mpmath.erf(x) if x else mpf(1)),
        lambda: mpf(0), lambda: mpf(1), {"float32": 6, "float64": 11},
        lambda: (2 / mpmath.sqrt(mpmath.pi) - 1, -2 / mpmath.sqrt(mpmath.pi) / 3)),
    # log(1 - erf(2 + u)) = p(u), for erf from 0.98 on
    Fit("log_erfc", lambda u: mpmath.log(mpmath.erfc(2 + u)), lambda u: mpmath.erfc(2 + u) / mpmath.erf(2 + u),
        lambda: mpf("-1.02"), lambda: mpf(4), {"float32": 7, "float64": 18}),
    # sin r = r + r^3 p(r^2)
    Fit("sin", _sqrt_of(lambda r: (mpmath.sin(r) - r) / r**3), lambda y: y, lambda: mpf(0), QUARTER_TURN,
        {"float32": 2, "float64": 5}, lambda: (-mpf(1) / 6, mpf(1) / 120)),
    # cos r = 1 - r^2/2 + r^4 p(r^2)
    Fit("cos", _sqrt_of(lambda r: (mpmath.cos(r) - 1 + r**2 / 2) / r**4), lambda y: y**2, lambda: mpf(0),
        QUARTER_TURN, {"float32": 2, "float64": 5}, lambda: (mpf(1) / 24, -mpf(1) / 720)),
)  # fmt: skip


def rounded(x: Any, precision: str) -> float:
    """The nearest number of the precision."""
    digits = {"float32": 24, "float64": 53}[precision]
    with mp.workprec(digits):
        return float(+x)


def coefficients(fit: Fit, precision: str) -> list[float]:
    """The rounded polynomial."""
    with mp.workdps(DIGITS):
        degree = fit.degree[precision]
        count = 16 * (degree + 2)
        middle, half = (fit.low() + fit.high()) / 2, (fit.high() - fit.low()) / 2
        xs = [middle - half * mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
        points = [(x, fit.value(x), fit.weight(x)) for x in xs]
        known: list[float] = []
        while len(known) <= degree:
            known.append(rounded(_exchange(points, degree, known)[0], precision))
        return known


def _exchange(points: list[tuple[Any, Any, Any]], degree: int, known: list[float]) -> list[Any]:
    """The best coefficients behind the known ones, on these points.

    With coefficients known the exchange may wander: the best of what it meets is taken.
    """
    best: tuple[Any, list[Any]] | None = None
    free = degree + 1 - len(known)
    rest = [(x, w * x ** len(known), w * (g - mpmath.polyval([0, *known[::-1]], x))) for x, g, w in points]
    chosen = [int((i + 0.5) * len(rest) / (free + 1)) for i in range(free + 1)]
    for _ in range(MOST_EXCHANGES):
        rows = [
            [rest[i][1] * rest[i][0] ** j for j in range(free)] + [(-1) ** k] for k, i in enumerate(chosen)
        ]
        *found, level = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([rest[i][2] for i in chosen]))
        errors = [b - a * mpmath.polyval(found[::-1], x) for x, a, b in rest]
        extremes = _alternating(errors, free + 1)
        largest = max(map(abs, errors))
        if best is None or largest < best[0]:
            best = largest, found
        if len(extremes) <= free or extremes == chosen or largest < abs(level) * mpf("1.001"):
            break
        chosen = extremes
    assert best is not None
    return best[1]


def _alternating(errors: list[Any], wanted: int) -> list[int]:
    """Places of the largest errors, of alternating sign."""
    out: list[int] = []
    for i, e in enumerate(errors):
        if not out or (e > 0) != (errors[out[-1]] > 0):
            out.append(i)
        elif abs(e) > abs(errors[out[-1]]):
            out[-1] = i
    while len(out) > wanted:
        if len(out) == wanted + 1:
            out.pop(0 if abs(errors[out[0]]) < abs(errors[out[-1]]) else -1)
        else:  # two neighbours go, so that signs still alternate
            least = min(range(len(out) - 1), key=lambda k: max(abs(errors[out[k]]), abs(errors[out[k + 1]])))
            del out[least : least + 2]
    return out


def two_over_pi() -> Iterator[float]:
    """2^(24 j) 2/π modulo 4 in three parts, the first two of 28 binary digits, for j = 0, 1, …, 4."""
    with mp.workdps(100):
        for j in range(5):
            rest = mpmath.fmod(mpf(2) ** (24 * j) * 2 / mpmath.pi, 4)
            for last in (26, 54):
                part = mpmath.floor(rest * 2**last) / mpf(2) ** last
                rest -= part
                yield float(part)
            yield float(rest)


def lines() -> Iterator[str]:
    """The table, one polynomial after the other."""
    yield "COEFFICIENTS: dict[tuple[str, str], tuple[float, ...]] = {"
    for fit in FITS:
        for precision in fit.degree:
            yield f'    ("{fit.name}", "{precision}"): ('
            yield from (f"        {c!r}," for c in coefficients(fit, precision))
            yield "    ),"
    yield '    ("two_over_pi", "float32"): ('
    yield from (f"        {c!r}," for c in two_over_pi())
    yield "    ),"
    yield "}"


def page() -> str:
    """The text of coefficients.py."""
    return HEAD + "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
