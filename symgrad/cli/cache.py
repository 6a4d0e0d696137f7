"""``symgrad cache info`` and ``symgrad cache clear``."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from symgrad.cli.output import say, table


@click.group("cache")
def command() -> None:
    """The kernels that are kept for the next process: how many there are, or away with them."""


@command.command("info")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(as_json: bool) -> None:
    """Print the folder, how many kernels lie in it, their size and the limit, when they were last used."""
    found = described()
    if as_json:
        say(json.dumps(found, indent=2))
        return
    rows = [("folder", found["folder"] or "none"), ("kernels", str(found["kernels"]))]
    rows += [("size", f"{megabytes(found['bytes'])} of {megabytes(found['limit'])}")]
    if found["kernels"]:
        rows += [("oldest use", _date(found["oldest"])), ("newest use", _date(found["newest"]))]
    say(table(rows))


@command.command("clear")
def clear() -> None:
    """Remove every kernel."""
    from symgrad.compile import folder

    place = folder.cache_folder()
    count = folder.clear(place) if place is not None else 0
    say(f"{count} kernel{'' if count == 1 else 's'} removed")


def described() -> dict[str, Any]:
    """Folder, kernels, bytes and limit in bytes; the times of last use in seconds since 1970."""
    from symgrad.compile import folder

    place = folder.cache_folder()
    kernels = folder.stored(place) if place is not None else []
    return {
        "folder": None if place is None else str(place),
        "kernels": len(kernels),
        "bytes": sum(k.bytes for k in kernels),
        "limit": folder.size_limit(),
        "oldest": kernels[0].used if kernels else None,
        "newest": kernels[-1].used if kernels else None,
    }


def megabytes(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1e6:.3g} MB" if size < 10**9 else f"{size / 1e9:.3g} GB"


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
