"""A program's value as an ordinary SymPy matrix expression, for values of at most two axes.

Vectors become columns (n×1), so that SymPy's transpose and product mean what they say.  An expression is a tree: a
value that is read twice is written twice, so that its size is found before it is made.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import MatrixSymbol, OneMatrix
from sympy.matrices.expressions import HadamardPower

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Above, Absolute, Maximum, Minimum, Relu, Sign, Step
from symgrad.ops.scalars.table import in_own_terms
from symgrad.ops.sympy_forms import entrywise_product, is_matrix, number, plus, times, total, transposed
from symgrad.program import Binding, Program

LARGEST = 20_000
"""Operations in an expression.  SymPy takes seconds for anything that it does with a longer one."""
_FIX = "use to_numpy() or .program, where a value that is read twice is computed once"

_NAMED = {
    Absolute: sympy.Abs,
    Sign: sympy.sign,
    Maximum: sympy.Max,
    Minimum: sympy.Min,
    Relu: lambda x: sympy.Max(x, 0),
    Step: lambda x: sympy.Heaviside(x, 0),
    Above: lambda a, b: sympy.Heaviside(a - b, sympy.Rational(1, 2)),
}
"""Functions of ours for which SymPy has a name; the others are written out."""


def to_sympy(program: Program, output: str) -> Any:
    """The output as a SymPy expression; a scalar product is the trace of a 1×1 matrix.

    Raises:
        UnsupportedError: a value has more than two axes or no form in SymPy, or the expression would be too long.
    """
    program = program.only(output)
    _check_length(program, output)
    values: dict[str, Any] = {}
    for i in program.inputs:
        values[i.name] = (
            MatrixSymbol(i.name, *_matrix(i.shape)) if i.shape else sympy.Symbol(i.name, real=True)
        )
    entry = _entry_symbol(program)
    try:
        for b in program.bindings:
            values[b.name] = _value(program, b, values, entry)
    except RecursionError:
        raise UnsupportedError(
            "The expression is nested too deeply for SymPy.", where="to_sympy", fix=_FIX
        ) from None
    return values[program.output[output]]


def _check_length(program: Program, output: str) -> None:
    lengths = {i.name: 1 for i in program.inputs}
    for b in program.bindings:
        if b.op == "pointwise":
            nodes = list(sympy.preorder_traversal(b.attrs["fn"]))
            read = [lengths[a] * nodes.count(ARG(i)) for i, a in enumerate(b.args)]
            lengths[b.name] = len(nodes) + sum(read)
        else:
            lengths[b.name] = 1 + sum(lengths[a] for a in b.args)
    found = lengths[program.output[output]]
    if found > LARGEST:
        raise UnsupportedError(
            "As one expression this is too long.",
            where="to_sympy",
            expected=f"at most {LARGEST} operations",
            got=f"{found} operations from {len(program.bindings)} values",
            fix=_FIX,
        )


def _entry_symbol(program: Program) -> sympy.Symbol:
    """What functions of entries are written in; no scalar of the loss has the name."""
    taken = {i.name for i in program.inputs}
    return sympy.Symbol(next(n for n in ("x", "t", "u", "entry", "x_") if n not in taken), real=True)


def _matrix(shape: Shape) -> tuple[Any, Any]:
    if len(shape) > 2:
        raise UnsupportedError(
            "SymPy's matrices have two axes.", where="to_sympy", got=f"{len(shape)} axes", fix=_FIX
        )
    return (shape[0], 1) if len(shape) == 1 else (shape[0], shape[1])


def _value(program: Program, b: Binding, values: dict[str, Any], entry: sympy.Symbol) -> Any:
    args = [values[a] for a in b.args]
    shapes = [program.type(a).shape for a in b.args]
    for shape in (*shapes, b.shape):
        if shape:
            _matrix(shape)
    if b.op == "constant":
        return b.attrs["value"]
    if b.op == "matmul":
        return _product(*args, *shapes)
    if b.op == "outer":
        return times(args[0], transposed(args[1]))
    if b.op == "transpose":
        return transposed(args[0])
    if b.op == "sum":
        return _sum(args[0], shapes[0], b)
    if b.op == "broadcast_to":
        return _broadcast(args[0], shapes[0], b.shape)
    if b.op == "reshape":
        return _reshaped(args[0], shapes[0], b.shape)
    if b.op == "pointwise":
        return _pointwise(b, args, shapes, entry)
    made = b.record.sympy(args, shapes, b.attrs, b.shape) if b.record.sympy is not None else None
    if made is None:
        raise UnsupportedError(f"{b.op} has no SymPy form.", where="to_sympy", fix=_FIX)
    return made


def _product(left: Any, right: Any, left_shape: Shape, right_shape: Shape) -> Any:
    if len(left_shape) > 1:
        return times(left, right)
    if len(right_shape) == 1:
        return number(times(transposed(left), right))
    return times(transposed(right), left)


def _reshaped(a: Any, shape: Shape, to: Shape) -> Any:
    if not shape:
        return times(a, OneMatrix(*_matrix(to)))
    if not to:
        return number(a)
    if _matrix(to) == _matrix(shape):
        return a
    if _matrix(to) == _matrix(shape)[::-1] and 1 in _matrix(to):
        return transposed(a)
    raise UnsupportedError("This reshape has no SymPy form.", where="to_sympy", fix=_FIX)


def _sum(a: Any, shape: Shape, b: Binding) -> Any:
    rows, columns = _matrix(shape)
    axes = b.attrs["axes"]
    if b.attrs["total"]:
        if not b.attrs["keepdims"]:
            return total(a)
        return times(OneMatrix(1, rows), a, OneMatrix(columns, 1))
    if axes == (0,):
        summed = times(OneMatrix(1, rows), a)
        return summed if b.attrs["keepdims"] else transposed(summed)
    return times(a, OneMatrix(columns, 1))


def _broadcast(a: Any, shape: Shape, to: Shape) -> Any:
    rows, columns = _matrix(to)
    if not shape:
        return times(a, OneMatrix(rows, columns))
    if tuple(shape) == tuple(to):
        return a
    if len(to) == 1:
        return times(OneMatrix(rows, 1), a)
    if len(shape) == 1:
        if shape[0] == columns:
            return times(OneMatrix(rows, 1), transposed(a))
        return times(number(a), OneMatrix(rows, columns))
    if shape[0] == 1 and shape[1] == 1:
        return times(OneMatrix(rows, 1), a, OneMatrix(1, columns))
    return times(OneMatrix(rows, 1), a) if shape[0] == 1 else times(a, OneMatrix(1, columns))


def _pointwise(b: Binding, args: list[Any], shapes: list[Shape], entry: sympy.Symbol) -> Any:
    fn = in_own_terms(b.attrs["fn"].replace(lambda e: type(e) in _NAMED, lambda e: _NAMED[type(e)](*e.args)))
    # A function of an array is one function of its entries, with the scalars in their places.
    scalars = {ARG(i): a for i, (a, s) in enumerate(zip(args, shapes, strict=True)) if not s}
    if not b.shape:
        return fn.xreplace(scalars)
    arrays = {
        ARG(i): _broadcast(a, s, b.shape) for i, (a, s) in enumerate(zip(args, shapes, strict=True)) if s
    }
    return _entrywise(fn, arrays, scalars, _matrix(b.shape), entry)


def _entrywise(
    fn: Any, arrays: dict[Any, Any], scalars: dict[Any, Any], shape: tuple[Any, Any], entry: sympy.Symbol
) -> Any:
    """Matrix form of a scalar expression; scalars stay scalars, sums and products become the matrix kinds."""
    used = fn.free_symbols & set(arrays)
    if not used:
        return fn.xreplace(scalars)
    if fn in arrays:
        return arrays[fn]

    def inner(e: Any) -> Any:
        return _entrywise(e, arrays, scalars, shape, entry)

    if fn.is_Add:
        parts = [inner(a) for a in fn.args]
        return plus(*(p if is_matrix(p) else times(p, OneMatrix(*shape)) for p in parts))
    if fn.is_Mul:
        parts = [inner(a) for a in fn.args]
        matrices = [p for p in parts if is_matrix(p)]
        return times(*(p for p in parts if not is_matrix(p)), entrywise_product(*matrices))
    if fn.is_Pow and not fn.exp.free_symbols & used:
        return HadamardPower(inner(fn.base), fn.exp.xreplace(scalars))
    dependent = [a for a in fn.args if a.free_symbols & used]
    if len(used) == 1:
        (symbol,) = used
        return _applied(arrays[symbol], entry, fn.xreplace({**scalars, symbol: entry}))
    if len(dependent) == 1 and isinstance(fn, sympy.Function) and not isinstance(fn, sympy.Piecewise):
        whole = inner(dependent[0])
        rest = (entry if a is dependent[0] else a.xreplace(scalars) for a in fn.args)
        return _applied(whole, entry, fn.func(*rest))
    raise UnsupportedError(
        f"{type(fn).__name__} of several matrices has no SymPy form.", where="to_sympy", fix=_FIX
    )


def _applied(a: Any, entry: sympy.Symbol, body: Any) -> Any:
    return a.applyfunc(sympy.Lambda(entry, body))
