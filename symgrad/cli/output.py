"""Writing text that the stream can encode."""

from __future__ import annotations

import sys

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
