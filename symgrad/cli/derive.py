"""``symgrad derive``."""

from __future__ import annotations

import click

from symgrad.cli.load import function, is_reference, names, parse_shapes
from symgrad.cli.output import is_ascii, say
from symgrad.errors import SpecError


@click.command("derive")
@click.argument("loss")
@click.option("--shapes", default="", help='Shapes of the arguments, such as "x: n d, w: d 1, y: n 1".')
@click.option("--wrt", help='The parameter, or several: "w" or "w,b".')
@click.option(
    "--given",
    multiple=True,
    metavar="NAME=FORMULA",
    help='An argument that is computed: "y_pred=x @ w" or FILE.py::f.',
)
@click.option(
    "--syntax",
    type=click.Choice(["numpy", "math"]),
    default="numpy",
    show_default=True,
    help="How formulas are read: (x @ w).sum(), or as on paper sum(x*w), X'*X, norm(x)^2.",
)
@click.option("--steps", is_flag=True, help="Show the way to the gradient.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "ascii", "latex", "numpy", "numba", "sympy"]),
    default="text",
    show_default=True,
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float64", help="For --format numba."
)
def command(
    loss: str,
    shapes: str,
    wrt: str | None,
    given: tuple[str, ...],
    syntax: str,
    steps: bool,
    style: str,
    dtype: str,
) -> None:
    """Print the gradient of LOSS, a formula or FILE.py::function."""
    from symgrad.api.derive import derive

    computed = {}
    for item in given:
        name, sign, source = item.partition("=")
        if not sign:
            raise SpecError("given is NAME=FORMULA.", where="--given", got=item)
        computed[name.strip()] = (
            function(source.strip(), "--given") if is_reference(source.strip()) else source
        )
    source = function(loss, "LOSS") if is_reference(loss) else loss
    d = derive(source, parse_shapes(shapes), names(wrt), given=computed or None, syntax=syntax)
    if style == "latex":
        say(d.to_latex())
    elif style == "numpy":
        say(d.to_numpy().rstrip())
    elif style == "numba":
        say(d.compile(dtype).source.rstrip())
    elif style == "sympy":
        found = {name: f.to_sympy() for name, f in d.gradients.items()}
        say("\n".join(f"{name}: {expr}" for name, expr in found.items()))
    else:
        say(d.to_text(ascii=style == "ascii" or is_ascii(), with_steps=steps))
