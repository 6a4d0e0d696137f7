"""What every front end is made of: operations on traced arrays that write bindings.

NumPy functions, text, SymPy expressions and modules all end here, so that the same mathematics written four
ways becomes the same program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symgrad.errors import ShapeError, SpecError, TraceError, UnsupportedError
from symgrad.ops.dims import Dim, Shape, as_dim, broadcast, format_shape, product
from symgrad.ops.record import ARG
from symgrad.ops.scalars import BY_NAME
from symgrad.ops.sum import sum_attrs
from symgrad.program import Builder, exact_number
from symgrad.trace.sizes import NeedsKind, constant_of, divided

if TYPE_CHECKING:
    from symgrad.trace.array import Traced

Array: Any = None  # the class Traced, set by ``array`` (which imports this module)

MOST_BITS = 16_384
"""Longer fractions, such as 0.1**4000, are rounded to the nearest double."""
LARGEST = sys.float_info.max
MAX_EXPONENT = 4096
"""Constants are exact, so that a huge power of one would never end."""


def lift(builder: Builder, value: Any) -> Traced:
    """A traced value, a number or a uniform array as a traced value.

    Raises:
        UnsupportedError: an array with different entries; it has to be an argument.
    """
    if isinstance(value, Array):
        if value.builder is not builder:
            raise TraceError("This traced array belongs to another function.", where=repr(value))
        return value
    if isinstance(value, (list, tuple)):
        if holds_traced(value):
            return _nested(builder, value)
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.ndim > 0:
        if value.dtype.kind not in "fiub":
            raise TraceError("An array of this dtype cannot take part.", got=f"dtype {value.dtype}")
        uniform = value.size == 0 or bool((value == value.flat[0]).all())
        if value.dtype.kind == "f" and uniform:
            single = builder.constant(_infinite(value.flat[0].item()) if value.size else 0)
            return Array(builder, builder.emit("broadcast_to", single, shape=value.shape))
        return _constant_array(builder, value)
    if value is None or isinstance(value, (str, complex, dict)):
        raise TraceError("A traced array meets something that is no number.", got=repr(value))
    data = getattr(value, "data", None)
    if isinstance(data, np.ndarray):  # an eager tensor inside a module
        return lift(builder, data if data.ndim else data.item())
    try:
        return Array(builder, builder.constant(_infinite(value)))
    except SpecError:
        raise TraceError(
            "A traced array meets something that is no finite real number.", got=repr(value)
        ) from None


def holds_traced(value: Any) -> bool:
    """Whether a nested list has a traced value in it."""
    if isinstance(value, (list, tuple)):
        return any(holds_traced(v) for v in value)
    return isinstance(value, Array)


def _infinite(value: Any) -> Any:
    from symgrad.trace.infinity import as_number

    return as_number(value)


def _nested(builder: Builder, value: Any) -> Traced:
    from symgrad.trace.joining import stack_nested

    return stack_nested(builder, value)


def _constant_array(builder: Builder, value: np.ndarray) -> Traced:
    from symgrad.trace.joining import constant_array

    return constant_array(builder, value)


def dtype_of(a: Any) -> np.dtype[Any]:
    """The dtype when the derivation is evaluated in double precision; of an input it is looked up then."""
    if a.numbers is not None:
        return a.numbers.dtype
    if a.builder.binding(a.name) is None:
        a.builder.dtypes_read.add(a.name)
    return np.dtype({"bool": np.bool_, "int": np.int64}.get(a.kind, np.float64))


def as_kind(a: Any, dtype: Any) -> Any:
    """``a.astype(dtype)``: between real numbers, whole numbers and truth values; precision is left to the data."""
    dtype = getattr(dtype, "plain_type", dtype)
    kind = {"f": "real", "i": "int", "u": "int", "b": "bool"}.get(np.dtype(dtype).kind, "")
    if not kind:
        raise UnsupportedError("There are no arrays of this dtype here.", where="astype", got=str(dtype))
    numbers = a.numbers
    if numbers is not None:
        return Array(a.builder, data=numbers.astype({"real": float, "int": int, "bool": bool}[kind]))
    if kind == a.kind or (kind == "real" and a.kind == "int"):
        return a
    if kind == "bool":
        return elementary(a.builder, "not_equal", a, 0)
    if a.kind == "bool":
        return elementary(a.builder, "where", a, 1, 0)
    if a.builder.binding(a.name) is None:
        raise a.builder.refuse(NeedsKind(a.name, "int", "astype(int)"))
    return elementary(a.builder, "trunc", a)


def size_value(builder: Builder, dim: Dim) -> Any:
    """A size as an int, or as a traced scalar that stands for it."""
    return dim if isinstance(dim, int) else Array(builder, builder.constant(dim))


def as_size(value: Any) -> Dim:
    """A size that a user passes on: an int or a traced scalar made of sizes."""
    if isinstance(value, Array):
        constant = value.builder.constant_value(value.name)
        if constant is not None:
            return as_dim(constant)
        raise TraceError("A size cannot depend on the data.", where=repr(value))
    return as_dim(value)


def apply(builder: Builder, fn: sympy.Expr, *operands: Any) -> Traced:
    """One elementwise operation; on numbers and sizes alone it is computed exactly."""
    from symgrad.trace import infinity

    values = [lift(builder, v) for v in operands]
    found = infinity.applied(builder, fn, values)
    if found is not None:
        return found
    constants = [constant_of(v) for v in values]
    if all(c is not None for c in constants):
        return Array(builder, builder.constant(_constant(fn, constants)))
    if fn.xreplace({ARG(i): c for i, c in enumerate(constants) if c is not None}).has(sympy.zoo, sympy.nan):
        raise TraceError("The formula divides by the constant 0.", where=str(fn))
    if any(v.kind == "int" for v in values):  # an index plus 1 is an index
        whole = {i: c for i, c in enumerate(constants) if c is not None and c.is_integer}
        kept = [i for i in range(len(values)) if i not in whole]
        moved = {ARG(i): ARG(j) for j, i in enumerate(kept)} | {ARG(i): c for i, c in whole.items()}
        fn, values = fn.xreplace(moved), [values[i] for i in kept]
    return Array(builder, builder.emit("pointwise", *(v.name for v in values), fn=fn))


def _constant(fn: sympy.Expr, constants: Sequence[Any]) -> sympy.Expr:
    """The exact value of a function of constants.

    Raises:
        TraceError: it is no real number that floating point can hold.
    """
    result = fn.xreplace({ARG(i): c for i, c in enumerate(constants)})
    if result.is_finite is False or result.has(sympy.zoo, sympy.nan, sympy.oo):
        raise TraceError("A constant of the formula is not finite.", where=str(fn), got=str(result))
    if result.is_real is False or result.has(sympy.I):
        raise TraceError("A constant of the formula is no real number.", where=str(fn), got=str(result))
    if result.is_number:
        # Constants stay exact, so that a tower of powers has to stop before it fills the memory.
        size = abs(sympy.N(result, 15))
        if size.is_comparable and size > LARGEST:
            raise TraceError(
                "A constant of the formula is too large.",
                where=str(fn),
                expected=f"at most {LARGEST:.2g}, the largest double",
            )
    if result.is_Rational and max(int(result.p).bit_length(), int(result.q).bit_length()) > MOST_BITS:
        return exact_number(int(result.p) / int(result.q))
    return result


def _divided_size(builder: Builder, a: Any, b: Any) -> Traced | None:
    """h // 2 of a size, taken to be even; None where it is no size."""
    above, below = (constant_of(lift(builder, v)) for v in (a, b))
    if above is None or below is None or not above.free_symbols or not below.is_Integer or below < 1:
        return None
    divided(builder, above / below)
    return Array(builder, builder.constant(above / below))


