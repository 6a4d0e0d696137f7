"""Scalars, columns, rows and matrices, and the operations that mathematicians write between them.

A vector is a column; its transpose is a row.  A result with one row and one column is a scalar.  Sizes have to
be equal: nothing is repeated to fit, but a scalar, which meets every entry.  ``I`` and ``vector(1)`` take their
size from what they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.ops.dims import Dim, as_dim, same
from symgrad.ops.eye import eye_attrs
from symgrad.program import Builder
from symgrad.trace import moves, products
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.dispatch import call_numpy
from symgrad.trace.text.limits import MAX_ARGUMENTS


@dataclass(frozen=True)
class Value:
    """An array of at most two axes; ``row`` is true for a vector that lies."""

    array: Traced
    row: bool = False

    @property
    def rank(self) -> int:
        return len(self.array.dims)

    @property
    def size(self) -> tuple[Dim, Dim]:
        """Rows and columns."""
        dims = self.array.dims
        if self.rank == 2:
            return dims[0], dims[1]
        if self.rank == 1:
            return (1, dims[0]) if self.row else (dims[0], 1)
        return 1, 1

    @property
    def is_scalar(self) -> bool:
        return self.rank == 0

    @property
    def is_vector(self) -> bool:
        """One row or one column, for all sizes."""
        return self.rank == 1 or (self.rank == 2 and 1 in self.size)

    def __str__(self) -> str:
        return "a scalar" if self.is_scalar else " × ".join(str(d) for d in self.size)


@dataclass(frozen=True)
class Pattern:
    """A multiple of the identity (``eye``) or of the vector of ones (``ones``) whose size is not said."""

    kind: str
    scale: Traced
    row: bool = False

    def __str__(self) -> str:
        return "I" if self.kind == "eye" else "vector(1)"


Operand = Value | Pattern


def value(array: Any, row: bool = False) -> Value:
    """An array as a value; one entry becomes a scalar.

    Raises:
        UnsupportedError: more than two axes.
    """
    dims = array.dims
    if len(dims) > 2:
        raise UnsupportedError(
            "Arrays of more than two axes are no matrices.",
            got=f"{len(dims)} axes",
            fix="use the syntax numpy",
        )
    if dims and all(same(d, 1) for d in dims):
        return Value(moves.reshape_dims(array, ()))
    return Value(array, row and len(dims) == 1)


def numpy_call(builder: Builder, function: Callable[..., Any], *args: Any, **options: Any) -> Traced:
    """One of NumPy's functions by its rule, as a traced array."""
    return ops.lift(builder, numpy_result(builder, function, *args, **options))


