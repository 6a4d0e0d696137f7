"""``symgrad train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from symgrad.cli.load import definitions, is_reference, own_functions, split_reference
from symgrad.cli.output import say
from symgrad.errors import SpecError

if TYPE_CHECKING:
    from symgrad.api.run import Run


@click.command("train")
@click.argument("loss", required=False)
@click.option(
    "--params", multiple=True, metavar="NAME[=SHAPE]", help='A parameter: "w" from the file, or "w=2 1".'
)
@click.option(
    "--given", multiple=True, metavar="NAME=FUNCTION", help="An argument computed by a function of the file."
)
@click.option("--data", type=click.Path(dir_okay=False), help="An .npz file with the other arguments.")
@click.option(
    "--optimizer", default="SGD", show_default=True, help="SGD, Adam, AdamW, RMSprop, Adagrad or Adadelta."
)
@click.option("--lr", type=float, default=0.01, show_default=True, help="Learning rate.")
@click.option("--steps", type=click.IntRange(min=0), default=500, show_default=True)
@click.option("--batch-size", type=click.IntRange(min=1), help="Rows a step; all rows if left out.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--save", type=click.Path(dir_okay=False), help="Write parameters and losses to this .npz file."
)
def command(
    loss: str | None,
    params: tuple[str, ...],
    given: tuple[str, ...],
    data: str | None,
    optimizer: str,
    lr: float,
    steps: int,
    batch_size: int | None,
    seed: int,
    save: str | None,
) -> None:
    """Train LOSS, a FILE.py::function, with one compiled loop; without it, the tutorial's problem.

    Arguments of the loss come from literal arrays of the file or from --data; parameters from the file, or drawn
    from a normal distribution in the shape given.
    """
    from symgrad import optim
    from symgrad.api.minimize import minimize

    chosen: Any = getattr(optim, optimizer, None)
    if not (isinstance(chosen, type) and issubclass(chosen, optim.Optimizer)) or chosen is optim.Optimizer:
        raise SpecError(
            "There is no such optimizer.",
            where="--optimizer",
            expected="SGD, Adam, AdamW, RMSprop, Adagrad or Adadelta",
            got=optimizer,
        )
    source, computed, first, arrays = _problem(loss, params, given, data, seed)
    rule: Any = chosen
    run = minimize(
        source, first, arrays, rule(lr=lr), steps, given=computed or None, batch_size=batch_size, seed=seed
    )
    say(f"L = {run.derivation.loss}")
    for name, formula in run.derivation.gradients.items():
        say(f"∂L/∂{name} = {formula}")
    show_run(run, steps)
    say(f"   compile {run.timings['compile'] * 1e3:.0f} ms, run {run.timings['run'] * 1e3:.3f} ms")
    if save is not None:
        arrays_saved: dict[str, Any] = {"losses": run.losses, **run.params}
        np.savez(save, **arrays_saved)
        say(f"   saved to {save}")


def show_run(run: Run, steps: int) -> None:
    """A loss line for each tenth of the run, and the parameters."""
    every = max(1, steps // 10)
    for step in range(every, run.losses.size + 1, every):
        say(f"   {step}/{steps} loss:{float(run.losses[step - 1])}")
    for name, value in run.params.items():
        text = np.array2string(value, threshold=20, edgeitems=2)
        say(f"   {name}: {text.replace(chr(10), chr(10) + ' ' * (len(name) + 5))}")


def _problem(
    loss: str | None, params: tuple[str, ...], given: tuple[str, ...], data: str | None, seed: int
) -> tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any]]:
    if loss is None:
        from symgrad.cli import problem

        x, y, w = problem.data()
        return problem.loss, {"y_pred": problem.forward}, {"w": w}, {"x": x, "y": y}
    if not is_reference(loss):
        raise SpecError(
            "The loss is a function of a file.", where="LOSS", expected="FILE.py::function", got=loss
        )
    path, name = split_reference(loss)
    namespace = definitions(path)
    if name is None or not callable(namespace.get(name)):
        raise SpecError(
            "There is no such function.",
            where=str(path),
            expected=f"{path}::name with a name of {', '.join(own_functions(namespace)) or '(none)'}",
            got=name or "nothing",
        )
    computed = {}
    for item in given:
        argument, _, function = item.partition("=")
        if function not in namespace:
            raise SpecError("There is no such function.", where=f"--given {item}", got=function or "nothing")
        computed[argument] = namespace[function]
    arrays = _arrays(namespace, data)
    first: dict[str, Any] = {}
    generator = np.random.default_rng(seed)
    for item in params:
        parameter, has_shape, shape = item.partition("=")
        if has_shape:
            first[parameter] = generator.standard_normal([_size(part, item) for part in shape.split()])
        elif parameter in arrays:
            first[parameter] = arrays[parameter]
        else:
            raise SpecError(
                f"Nothing says where {parameter!r} starts.",
                where="--params",
                expected=f'"{parameter}=2 1" with its sizes, or a literal array in the file',
            )
    if not first:
        raise SpecError(
            "Nothing says what is trained.", where="--params", expected='such as --params "w=2 1"'
        )
    from symgrad.trace.function import parameters

    functions = [namespace[name], *computed.values()]
    wanted = {n for f in functions for n in parameters(f)} - computed.keys()
    return (
        namespace[name],
        computed,
        first,
        {n: a for n, a in arrays.items() if n in wanted and n not in first},
    )


def _size(text: str, item: str) -> int:
    if not text.isdecimal():
        raise SpecError("Sizes are ints.", where=f"--params {item}", expected='such as "w=2 1"', got=text)
    return int(text)


def _arrays(namespace: Any, data: str | None) -> dict[str, Any]:
    found = {n: v for n, v in namespace.items() if isinstance(v, (np.ndarray, float))}
    if data is not None:
        path = Path(data)
        try:
            with np.load(path, allow_pickle=False) as file:
                found.update({n: file[n] for n in file.files})
        except (OSError, ValueError) as error:
            raise SpecError(
                "The data cannot be read.", where=str(path), expected="an .npz file", got=str(error)
            ) from None
    return found
