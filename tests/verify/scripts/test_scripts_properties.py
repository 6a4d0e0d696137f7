"""Properties of the reader: names do not matter, and no text makes it fail in a way of its own."""

from __future__ import annotations

import ast
import keyword
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from scripts_corpus import DATA, FUNCTIONS, LOOP, SCRIPTS, Script

from symgrad.errors import SymgradError
from verify.scripts import Reading, read_script

WHOLE = FUNCTIONS + DATA + LOOP
NAMES = ("forward", "loss", "gradient", "x", "w", "y", "y_pred", "grad", "l", "i", "LR", "np")
LETTERS = "abcdefgxyzAZ_αβ数据"
PLAIN = [script for script in SCRIPTS if not script.options]

words = st.text(LETTERS, min_size=4, max_size=8).filter(
    lambda name: (
        name.isidentifier() and not keyword.iskeyword(name) and name not in ("range", "print", "float")
    )
)


def read(source: str) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.py"
        path.write_text(source, encoding="utf8")
        return read_script(path)


def outcome(source: str) -> Reading | SymgradError:
    try:
        return read(source)
    except SymgradError as error:
        return error


class Renamed(ast.NodeTransformer):
    """Every name of the script by another one."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self.names.get(node.arg, node.arg))

    def visit_alias(self, node: ast.alias) -> ast.alias:
        return ast.alias(node.name, self.names[node.asname]) if node.asname else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self.names.get(node.name, node.name)
        self.generic_visit(node)
        return node


@settings(max_examples=40, deadline=None)
@given(st.lists(words, min_size=len(NAMES), max_size=len(NAMES), unique=True))
@example(
    [
        "accuracy",
        "metric",
        "score",
        "grad",
        "loss",
        "cost",
        "error",
        "forward",
        "init",
        "step",
        "wrong",
        "gradient",
    ]
)
def test_renaming_changes_nothing_but_names(new: list[str]) -> None:
    names = dict(zip(NAMES, new))
    plain = read(WHOLE)
    other = read(ast.unparse(Renamed(names).visit(ast.parse(WHOLE))))
    assert other.loss == names[plain.loss]
    assert other.gradient == names[plain.gradient]
    assert dict(other.given) == {names[a]: names[f] for a, f in plain.given.items()}
    assert other.wrt == tuple(names[p] for p in plain.wrt)
    assert dict(other.shapes) == {names[a]: shape for a, shape in plain.shapes.items()}
    assert dict(other.dtypes) == {names[a]: dtype for a, dtype in plain.dtypes.items()}
    assert not other.args
    assert not other.loss_args
    assert len(other.facts) == len(plain.facts)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLAIN), st.data())
def test_damaged_scripts_are_read_or_refused(script: Script, data: st.DataObject) -> None:
    lines = script.source.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(("drop", "double", "swap", "cut", "move")))
        if kind == "drop":
            lines[at] = ""
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "cut" and lines[at]:
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines[at] = "    " + lines[at]
    found = outcome("\n".join(lines) + "\n")
    if isinstance(found, Reading):
        assert set(found.wrt) <= set(found.shapes)
        assert callable(found.namespace[found.gradient])
    else:
        assert found.where
        assert "script.py" in str(found)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLAIN), st.data())
def test_damaged_expressions_are_read_or_refused(script: Script, data: st.DataObject) -> None:
    tree = ast.parse(script.source)
    spots = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    pool = sorted({node.id for node in spots})
    for _ in range(data.draw(st.integers(1, 3))):
        spots[data.draw(st.integers(0, len(spots) - 1))].id = data.draw(st.sampled_from(pool))
    found = outcome(ast.unparse(tree))
    if isinstance(found, Reading):
        assert set(found.wrt) <= set(found.shapes)
    else:
        assert found.where


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 4))
def test_sizes_do_not_matter(rows: int, columns: int, outputs: int) -> None:
    data = f"""
x = np.random.rand({rows}, {columns})
y = np.random.rand({rows}, {outputs})
w = np.random.rand({columns}, {outputs})
"""
    reading = read(FUNCTIONS + data + LOOP)
    last: str | int = "k" if outputs > 1 else 1
    assert dict(reading.shapes) == {"x": ("n", "d"), "y": ("n", last), "w": ("d", last)}
