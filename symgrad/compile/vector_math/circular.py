"""sin and cos in float32: the reduction in double, with enough digits of 2/π for the largest float32.

|x| is X 2^(24 j) with X < 2^47, whole where j > 0, and whole turns do not count: the quarter turns in x are
X (2^(24 j) 2/π mod 4).  That is M. Payne's and R. Hanek's reduction (SIGNUM Newsletter 18, 1983) with five
multipliers, chosen by comparisons.  Each is the sum of three numbers, the first two of 28 binary digits, so that X
times these is exact.  In float64 the multipliers would be too many to choose from: there sin and cos are libm's.
"""

from __future__ import annotations

from math import inf, nan

from symgrad.compile.vector_math.record import Precision, VectorFunction, horner, of_libm

GROUP = 24
_WHOLE = f"np.float64({1.5 * 2.0**52})"


def _quarter_turns(p: Precision) -> str:
    """Lines that set ``n``, a number of quarter turns modulo 4, and ``r``, what |x| is beyond them."""
    pieces = p.coefficients("two_over_pi")
    groups = [[1.0, *pieces[:3]]]
    groups += [[2.0 ** (-GROUP * j), *pieces[3 * j : 3 * j + 3]] for j in range(1, len(pieces) // 3)]
    names = ("scale", "high", "middle", "low")
    lines = [f"    {name} = np.float64({value!r})" for name, value in zip(names, groups[0], strict=True)]
    for j, group in enumerate(groups[1:], 1):
        lines.append(f"    far = d >= np.float64({2.0 ** (23 + GROUP * j)!r})")
        lines += [
            f"    {name} = np.float64({value!r}) if far else {name}"
            for name, value in zip(names, group, strict=True)
        ]
    return "    d = np.float64(abs(x))\n" + "\n".join(lines) + f"""
    d = d * scale
    a = d * high
    t = a + {_WHOLE}
    b = (a - (t - {_WHOLE})) + d * middle
    v = b + {_WHOLE}
    n = (np.float64(t).view(np.int64) & np.int64(3)) + (np.float64(v).view(np.int64) & np.int64(3))
    r = F(((b - (v - {_WHOLE})) + d * low) * np.float64({1.5707963267948966!r}))
    w = r * r
    sine = r + r * w * ({horner(p.coefficients("sin"), "w")})
    cosine = (F(1) - F(0.5) * w) + w * w * ({horner(p.coefficients("cos"), "w")})
"""  # fmt: skip


def _sin(p: Precision) -> str:
    if p.name == "float64":
        return of_libm("sin")
    # the sign of x joins at the end: sin(-0) is -0
    return f"""
@njit(**VECTOR)
def sin(x):
    x = F(x)
{_quarter_turns(p)}\
    value = F(cosine if n & np.int64(1) else sine)
    turn = np.int32((n & np.int64(2)) << np.int64(30)) ^ (F(x).view(np.int32) & np.int32(-2147483648))
    return np.int32(F(value).view(np.int32) ^ turn).view(F)
"""


def _cos(p: Precision) -> str:
    if p.name == "float64":
        return of_libm("cos")
    return f"""
@njit(**VECTOR)
def cos(x):
    x = F(x)
{_quarter_turns(p)}\
    value = F(sine if n & np.int64(1) else cosine)
    turn = np.int32(((n + np.int64(1)) & np.int64(2)) << np.int64(30))
    return np.int32(F(value).view(np.int32) ^ turn).view(F)
"""


CIRCULAR = (
    VectorFunction(
        "sin", _sin,
        "float32: quarter turns in double with 200 binary digits of 2/π (Payne and Hanek, 1983); float64: libm",
        {"float32": 2.0, "float64": 1.0},
        (((0.0,), 0.0), ((-0.0,), -0.0), ((inf,), nan), ((-inf,), nan), ((nan,), nan)),
        libm=True,
    ),
    VectorFunction(
        "cos", _cos,
        "as sin",
        {"float32": 2.0, "float64": 1.0},
        (((0.0,), 1.0), ((-0.0,), 1.0), ((inf,), nan), ((-inf,), nan), ((nan,), nan)),
        libm=True,
    ),
)  # fmt: skip
