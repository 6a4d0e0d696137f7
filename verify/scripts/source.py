"""A script as text and syntax tree, and the words that point into it."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

from symgrad.errors import ParseError

_WIDTH = 90


@dataclass(frozen=True)
class Source:
    """A parsed file.

    Args:
        path: the file, as the caller named it.
        text: its text.
        tree: its syntax tree.
    """

    path: Path
    text: str
    tree: ast.Module

    def where(self, line: int) -> str:
        """`FILE.py:line`, for error messages."""
        return f"{self.path}:{line}"

    def line(self, node: ast.AST) -> int:
        """The line on which a node starts (1 where the node has none)."""
        return int(getattr(node, "lineno", 1))

    def segment(self, node: ast.AST) -> str:
        """The source of a node on one line, shortened where it is long."""
        found = ast.get_source_segment(self.text, node) or ""
        if "\n" in found:
            found = ast.unparse(node)
        return shorten(found)

    def option(self, name: str) -> str:
        """`FILE.py::name`, as an option on the command line."""
        return f"{self.path.name}::{name}"


def shorten(text: str) -> str:
    """Text on one line, cut where it is longer than a line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _WIDTH else flat[: _WIDTH - 1] + "…"


def load(path: Path) -> Source:
    """Read and parse a Python file; nothing of it runs.

    Args:
        path: the file.

    Raises:
        ParseError: when it is missing, a folder, unreadable, not text, empty or not Python.
    """
    text = _decode(path, _bytes(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, filename=str(path))
    except SyntaxError as error:
        raise ParseError(
            f"This is not valid Python: {error.msg}.",
            where=f"{path}:{error.lineno or 1}",
            got=shorten(error.text or "") or None,
            fix="correct the line, or check that the file is written for Python 3",
        ) from None
    except (RecursionError, MemoryError):
        raise ParseError("The code is nested too deeply to be parsed.", where=str(path)) from None
    except ValueError as error:  # null bytes, before Python 3.12
        raise ParseError(f"This is not Python source: {error}.", where=str(path)) from None
    if not tree.body:
        raise ParseError(
            "The file has no code.",
            where=str(path),
            expected="a script that defines a loss and its gradient",
            got="an empty file" if not text.strip() else "comments only",
        )
    return Source(path, text, tree)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise ParseError(
            "A folder is not a script.",
            where=str(path),
            expected="a Python file",
            fix="name the file: FOLDER/FILE.py",
        )
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ParseError(
            "There is no such file.",
            where=str(path),
            expected="a Python file",
            fix="check the name and the folder",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ParseError(f"The file cannot be read: {reason}.", where=str(path)) from None


def _decode(path: Path, data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        at = getattr(error, "start", None)
        line = 1 if at is None else data[:at].count(b"\n") + 1
        raise ParseError(
            "The file is not UTF-8 text.",
            where=f"{path}:{line}",
            expected="UTF-8, or a coding comment in the first line",
            got=str(error),
            fix="save the file as UTF-8",
        ) from None
    if "\0" in text:
        raise ParseError(
            "The file is not text: it contains null characters.", where=str(path), expected="Python source"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
