"""Questions about single statements: what they bind, whether they are work."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping

from verify.scripts.constants import NotConstant


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


def aliases(tree: ast.Module) -> Mapping[str, str]:
    """Local name -> dotted name, from every import in the file."""
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


def bound_names(node: ast.stmt) -> tuple[str, ...]:
    """The names that an import or a definition binds."""
    match node:
        case ast.Import(names=names):
            return tuple(part.asname or part.name.split(".")[0] for part in names)
        case ast.ImportFrom(names=names):
            return tuple(part.asname or part.name for part in names)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
    return ()


def class_skeleton(node: ast.ClassDef) -> ast.ClassDef:
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


def is_plain(target: ast.expr) -> bool:
    """Whether a target is a variable, or several."""
    match target:
        case ast.Name():
            return True
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(map(is_plain, items))
    return False


def stored_names(node: ast.AST) -> set[str]:
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


def unpacked(target: ast.expr, value: object) -> list[tuple[str, object]]:
    """The variables of a target with their values."""
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Tuple | ast.List):
        if not isinstance(value, tuple | list) or len(value) != len(target.elts):
            raise NotConstant("unpacking")
        return [pair for part, item in zip(target.elts, value) for pair in unpacked(part, item)]
    raise NotConstant("a target")
