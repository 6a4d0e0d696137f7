"""The functions of the mathematician's text.

Functions of numbers work entry by entry.  Where MATLAB and matrixcalculus.org mean different things by one
name, ``sum`` or ``norm`` of a matrix, the text has to say which, and the message says how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import ParseError, ShapeError, UnsupportedError
from symgrad.ops.scalars import ELEMENTARY
from symgrad.program import Builder
from symgrad.trace import moves, reductions
from symgrad.trace import operations as ops
from symgrad.trace.text.math_values import (
    Operand,
    Pattern,
    Value,
    dot,
    elementwise,
    flat,
    inverse,
    known,
    matrix,
    numpy_call,
    numpy_result,
    product,
    size_argument,
    sized,
    square,
    transposed,
    value,
)

Argument = Operand | str
Function = Callable[[Builder, Sequence[Any]], Operand]


def _counted(name: str, least: int, most: int, body: Callable[..., Operand]) -> Function:
    def call(builder: Builder, args: Sequence[Any]) -> Operand:
        if not least <= len(args) <= most:
            expected = (
                f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"
            )
            raise ParseError(f"{name} takes {expected}.", got=len(args))
        return body(builder, *args)

    return call


def _arrays(name: str, least: int, most: int, body: Callable[..., Operand]) -> Function:
    """A function none of whose arguments is an option."""

    def checked(builder: Builder, *args: Argument) -> Operand:
        for a in args:
            if isinstance(a, str):
                raise ParseError(f"{name} takes no such option.", got=repr(a))
        return body(builder, *args)

    return _counted(name, least, most, checked)


def _entrywise(table_name: str) -> Callable[..., Operand]:
    def apply(builder: Builder, x: Operand) -> Operand:
        x = known(x)
        return value(ops.elementary(builder, table_name, x.array), x.row)

    return apply


def _pairwise(table_name: str, name: str) -> Callable[..., Operand]:
    def apply(builder: Builder, a: Operand, b: Operand) -> Operand:
        return elementwise(a, b, lambda x, y: ops.elementary(builder, table_name, x, y), name)

    return apply


def _axis(name: str, which: Argument) -> int | None:
    """MATLAB's dimension as NumPy's axis; None for 'all'."""
    if isinstance(which, str):
        if which == "all":
            return None
        raise ParseError(f"{name} has no such option.", expected="1, 2 or 'all'", got=repr(which))
    dim = size_argument(which, name)
    if dim not in (1, 2):
        raise ParseError("A matrix has the dimensions 1 and 2.", where=name, got=str(dim))
    return int(dim) - 1


def _reduction(name: str, function: Callable[..., Any]) -> Function:
    """Over a vector, or over a matrix along a dimension."""

    def reduce(builder: Builder, x: Argument, which: Argument | None = None) -> Operand:
        if isinstance(x, str):
            raise ParseError(f"{name} takes an array.", got=repr(x))
        x = known(x)
        if which is not None:
            axis = _axis(name, which)
            if axis is None:
                return value(numpy_call(builder, function, x.array))
            return value(numpy_call(builder, function, matrix(x), axis=axis, keepdims=True))
        if x.is_scalar:
            return x
        if not x.is_vector:
            raise _ambiguous(
                name, x, f"{name}(A, 1) down the columns, {name}(A, 2) along the rows, {name}(A, 'all')"
            )
        return value(numpy_call(builder, function, flat(x)))

    return _counted(name, 1, 2, reduce)


def _exponential(name: str, rule: Callable[..., Any], reduces: bool) -> Function:
    """logsumexp and its derivative softmax, without overflow: of a vector, or of a matrix along a dimension."""

    def call(builder: Builder, x: Argument, which: Argument | None = None) -> Operand:
        if isinstance(x, str):
            raise ParseError(f"{name} takes an array.", got=repr(x))
        x = known(x)
        if which is None and not x.is_vector and not x.is_scalar:
            raise _ambiguous(name, x, f"{name}(A, 1) down the columns, {name}(A, 2) along the rows")
        axis = None if which is None else _axis(name, which)
        if axis is not None:
            found = rule(builder, matrix(x), axis=axis, **({"keepdims": True} if reduces else {}))
            return value(found)
        if x.is_scalar:
            return x if reduces else value(ops.ones(builder, ()))
        found = rule(builder, flat(x))
        return value(found, row=x.row and not reduces)

    return _counted(name, 1, 2, call)


def _ambiguous(name: str, x: Value, forms: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name} of a matrix means different things to different people.", got=str(x), fix=f"write {forms}"
    )


def _extremum(name: str, function: Callable[..., Any], pairwise: str) -> Function:
    reduce = _reduction(name, function)

    def call(builder: Builder, args: Sequence[Any]) -> Operand:
        if len(args) == 2 and not isinstance(args[1], str):
            step = ops.maximum if pairwise == "maximum" else _minimum
            return elementwise(args[0], args[1], lambda x, y: step(builder, x, y), name)
        return reduce(builder, args)

    return call


def _minimum(builder: Builder, x: Any, y: Any) -> Any:
    return ops.elementary(builder, "minimum", x, y)


def _norm(builder: Builder, x: Argument, order: Argument | None = None) -> Operand:
    if isinstance(x, str):
        raise ParseError("norm takes an array.", got=repr(x))
    x = known(x)
    if x.is_scalar:
        return value(ops.elementary(builder, "abs", x.array))
    kind: Any = order
    if isinstance(order, str):
        if order not in ("fro", "inf", "Inf", "nuc"):
            raise ParseError("There is no such norm.", expected="1, 2, inf, 'fro' or 'nuc'", got=repr(order))
        kind = order if order in ("fro", "nuc") else float("inf")
    elif order is not None:
        number = builder.constant_value(known(order).array.name)
        if number is None or not number.is_number:
            raise ParseError("The order of a norm is a number.", expected="1, 2, inf, 'fro' or 'nuc'")
        kind = int(number) if number.is_Integer else float(number)
    if x.is_vector:
        if kind == "nuc":
            raise ParseError("The nuclear norm is of a matrix.", got=str(x))
        v = flat(x)
        return value(
            numpy_call(builder, np.linalg.norm, v, **({} if kind in (None, "fro", 2) else {"ord": kind}))
        )
    if kind is None:
        raise _ambiguous("norm", x, "norm(A, 'fro') or norm(A, 2)")
    return value(numpy_call(builder, np.linalg.norm, x.array, ord=kind))


def _norm_of_order(order: int) -> Callable[..., Operand]:
    def norm(builder: Builder, x: Operand) -> Operand:
        x = known(x)
        if not x.is_scalar and not x.is_vector:
            raise _ambiguous(f"norm{order}", x, f"norm(A, {order}), norm(A, 'fro') or sum(abs(A), 'all')")
        return _norm(builder, x, Value(ops.lift(builder, order)))

    return norm


def _absolute(builder: Builder, x: Operand) -> Operand:
    x = known(x)
    if not x.is_scalar:
        raise _ambiguous("|…|", x, "abs(x), norm(x) or det(A)")
    return value(ops.elementary(builder, "abs", x.array))


def _on_square(
    name: str, function: Callable[..., Any], of_scalar: Callable[..., Operand]
) -> Callable[..., Operand]:
    def apply(builder: Builder, a: Operand) -> Operand:
        a = square(a, name)
        return of_scalar(builder, a) if a.is_scalar else value(function(builder, a.array))

    return apply


def _logdet(builder: Builder, a: Any) -> Any:
    return numpy_result(builder, np.linalg.slogdet, a)[1]


def _diagonal(builder: Builder, x: Operand) -> Operand:
    x = known(x)
    if x.is_scalar:
        return x
    return value(numpy_call(builder, np.diag, flat(x) if x.is_vector else x.array))


def _filled(name: str, number: int) -> Function:
    """ones(n) is a column, ones(m, n) a matrix; MATLAB's own ones(n) is n×n."""

    def fill(builder: Builder, *sizes: Operand) -> Operand:
        return value(ops.ones(builder, tuple(size_argument(s, name) for s in sizes), number))

    return _arrays(name, 1, 2, fill)


