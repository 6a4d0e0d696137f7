"""Every example of the documentation runs, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import io
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from docs_blocks import PAGES, ROOT, Block, blocks

from symgrad.cli.main import group


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(cache))
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.file is not None:
            Path(block.file).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            printed = _execute(page, block, namespace)
        elif block.language == "sh":
            printed = _commands(block.text)
        else:
            continue
        if block.output is not None:
            got, wanted = _lines(printed), _lines(block.output)
            if wanted[-1] == "…":
                wanted.pop()
                got = got[: len(wanted)]
            assert got == wanted, f"{page.relative_to(ROOT)}, line {block.line}"


def _execute(page: Path, block: Block, namespace: dict[str, Any]) -> str:
    # Blank lines in front, so that a traceback names the line of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, namespace)
    return out.getvalue()


def _commands(text: str) -> str:
    printed = ""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["symgrad"]:
            continue
        result = CliRunner().invoke(group, words[1:])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        printed += result.output
    return printed


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")]
