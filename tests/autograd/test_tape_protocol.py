"""Overriding: what an argument with `__symgrad_function__` is told, and the table in the README."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad.autograd as ag
from symgrad.autograd import OPS
from symgrad.autograd import functions as F

FOLDER = Path(ag.__file__).parent


class Spy:
    """Stands for a symbolic array: reports the call instead of computing."""

    shape = (2, 3)
    ndim = 2

    def __symgrad_function__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return name, args, kwargs


SPY = Spy()
X = ag.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: F.matmul(X, SPY), ("matmul", (X, SPY), {})),
        (lambda: F.tanh(SPY), ("tanh", (SPY,), {})),
        (lambda: F.sum(SPY, 1), ("sum", (SPY,), {"axis": 1, "keepdims": False})),
        (lambda: F.sum(SPY, dim=1, keepdim=True), ("sum", (SPY,), {"axis": 1, "keepdims": True})),
        (lambda: F.cat([X, SPY]), ("cat", ([X, SPY],), {"axis": 0})),
        (lambda: F.permute(SPY, 1, 0), ("transpose", (SPY,), {"axes": (1, 0)})),
        (lambda: F.reshape_to(SPY, 3, 2), ("reshape", (SPY,), {"shape": (3, 2)})),
        (lambda: F.reshape(X, (SPY, 2)), ("reshape", (X,), {"shape": (SPY, 2)})),
        (lambda: F.expand(SPY, 4, -1, -1), ("broadcast_to", (SPY,), {"shape": (4, 2, 3)})),
        (lambda: F.max(SPY), ("amax", (SPY,), {"axis": None, "keepdims": False})),
        (lambda: X + SPY, ("add", (X, SPY), {})),
        (lambda: X @ SPY, ("matmul", (X, SPY), {})),
        (lambda: X**SPY, ("pow", (X, SPY), {})),
        (lambda: X > SPY, ("gt", (X, SPY), {})),
        (lambda: F.where(SPY, X, 0), ("where", (SPY, X, 0), {})),
        (lambda: F.getitem(SPY, 0), ("getitem", (SPY,), {"index": 0})),
    ],
)
def test_an_argument_takes_the_call_over(call: Any, expected: tuple[Any, ...]) -> None:
    name, args, kwargs = call()
    assert name == expected[0]
    assert [id(arg) for arg in flat(args)] == [id(arg) for arg in flat(expected[1])]
    assert kwargs == expected[2]


def flat(args: Any) -> list[Any]:
    return [item for arg in args for item in (arg if isinstance(arg, list) else [arg])]


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_every_operation_can_be_taken_over(op: Any) -> None:
    example = op.examples[0]
    operands = ([SPY, X],) if op.variadic else (SPY,) * len(op.operands)
    name, args, kwargs = op(*operands, **example.params)
    assert name == op.name
    assert args == operands
    assert list(kwargs) == list(op.params)


def test_the_class_decides_not_the_instance() -> None:
    array = np.ones(2)
    assert isinstance(F.exp(array), ag.Tensor)


def test_the_readme_lists_every_operation() -> None:
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    listed = {line.split("|")[1].strip() for line in lines if re.match(r"\| `\w+\(", line)}
    assert listed == {f"`{op.signature}`" for op in OPS.values()}


def test_the_tape_shares_nothing_with_the_symbolic_pipeline() -> None:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith("symgrad") or name.startswith(
                    ("symgrad.autograd", "symgrad.errors")
                ), path
                assert name.split(".")[0] not in ("sympy", "numba"), path