def numpy_result(builder: Builder, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What the rule of one of NumPy's functions returns.

    Raises:
        UnsupportedError: it has none.
    """
    return call_numpy(builder, function, args, options)


def matrix(v: Value) -> Traced:
    """The value with two axes."""
    return v.array if v.rank == 2 else moves.reshape_dims(v.array, v.size)


def flat(v: Value) -> Traced:
    """A vector with one axis."""
    return v.array if v.rank == 1 else moves.reshape(v.array, -1)


def sized(p: Operand, rows: Dim, columns: Dim) -> Value:
    """The pattern with the size of what it meets.

    Raises:
        ShapeError: it has no such size.
    """
    if isinstance(p, Value):
        return p
    builder = p.scale.builder
    if p.kind == "eye":
        if not same(rows, columns):
            raise ShapeError("I is square.", expected="a square matrix beside it", got=f"{rows} × {columns}")
        return value(_scaled(p.scale, Traced(builder, builder.emit("eye", **eye_attrs(rows)))))
    if not same(rows if p.row else columns, 1):
        raise ShapeError("vector(1) is a vector.", expected="a vector beside it", got=f"{rows} × {columns}")
    ones = ops.ones(builder, (columns if p.row else rows,))
    return value(_scaled(p.scale, ones), p.row)


def _scaled(scale: Traced, array: Traced) -> Traced:
    return array if ops_constant(scale) == 1 else scale * array


def known(v: Operand) -> Value:
    """A value whose size is said.

    Raises:
        ShapeError: I or vector(1) without a size.
    """
    if isinstance(v, Value):
        return v
    raise ShapeError(
        f"Nothing says how large {v} is here.", fix="write eye(n)" if v.kind == "eye" else "write ones(n)"
    )


def elementwise(a: Operand, b: Operand, step: Callable[[Any, Any], Any], what: str) -> Value:
    """Entry by entry; a scalar meets every entry.

    Raises:
        ShapeError: the sizes differ.
    """
    if isinstance(a, Pattern):
        b = known(b)
        a = sized(a, *b.size) if not b.is_scalar else known(a)
    if isinstance(b, Pattern):
        b = sized(b, *a.size) if not a.is_scalar else known(b)
    if a.is_scalar or b.is_scalar:
        return value(step(a.array, b.array), a.row or b.row)
    if not all(same(m, n) for m, n in zip(a.size, b.size, strict=True)):
        flipped = all(same(m, n) for m, n in zip(a.size, b.size[::-1], strict=True))
        raise ShapeError(
            f"The sizes of {what} differ.",
            expected="equal sizes, or a scalar on one side",
            got=f"{a} and {b}",
            fix="transpose one side" if flipped else "repeat a vector with a product: x*ones(n)'",
        )
    if a.rank == b.rank:  # of equal size, so that both lie or both stand
        return value(step(a.array, b.array), a.row)
    return value(step(matrix(a), matrix(b)))


def product(a: Operand, b: Operand) -> Operand:
    """The matrix product; a scalar scales.

    Raises:
        ShapeError: the inner sizes differ.
    """
    if isinstance(a, Pattern) or isinstance(b, Pattern):
        return _pattern_product(a, b)
    builder = a.array.builder
    if a.is_scalar or b.is_scalar:
        return value(a.array * b.array, a.row or b.row)
    if not same(a.size[1], b.size[0]):
        raise _no_product(a, b)
    if a.rank == b.rank == 1:
        if a.row:
            return value(ops.matmul(builder, a.array, b.array))
        return value(products.outer(builder, a.array, b.array))
    if a.rank == 2 and b.rank == 1 and not b.row:
        return value(ops.matmul(builder, a.array, b.array))
    if a.rank == 1 and a.row:
        return value(ops.matmul(builder, a.array, b.array), row=True)
    return value(ops.matmul(builder, matrix(a), matrix(b)))


def _no_product(a: Value, b: Value) -> ShapeError:
    fix = "transpose one side, or write .* for the product entry by entry"
    if a.is_vector and b.is_vector:
        fix = "write x'*y for the inner product, x*y' for the outer one, x.*y entry by entry"
    return ShapeError(
        f"The inner sizes of the product differ: {a.size[1]} and {b.size[0]}.",
        expected="m × k times k × n",
        got=f"{a} times {b}",
        fix=fix,
    )


def _pattern_product(a: Operand, b: Operand) -> Operand:
    for p, other in ((a, b), (b, a)):
        if isinstance(p, Pattern) and (p.kind == "eye" or (isinstance(other, Value) and other.is_scalar)):
            if isinstance(other, Pattern):
                return replace(other, scale=p.scale * other.scale)
            if other.is_scalar:
                return replace(p, scale=p.scale * other.array)
            return value(_scaled(p.scale, other.array), other.row)
    if isinstance(a, Pattern):
        rows = known(b).size[0]
        return product(sized(a, 1, rows), b) if a.row else product(known(a), b)
    size = a.size[1]
    return product(a, sized(b, size, 1)) if isinstance(b, Pattern) and not b.row else product(a, known(b))


def ops_constant(a: Traced) -> Any:
    """The number that a scalar is, or None."""
    return a.builder.constant_value(a.name)


def dot(a: Operand, b: Operand) -> Operand:
    """``x·y``: the inner product of two vectors, or a multiple.

    Raises:
        ShapeError: vectors of different lengths, or matrices.
    """
    a, b = known(a), known(b)
    if a.is_scalar or b.is_scalar:
        return product(a, b)
    if not (a.is_vector and b.is_vector):
        raise ShapeError("· stands between vectors.", got=f"{a} · {b}", fix="write * for the matrix product")
    x, y = flat(a), flat(b)
    if not same(x.dims[0], y.dims[0]):
        raise ShapeError("The vectors have different lengths.", got=f"{a} · {b}")
    return value(ops.matmul(x.builder, x, y))


def transposed(v: Operand) -> Operand:
    if isinstance(v, Pattern):
        return v if v.kind == "eye" else replace(v, row=not v.row)
    if v.rank == 1:
        return Value(v.array, not v.row)
    return Value(moves.transpose(v.array)) if v.rank == 2 else v


def square(v: Operand, what: str) -> Value:
    """A scalar or a square matrix.

    Raises:
        ShapeError: it is neither.
    """
    v = known(v)
    if not same(*v.size):
        raise ShapeError(f"{what} is of a square matrix.", expected="n × n", got=str(v))
    return v


def inverse(v: Operand) -> Value:
    v = square(v, "The inverse")
    if v.is_scalar:
        return Value(ops.elementary(v.array.builder, "div", 1, v.array))
    return value(numpy_call(v.array.builder, np.linalg.inv, v.array))


def power(base: Operand, exponent: Operand) -> Value:
    """``a^b``: of scalars, or a whole power of a square matrix.

    Raises:
        ShapeError: of a vector, or of a matrix that is not square.
        UnsupportedError: an exponent that is no whole number.
    """
    base, exponent = known(base), known(exponent)
    builder = base.array.builder
    if not exponent.is_scalar:
        raise ShapeError(
            "An exponent is a scalar.", got=f"an exponent of {exponent}", fix="write .^ entry by entry"
        )
    if base.is_scalar:
        return value(ops.power(builder, base.array, exponent.array))
    if not same(*base.size):
        raise ShapeError(
            "Only scalars and square matrices have powers.",
            got=f"{base}",
            fix="write x.^2 entry by entry, x'*x or norm(x)^2 for the square of the length",
        )
    n = ops_constant(exponent.array)
    if n is not None and n.is_Integer and abs(n) > MAX_ARGUMENTS:
        raise UnsupportedError(
            "This power of a matrix is too high.",
            expected=f"-{MAX_ARGUMENTS} to {MAX_ARGUMENTS}",
            got=f"{base} to the power {n}",
            fix=f"write a product of powers up to {MAX_ARGUMENTS}",
        )
    if n is None or not n.is_Integer:
        raise UnsupportedError(
            "A matrix has whole powers only.",
            expected=f"-{MAX_ARGUMENTS} to {MAX_ARGUMENTS}",
            got=f"{base} to the power {n if n is not None else 'of a variable'}",
            fix="write .^ entry by entry",
        )
    if n == -1:
        return inverse(base)
    if n == 1:
        return base
    return value(numpy_call(builder, np.linalg.matrix_power, base.array, int(n)))


def size_argument(v: Operand, what: str) -> Dim:
    """A size that a function is given: a whole number or a name of the shapes.

    Raises:
        ShapeError: it depends on data, or is negative.
    """
    v = known(v)
    constant = ops_constant(v.array) if v.is_scalar else None
    if constant is None or not constant.is_integer or constant.is_negative:
        raise ShapeError(
            f"{what} takes sizes.", expected="whole numbers or sizes of the shapes", got=str(constant or v)
        )
    return as_dim(constant)
