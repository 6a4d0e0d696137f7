"""``symgrad info``."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import click

from symgrad import __version__
from symgrad.cli.output import say


@click.command("info")
def command() -> None:
    """Print versions, the kernel cache and threads."""
    from symgrad.compile import cache_folder

    say(f"symgrad    {__version__}")
    say(f"Python     {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in ("numpy", "scipy", "sympy", "numba", "llvmlite", "hypothesis"):
        try:
            say(f"{package:<10} {version(package)}")
        except PackageNotFoundError:
            say(f"{package:<10} not installed")
    say(f"cores      {os.cpu_count()}")
    say(f"cache      {cache_folder() or 'none (not writable)'}")
