"""The values that flow through a script, as a graph: what was computed from what, never what it came to.

Two values are the same only if they are the same object, so that identity is data flow: whoever holds the value
that `x` held when `forward(x, w)` was called holds that very array.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Value:
    """Where a value was written.

    Args:
        line: the line of the file.
        text: the source of the expression, on one line.
    """

    line: int
    text: str


@dataclass(frozen=True, eq=False)
class Constant(Value):
    """A number, a string, None, True, False."""

    value: object


@dataclass(frozen=True, eq=False)
class Items(Value):
    """A tuple or list written out."""

    items: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Table(Value):
    """A dict written out, with strings as keys."""

    entries: Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class Apply(Value):
    """Any operation but a call of one of the file's own functions.

    `op` is "add", "matmul", "numpy.exp", "method.sum", "attr.T", "index", "slice", "element", "either", …;
    a method's and an attribute's first operand is the object.
    """

    op: str
    operands: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Call(Value):
    """A call of one of the file's functions, and what its body computes from these arguments."""

    function: str
    arguments: Mapping[str, Value]
    result: Value | None
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class Part(Value):
    """One of several results: of a tuple by number, of a dict by key."""

    of: Value
    key: int | str


@dataclass(frozen=True, eq=False)
class Reference(Value):
    """A function of the file, or something imported, by its (dotted) name."""

    name: str
    own: bool


@dataclass(frozen=True, eq=False)
class Unknown(Value):
    """A value that the source does not tell: a loop's counter, an argument of a function that nobody calls."""


@dataclass(frozen=True)
class Origin:
    """The expression that a variable was set to, and what its names stood for at that moment."""

    node: ast.expr
    names: Mapping[str, Value]


SHAPE_ONLY = frozenset(
    {
        "numpy.zeros_like",
        "numpy.ones_like",
        "numpy.empty_like",
        "numpy.full_like",
        "numpy.shape",
        "numpy.size",
        "numpy.ndim",
        "attr.shape",
        "attr.size",
        "attr.ndim",
        "attr.dtype",
        "builtins.len",
    }
)
"""Operations that look at the shape of their operand and not at its numbers."""


def children(value: Value) -> tuple[Value, ...]:
    """The values that a value is made from."""
    match value:
        case Items(items=items):
            return items
        case Table(entries=entries):
            return tuple(entries.values())
        case Apply(operands=operands, keywords=keywords):
            return (*operands, *keywords.values())
        case Call(arguments=arguments, result=result):
            return (*arguments.values(), *(() if result is None else (result,)))
        case Part(of=whole):
            return (whole,)
    return ()


def reachable(
    roots: Iterable[Value], *, through_calls: bool = True, shapes_count: bool = True
) -> Iterator[Value]:
    """Every value that the roots are made from, themselves included, each once.

    Args:
        roots: where to start.
        through_calls: whether to look into the arguments and the body of calls of the file's functions.
        shapes_count: whether to follow operands of which only the shape is used.
    """
    stack, seen = list(roots), set()
    while stack:
        value = stack.pop()
        if value in seen:
            continue
        seen.add(value)
        yield value
        if isinstance(value, Call) and not through_calls:
            continue
        if not shapes_count and isinstance(value, Apply) and value.op in SHAPE_ONLY:
            continue
        stack.extend(children(value))


def depends(value: Value, on: Iterable[Value]) -> bool:
    """Whether the numbers of a value depend on one of the others."""
    targets = set(on)
    return any(found in targets for found in reachable([value], shapes_count=False))


def part_of(value: Value, key: int | str) -> Value | None:
    """That component of a value, where the source writes the components out."""
    if isinstance(value, Items) and isinstance(key, int) and -len(value.items) <= key < len(value.items):
        return value.items[key]
    if isinstance(value, Table) and isinstance(key, str):
        return value.entries.get(key)
    return None


def resolved(value: Value) -> Value | None:
    """What a call, or a part of one, comes to in terms of the function's body; None where that is not known."""
    match value:
        case Call(result=result):
            return result
        case Part(of=whole, key=key):
            inner = resolved(whole)
            return None if inner is None else part_of(inner, key)
    return None


def call_of(value: Value) -> Call | None:
    """The call whose result, or a direct part of whose result, a value is."""
    if isinstance(value, Call):
        return value
    if isinstance(value, Part) and isinstance(value.of, Call):
        return value.of
    return None
