"""``scipy.stats``: densities of the normal distribution, of one variable and of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import format_shape
from symgrad.ops.eye import eye_attrs
from symgrad.ops.record import ARG
from symgrad.program import Builder
from symgrad.trace import moves
from symgrad.trace import operations as ops
from symgrad.trace.linalg import cholesky, diag, diagonal, solve
from symgrad.trace.sizes import usual
from symgrad.trace.special import SCIPY_SPECIAL

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Rule = Callable[..., Any]
_A, _B = ARG(0), ARG(1)
_LOG_2PI = sympy.log(2 * sympy.pi)


def _standard(builder: Builder, x: Any, loc: Any, scale: Any) -> Traced:
    shifted = ops.elementary(builder, "sub", x, loc)
    return ops.elementary(builder, "div", shifted, scale)


def normal_logpdf(builder: Builder, x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """−z²/2 − log σ − log(2π)/2 with z = (x − μ)/σ."""
    z = _standard(builder, x, loc, scale)
    return ops.apply(builder, -(_A**2) / 2 - sympy.log(_B) - _LOG_2PI / 2, z, scale)


def normal_pdf(builder: Builder, x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
    """exp(−z²/2) / (σ √(2π)) with z = (x − μ)/σ."""
    z = _standard(builder, x, loc, scale)
    return ops.apply(builder, sympy.exp(-(_A**2) / 2) / (_B * sympy.sqrt(2 * sympy.pi)), z, scale)


def _tail(name: str, sign: int) -> Rule:
    def rule(builder: Builder, x: Any, loc: Any = 0, scale: Any = 1) -> Traced:
        z = _standard(builder, x, loc, scale)
        found: Traced = SCIPY_SPECIAL[name](builder, z if sign > 0 else -z)
        return found

    return rule


_NORMAL: dict[str, Rule] = {
    "pdf": normal_pdf,
    "logpdf": normal_logpdf,
    "cdf": _tail("ndtr", 1),
    "logcdf": _tail("log_ndtr", 1),
    "sf": _tail("ndtr", -1),
    "logsf": _tail("log_ndtr", -1),
}


# Several variables --------------------------------------------------------------------------------------------


def several_logpdf(
    builder: Builder, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False
) -> Traced:
    """−(‖L⁻¹(x − μ)‖² + d log 2π)/2 − Σ log L_ii with Σ = LLᵀ, for x (d,) or (…, d).

    The lower triangle of the covariance is read, as SciPy reads it; axes of size 1 are dropped, as it drops them.

    Raises:
        UnsupportedError: ``allow_singular``.
    """
    if allow_singular:
        raise UnsupportedError(
            "A singular covariance has no derivative here.", where="multivariate_normal", fix="leave it away"
        )
    value = ops.lift(builder, x)
    centre = ops.lift(builder, 0 if mean is None else mean)
    matrix = _covariance(builder, ops.lift(builder, cov), centre, value)
    size = matrix.dims[-1]
    if value.ndim == 0:
        value = moves.reshape_dims(value, (1,))
    elif value.ndim == 1 and not usual(builder, sympy.Ne(size, 1), "multivariate_normal"):
        value = moves.expand_dims(value, 1)  # each entry is an observation of the only variable
    distance = ops.elementary(builder, "sub", value, centre)
    factor = cholesky(builder, matrix)
    flat = distance if distance.ndim == 1 else moves.reshape(distance, (-1, ops.size_value(builder, size)))
    whitened = solve(builder, factor, flat if flat.ndim == 1 else moves.transpose(flat))
    squares = ops.total(ops.elementary(builder, "square", whitened), 0)
    squares = moves.squeeze(moves.reshape_dims(squares, distance.dims[:-1]))
    logs = ops.total(ops.elementary(builder, "log", diagonal(builder, factor)))
    constant = ops.apply(builder, _A * _LOG_2PI / 2, ops.size_value(builder, size))
    half = ops.apply(builder, -_A / 2, squares)
    return half - constant - logs


def _covariance(builder: Builder, cov: Traced, mean: Traced, x: Traced) -> Traced:
    """A number and a vector say a diagonal matrix."""
    if cov.ndim == 2:
        return cov
    if cov.ndim == 1:
        return diag(builder, cov)
    if cov.ndim:
        raise ShapeError("A covariance is a matrix.", where="multivariate_normal", got=format_shape(cov.dims))
    size = mean.dims[0] if mean.ndim == 1 else x.dims[-1] if x.ndim > 1 else 1
    one = ops.Array(builder, builder.emit("eye", **eye_attrs(size)))
    return ops.elementary(builder, "mul", one, cov)


_SEVERAL: dict[str, Rule] = {
    "logpdf": several_logpdf,
    "pdf": lambda builder, *args, **options: ops.elementary(
        builder, "exp", several_logpdf(builder, *args, **options)
    ),
}


# As objects ---------------------------------------------------------------------------------------------------


class Distribution:
    """A distribution of SciPy while a function is traced; called, it remembers its parameters.

    Args:
        name: SciPy's name.
        methods: the functions of the density, with the parameters after ``x``.
        given: parameters that were given before.
    """

    def __init__(
        self,
        builder: Builder,
        name: str,
        methods: dict[str, Rule],
        given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {}),
    ) -> None:
        self._builder, self._name, self._methods, self._given = builder, name, methods, given

    def __call__(self, *args: Any, **options: Any) -> Distribution:
        return Distribution(self._builder, self._name, self._methods, (args, options))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        method = self._methods.get(name)
        if method is None:
            raise self._builder.refuse(
                UnsupportedError(
                    f"scipy.stats.{self._name}.{name} is not traced.",
                    where=f"{self._name}.{name}",
                    expected=", ".join(self._methods),
                )
            )
        before, options = self._given
        return lambda x, *args, **more: method(self._builder, x, *before, *args, **options, **more)


def distributions(builder: Builder) -> dict[str, Distribution]:
    """By the name in ``scipy.stats``."""
    tables = {"norm": _NORMAL, "multivariate_normal": _SEVERAL}
    return {name: Distribution(builder, name, table) for name, table in tables.items()}
