"""What the functions that are needed read besides their arguments, and whether it is there.

A function may read imports, other functions and constants.  A constant array, or a number that is the size of an
array, ties the function to that size.  What the script part makes is not there, as the script part has not run.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from symgrad.errors import ParseError
from verify.scripts.definitions import Function
from verify.scripts.flow import Flow
from verify.scripts.kinds import Array, Number
from verify.scripts.reading import Fact
from verify.scripts.shapes import Shapes
from verify.scripts.values import Value


@dataclass
class Needs:
    """The needed functions, the numbers they take from the script, and the sizes they are tied to.

    Args:
        functions: the functions, those that they call included.
        numbers: global names that are sizes, with their numbers.
        facts: what was fixed, and why.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


def collect(
    names: Iterable[str],
    made: Mapping[str, Function],
    inputs: Mapping[str, Value],
    flow: Flow,
    shapes: Shapes,
) -> Needs:
    """Follow the global names that functions read.

    Args:
        names: the functions that will be called.
        made: functions made of the script's expressions.
        inputs: our name -> the input, to notice a function that reads one as a global.
        flow: the followed script.
        shapes: the forms of its values; sizes that are tied to a number are fixed there.

    Raises:
        ParseError: when a name is not there.
    """
    needs = Needs()
    all_functions = {**flow.definitions.functions, **made}
    waiting = [name for name in dict.fromkeys(names) if name in all_functions]
    while waiting:
        name = waiting.pop()
        if name in needs.functions:
            continue
        function = all_functions[name]
        needs.functions[name] = function
        for used, line in free_names(function.node).items():
            if used in all_functions and used not in flow.definitions.missing:
                waiting.append(used)
            else:
                _check(used, line, function, needs, inputs, flow, shapes)
        if name in flow.definitions.missing:
            missing = flow.definitions.missing[name]
            raise ParseError(
                f"The function {name} cannot be defined: {missing.reason}.",
                where=flow.source.where(missing.line),
                fix="install what it needs, or replace the expression by a constant",
            )
    return needs


def free_names(node: ast.AST) -> dict[str, int]:
    """The names that a function reads and does not bind, with the line of their first use."""
    bound: set[str] = set()
    shared: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.arg(arg=name):
                bound.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                bound.add(name)
            case ast.FunctionDef(name=name) if part is not node:
                bound.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                bound |= {alias.asname or alias.name.split(".")[0] for alias in names}
            case ast.Global(names=names):
                shared.update(names)
    found: dict[str, int] = {}
    hidden = _hints(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part not in hidden and (part.id not in bound or part.id in shared):
            found.setdefault(part.id, part.lineno)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            found.pop(target.id if isinstance(target, ast.Name) else "", None)
    return found


def _hints(node: ast.AST) -> set[ast.AST]:
    """The nodes of type hints, which are never evaluated."""
    hints: set[ast.AST] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg) and part.annotation is not None:
            hints |= set(ast.walk(part.annotation))
        elif isinstance(part, ast.FunctionDef) and part.returns is not None:
            hints |= set(ast.walk(part.returns))
        elif isinstance(part, ast.AnnAssign):
            hints |= set(ast.walk(part.annotation))
    return hints


def _check(
    name: str,
    line: int,
    function: Function,
    needs: Needs,
    inputs: Mapping[str, Value],
    flow: Flow,
    shapes: Shapes,
) -> None:
    definitions, source = flow.definitions, flow.source
    where = source.where(line)
    if name in definitions.missing:
        raise ParseError(
            f"{function.name} needs {name}, which cannot be defined: {definitions.missing[name].reason}.",
            where=source.where(definitions.missing[name].line),
            fix=f"install what it needs, or check a function that does not use {name}",
        )
    value = flow.module.names.get(name)
    if value is not None and any(value is entry for entry in inputs.values()):
        raise ParseError(
            f"{function.name} reads the variable {name} of the script, which another function takes as an argument.",
            where=where,
            expected=f"{name} as an argument wherever it is used",
            got=source.text.splitlines()[line - 1].strip(),
            fix=f"add {name} to the arguments of {function.name}",
        )
    kind = None if value is None else shapes.read(value)
    if name in definitions.namespace and name not in definitions.changed:
        _tie(name, definitions.namespace[name], value, function, line, needs, flow, shapes)
    elif isinstance(kind, Number) and kind.value is not None and name not in definitions.namespace:
        needs.numbers[name] = kind.value
        if kind.axis is not None and shapes.dims.fix(kind.axis):
            _fact(
                needs, flow, f"{name} is {kind.value}, a size: {function.name} holds for this size only", line
            )
    elif name not in definitions.namespace and hasattr(builtins, name):
        return
    else:
        made = name in definitions.changed or value is not None
        raise ParseError(
            f"{function.name} reads the variable {name}, which the script part sets."
            if made
            else f"{function.name} reads {name}, which is defined nowhere.",
            where=where,
            expected="functions that read their arguments and constants only, as the script part does not run",
            got=source.text.splitlines()[line - 1].strip(),
            fix=f"add {name} to the arguments of {function.name}" if made else f"define or import {name}",
        )


def _tie(
    name: str,
    content: object,
    value: Value | None,
    function: Function,
    line: int,
    needs: Needs,
    flow: Flow,
    shapes: Shapes,
) -> None:
    """Constants that make a function hold for one size: arrays, and numbers that are used as sizes."""
    if value is None:
        return
    if isinstance(content, np.ndarray):
        kind = shapes.read(value)
        axes = kind.axes if isinstance(kind, Array) else ()
        news = [shapes.dims.fix(axis) for axis in axes]
        if any(news):
            _fact(needs, flow, f"{function.name} reads the array {name}, whose size is fixed", line)
    elif value in shapes.named_sizes and shapes.dims.fix(shapes.named_sizes[value]):
        _fact(needs, flow, f"{function.name} reads the size {name}: it is fixed at {content}", line)


def _fact(needs: Needs, flow: Flow, what: str, line: int) -> None:
    needs.facts.append(Fact(what, line, flow.source.text.splitlines()[line - 1].strip()))


def divisors(
    functions: Mapping[str, Function], namespace: Mapping[str, object]
) -> list[tuple[int, int, str]]:
    """Whole numbers by which functions divide, with line and text; they may stand for the size of the data.

    Args:
        functions: the functions.
        namespace: the constants.
    """
    found: list[tuple[int, int, str]] = []
    for function in functions.values():
        for part in ast.walk(function.node):
            if not isinstance(part, ast.BinOp) or not isinstance(part.op, ast.Div):
                continue
            right, least = part.right, 3
            content: object = None
            if isinstance(right, ast.Constant):
                content = right.value
            elif isinstance(right, ast.Name):
                content, least = namespace.get(right.id), 2
            whole = (
                isinstance(content, int | float)
                and not isinstance(content, bool)
                and float(content).is_integer()
            )
            if whole and isinstance(content, int | float) and content >= least:
                found.append((int(content), part.lineno, ast.unparse(part)))
    return found
