"""Reading a formula written in NumPy syntax: Python's own grammar, of which expressions of arrays are kept."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.errors import ParseError, SymgradError
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.masked import Masked
from symgrad.trace.text import calls, limits
from symgrad.trace.text.names import look_up
from symgrad.trace.text.place import at, pointer

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_HINTS: dict[type[ast.AST], str] = {
    ast.IfExp: "write np.where(condition, a, b)",
    ast.BoolOp: "multiply conditions, (a > 0)*(b > 0), or choose with np.where",
    ast.Not: "write the opposite comparison",
    ast.Invert: "write the opposite comparison",
    ast.Compare: "compare two values at a time: (a < b)*(b < c)",
    ast.BitXor: "write ** for a power",
    ast.BitAnd: "multiply conditions: (a > 0)*(b > 0)",
    ast.BitOr: "write np.maximum(a > 0, b > 0)",
    ast.ListComp: "write it with arrays and axes",
    ast.GeneratorExp: "write it with arrays and axes",
    ast.Lambda: "write the expression itself",
    ast.NamedExpr: "name parts of the formula in given=",
}
_FIX = "write NumPy syntax: x @ w, x.T, x**2, np.tanh(x), (...).sum()"


def read(text: str, builder: Builder, names: Mapping[str, Traced]) -> Traced:
    """Write the bindings of a formula in NumPy syntax; see ``read_text``."""
    limits.check_length(text)
    text = text.strip()
    before = len(builder.bindings)
    tree = _parse(text)
    result = ops.lift(builder, _Reader(text, builder, names).read(tree))
    limits.check_entries(builder.bindings[before:])
    return result


def names_in(text: str) -> list[str]:
    """The names in a formula that are neither called nor modules, in order of appearance."""
    try:
        limits.check_length(text)
        tree = _parse(text.strip())
    except ParseError:
        return []  # reading the text says what is wrong
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    dotted = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    found.sort(key=lambda n: (n.lineno, n.col_offset))
    return list(dict.fromkeys(n.id for n in found if not (n.id in calls.ROOTS and id(n) in dotted)))


def _parse(text: str) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ParseError(
            f"The formula cannot be read: {error.msg}.",
            where=pointer(text, (error.lineno or 1) - 1, (error.offset or 1) - 1),
            fix=_FIX,
        ) from None
    except (RecursionError, MemoryError):
        raise limits.too_deep() from None
    except ValueError as error:  # a null byte
        raise ParseError(f"The formula cannot be read: {error}.", fix=_FIX) from None
    _check_depth(tree)
    return tree


def _check_depth(tree: ast.AST) -> None:
    """The left operands of a long sum do not count: they are read in a loop."""
    left: list[tuple[ast.AST, int]] = [(tree, 1)]
    while left:
        node, depth = left.pop()
        if depth > limits.MAX_DEPTH:
            raise limits.too_deep(depth)
        for child in ast.iter_child_nodes(node):
            spine = isinstance(node, ast.BinOp) and child is node.left
            left.append((child, depth if spine else depth + 1))


class _Reader:
    def __init__(self, text: str, builder: Builder, names: Mapping[str, Traced]) -> None:
        self.text, self.builder, self.names = text, builder, names
        self.before = len(builder.bindings)

    def read(self, node: ast.expr) -> Any:
        try:
            value = self._read(node)
            self._check(value)
            return value
        except SymgradError as error:
            raise at(error, self._place(node))  # noqa: B904 - the same error

    def _place(self, node: ast.expr) -> str:
        line = self.text.splitlines()[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode(errors="ignore"))  # Python counts bytes
        return pointer(self.text, node.lineno - 1, column)

    def _check(self, value: Any) -> None:
        limits.check_operations(len(self.builder.bindings) - self.before)
        constant = self._constant(value)
        if constant is not None:
            limits.check_constant(constant)

    def _constant(self, value: Any) -> Any:
        """The number or size that a traced scalar is."""
        if not isinstance(value, Traced) or value.dims:
            return None
        return self.builder.constant_value(value.name)

    def _read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return look_up(node.id, self.builder, self.names)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self._value(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            left, right = self._value(node.left), self._value(node.comparators[0])
            return _COMPARE[type(node.ops[0])](left, right)
        if isinstance(node, ast.Attribute):
            path = self._module_path(node)
            if path is not None:
                return calls.constant_named(path)
            return calls.attribute(self._value(node.value), node.attr)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Tuple):
            return tuple(self.read(e) for e in node.elts)
        raise ParseError(
            f"{type(node).__name__} has no place in a formula.",
            expected="names, numbers, + - * / ** @, .T, comparisons, x[i], and function calls",
            fix=_HINTS.get(type(node.op) if isinstance(node, ast.UnaryOp) else type(node)),
        )

    def _binary(self, node: ast.BinOp) -> Any:
        chain: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            chain.append(first)
            first = first.left
        value = self._value(first)
        for link in reversed(chain):
            operation = _BINARY.get(type(link.op))
            if operation is None:
                raise ParseError(
                    f"The operator {type(link.op).__name__} is not known.", fix=_HINTS.get(type(link.op))
                )
            try:
                value = self._array(operation(value, self._value(link.right)))
                self._check(value)
            except SymgradError as error:
                raise at(error, self._place(link))  # noqa: B904 - the same error
        return value

    def _value(self, node: ast.expr) -> Any:
        return self._array(self.read(node))

    def _array(self, value: Any) -> Any:
        """A traced array; entries picked by a mask stay what they are."""
        return value if isinstance(value, Masked) else ops.lift(self.builder, value)

    def _number(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, (int, float)):
            raise ParseError("Only real numbers can stand in a formula.", got=repr(value))
        if isinstance(value, int) and abs(value) >= 10**limits.MAX_DIGITS:
            raise ParseError("The number is too long.", expected=f"at most {limits.MAX_DIGITS} digits")
        return value

    def _module_path(self, node: ast.expr) -> tuple[str, ...] | None:
        """``np.linalg.norm`` as its parts, if its first name is a module and no argument."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in calls.ROOTS and node.id not in self.names:
            return (node.id, *reversed(parts))
        return None

    def _literal(self, node: ast.expr) -> Any:
        """An argument or index: whole numbers are ints, options may be strings, anything else is a value."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if node is not None and isinstance(node, ast.Constant) and node.value is Ellipsis:
            return Ellipsis
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._literal(node.operand)
            if isinstance(value, (int, float)):
                return -value
        if isinstance(node, ast.Tuple):
            return tuple(self._literal(e) for e in node.elts)
        if isinstance(node, ast.List):
            return [self._literal(e) for e in node.elts]
        value = self.read(node)
        constant = self._constant(value)
        return int(constant) if constant is not None and constant.is_Integer else value

    def _call(self, node: ast.Call) -> Any:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise ParseError("* and ** arguments have no place in a formula.")
        path = self._module_path(node.func) or ((node.func.id,) if isinstance(node.func, ast.Name) else None)
        if path is not None:
            rule, name = calls.function_named(path), ".".join(path)

            def function(*args: Any, **kwargs: Any) -> Any:
                return rule(self.builder, *args, **kwargs)

        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            function = calls.method(self._value(node.func.value), name)
        else:
            self.read(node.func)
            raise ParseError("Only functions and methods are called.", fix="write * for a product")
        args = [self._literal(a) for a in node.args]
        options = {str(k.arg): self._literal(k.value) for k in node.keywords}
        if name.rpartition(".")[2] not in calls.VALUES_ONLY:
            limits.check_counts(name.rpartition(".")[2], [*args, *options.values()])
        return calls.apply(function, name, args, options)

    def _subscript(self, node: ast.Subscript) -> Any:
        value = self.read(node.value)
        if isinstance(value, tuple):
            index = None if isinstance(node.slice, ast.Slice) else self._literal(node.slice)
            if isinstance(index, bool) or not isinstance(index, int) or not -len(value) <= index < len(value):
                raise ParseError("A shape is indexed by one of its axes.", got=ast.unparse(node.slice))
            return value[index]
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        keys = [self._key(part) for part in parts]
        return calls.apply(
            self._array(value).__getitem__,
            "Indexing",
            [tuple(keys) if isinstance(node.slice, ast.Tuple) else keys[0]],
            {},
        )

    def _key(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Slice):
            key = self._literal(node)
            limits.check_index(key)
            return key
        bounds = [None if b is None else self._literal(b) for b in (node.lower, node.upper, node.step)]
        for bound in bounds:
            limits.check_index(bound)
        return slice(*bounds)
