"""Split a file into definitions, which run, and the script part, which does not.

Imports, functions, classes and literal constants run in a fresh namespace, also those under the `__main__` guard.
What cannot be defined (a package that is not installed, a default value that is the result of a call) is noted in
`Definitions.missing` and matters only if a function that is needed uses it.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import sys
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from verify.scripts.constants import NotConstant, evaluate
from verify.scripts.source import Source
from verify.scripts.statements import (
    aliases,
    bound_names,
    class_skeleton,
    is_guard,
    is_plain,
    stored_names,
    unpacked,
)

_BROKEN = (
    ImportError,
    AttributeError,
    NameError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    SystemExit,
)


_CHANGING = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
        "add",
        "discard",
        "fill",
        "put",
    ]
)
"""Methods that change the list, dict, set or array they are called on."""


@dataclass(frozen=True)
class Function:
    """A function of the file, or a lambda that was given a name."""

    name: str
    arguments: ast.arguments
    body: tuple[ast.stmt, ...]
    line: int
    node: ast.stmt


@dataclass(frozen=True)
class Missing:
    """A name that could not be defined, and why."""

    reason: str
    line: int


@dataclass(frozen=True)
class Definitions:
    """What a file defines.

    Args:
        namespace: the names after imports, functions, classes and literal constants have run.
        functions: the functions at the top level, by name.
        classes: the classes at the top level, by name.
        missing: names that could not be defined.
        changed: names that the script part assigns to, so that their constant is not to be relied on.
        aliases: local name -> dotted name, from every import in the file ("np" -> "numpy").
        script: the statements that have not run, in order.
    """

    namespace: dict[str, object]
    functions: Mapping[str, Function]
    classes: Mapping[str, ast.ClassDef]
    missing: Mapping[str, Missing]
    changed: frozenset[str]
    aliases: Mapping[str, str]
    script: tuple[ast.stmt, ...]


@dataclass
class _Collector:
    source: Source
    namespace: dict[str, object]
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    script: list[ast.stmt] = field(default_factory=list)

    def take(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            match node:
                case (
                    ast.Import()
                    | ast.ImportFrom()
                    | ast.FunctionDef()
                    | ast.AsyncFunctionDef()
                    | ast.ClassDef()
                ):
                    self.define(node)
                case ast.If() if is_guard(node):
                    self.take(node.body)
                case ast.Try() if all(isinstance(part, ast.Import | ast.ImportFrom) for part in node.body):
                    self.optional_import(node)
                case _:
                    self.assign(node)

    def define(self, node: ast.stmt) -> None:
        names = bound_names(node)
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name] = Function(node.name, node.args, tuple(node.body), node.lineno, node)
        elif isinstance(node, ast.ClassDef):
            self.classes[node.name] = node
            node = class_skeleton(node)
        problem = self.default_problem(node) or self.execute(node)
        for name in names:
            self.missing.pop(name, None)
            if problem is not None:
                self.missing[name] = Missing(problem, self.source.line(node))

    def default_problem(self, node: ast.stmt) -> str | None:
        """A default value may name things or be a literal; it may not be work."""
        for part in ast.walk(node):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for default in [*part.args.defaults, *(d for d in part.args.kw_defaults if d is not None)]:
                    if any(isinstance(inner, ast.Call) for inner in ast.walk(default)):
                        try:
                            evaluate(default, self.namespace)
                        except NotConstant:
                            return f"the default value {self.source.segment(default)} is the result of a call"
        return None

    def execute(self, node: ast.stmt) -> str | None:
        """Run one definition; the reason where it fails."""
        module = ast.Module([node], [])
        flags = __future__.annotations.compiler_flag  # annotations are never evaluated
        try:
            code = compile(module, str(self.source.path), "exec", flags=flags, dont_inherit=True)
            exec(code, self.namespace)
        except _BROKEN as error:
            return f"{type(error).__name__}: {error}"
        return None

    def optional_import(self, node: ast.Try) -> None:
        self.take(node.body)
        names = {name for part in node.body for name in bound_names(part)}
        if names & self.missing.keys():
            for handler in node.handlers:
                self.take(handler.body)
        self.take(node.orelse)
        self.take(node.finalbody)

    def note_hidden_changes(self, node: ast.stmt) -> None:
        """What a statement of the script part does to definitions: names bound inside it, lists changed by a method."""
        for inner in ast.walk(node):
            match inner:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if inner is not node:
                    if name in self.functions or name in self.classes:
                        line = self.source.line(inner)
                        self.missing[name] = Missing("it is defined again inside another statement", line)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                    method in _CHANGING
                ):
                    self.changed.add(name)
                case _:
                    pass

    def assign(self, node: ast.stmt) -> None:
        """A literal constant or a named lambda is defined; anything else belongs to the script part."""
        self.script.append(node)
        self.note_hidden_changes(node)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            targets = []
        if value is None or not all(map(is_plain, targets)):
            self.changed |= stored_names(node)
            return
        names = stored_names(node)
        if isinstance(value, ast.Lambda) and len(targets) == 1 and isinstance(targets[0], ast.Name):
            self.script.pop()
            name = targets[0].id
            body = ast.copy_location(ast.Return(value.body), value.body)
            self.functions[name] = Function(name, value.args, (body,), node.lineno, node)
            problem = self.default_problem(node) or self.execute(node)
            if problem is not None:
                self.missing[name] = Missing(problem, node.lineno)
            return
        try:
            result = evaluate(value, self.namespace)
            pairs = [pair for target in targets for pair in unpacked(target, result)]
        except NotConstant:
            self.changed |= names
            return
        for name, item in pairs:
            self.namespace[name] = item
            self.missing.pop(name, None)
            self.changed.discard(name)


def define(source: Source) -> Definitions:
    """Run the definitions of a file and set its script part aside."""
    name = source.path.stem
    module = types.ModuleType("script" if name == "__main__" else name)
    module.__file__ = str(source.path)
    module.__dict__["__builtins__"] = builtins
    collector = _Collector(source, module.__dict__)
    with _beside(source.path.parent), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collector.take(source.tree.body)
    return Definitions(
        collector.namespace,
        collector.functions,
        collector.classes,
        collector.missing,
        frozenset(collector.changed),
        aliases(source.tree),
        tuple(collector.script),
    )


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let a script import the modules in its folder; they leave no bytecode, and other scripts do not see them."""
    before, bytecode = set(sys.modules), sys.dont_write_bytecode
    entry = str(folder.resolve())
    sys.path.append(entry)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        if entry in sys.path:
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(entry)]
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is not None and Path(origin).resolve().parent == folder.resolve():
                del sys.modules[name]
