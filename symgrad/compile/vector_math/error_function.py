"""erf: a polynomial near 0, 1 - e^p(|x|) beyond, p a polynomial for log(1 - erf)."""

from __future__ import annotations

from math import inf, nan

from symgrad.compile.vector_math.exponential import power, reduced, with_sign
from symgrad.compile.vector_math.record import Precision, VectorFunction, horner


def _erf(p: Precision) -> str:
    bound = {"float32": 4.0, "float64": 6.0}[p.name]
    return f"""
@njit(**VECTOR)
def erf(x):
    x = F(x)
    a = abs(x)
    a = F({bound}) if a > F({bound}) else a
    w = a * a
    near = a + a * ({horner(p.coefficients("erf"), "w")})
    u = a - F(2)
    y = {horner(p.coefficients("log_erfc"), "u")}
{reduced(p, "y")}\
    far = F(1) - (F(1) + e) * {power(p)}
{with_sign(p, "near if a < F(1) else far")}"""


ERROR_FUNCTION = (
    VectorFunction(
        "erf", _erf,
        "x + x p(x²) for |x| < 1, else 1 − e^q(|x|) with q for log(1 − erf)",
        {"float32": 2.0, "float64": 2.0},
        (((0.0,), 0.0), ((-0.0,), -0.0), ((inf,), 1.0), ((-inf,), -1.0), ((nan,), nan), ((30.0,), 1.0)),
    ),
)  # fmt: skip