def _constant_vector(builder: Builder, entry: Operand) -> Operand:
    entry = known(entry)
    if not entry.is_scalar:
        raise ShapeError(
            "vector(1) repeats a scalar.", got=str(entry), fix="write ones(n) for a vector of length n"
        )
    return Pattern("ones", entry.array)


def _eye(builder: Builder, n: Operand) -> Operand:
    size = size_argument(n, "eye")
    return sized(Pattern("eye", ops.lift(builder, 1)), size, size)


def _solve(builder: Builder, a: Operand, b: Operand) -> Operand:
    """``A \\ b``: the solution of Ax = b."""
    a, b = square(a, "The left side of \\"), known(b)
    if a.is_scalar:
        return elementwise(b, a, lambda x, y: x / y, "\\")
    if b.is_scalar or not a.size[0] == b.size[0]:
        raise ShapeError(
            "The sizes of the two sides of \\ differ.", expected="n × n and n × k", got=f"{a} and {b}"
        )
    return value(
        numpy_call(builder, np.linalg.solve, a.array, b.array if b.rank == 1 and not b.row else matrix(b))
    )


def _vec(builder: Builder, x: Operand) -> Operand:
    """The columns one below the other."""
    x = known(x)
    return value(moves.reshape(moves.transpose(x.array), -1) if x.rank == 2 else x.array)


