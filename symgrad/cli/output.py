"""Writing text that the stream can encode."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def is_ascii(err: bool = False) -> bool:
    """Whether the stream cannot encode the signs of formulas."""
    stream = sys.stderr if err else sys.stdout
    try:
        "∂ᵀ₁²Σ⊙−𝟏".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def say(text: str = "", err: bool = False) -> None:
    """Print; formulas become ASCII where the stream needs it."""
    if is_ascii(err):
        from symgrad.render import to_ascii

        text = to_ascii(text)
    click.echo(text, err=err)


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns; a text of several lines stays in its own."""
    width = max(len(left) for left, _ in rows) + 2
    inner = "\n" + " " * width
    return "\n".join(f"{left:<{width}}{right.replace(chr(10), inner)}" for left, right in rows)
