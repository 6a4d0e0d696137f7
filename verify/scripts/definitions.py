"""Split a file into definitions, which run, and the script part, which does not.

Imports, functions, classes and literal constants run in a fresh namespace, also those under the `__main__` guard.
What cannot be defined (a package that is not installed, a default value that is the result of a call) is noted in
`Definitions.missing` and matters only if a function that is needed uses it.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import copy
import sys
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from verify.scripts.constants import NotConstant, evaluate
from verify.scripts.source import Source

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
        names = _bound(node)
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name] = Function(node.name, node.args, tuple(node.body), node.lineno, node)
        elif isinstance(node, ast.ClassDef):
            self.classes[node.name] = node
            node = _class_skeleton(node)
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
        names = {name for part in node.body for name in _bound(part)}
        if names & self.missing.keys():
            for handler in node.handlers:
                self.take(handler.body)
        self.take(node.orelse)
        self.take(node.finalbody)

    def assign(self, node: ast.stmt) -> None:
        """A literal constant or a named lambda is defined; anything else belongs to the script part."""
        self.script.append(node)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            targets = []
        if value is None or not all(map(_plain, targets)):
            self.changed |= _assigned(node)
            return
        names = _assigned(node)
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
            pairs = [pair for target in targets for pair in _unpack(target, result)]
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
        _aliases(source.tree),
        tuple(collector.script),
    )


def is_guard(node: ast.If) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    match node.test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            sides = {
                part.id if isinstance(part, ast.Name) else getattr(part, "value", None)
                for part in (left, right)
            }
            return sides == {"__name__", "__main__"}
    return False


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


def _aliases(tree: ast.Module) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for part in node.names:
                found[part.asname or part.name.split(".")[0]] = (
                    part.name if part.asname else part.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            for part in node.names:
                found[part.asname or part.name] = f"{node.module}.{part.name}"
    return found


def _bound(node: ast.stmt) -> tuple[str, ...]:
    match node:
        case ast.Import(names=names):
            return tuple(part.asname or part.name.split(".")[0] for part in names)
        case ast.ImportFrom(names=names):
            return tuple(part.asname or part.name for part in names)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
    return ()


def _class_skeleton(node: ast.ClassDef) -> ast.ClassDef:
    """A class without the statements in its body that are work."""

    def kept(part: ast.stmt) -> bool:
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Assign(value=value):
                return not any(isinstance(inner, ast.Call) for inner in ast.walk(value))
            case ast.AnnAssign(value=value):
                return value is None or not any(isinstance(inner, ast.Call) for inner in ast.walk(value))
        return False

    body: list[ast.stmt] = [part for part in node.body if kept(part)] or [
        ast.Pass(lineno=node.lineno, col_offset=0)
    ]
    skeleton = copy.copy(node)
    skeleton.body = body
    return skeleton


def _plain(target: ast.expr) -> bool:
    match target:
        case ast.Name():
            return True
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(map(_plain, items))
    return False


def _assigned(node: ast.AST) -> set[str]:
    """Every name that a statement stores to, in place changes of arrays included."""
    names: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
            names.add(part.id)
        elif isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            base: ast.expr = part
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                names.add(base.id)
    return names


def _unpack(target: ast.expr, value: object) -> list[tuple[str, object]]:
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Tuple | ast.List):
        if not isinstance(value, tuple | list) or len(value) != len(target.elts):
            raise NotConstant("unpacking")
        return [pair for part, item in zip(target.elts, value) for pair in _unpack(part, item)]
    raise NotConstant("a target")