def _kron(builder: Builder, a: Operand, b: Operand) -> Operand:
    return value(numpy_call(builder, np.kron, matrix(known(a)), matrix(known(b))))


_NAMES = {
    **{e.name: e.name for e in ELEMENTARY if e.arity == 1 and e.name not in ("neg", "step")},
    "ln": "log",
    "sigma": "sigmoid",
    "σ": "sigmoid",
    "logistic": "sigmoid",
    "sgn": "sign",
    **{short: f"arc{short[1:]}" for short in ("asin", "acos", "atan", "asinh", "atanh")},
}
_PAIRS = {"logaddexp": "logaddexp", "power": "pow", "times": "mul"}

FUNCTIONS: dict[str, Function] = {
    **{name: _arrays(name, 1, 1, _entrywise(entry)) for name, entry in _NAMES.items()},
    **{name: _arrays(name, 2, 2, _pairwise(entry, name)) for name, entry in _PAIRS.items()},
    "sum": _reduction("sum", np.sum),
    "mean": _reduction("mean", np.mean),
    "prod": _reduction("prod", np.prod),
    "max": _extremum("max", np.max, "maximum"),
    "min": _extremum("min", np.min, "minimum"),
    "logsumexp": _exponential("logsumexp", reductions.logsumexp, reduces=True),
    "softmax": _exponential("softmax", reductions.softmax, reduces=False),
    "norm": _counted("norm", 1, 2, _norm),
    "norm1": _arrays("norm1", 1, 1, _norm_of_order(1)),
    "norm2": _arrays("norm2", 1, 1, _norm_of_order(2)),
    "|": _arrays("|…|", 1, 1, _absolute),
    "det": _arrays(
        "det", 1, 1, _on_square("det", lambda b, a: numpy_call(b, np.linalg.det, a), lambda b, a: a)
    ),
    "logdet": _arrays("logdet", 1, 1, _on_square("logdet", _logdet, _entrywise("log"))),
    "inv": _arrays("inv", 1, 1, lambda b, a: inverse(a)),
    "diag": _arrays("diag", 1, 1, _diagonal),
    "vec": _arrays("vec", 1, 1, _vec),
    "kron": _arrays("kron", 2, 2, _kron),
    "dot": _arrays("dot", 2, 2, lambda b, x, y: dot(x, y)),
    "solve": _arrays("solve", 2, 2, _solve),
    "transpose": _arrays("transpose", 1, 1, lambda b, a: transposed(a)),
    "mtimes": _arrays("mtimes", 2, 2, lambda b, x, y: product(x, y)),
    "ones": _filled("ones", 1),
    "zeros": _filled("zeros", 0),
    "vector": _arrays("vector", 1, 1, _constant_vector),
    "eye": _arrays("eye", 1, 1, _eye),
    **{
        name: _arrays(name, 1, 1, _on_square(name, lambda b, a: numpy_call(b, np.trace, a), lambda b, a: a))
        for name in ("tr", "trace", "Tr")
    },
}
"""Every function, called with the builder and its arguments; options arrive as strings."""