_OF_TRUTHS = {"add": "logical_or", "mul": "logical_and"}
"""What NumPy's + and * are between truth values."""


def elementary(builder: Builder, name: str, *operands: Any) -> Traced:
    """An elementwise function by its name in the table."""
    record = BY_NAME[name]
    if len(operands) != record.arity:
        raise SpecError(
            f"{name} takes {record.arity} argument{'s' * (record.arity != 1)}.", got=len(operands), where=name
        )
    if name in _OF_TRUTHS and all(isinstance(v, Array) and v.kind == "bool" for v in operands):
        record = BY_NAME[_OF_TRUTHS[name]]
    if name == "pow":
        return power(builder, *operands)
    if name == "sqrt":
        root = _norm(builder, lift(builder, operands[0]))
        if root is not None:
            return root
    if name == "floor_divide":
        quotient = _divided_size(builder, *operands)
        if quotient is not None:
            return quotient
    if name == "div":
        divisor = lift(builder, operands[1])
        if builder.constant_value(divisor.name) == 0:
            raise TraceError("The formula divides by 0.", where="division", fix="leave the division away")
    return apply(builder, record.expr, *operands)


def rule_of(name: str) -> Callable[..., Traced]:
    """The elementwise function of that name, for the tables of what may be called."""
    return lambda builder, *operands: elementary(builder, name, *operands)


