"""The group of commands, and the one place where an error becomes a message and an exit status."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import click

from symgrad import __version__
from symgrad.cli.output import say
from symgrad.errors import SymgradError

COMMANDS = {
    "demo": "Derive, train and verify the tutorial's problem.",
    "derive": "Print the gradient of a loss.",
    "train": "Train a loss of a file, or the tutorial's problem, with a compiled loop.",
    "verify": "Check a gradient written by hand.",
    "cache": "What is kept of kernels: info, clear.",
    "info": "Versions, processor, BLAS, kernel cache.",
}


class _Lazy(click.Group):
    """Commands import SymPy and numba; loading them late keeps ``--help`` and completion quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"symgrad.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except SymgradError as error:
            say(f"error: {error}", err=True)
            ctx.exit(2)


def _show_warning(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
    say(f"warning: {message}", err=True)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symgrad")
def group() -> None:
    """Write a loss once: read its gradient, train it at compiled speed, check a gradient written by hand."""


def main() -> None:
    """The entry point ``symgrad``."""
    sys.exit(group(prog_name="symgrad"))
