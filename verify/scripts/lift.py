"""An expression of the script as a function: `y_pred = x @ w` becomes `def y_pred(x, w): return x @ w`.

Nothing of the script runs for that: a function is defined, and whoever checks the gradient calls it with arrays of
their own.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Mapping

from verify.scripts.definitions import Function
from verify.scripts.flow import Flow
from verify.scripts.values import Constant, Origin, Reference, Value

_BINDING = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.NamedExpr,
    ast.Starred,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
)


def liftable(origin: Origin) -> bool:
    """Whether an expression binds no names of its own."""
    return not any(isinstance(part, _BINDING) for part in ast.walk(origin.node))


def lifted(
    name: str, origin: Origin, flow: Flow, others: Mapping[str, Function]
) -> tuple[Function, dict[str, Value]]:
    """The function of an expression, and what its arguments stand for.

    Args:
        name: the variable that holds the value; the function is called so where the name is free.
        origin: the expression and its names.
        flow: the followed script.
        others: the functions that have been made before.
    """
    free = {n: v for n, v in origin.names.items() if not isinstance(v, Constant | Reference)}
    body = _Numbers(origin.names).visit(copy.deepcopy(origin.node))
    definitions = flow.definitions
    taken = (
        definitions.namespace.keys()
        | definitions.functions.keys()
        | definitions.missing.keys()
        | others.keys()
    )
    while name in taken or name in free:
        name += "_value"
    text = f"def {name}({', '.join(free)}):\n    return {ast.unparse(body)}"
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    line = flow.source.line(origin.node)
    for part in ast.walk(node):
        if hasattr(part, "lineno"):
            ast.copy_location(part, origin.node)
    return Function(name, node.args, tuple(node.body), line, node), free


def define_lifted(functions: Mapping[str, Function], namespace: dict[str, object], filename: str) -> None:
    """Define such functions in a namespace.

    Args:
        functions: the functions.
        namespace: where they are defined.
        filename: the script, for tracebacks.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in functions.values():
            exec(compile(ast.Module([function.node], []), filename, "exec", dont_inherit=True), namespace)


class _Numbers(ast.NodeTransformer):
    """Puts numbers in the place of the variables that hold them."""

    def __init__(self, names: Mapping[str, Value]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.names.get(node.id)
        if isinstance(value, Constant) and isinstance(value.value, int | float | str | None):
            return ast.copy_location(ast.Constant(value.value), node)
        return node
