"""exp and what is made of it: e^y = 2^n e^r, n the whole number nearest to y/log 2, |r| <= log(2)/2.

The reduction in two steps is Cody and Waite's (Software Manual for the Elementary Functions, 1980, chapter 6):
log 2 is the sum of two numbers, of which the first has so few digits that n times it is exact.
"""

from __future__ import annotations

from math import inf, nan

from symgrad.compile.vector_math.record import Precision, VectorFunction, horner


def reduced(p: Precision, y: str) -> str:
    """Lines that set ``t``, whose last digits are n + bias, ``r``, and ``e`` = e^r - 1."""
    whole = f"F({1.5 * 2.0**p.fraction + p.bias})"
    return f"""\
    t = {y} * F({1.4426950408889634}) + {whole}
    n = t - {whole}
    r = ({y} - n * F({p.log2_high!r})) - n * F({p.log2_low!r})
    e = r + r * r * ({horner(p.coefficients("exp"), "r")})
"""


def power(p: Precision, shift: str = "") -> str:
    """2^n, or 2^(n + shift), put together from its bits."""
    integer = p.integer
    bits = f"F(t).view({integer})"
    if shift:
        bits = f"{integer}({bits} + {shift})"
    return f"{integer}({bits} << {integer}({p.fraction})).view(F)"


def decaying(p: Precision, result: str) -> str:
    """Lines that set ``result`` to e^y for y <= 0, subnormal numbers included; a NaN stays one."""
    return f"""\
    y = F({p.exp_low}) if y < F({p.exp_low}) else y
{reduced(p, "y")}\
    low = y < F({p.exp_normal})
    up = {p.integer}(64) if low else {p.integer}(0)
    down = F({2.0**-64!r}) if low else F(1)
    {result} = (F(1) + e) * {power(p, "up")} * down
"""


def _exp(p: Precision) -> str:
    # 2^128 is no float32: the last factor 2 overflows, or does not
    return f"""
@njit(**VECTOR)
def exp(x):
    x = F(x)
    y = F({p.exp_high}) if x > F({p.exp_high}) else x
    y = F({p.exp_low}) if y < F({p.exp_low}) else y
{reduced(p, "y")}\
    low = y < F({p.exp_normal})
    up = {p.integer}(64) if low else {p.integer}(-1)
    down = F({2.0**-64!r}) if low else F(2)
    return (F(1) + e) * {power(p, "up")} * down
"""


def _expm1(p: Precision) -> str:
    floor = -float(p.digits)
    return f"""
@njit(**VECTOR)
def expm1(x):
    x = F(x)
    y = F({p.exp_high}) if x > F({p.exp_high}) else x
    y = F({floor}) if y < F({floor}) else y
{reduced(p, "y")}\
    half = {power(p, f"{p.integer}(-1)")}
    value = (e * half + (half - F(0.5))) * F(2)
    return x if abs(x) < F({2.0**-p.digits!r}) else value
"""


def _tanh(p: Precision) -> str:
    # (e^2|x| - 1)/(e^2|x| + 1); from the bound on it rounds to 1
    bound = {"float32": 9.1, "float64": 19.1}[p.name]
    return f"""
@njit(**VECTOR)
def tanh(x):
    x = F(x)
    y = abs(x)
    y = F({bound}) if y > F({bound}) else y
    y = y + y
{reduced(p, "y")}\
    scale = {power(p)}
    e = e * scale + (scale - F(1))
{with_sign(p, "e / (e + F(2))")}"""


def with_sign(p: Precision, value: str) -> str:
    """Lines that return a value >= 0 with the sign of x."""
    integer, sign = p.integer, -(2 ** (p.width - 1))
    return f"""\
    value = F({value})
    sign = F(x).view({integer}) & {integer}({sign})
    return {integer}(F(value).view({integer}) | sign).view(F)
"""


def _sigmoid(p: Precision) -> str:
    return f"""
@njit(**VECTOR)
def sigmoid(x):
    x = F(x)
    y = -abs(x)
{decaying(p, "z")}\
    top = F(1) if x >= F(0) else z
    return top / (F(1) + z)
"""


EXPONENTIAL = (
    VectorFunction(
        "exp", _exp,
        "eʸ = 2ⁿeʳ with a polynomial for eʳ (Cody and Waite, 1980)",
        {"float32": 1.5, "float64": 1.5},
        (((0.0,), 1.0), ((-0.0,), 1.0), ((inf,), inf), ((-inf,), 0.0), ((nan,), nan), ((1e4,), inf), ((-1e4,), 0.0)),
        libm=True,
    ),
    VectorFunction(
        "expm1", _expm1,
        "2ⁿ(eʳ − 1) + (2ⁿ − 1)",
        {"float32": 2.0, "float64": 2.0},
        (((0.0,), 0.0), ((-0.0,), -0.0), ((inf,), inf), ((-inf,), -1.0), ((nan,), nan), ((1e4,), inf)),
    ),
    VectorFunction(
        "tanh", _tanh,
        "(e²ˣ − 1)/(e²ˣ + 1) through expm1",
        {"float32": 3.0, "float64": 3.0},
        (((0.0,), 0.0), ((-0.0,), -0.0), ((inf,), 1.0), ((-inf,), -1.0), ((nan,), nan)),
    ),
    VectorFunction(
        "sigmoid", _sigmoid,
        "1/(1 + z) or z/(1 + z) with z = e^−|x|",
        {"float32": 2.5, "float64": 2.5},
        (((0.0,), 0.5), ((-0.0,), 0.5), ((inf,), 1.0), ((-inf,), 0.0), ((nan,), nan)),
    ),
)  # fmt: skip