def _norm(builder: Builder, squares: Traced) -> Traced | None:
    from symgrad.trace.roots import norm_of

    return norm_of(builder, squares)


def power(builder: Builder, base: Any, exponent: Any) -> Traced:
    b, e = lift(builder, base), lift(builder, exponent)
    value = builder.constant_value(e.name)
    if value is None or e.dims:
        return apply(builder, ARG(0) ** ARG(1), b, e)
    if value.is_number and abs(value) > MAX_EXPONENT:
        raise UnsupportedError(
            "The exponent is too large.", where="power", expected=f"at most {MAX_EXPONENT}", got=str(value)
        )
    if value == 0:
        return ones(builder, b.dims)
    if value == 1:
        return b
    root = _norm(builder, b) if value == sympy.S.Half else None
    return root if root is not None else apply(builder, ARG(0) ** value, b)


def ones(builder: Builder, shape: Shape, value: object = 1) -> Traced:
    constant = builder.constant(_infinite(value))
    return Array(builder, builder.emit("broadcast_to", constant, shape=tuple(shape)))


def matmul(builder: Builder, a: Any, b: Any) -> Traced:
    left, right = lift(builder, a), lift(builder, b)
    return Array(builder, builder.emit("matmul", left.name, right.name))


def axis_of(axis: Any, rank: int, where: str, of: object = None) -> int:
    """An axis counted from the front; ``of`` is what the message says that it should be an axis of.

    Raises:
        ShapeError: there is no such axis.
    """
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or not -rank <= axis < rank:
        raise ShapeError(
            "There is no such axis.",
            where=where,
            expected=f"an axis of {rank if of is None else of}",
            got=f"axis={axis!r}",
        )
    return int(axis) % rank


def axes_of(a: Traced, axis: Any, where: str) -> tuple[int, ...]:
    """The axes that NumPy means, sorted and counted from the front; None means all.

    Raises:
        ShapeError: there is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(a.ndim))
    if a.ndim == 0 and axis in (0, -1):  # as NumPy has it
        return ()
    given: Sequence[Any] = axis if isinstance(axis, (tuple, list)) else (axis,)
    out = [axis_of(i, a.ndim, where, format_shape(a.dims)) for i in given]
    if len(set(out)) < len(out):
        raise ShapeError("An axis is named twice.", where=where, got=f"axis={axis!r}")
    return tuple(sorted(out))


def total(a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    axes = axes_of(a, axis, "sum")
    if not axes:
        return a
    name = a.builder.emit("sum", a.name, **sum_attrs(a.ndim, axes, bool(keepdims)))
    return Array(a.builder, name)


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Traced:
    axes = axes_of(a, axis, "mean")
    number = product([a.dims[i] for i in axes])
    return elementary(a.builder, "div", total(a, axis, keepdims), size_value(a.builder, number))


def clip(builder: Builder, a: Any, low: Any = None, high: Any = None) -> Traced:
    value = lift(builder, a)
    if low is not None:
        value = elementary(builder, "maximum", value, low)
    if high is not None:
        value = elementary(builder, "minimum", value, high)
    return value


def maximum(builder: Builder, a: Any, b: Any) -> Traced:
    """maximum(x, 0) is relu, also in what is printed; the derivative at 0 is the one of relu."""
    left, right = lift(builder, a), lift(builder, b)
    if builder.constant_value(right.name) == 0 and broadcast([left.dims, right.dims], "maximum") == left.dims:
        return elementary(builder, "relu", left)
    if builder.constant_value(left.name) == 0 and broadcast([left.dims, right.dims], "maximum") == right.dims:
        return elementary(builder, "relu", right)
    return elementary(builder, "maximum", left, right)


def leaky_relu(builder: Builder, x: Any, slope: Any = 0.01) -> Traced:
    value = lift(builder, x)
    condition = elementary(builder, "greater", value, 0)
    return elementary(
        builder, "where", condition, value, elementary(builder, "mul", exact_number(slope), value)
    )
