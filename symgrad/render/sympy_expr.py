"""A program's value as an ordinary SymPy matrix expression, for values of at most two axes.

Vectors become columns (n×1), so that SymPy's transpose and product mean what they say.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import MatrixSymbol, OneMatrix
from sympy.matrices.expressions import HadamardPower, hadamard_product

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.program import Binding, Program


def to_sympy(program: Program, output: str) -> Any:
    """The output as a SymPy expression.

    Raises:
        UnsupportedError: a value has more than two axes.
    """
    values: dict[str, Any] = {}
    for i in program.inputs:
        values[i.name] = (
            MatrixSymbol(i.name, *_matrix(i.shape)) if i.shape else sympy.Symbol(i.name, real=True)
        )
    for b in program.bindings:
        values[b.name] = _value(program, b, values)
    return values[program.output[output]]


def _matrix(shape: Shape) -> tuple[Any, Any]:
    if len(shape) > 2:
        raise UnsupportedError("SymPy's matrices have two axes.", where="to_sympy", got=f"{len(shape)} axes")
    return (shape[0], 1) if len(shape) == 1 else (shape[0], shape[1])


def _value(program: Program, b: Binding, values: dict[str, Any]) -> Any:
    args = [values[a] for a in b.args]
    shapes = [program.type(a).shape for a in b.args]
    if b.op == "constant":
        return b.attrs["value"]
    if b.op == "matmul":
        left, right = args
        if len(shapes[0]) == 1:
            product = left.T * right
            return product[0, 0] if len(shapes[1]) == 1 else product.T
        return left * right
    if b.op == "outer":
        return args[0] * args[1].T
    if b.op == "transpose":
        return args[0].T
    if b.op == "sum":
        return _sum(args[0], shapes[0], b)
    if b.op == "broadcast_to":
        return _broadcast(args[0], shapes[0], b.shape)
    if b.op == "reshape":
        if not b.shape:
            return args[0][0, 0]
        if shapes[0] and _matrix(b.shape) == _matrix(shapes[0]):
            return args[0]
        if shapes[0] and _matrix(b.shape) == _matrix(shapes[0])[::-1] and 1 in _matrix(b.shape):
            return args[0].T
        raise UnsupportedError("This reshape has no SymPy form.", where="to_sympy")
    if b.op != "pointwise":
        made = b.record.sympy(args, shapes, b.attrs, b.shape) if b.record.sympy is not None else None
        if made is None:
            raise UnsupportedError(f"{b.op} has no SymPy form.", where="to_sympy", fix="use to_numpy()")
        return made
    return _pointwise(b, args, shapes)


def _sum(a: Any, shape: Shape, b: Binding) -> Any:
    rows, columns = _matrix(shape)
    axes = b.attrs["axes"]
    if b.attrs["total"]:
        whole = OneMatrix(1, rows) * a
        whole = whole * OneMatrix(columns, 1) if len(shape) == 2 else whole
        return whole[0, 0] if b.shape == () else whole
    if axes == (0,):
        summed = OneMatrix(1, rows) * a
        return summed if b.attrs["keepdims"] else summed.T
    return a * OneMatrix(columns, 1)


def _broadcast(a: Any, shape: Shape, to: Shape) -> Any:
    rows, columns = _matrix(to)
    if not shape:
        return a * OneMatrix(rows, columns)
    if tuple(shape) == tuple(to):
        return a
    if len(to) == 1:
        return OneMatrix(rows, 1) * a
    if len(shape) == 1:
        return OneMatrix(rows, 1) * a.T if shape[0] == columns else OneMatrix(rows, columns) * a[0, 0]
    if shape[0] == 1 and shape[1] == 1:
        return OneMatrix(rows, 1) * a * OneMatrix(1, columns)
    return OneMatrix(rows, 1) * a if shape[0] == 1 else a * OneMatrix(1, columns)


def _pointwise(b: Binding, args: list[Any], shapes: list[Shape]) -> Any:
    fn = b.attrs["fn"]
    if not b.shape:
        return fn.xreplace({ARG(i): a for i, a in enumerate(args)})
    full = {
        ARG(i): (a if not s else _broadcast(a, s, b.shape))
        for i, (a, s) in enumerate(zip(args, shapes, strict=True))
    }
    scalar = {ARG(i) for i, s in enumerate(shapes) if not s}
    return _entrywise(fn, full, scalar, _matrix(b.shape))


def _entrywise(fn: Any, full: dict[Any, Any], scalar: set[Any], shape: tuple[Any, Any]) -> Any:
    """Matrix form of a scalar expression; scalars stay scalars, sums and products become the matrix kinds."""
    arrays = {s for s in full if s not in scalar}
    if not fn.free_symbols & arrays:
        return fn.xreplace({s: full[s] for s in scalar})
    if fn in full:
        return full[fn]
    if fn.is_Add:
        parts = [_entrywise(a, full, scalar, shape) for a in fn.args]
        return sympy.MatAdd(
            *(p if getattr(p, "is_Matrix", False) else p * OneMatrix(*shape) for p in parts)
        ).doit(deep=False)
    if fn.is_Mul:
        parts = [_entrywise(a, full, scalar, shape) for a in fn.args]
        numbers = [p for p in parts if not getattr(p, "is_Matrix", False)]
        matrices = [p for p in parts if getattr(p, "is_Matrix", False)]
        return sympy.Mul(*numbers) * (matrices[0] if len(matrices) == 1 else hadamard_product(*matrices))
    if fn.is_Pow and not fn.exp.free_symbols & arrays:
        return HadamardPower(_entrywise(fn.base, full, scalar, shape), fn.exp)
    inner = [a for a in fn.args if a.free_symbols & arrays]
    if len(inner) == 1:
        x = sympy.Symbol("x", real=True)
        body = fn.func(*(x if a is inner[0] else a for a in fn.args))
        return _entrywise(inner[0], full, scalar, shape).applyfunc(sympy.Lambda(x, body))
    raise UnsupportedError(
        f"{type(fn).__name__} of several matrices has no SymPy form.", where="to_sympy", fix="use to_numpy()"
    )
