"""Literal constants: the assignments that are values, not work, computed without running the script.

Numbers, strings, tuples, lists, dicts, arithmetic on them, names of earlier constants, and NumPy arrays written
out as literals.  Arithmetic is bounded, so that a constant can neither hang nor fill the memory.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

import numpy as np

_BITS = 4096
_LENGTH = 100_000
_BINARY: Mapping[type[ast.operator], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: Mapping[type[ast.unaryop], Callable[..., object]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_MAKERS = ("array", "asarray", "float16", "float32", "float64", "int32", "int64")
_NAMES = ("pi", "e", "inf", "nan", "newaxis", "float16", "float32", "float64", "int32", "int64")
_TYPES: Mapping[str, object] = {"float": float, "int": int, "bool": bool}


class NotConstant(Exception):
    """The expression is not a literal constant: it is left to the script part."""


def evaluate(node: ast.expr, namespace: Mapping[str, object]) -> object:
    """The value of a literal constant.

    Args:
        node: the expression.
        namespace: what has been defined before it.

    Raises:
        NotConstant: when it is anything else.
    """
    try:
        return _evaluate(node, namespace)
    except (TypeError, ValueError, ArithmeticError, KeyError, IndexError) as error:
        raise NotConstant(str(error)) from None


def _evaluate(node: ast.expr, names: Mapping[str, object]) -> object:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_evaluate(operand, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _binary(op, _evaluate(left, names), _evaluate(right, names))
        case ast.Tuple(elts=items):
            return tuple(_evaluate(item, names) for item in items)
        case ast.List(elts=items):
            return [_evaluate(item, names) for item in items]
        case ast.Set(elts=items):
            return {_evaluate(item, names) for item in items}
        case ast.Dict(keys=keys, values=values):
            return {_key(k, names): _evaluate(v, names) for k, v in zip(keys, values)}
        case ast.Name(id=name):
            return _name(name, names)
        case ast.Attribute(value=ast.Name(id=base), attr=attr) if names.get(base) is np and attr in _NAMES:
            return getattr(np, attr)
        case ast.Attribute(value=inner, attr="T"):
            return _array(_evaluate(inner, names)).T
        case ast.Call():
            return _call(node, names)
    raise NotConstant(ast.dump(node)[:60])


def _key(node: ast.expr | None, names: Mapping[str, object]) -> object:
    if node is None:
        raise NotConstant("** in a dict")
    return _evaluate(node, names)


def _name(name: str, names: Mapping[str, object]) -> object:
    if name in names:
        value = names[name]
        if isinstance(
            value,
            bool | int | float | complex | str | bytes | tuple | list | dict | set | np.ndarray | np.generic,
        ):
            return value
        if value is None or any(value is getattr(np, known) for known in _NAMES):
            return value
    elif name in _TYPES:
        return _TYPES[name]
    raise NotConstant(name)


def _binary(op: ast.operator, left: object, right: object) -> object:
    if (
        isinstance(op, ast.Pow)
        and isinstance(left, int)
        and isinstance(right, int)
        and left.bit_length() * abs(right) > _BITS
    ):
        raise NotConstant("a power too large")
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | bytes | list | tuple):
            if isinstance(op, ast.Mod):
                raise NotConstant("text formatting")
            if isinstance(op, ast.Mult) and isinstance(other, int) and len(one) * other > _LENGTH:
                raise NotConstant("a repetition too long")
    value = _BINARY[type(op)](left, right)
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise NotConstant("a number too large")
    return value


def _call(node: ast.Call, names: Mapping[str, object]) -> object:
    keywords = {k.arg: _evaluate(k.value, names) for k in node.keywords if k.arg is not None}
    if len(keywords) != len(node.keywords):
        raise NotConstant("** in a call")
    arguments = [_evaluate(argument, names) for argument in node.args]
    match node.func:
        case ast.Attribute(value=ast.Name(id=base), attr=attr) if names.get(base) is np and attr in _MAKERS:
            return getattr(np, attr)(*arguments, **keywords)
        case ast.Name(id=name) if any(names.get(name) is getattr(np, maker) for maker in _MAKERS):
            return getattr(np, next(m for m in _MAKERS if names[name] is getattr(np, m)))(
                *arguments, **keywords
            )
        case ast.Attribute(value=inner, attr="reshape" | "astype" as method):
            return getattr(_array(_evaluate(inner, names)), method)(*arguments, **keywords)
    raise NotConstant("a call")


def _array(value: object) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise NotConstant("not an array")
    return value
