"""What is known of one function: its text in a kernel file, how far off it is, and its values at special points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.compile.vector_math.coefficients import COEFFICIENTS


@dataclass(frozen=True)
class Precision:
    """A floating-point format.

    Attributes:
        name: NumPy's name.
        digits: binary digits of a number, with the leading one.
        width: bits of a number.
        log2_high, log2_low: log 2 in two parts; a whole number of the size of an exponent times the first is exact.
        exp_low, exp_high: beyond them e^x is 0 and infinite; the range in which it is computed.
        exp_normal: above it e^x is no subnormal number.
    """

    name: str
    digits: int
    width: int
    log2_high: float
    log2_low: float
    exp_low: float
    exp_high: float
    exp_normal: float

    @property
    def integer(self) -> str:
        """The source text of the integer type of the same width."""
        return f"np.int{self.width}"

    @property
    def fraction(self) -> int:
        """How far an exponent is shifted."""
        return self.digits - 1

    @property
    def bias(self) -> int:
        """What is added to an exponent."""
        return 2 ** (self.width - self.digits - 1) - 1

    @property
    def tiny(self) -> str:
        """The smallest normal number."""
        return f"F({2.0 ** (1 - self.bias)!r})"

    def coefficients(self, name: str) -> tuple[float, ...]:
        """The polynomial of this name, constant term first."""
        return COEFFICIENTS[name, self.name]


FLOAT32 = Precision(
    "float32", 24, 32,
    log2_high=0.693145751953125, log2_low=1.42860677e-06, exp_low=-104.0, exp_high=89.0, exp_normal=-80.0,
)  # fmt: skip
FLOAT64 = Precision(
    "float64", 53, 64,
    log2_high=0.6931471803691238, log2_low=1.9082149292705877e-10, exp_low=-746.0, exp_high=710.0, exp_normal=-700.0,
)  # fmt: skip
PRECISIONS = {p.name: p for p in (FLOAT32, FLOAT64)}


@dataclass(frozen=True)
class VectorFunction:
    """A function that LLVM turns into vector instructions.

    Attributes:
        name: its name in a kernel file.
        text: its source in a precision.
        method: how it is computed, with the source of the method.
        ulp: the largest error in units in the last place, for each precision; measured, see the tests.
        at: arguments with the result that they must have, exactly, the sign of a zero included.
        libm: whether libm's function is faster where there is one number at a time.
    """

    name: str
    text: Callable[[Precision], str]
    method: str
    ulp: Mapping[str, float]
    at: Sequence[tuple[tuple[float, ...], float]]
    libm: bool = False


def of_libm(name: str) -> str:
    """The source of a function that numba takes from libm."""
    return f"""
@njit(**HELPER)
def {name}(x):
    return np.{name}(x)
"""


def horner(coefficients: Sequence[float], x: str) -> str:
    """A polynomial, constant term first, as nested products."""
    first, *rest = coefficients
    number = f"F({first!r})"
    return f"{number} + {x}*({horner(rest, x)})" if rest else number
