"""log and what is made of it: log x = k log 2 + log(1 + f), √½ <= 1 + f < √2.

The exponent k and 1 + f come out of the bits of x, as in Sun's fdlibm (e_log.c, 1993).
"""

from __future__ import annotations

from math import inf, nan

from symgrad.compile.vector_math.exponential import decaying
from symgrad.compile.vector_math.record import Precision, VectorFunction, horner

ROOT_HALF = {"float32": 0x3F3504F3, "float64": 0x3FE6A09E667F3BCD}
"""The bits of √½, rounded."""


def _of_fraction(p: Precision) -> str:
    """Lines that set ``value`` to k log 2 + log(1 + f)."""
    if p.name == "float32":
        correction = f"f * f * (f * ({horner(p.coefficients('log'), 'f')}) - F(0.5))"
        return f"""\
    correction = {correction}
    value = k * F({p.log2_high!r}) + (f + (correction + k * F({p.log2_low!r})))
"""
    return f"""\
    s = f / (F(2) + f)
    w = s * s
    correction = s * (f - w * ({horner(p.coefficients("artanh_short"), "w")}))
    value = k * F({p.log2_high!r}) + (f - (correction - k * F({p.log2_low!r})))
"""


def _ends(x: str, end: str) -> str:
    return f"""\
    value = value if {x} < F(np.inf) else {x}
    outside = F(-np.inf) if {x} == F({end}) else F(np.nan)
    return value if {x} > F({end}) else outside
"""


def _log(p: Precision) -> str:
    integer, root = p.integer, ROOT_HALF[p.name]
    return f"""
@njit(**VECTOR)
def log(x):
    x = F(x)
    low = x < {p.tiny}
    v = F(x * F({2.0**p.digits}) if low else x)
    i = {integer}(F(v).view({integer}) - {integer}({root}))
    k = F({integer}(i >> {integer}({p.fraction}))) - (F({p.digits}) if low else F(0))
    f = {integer}((i & {integer}({2**p.fraction - 1})) + {integer}({root})).view(F) - F(1)
{_of_fraction(p)}\
{_ends("x", "0")}"""


def _log1p(p: Precision) -> str:
    # f = 2^-k (1 + x) - 1 without the rounding of 1 + x; 2^(2 - k) is a normal number for every k
    integer, root = p.integer, ROOT_HALF[p.name]
    exponent = -(2**p.fraction)
    return f"""
@njit(**VECTOR)
def log1p(x):
    x = F(x)
    u = F(F(1) + x)
    i = {integer}(F(u).view({integer}) - {integer}({root}))
    k = F({integer}(i >> {integer}({p.fraction})))
    scale = {integer}({integer}({(p.bias + 2) << p.fraction}) - (i & {integer}({exponent}))).view(F)
    f = F(0.25) * (x * scale) + (F(0.25) * scale - F(1))
{_of_fraction(p)}\
    sign = F(x).view({integer}) & {integer}({-(2 ** (p.width - 1))})
    value = {integer}(F(value).view({integer}) | sign).view(F)
{_ends("x", "-1")}"""


def _log1p_of_z(p: Precision) -> str:
    """Lines that set ``value`` to log(1 + z), 0 <= z <= 1, by its series in z/(2 + z)."""
    return f"""\
    s = z / (F(2) + z)
    w = s * s
    value = z - s * (z - w * ({horner(p.coefficients("artanh"), "w")}))
"""


def _softplus(p: Precision) -> str:
    return f"""
@njit(**VECTOR)
def softplus(x):
    x = F(x)
    y = -abs(x)
{decaying(p, "z")}\
{_log1p_of_z(p)}\
    return (x if x > F(0) else F(0)) + value
"""


def _logaddexp(p: Precision) -> str:
    return f"""
@njit(**VECTOR)
def logaddexp(a, b):
    a, b = F(a), F(b)
    y = F(0) if a == b else -abs(a - b)
{decaying(p, "z")}\
{_log1p_of_z(p)}\
    return (a if a > b else b) + value
"""


LOGARITHM = (
    VectorFunction(
        "log", _log,
        "k log 2 + log(1 + f), exponent and fraction from the bits (fdlibm, 1993)",
        {"float32": 1.5, "float64": 1.5},
        (((1.0,), 0.0), ((0.0,), -inf), ((-0.0,), -inf), ((-1.0,), nan), ((-inf,), nan), ((inf,), inf), ((nan,), nan)),
        libm=True,
    ),
    VectorFunction(
        "log1p", _log1p,
        "as log, with f = 2⁻ᵏx + (2⁻ᵏ − 1)",
        {"float32": 2.0, "float64": 2.0},
        (((0.0,), 0.0), ((-0.0,), -0.0), ((-1.0,), -inf), ((-2.0,), nan), ((-inf,), nan), ((inf,), inf), ((nan,), nan)),
    ),
    VectorFunction(
        "softplus", _softplus,
        "max(x, 0) + log(1 + e^−|x|), the logarithm as 2 artanh(z/(2 + z))",
        {"float32": 2.5, "float64": 2.5},
        (((inf,), inf), ((-inf,), 0.0), ((nan,), nan), ((1e4,), 1e4)),
    ),
    VectorFunction(
        "logaddexp", _logaddexp,
        "max(a, b) + log(1 + e^−|a − b|); the error is relative to the larger of |a|, |b| and the result",
        {"float32": 2.5, "float64": 2.5},
        (((inf, inf), inf), ((-inf, -inf), -inf), ((inf, -inf), inf), ((-inf, 2.0), 2.0),
         ((nan, 1.0), nan), ((1.0, nan), nan), ((nan, inf), nan)),
    ),
)  # fmt: skip
