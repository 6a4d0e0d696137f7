"""Statements to data flow: the script part is followed, function by function, and its updates are noted.

Loops are followed once, branches one after the other.  An update (`w -= …`, `w = w - …`) does not give the
variable a new value: for everything else in the program `w` stays the parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verify.scripts.definitions import Definitions, Function
from verify.scripts.expressions import Expressions, Scope
from verify.scripts.signatures import defaults, every
from verify.scripts.source import Source
from verify.scripts.updates import Update, read_update
from verify.scripts.values import (
    Apply,
    Call,
    Constant,
    Items,
    Reference,
    Table,
    Unknown,
    Value,
    resolved,
)

_BUDGET = 3000
_DEPTH = 30


@dataclass(frozen=True)
class Site:
    """A call of one of the file's functions that the script makes.

    Args:
        call: the call.
        inside: the functions within whose bodies it happens, outermost first.
        loops: the loops within which it happens, outermost first.
    """

    call: Call
    inside: tuple[str, ...]
    loops: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """An update that the script makes, and where in the flow."""

    update: Update
    inside: tuple[str, ...]
    loops: tuple[int, ...]


class Flow(Expressions):
    """Follows a script. `calls`, `updates`, `names`, `origins` and `reported` are what came of it."""

    def __init__(self, source: Source, definitions: Definitions) -> None:
        super().__init__(source, definitions)
        self.names: dict[Value, str] = {}
        self.calls: list[Site] = []
        self.updates: list[Found] = []
        self._active: list[str] = []
        self._loops: list[int] = []
        self._loop_count = 0
        self._budget = _BUDGET
        self._statement: ast.stmt | None = None

    def run(self) -> None:
        """Follow the script part; where it updates nothing, follow the functions that nobody calls."""
        self.walk(self.definitions.script, self.module)
        if self.updates:
            return
        called = {site.call.function for site in self.calls}
        for name, function in self.definitions.functions.items():
            if name not in called and any(
                isinstance(n, ast.For | ast.While) for n in ast.walk(function.node)
            ):
                line = function.line
                free = {parameter: Unknown(line, parameter) for parameter in every(function.arguments)}
                call = ast.copy_location(ast.Name(name, ast.Load()), function.node)
                self.enter(name, free, None, call)

    # -- calls ---------------------------------------------------------------------------------------------

    def enter(self, name: str, arguments: Mapping[str, Value], problem: str | None, node: ast.expr) -> Value:
        """A call of an own function: its body is followed with these arguments."""
        function = self.definitions.functions[name]
        line, text = self.source.line(node), self.source.segment(node)
        inside, loops, before = tuple(self._active), tuple(self._loops), len(self.updates)
        result: Value | None = None
        if name not in self._active and len(self._active) < _DEPTH and self._budget > 0:
            self._budget -= 1
            self._active.append(name)
            statement = self._statement
            result = self._body(function, arguments)
            self._statement = statement
            self._active.pop()
        call = Call(line, text, name, dict(arguments), result, problem)
        self.calls.append(Site(call, inside, loops))
        if len(self.updates) > before and result is not None:
            return result  # a function that trains is part of the script, not a formula
        return call

    def _body(self, function: Function, arguments: Mapping[str, Value]) -> Value | None:
        scope = Scope()
        for name, value in arguments.items():
            scope.names[name] = value
            self._name(value, name)
        for parameter, default in defaults(function.arguments).items():
            if parameter not in scope.names:
                scope.names[parameter] = self.evaluate(default, self.module)
        self.walk(function.body, scope)
        if not scope.returns:
            return None
        if len(scope.returns) == 1:
            return scope.returns[0]
        return Apply(function.line, function.name, "either", tuple(scope.returns))

    def line_of(self, name: str) -> int | None:
        """The line on which a function is defined, None for one made of the script's expressions."""
        function = self.definitions.functions.get(name)
        return None if function is None else function.line

    # -- statements ----------------------------------------------------------------------------------------

    def walk(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Follow statements in order."""
        for node in body:
            self._statement = node
            self._walk(node, scope)

    def _walk(self, node: ast.stmt, scope: Scope) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                result = self._assigned(value, scope)
                for target in targets:
                    self.store(target, result, scope)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.store(target, self._assigned(value, scope), scope)
            case ast.AugAssign():
                self._augmented(node, scope)
            case ast.For(target=target, iter=over, body=body, orelse=orelse):
                self._for(target, over, body, scope)
                self.walk(orelse, scope)
            case ast.While(test=test, body=body, orelse=orelse):
                self._in_loop(test, body, scope)
                self.walk(orelse, scope)
            case ast.If(test=test, body=body, orelse=orelse):
                self.report(self.evaluate(test, scope))
                self.walk(body, scope)
                self.walk(orelse, scope)
            case ast.With(items=items, body=body):
                for item in items:
                    context = self.evaluate(item.context_expr, scope)
                    if item.optional_vars is not None:
                        self.store(item.optional_vars, context, scope)
                self.walk(body, scope)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                self.walk(body, scope)
                for handler in handlers:
                    self.walk(handler.body, scope)
                self.walk([*orelse, *final], scope)
            case ast.Expr(value=value):
                self.evaluate(value, scope)
            case ast.Return(value=value) if value is not None:
                scope.returns.append(self._assigned(value, scope))
            case ast.Global(names=names):
                scope.shared.update(names)
            case ast.Assert(test=test):
                self.evaluate(test, scope)
            case ast.Match(subject=subject, cases=cases):
                self.evaluate(subject, scope)
                for case in cases:
                    self.walk(case.body, scope)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        scope.names.pop(target.id, None)

    def _assigned(self, node: ast.expr, scope: Scope) -> Value:
        """An expression on the right of `=`, remembered with its names."""
        value = self.evaluate(node, scope)
        self.remember(node, value, scope)
        return value

    def _for(self, target: ast.expr, over: ast.expr, body: Sequence[ast.stmt], scope: Scope) -> None:
        self._loop_count += 1
        self._loops.append(self._loop_count)
        for item in self.iterate(self.evaluate(over, scope), over):
            self.store(target, item, scope, follows=False)
            self.walk(body, scope)
        self._loops.pop()

    def _in_loop(self, test: ast.expr, body: Sequence[ast.stmt], scope: Scope) -> None:
        self._loop_count += 1
        self._loops.append(self._loop_count)
        self.evaluate(test, scope)
        self.walk(body, scope)
        self._loops.pop()

    def _augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        spelled = ast.BinOp(_loaded(node.target), node.op, node.value)
        ast.copy_location(spelled, node)
        value = self.evaluate(spelled, scope)
        if isinstance(value, Apply):
            value = Apply(value.line, self.source.segment(node), value.op, value.operands, value.keywords)
        self.store(node.target, value, scope)

    # -- variables -----------------------------------------------------------------------------------------

    def store(self, target: ast.expr, value: Value, scope: Scope, *, follows: bool = True) -> None:
        """Set a variable, several at once, a whole array in place, or an entry of a dict.

        Args:
            target: what stands on the left.
            value: the value on the right.
            scope: the local names.
            follows: False where the old value of the variable has nothing to do with the new one.
        """
        match target:
            case ast.Name(id=name):
                self._set(name, value, scope, target, follows)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                fits = isinstance(value, Items) and len(value.items) == len(parts)
                for i, part in enumerate(parts):
                    if isinstance(part, ast.Starred):
                        self.store(part.value, self.unknown(part), scope, follows=False)
                    elif isinstance(value, Items) and fits:
                        self.store(part, value.items[i], scope, follows=follows)
                    else:
                        self.store(part, self.part(value, i, part), scope, follows=follows)
            case ast.Subscript(value=base, slice=index) if _whole(index):
                self.store(base, value, scope, follows=follows)
            case ast.Subscript(value=base, slice=index):
                self._store_entry(target, base, index, value, scope)
            case ast.Attribute():
                self._note(target, self.evaluate(_loaded(target), scope), value, ast.unparse(target))

    def _set(self, name: str, value: Value, scope: Scope, target: ast.expr, follows: bool) -> None:
        local = scope.names if name not in scope.shared else self.module.names
        old = local.get(name)
        if old is not None and follows and (self._note(target, old, value, name) or resolved(value) is old):
            return
        local[name] = value
        self._name(value, name)

    def _note(self, target: ast.expr, old: Value, new: Value, name: str) -> bool:
        """Note an update of `old`, where this is one; True where the variable stays the parameter."""
        statement = self._statement if self._statement is not None else target
        line, text = self.source.line(statement), self.source.segment(statement)
        update = read_update(
            old, new, self.names.get(old, name), self.names, line, text, isinstance(target, ast.Name)
        )
        if update is None:
            return False
        self.updates.append(Found(update, tuple(self._active), tuple(self._loops)))
        return update.gradient is not None

    def _store_entry(
        self, target: ast.Subscript, base: ast.expr, index: ast.expr, value: Value, scope: Scope
    ) -> None:
        whole, at = self.evaluate(base, scope), self.evaluate(index, scope)
        if isinstance(at, Constant) and isinstance(whole, Table) and isinstance(at.value, str):
            old = whole.entries.get(at.value)
            if old is None or not self._note(target, old, value, ast.unparse(target)):
                entries = {**whole.entries, at.value: value}
                table = Table(whole.line, whole.text, entries)
                if isinstance(base, ast.Name):
                    (scope.names if base.id not in scope.shared else self.module.names)[base.id] = table
                    self._name(table, base.id)
            return
        old_entry = self.subscript(target, whole, index, scope)
        self._note(target, old_entry, value, ast.unparse(target))

    def _name(self, value: Value, name: str) -> None:
        """The first variable that holds a value gives it its name."""
        if not isinstance(value, Reference):
            self.names.setdefault(value, name)


def _whole(index: ast.expr) -> bool:
    """Whether an index stands for the whole array: `[...]`, `[:]`, `[:, :]`."""
    match index:
        case ast.Constant(value=value):
            return value is Ellipsis
        case ast.Slice(lower=None, upper=None, step=None):
            return True
        case ast.Tuple(elts=parts):
            return bool(parts) and all(map(_whole, parts))
    return False


def _loaded(target: ast.expr) -> ast.expr:
    """A target, read instead of written; the whole array for `w[...]`."""
    match target:
        case ast.Name(id=name):
            return ast.copy_location(ast.Name(name, ast.Load()), target)
        case ast.Subscript(value=base, slice=index):
            inner = base if _whole(index) else ast.Subscript(base, index, ast.Load())
            return ast.copy_location(inner, target)
        case ast.Attribute(value=base, attr=attr):
            return ast.copy_location(ast.Attribute(base, attr, ast.Load()), target)
    return target
