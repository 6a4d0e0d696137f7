"""Reading a formula as mathematicians and MATLAB write it: ``1/2*norm(X*w - y)^2``, ``tr(X'*A*X)``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from symgrad.errors import ParseError, SymgradError, UnsupportedError, nearest
from symgrad.program import Builder
from symgrad.trace import operations as ops
from symgrad.trace.array import Traced
from symgrad.trace.text import limits, math_parser
from symgrad.trace.text.math_functions import FUNCTIONS
from symgrad.trace.text.math_parser import Binary, Call, Name, Number, Text, Tree, Unary
from symgrad.trace.text.math_values import (
    Operand,
    Pattern,
    Value,
    dot,
    elementwise,
    known,
    ops_constant,
    power,
    product,
    transposed,
    value,
)
from symgrad.trace.text.names import look_up
from symgrad.trace.text.place import at, pointer

_COMPARE = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "~=": "not_equal",
}
_MEANING = {
    "+": "a sum",
    "-": "a difference",
    ".*": "a product",
    "⊙": "a product",
    "./": "a quotient",
    ".^": "a power",
}


def read(text: str, builder: Builder, names: Mapping[str, Traced]) -> Traced:
    """Write the bindings of a formula in the mathematician's syntax; see ``read_text``."""
    before = len(builder.bindings)
    tree = math_parser.parse(text)
    found = _Reader(text, builder, names).read(tree, 0)
    try:
        result = known(found)
    except SymgradError as error:
        raise at(error, pointer(text.replace("\n", " "), 0, tree.at))  # noqa: B904 - the same error
    limits.check_entries(builder.bindings[before:])
    return result.array


def names_in(text: str) -> list[str]:
    """The names in a formula that are not called, in order of appearance."""
    try:
        return math_parser.names_in(text)
    except ParseError:
        return []  # reading the text says what is wrong


class _Reader:
    def __init__(self, text: str, builder: Builder, names: Mapping[str, Traced]) -> None:
        self.text, self.builder, self.names = text.replace("\n", " "), builder, names
        self.before = len(builder.bindings)

    def read(self, tree: Tree, depth: int) -> Operand:
        if depth > limits.MAX_DEPTH:
            raise limits.too_deep(depth)
        try:
            return self._read(tree, depth)
        except SymgradError as error:
            raise at(error, pointer(self.text, 0, tree.at))  # noqa: B904 - the same error

    def _read(self, tree: Tree, depth: int) -> Operand:
        if isinstance(tree, Number):
            return Value(ops.lift(self.builder, tree.value))
        if isinstance(tree, Name):
            return self._name(tree.name)
        if isinstance(tree, Text):
            raise ParseError(
                "A text is an option of a function.", got=repr(tree.text), expected="norm(A, 'fro')"
            )
        if isinstance(tree, Unary):
            return self._unary(tree, depth)
        if isinstance(tree, Call):
            return self._call(tree, depth)
        return self._binary(tree, depth)

    def _name(self, name: str) -> Operand:
        if name == "I" and name not in self.names:
            return Pattern("eye", ops.lift(self.builder, 1))
        if name in FUNCTIONS and name not in self.names:
            raise ParseError(f"{name} is a function.", fix=f"write {name}(x)")
        return value(look_up(name, self.builder, self.names))

    def _unary(self, tree: Unary, depth: int) -> Operand:
        operand = self.read(tree.operand, depth + 1)
        if tree.sign == "-":
            if isinstance(operand, Pattern):
                return product(Value(ops.lift(self.builder, -1)), operand)
            return value(-operand.array, operand.row)
        if tree.sign == "^T" and "T" in self.names:
            raise ParseError(
                "^T may be the transpose or a power, as T is an argument.", fix="write A' or A^(T)"
            )
        return transposed(operand)

    def _binary(self, tree: Binary, depth: int) -> Operand:
        """A chain a + b − c is read in a loop, so that a sum of many terms is not deep."""
        chain: list[Binary] = []
        first: Tree = tree
        while isinstance(first, Binary):
            chain.append(first)
            first = first.left
        result = self.read(first, depth + 1)
        for link in reversed(chain):
            right = self.read(link.right, depth + 1)
            try:
                result = self._operation(link.sign)(result, right)
                limits.check_operations(len(self.builder.bindings) - self.before)
                constant = (
                    ops_constant(result.array) if isinstance(result, Value) and result.is_scalar else None
                )
                if constant is not None:
                    limits.check_constant(constant)
            except SymgradError as error:
                raise at(error, pointer(self.text, 0, link.at))  # noqa: B904 - the same error
        return result

    def _operation(self, sign: str) -> Callable[[Operand, Operand], Operand]:
        if sign in ("*", "·", "/", "\\", "^"):
            return {"*": product, "·": dot, "/": _quotient, "\\": self._solve, "^": power}[sign]
        if sign in _COMPARE:
            return self._elementwise(
                lambda a, b: ops.elementary(self.builder, _COMPARE[sign], a, b), "a comparison"
            )
        steps: dict[str, Callable[[Any, Any], Any]] = {
            "+": operator.add,
            "-": operator.sub,
            ".*": operator.mul,
            "⊙": operator.mul,
            "./": operator.truediv,
            ".^": lambda a, b: ops.power(self.builder, a, b),
        }
        return self._elementwise(steps[sign], _MEANING[sign])

    def _elementwise(
        self, step: Callable[[Any, Any], Any], what: str
    ) -> Callable[[Operand, Operand], Operand]:
        return lambda a, b: elementwise(a, b, step, what)

    def _solve(self, a: Operand, b: Operand) -> Operand:
        return FUNCTIONS["solve"](self.builder, (a, b))

    def _call(self, tree: Call, depth: int) -> Operand:
        if tree.name in self.names or any(tree.name == i.name for i in self.builder.inputs):
            raise ParseError(
                f"{tree.name} is an array and is not called.",
                fix="write * for a product; entries of arrays are written in the syntax numpy",
            )
        function = FUNCTIONS.get(tree.name)
        if function is None:
            raise UnsupportedError(
                f"The function {tree.name} is not known.", expected=nearest(tree.name, FUNCTIONS)
            )
        if tree.name == "sum" and len(tree.args) == 1 and _is_sum(tree.args[0]):
            # MATLAB's sum(sum(A)): whatever the inner sum means, both together are the sum of all entries
            inner = self.read(tree.args[0].args[0], depth + 2)
            return function(self.builder, [inner, "all"])
        return function(self.builder, [self._argument(a, depth + 1) for a in tree.args])

    def _argument(self, tree: Tree, depth: int) -> Any:
        if isinstance(tree, Text):
            return tree.text
        if isinstance(tree, Name) and tree.name in ("inf", "Inf", "∞") and tree.name not in self.names:
            return "inf"
        return self.read(tree, depth)


def _is_sum(tree: Tree) -> TypeGuard[Call]:
    return isinstance(tree, Call) and tree.name == "sum" and len(tree.args) == 1


def _quotient(a: Operand, b: Operand) -> Operand:
    divisor = known(b)
    if not divisor.is_scalar:
        raise UnsupportedError(
            "/ divides by a scalar.",
            got=f"a divisor of {divisor}",
            fix="write ./ entry by entry, A*inv(B), or A\\b for the solution of A*x = b",
        )
    if isinstance(a, Pattern):
        return product(Value(ops.elementary(divisor.array.builder, "div", 1, divisor.array)), a)
    return elementwise(a, divisor, operator.truediv, "a quotient")
