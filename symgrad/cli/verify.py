"""``symgrad verify``."""

from __future__ import annotations

import sys
from typing import Any

import click

from symgrad.cli.load import function, names, our_verify, parse_shapes, split_reference
from symgrad.cli.output import say
from symgrad.errors import SpecError

EXIT = {"proved": 0, "passed": 0, "refuted": 1, "unsupported": 2}


@click.command("verify")
@click.argument("file")
@click.option("--of", "loss", metavar="FILE.py::loss", help="The loss, where the file does not say.")
@click.option("--shapes", default="", help='Shapes of the arguments, such as "x: n d, w: d 1, y: n 1".')
@click.option("--wrt", help="The parameters, in the order in which the gradient returns them.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def command(file: str, loss: str | None, shapes: str, wrt: str | None, dtype: str, seed: int) -> None:
    """Check the gradient in FILE.py or FILE.py::gradient.

    The file is read, not run: its imports, functions and constants are used, its script part is not.

    Exit status 0: the gradient holds.  1: it is refuted.  2: it could not be checked.
    """
    parameters = names(wrt)
    wanted = [parameters] if isinstance(parameters, str) else parameters
    report = _from_another_file(file, loss, shapes, wanted, dtype, seed) or _from_script(
        file, loss, shapes, wanted, dtype, seed
    )
    say(str(report))
    sys.exit(EXIT[report.verdict])


def _from_script(
    file: str, loss: str | None, shapes: str, wrt: list[str] | None, dtype: str, seed: int
) -> Any:
    """What the file itself says, completed by the options."""
    our_verify()
    path, gradient = split_reference(file)
    loss_name = split_reference(loss)[1] or loss if loss is not None else None
    read_script = our_verify("scripts").read_script
    reading = read_script(
        path, gradient=gradient, loss=loss_name, shapes=parse_shapes(shapes) or None, wrt=wrt or None
    )
    say(f"read from {path.name}, which was not run:")
    for fact in reading.facts:
        say(f"  {fact}")
    say()
    return our_verify("script_check").check_script(reading, dtype=dtype, seed=seed)


def _from_another_file(
    file: str, loss: str | None, shapes: str, wrt: list[str] | None, dtype: str, seed: int
) -> Any:
    """A gradient and a loss from two files: everything is said by the options."""
    if loss is None or "::" not in loss:
        return None
    loss_path, _ = split_reference(loss)
    if loss_path.resolve() == split_reference(file)[0].resolve():
        return None
    if not shapes or not wrt:
        missing = "--shapes" if not shapes else "--wrt"
        raise SpecError(
            "A loss from another file needs shapes and parameters.",
            where=missing,
            expected='--shapes "x: n d, w: d 1" --wrt w',
        )
    gradient = function(file, "FILE")
    return our_verify().check(
        gradient,
        of=function(loss, "--of"),
        shapes=parse_shapes(shapes),
        wrt=wrt[0] if len(wrt) == 1 else wrt,
        dtype=dtype,
        seed=seed,
    )
