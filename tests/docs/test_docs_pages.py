"""Links lead somewhere, the map of the folders is whole and true, the generated page is fresh."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_blocks import PAGES, ROOT, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:symgrad|verify|tests|docs)/[\w/.-]*)`")
ROW = re.compile(r"^\| `(?:symgrad/)?(\w+)/` \| [^|]* \| ([^|]*) \|$", flags=re.MULTILINE)
MACHINE = re.compile(r"/(?:home|work|root|Users)/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if "://" in target or target.startswith("#"):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name
        assert path.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(path), f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_the_text_exist(page: Path) -> None:
    missing = [name for name in NAMED.findall(prose(page)) if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_machine(page: Path) -> None:
    assert not MACHINE.search(page.read_text(encoding="utf-8"))


def test_the_map_names_every_folder() -> None:
    named = set(NAMED.findall(prose(ROOT / "docs" / "architecture.md")))
    folders = {
        f"symgrad/{path.parent.relative_to(ROOT / 'symgrad')}"
        for path in (ROOT / "symgrad").glob("*/__init__.py")
    }
    assert not folders - {name.rstrip("/") for name in named}


def _arrows() -> dict[str, set[str]]:
    rows = ROW.findall(prose(ROOT / "docs" / "architecture.md"))
    return {folder: set(re.findall(r"\w+", allowed)) for folder, allowed in rows}


@pytest.mark.parametrize(("folder", "allowed"), _arrows().items(), ids=_arrows())
def test_imports_follow_the_map(folder: str, allowed: set[str]) -> None:
    root = ROOT / folder if folder == "verify" else ROOT / "symgrad" / folder
    found = {name for path in root.rglob("*.py") for name in _imported(path)}
    assert found - {folder, "errors"} <= allowed


def _imported(path: Path) -> Iterator[str]:
    """The folders of symgrad that a file imports, anywhere in it, and verify."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        for parts in (module.split(".") for module in modules):
            if parts[0] == "verify":
                yield "verify"
            elif parts[0] == "symgrad" and len(parts) > 1 and (ROOT / "symgrad" / parts[1]).is_dir():
                yield parts[1]


def test_the_table_of_operations_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("make_ops", ROOT / "docs" / "make_ops.py")
    assert spec is not None
    assert spec.loader is not None
    make_ops = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_ops)
    assert make_ops.PAGE.read_text(encoding="utf-8") == make_ops.page(), "run python docs/make_ops.py"
