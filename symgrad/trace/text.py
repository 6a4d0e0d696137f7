"""Reading a formula written in NumPy syntax.  It is parsed, never evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symgrad.errors import ParseError, SpecError, SymgradError, UnsupportedError, nearest
from symgrad.ops.scalars import ELEMENTARY
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.numpy_functions import NUMPY_FUNCTIONS, UFUNCS, bind_numpy

MAX_LENGTH = 20_000
MAX_DIGITS = 40

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
_METHODS = ("sum", "mean", "dot", "transpose", "reshape", "ravel", "flatten")
_MODULES = ("np", "numpy", "sg", "symgrad")


def _functions() -> dict[str, Callable[..., Any]]:
    """Every name that a text may call, with a function of the builder and the arguments."""
    table: dict[str, Callable[..., Any]] = {}
    for e in ELEMENTARY:
        table[e.name] = lambda b, *args, _name=e.name: ops.elementary(b, _name, *args)
    table.update(UFUNCS)
    for function, rule in NUMPY_FUNCTIONS.items():
        name = function.__name__
        table[name] = lambda b, *a, _n=name, _r=rule, **k: bind_numpy(f"np.{_n}", _r, b, a, k)
    for name in ("shape", "ndim", "size", "copy"):
        del table[name]
    return table


FUNCTIONS = _functions()


def read_text(text: str, builder: Builder, names: Mapping[str, Traced]) -> Traced:
    """Write the formula's bindings.

    Args:
        text: an expression such as ``(0.5*(x @ w - y)**2).sum()``.
        builder: where to write.
        names: the arrays that the text may name.

    Raises:
        ParseError: no expression of the grammar; the message points at the place.
        SpecError: a name that is no array.
    """
    if len(text) > MAX_LENGTH:
        raise ParseError("The text is too long.", expected=f"at most {MAX_LENGTH} characters", got=len(text))
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return ops.lift(builder, _Reader(text.strip(), builder, names).read(tree.body))
    except SyntaxError as error:
        raise ParseError(
            f"The formula cannot be read: {error.msg}.",
            where=_pointer(text.strip(), (error.offset or 1) - 1),
            fix="write NumPy syntax: x @ w, x.T, x**2, np.tanh(x), (...).sum()",
        ) from None
    except (RecursionError, MemoryError):
        raise ParseError("The formula is nested too deeply.", got=f"{len(text)} characters") from None


def names_in(text: str) -> list[str]:
    """The names in a formula that are not called, in order of appearance."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return []
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    found.sort(key=lambda n: n.col_offset)
    return list(dict.fromkeys(n.id for n in found if n.id not in _MODULES))


def _pointer(text: str, column: int) -> str:
    line = text.splitlines()[0] if text else ""
    return f"{line}\n            {' ' * max(column, 0)}^"


class _Reader:
    def __init__(self, text: str, builder: Builder, names: Mapping[str, Traced]) -> None:
        self.text, self.builder, self.names = text, builder, names

    def read(self, node: ast.expr) -> Any:
        try:
            return self._read(node)
        except SymgradError as error:
            if error.where is None or "^" not in error.where:
                place = _pointer(self.text, node.col_offset)
                error.where = place if error.where is None else f"{error.where} in\n            {place}"
            raise

    def _refuse(self, node: ast.AST) -> ParseError:
        return ParseError(
            f"{type(node).__name__} has no place in a formula.",
            expected="names, numbers, + - * / ** @, .T, comparisons, and function calls",
        )

    def _read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.BinOp):
            operation = _BINARY.get(type(node.op))
            if operation is None:
                fix = "write ** for a power" if isinstance(node.op, ast.BitXor) else None
                raise ParseError(f"The operator {type(node.op).__name__} is not known.", fix=fix)
            return operation(self._value(node.left), self._value(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self._value(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            left, right = self._value(node.left), self._value(node.comparators[0])
            return ops.elementary(self.builder, _COMPARE[type(node.ops[0])], left, right)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Tuple):
            return tuple(self.read(e) for e in node.elts)
        raise self._refuse(node)

    def _value(self, node: ast.expr) -> Traced:
        return ops.lift(self.builder, self.read(node))

    def _number(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, (int, float)):
            raise ParseError("Only real numbers can stand in a formula.", got=repr(value))
        if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
            raise ParseError("The number is too long.", expected=f"at most {MAX_DIGITS} digits")
        return value

    def _name(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in _CONSTANTS:
            return ops.lift(self.builder, _CONSTANTS[name])
        raise SpecError(
            f"Nothing says what {name!r} is.",
            expected=f"one of {', '.join(self.names)}",
            fix=f"give its shape, such as {name}: n d",
        )

    def _attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id in _MODULES and node.value.id not in self.names:
            if node.attr in _CONSTANTS:
                return ops.lift(self.builder, _CONSTANTS[node.attr])
            if node.attr == "newaxis":
                return None
        elif node.attr in ("T", "shape", "size"):
            return getattr(self._value(node.value), node.attr)
        raise UnsupportedError(f"The attribute .{node.attr} is not known.", expected=".T, .shape, .size")

    def _arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise ParseError("* and ** arguments have no place in a formula.")
        return [self._literal(a) for a in node.args], {
            str(k.arg): self._literal(k.value) for k in node.keywords
        }

    def _literal(self, node: ast.expr) -> Any:
        """An argument: ints stay ints (an axis), anything else is a value of the formula."""
        if isinstance(node, ast.Constant):
            return self._number(node)
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub)
            and isinstance(node.operand, ast.Constant)
        ):
            value = self._number(node.operand)
            return -value if isinstance(value, (int, float)) else value
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self._literal(e) for e in node.elts)
        return self.read(node)

    def _call(self, node: ast.Call) -> Any:
        args, kwargs = self._arguments(node)
        func = node.func
        if isinstance(func, ast.Attribute):
            prefix = func.value.id if isinstance(func.value, ast.Name) else None
            if prefix not in _MODULES or prefix in self.names:
                if func.attr not in _METHODS:
                    raise UnsupportedError(
                        f"The method .{func.attr}() is not known.",
                        expected=", ".join(f".{m}()" for m in _METHODS),
                    )
                return self._apply(getattr(self._value(func.value), func.attr), func.attr, args, kwargs)
            name = func.attr
        elif isinstance(func, ast.Name):
            name = func.id
        else:
            raise self._refuse(func)
        if name in FUNCTIONS:
            function = FUNCTIONS[name]
            return self._apply(lambda *a, **k: function(self.builder, *a, **k), name, args, kwargs)
        raise UnsupportedError(f"The function {name} is not known.", expected=nearest(name, FUNCTIONS))

    def _apply(self, function: Callable[..., Any], name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if isinstance(error, SymgradError):
                raise
            raise ParseError(f"{name} does not take these arguments.", got=str(error)) from None

    def _subscript(self, node: ast.Subscript) -> Any:
        value = self.read(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(value, tuple):
            index = self._literal(node.slice)
            if not isinstance(index, int) or not -len(value) <= index < len(value):
                raise ParseError("A shape is indexed by one of its axes.", got=repr(index))
            return value[index]
        keys: list[Any] = []
        for part in parts:
            if (
                isinstance(part, ast.Slice)
                and part.lower is None
                and part.upper is None
                and part.step is None
            ):
                keys.append(slice(None))
            else:
                keys.append(self._literal(part) if not isinstance(part, ast.Slice) else part)
        return ops.lift(self.builder, value)[tuple(keys)]


__all__ = ["FUNCTIONS", "names_in", "read_text"]
