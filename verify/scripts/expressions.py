"""Expressions to values: names are looked up, operators and NumPy calls recorded, calls of own functions entered."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from verify.scripts.definitions import Definitions
from verify.scripts.signatures import match
from verify.scripts.source import Source
from verify.scripts.values import (
    Apply,
    Call,
    Constant,
    Items,
    Origin,
    Part,
    Reference,
    Table,
    Unknown,
    Value,
    children,
    part_of,
)

_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.MatMult: "matmul",
    ast.Pow: "pow",
    ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
}
_UNARY: Mapping[type[ast.unaryop], str] = {
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Not: "not",
    ast.Invert: "invert",
}
_REPORTING = (
    "print",
    "append",
    "format",
    "write",
    "info",
    "debug",
    "log",
    "plot",
    "scatter",
    "set_description",
)


@dataclass
class Scope:
    """The local names of one function body, or of the module."""

    names: dict[str, Value] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    returns: list[Value] = field(default_factory=list)


class Expressions:
    """Evaluates expressions of a script to values.

    Args:
        source: the file.
        definitions: what it defines.
    """

    def __init__(self, source: Source, definitions: Definitions) -> None:
        self.source = source
        self.definitions = definitions
        self.module = Scope()
        self.reported: set[Value] = set()
        self.origins: dict[Value, Origin] = {}
        self._parts: dict[tuple[Value, int | str], Value] = {}
        self._entries: dict[tuple[Value, str], Value] = {}

    def enter(self, name: str, arguments: Mapping[str, Value], problem: str | None, node: ast.expr) -> Value:
        """Follow a call of one of the file's functions (the walker of statements says how)."""
        raise NotImplementedError

    def store(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Set a variable (the walker of statements says how)."""
        raise NotImplementedError

    def apply(
        self, node: ast.AST, op: str, *operands: Value, keywords: Mapping[str, Value] | None = None
    ) -> Apply:
        """A recorded operation."""
        return Apply(self.source.line(node), self.source.segment(node), op, operands, keywords or {})

    def unknown(self, node: ast.AST) -> Unknown:
        """A value of which nothing is known."""
        return Unknown(self.source.line(node), self.source.segment(node))

    def part(self, whole: Value, key: int | str, node: ast.AST) -> Value:
        """A component of a value, the same object each time it is asked for."""
        found = part_of(whole, key)
        if found is not None:
            return found
        if (whole, key) not in self._parts:
            self._parts[whole, key] = Part(self.source.line(node), self.source.segment(node), whole, key)
        return self._parts[whole, key]

    def lookup(self, name: str, scope: Scope, node: ast.AST) -> Value:
        """What a name stands for."""
        line = self.source.line(node)
        if name in scope.names and name not in scope.shared:
            return scope.names[name]
        if name in self.module.names:
            return self.module.names[name]
        if name in self.definitions.functions:
            return Reference(line, name, name, True)
        if name in self.definitions.aliases:
            return Reference(line, name, self.definitions.aliases[name], False)
        if name in self.definitions.classes:
            return Reference(line, name, f"class.{name}", False)
        if hasattr(builtins, name):
            return Reference(line, name, f"builtins.{name}", False)
        return self.unknown(node)

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """The value of an expression; calls inside it are followed, and what it prints or compares is noted."""
        line, text = self.source.line(node), self.source.segment(node)
        match node:
            case ast.Constant(value=value):
                return Constant(line, text, value)
            case ast.Name(id=name):
                return self.lookup(name, scope, node)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return Items(line, text, tuple(self.evaluate(part, scope) for part in parts))
            case ast.Dict(keys=keys, values=values):
                return self._dict(node, keys, values, scope)
            case ast.BinOp(left=left, op=op, right=right):
                first, second = self.evaluate(left, scope), self.evaluate(right, scope)
                if isinstance(op, ast.Mod) and isinstance(first, Constant) and isinstance(first.value, str):
                    self.report(second)
                return self.apply(node, _BINARY.get(type(op), "bits"), first, second)
            case ast.UnaryOp(op=sign, operand=operand):
                return self.apply(node, _UNARY[type(sign)], self.evaluate(operand, scope))
            case ast.Compare(left=left, comparators=others):
                sides = [self.evaluate(part, scope) for part in [left, *others]]
                for side in sides:
                    self.report(side)
                return self.apply(node, "compare", *sides)
            case ast.BoolOp(values=values):
                return self.apply(node, "either", *(self.evaluate(part, scope) for part in values))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test, scope)
                return self.apply(node, "either", self.evaluate(body, scope), self.evaluate(orelse, scope))
            case ast.JoinedStr(values=values):
                for part in values:
                    if isinstance(part, ast.FormattedValue):
                        self.report(self.evaluate(part.value, scope))
                return Constant(line, text, "")
            case ast.NamedExpr(target=target, value=value):
                result = self.evaluate(value, scope)
                self.store(target, result, scope)
                return result
            case ast.Starred(value=value):
                return self.apply(node, "starred", self.evaluate(value, scope))
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(node, self.evaluate(value, scope), attr)
            case ast.Subscript(value=value, slice=index):
                return self.subscript(node, self.evaluate(value, scope), index, scope)
            case ast.Slice(lower=lower, upper=upper, step=step):
                ends = [
                    Constant(line, "", None) if e is None else self.evaluate(e, scope)
                    for e in (lower, upper, step)
                ]
                return self.apply(node, "slice", *ends)
            case ast.Call():
                return self._call(node, scope)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return self._comprehension(node, scope)
        return self.unknown(node)

    def remember(self, node: ast.expr, value: Value, scope: Scope) -> None:
        """Keep the expression behind a value, with what its names stand for now."""
        if isinstance(value, Apply | Call) and value not in self.origins:
            names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
            self.origins[value] = Origin(node, {part.id: self.lookup(part.id, scope, part) for part in names})

    def report(self, value: Value) -> None:
        """Note that a value, or a call that it directly depends on, is shown to the reader of the output."""
        stack = [value]
        while stack:
            found = stack.pop()
            if found in self.reported:
                continue
            self.reported.add(found)
            if not isinstance(found, Call):
                stack.extend(children(found))

    def iterate(self, over: Value, node: ast.expr) -> list[Value]:
        """What a loop's target stands for: each item where they are written out, else one element for all."""
        if isinstance(over, Items) and 0 < len(over.items) <= 32:
            return list(over.items)
        if isinstance(over, Apply) and over.op == "builtins.zip" and over.operands:
            columns = [self.iterate(operand, node) for operand in over.operands]
            known = [len(c) for c, o in zip(columns, over.operands) if isinstance(o, Items)]
            count = min(known) if known else 1
            filled = [
                c if isinstance(o, Items) else self._elements(o, count, node)
                for c, o in zip(columns, over.operands)
            ]
            return [Items(over.line, over.text, tuple(column[i] for column in filled)) for i in range(count)]
        if isinstance(over, Apply) and over.op == "builtins.enumerate" and over.operands:
            inner = self.iterate(over.operands[0], node)
            return [Items(over.line, over.text, (self.unknown(node), item)) for item in inner]
        if isinstance(over, Apply) and over.op == "builtins.range":
            return [self.unknown(node)]
        if (
            isinstance(over, Apply)
            and over.op in ("builtins.tqdm", "tqdm.tqdm", "tqdm.trange")
            and over.operands
        ):
            return self.iterate(over.operands[0], node)
        return [self.apply(node, "element", over)]

    def _elements(self, over: Value, count: int, node: ast.expr) -> list[Value]:
        if count > 1 or isinstance(over, Call):
            return [self.part(over, i, node) for i in range(count)]
        return self.iterate(over, node)[:1]

    def _dict(
        self, node: ast.Dict, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], scope: Scope
    ) -> Value:
        found = [self.evaluate(value, scope) for value in values]
        names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
        if all(isinstance(name, str) for name in names):
            return Table(
                self.source.line(node), self.source.segment(node), {str(n): v for n, v in zip(names, found)}
            )
        return self.apply(node, "dict", *found)

    def _attribute(self, node: ast.Attribute, base: Value, attr: str) -> Value:
        if isinstance(base, Reference) and not base.own:
            return Reference(base.line, self.source.segment(node), f"{base.name}.{attr}", False)
        return self.once(base, attr, self.apply(node, f"attr.{attr}", base))

    def once(self, base: Value, entry: str, value: Value) -> Value:
        """An attribute or a numbered entry of a value: the same object each time it is asked for."""
        return self._entries.setdefault((base, entry), value)

    def subscript(self, node: ast.expr, base: Value, index: ast.expr, scope: Scope) -> Value:
        """`base[index]`: a component where the index is a literal and the base a record, else an operation."""
        at = self.evaluate(index, scope)
        record = isinstance(base, Items | Table | Call | Part)
        if (
            isinstance(at, Constant)
            and record
            and isinstance(at.value, int | str)
            and not isinstance(at.value, bool)
        ):
            return self.part(base, at.value, node)
        parts = at.items if isinstance(at, Items) and isinstance(index, ast.Tuple) else (at,)
        result = self.apply(node, "index", base, *parts)
        if isinstance(at, Constant):
            return self.once(base, f"[{at.value!r}]", result)
        return result

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        if isinstance(node.func, ast.Attribute):
            callee: Value = self._attribute(node.func, self.evaluate(node.func.value, scope), node.func.attr)
        else:
            callee = self.evaluate(node.func, scope)
        arguments = [self.evaluate(argument, scope) for argument in node.args]
        keywords = {k.arg or "**": self.evaluate(k.value, scope) for k in node.keywords}
        last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if last in _REPORTING:
            for value in [*arguments, *keywords.values()]:
                self.report(value)
        if isinstance(callee, Reference) and callee.own:
            for part, value in [
                *zip(node.args, arguments),
                *zip([k.value for k in node.keywords], keywords.values()),
            ]:
                self.remember(part, value, scope)
            bound, problem = self._bind(callee.name, arguments, keywords)
            return self.enter(callee.name, bound, problem, node)
        if isinstance(callee, Reference):
            result = self.apply(node, callee.name, *arguments, keywords=keywords)
            for word in node.keywords:
                if word.arg == "out" and isinstance(word.value, ast.Name | ast.Subscript):
                    self.store(word.value, result, scope)
            return result
        if isinstance(callee, Apply) and callee.op.startswith("attr."):
            name = callee.op.removeprefix("attr.")
            return self.apply(node, f"method.{name}", callee.operands[0], *arguments, keywords=keywords)
        return self.apply(node, "call", callee, *arguments, keywords=keywords)

    def _bind(
        self, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> tuple[dict[str, Value], str | None]:
        if any(isinstance(a, Apply) and a.op == "starred" for a in arguments) or "**" in keywords:
            return {}, "the arguments are unpacked from a list or dict"
        return match(name, self.definitions.functions[name].arguments, arguments, keywords)

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, scope: Scope
    ) -> Value:
        inner = Scope(dict(scope.names), scope.shared)
        for part in node.generators:
            for item in self.iterate(self.evaluate(part.iter, inner), part.iter)[:1]:
                self.store(part.target, item, inner)
            for test in part.ifs:
                self.evaluate(test, inner)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        return self.apply(node, "comprehension", *(self.evaluate(part, inner) for part in parts))
