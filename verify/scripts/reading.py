"""What a script says about its gradient: the record that `read_script` hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Axis = str | int
Shape = tuple[Axis, ...]


@dataclass(frozen=True)
class Fact:
    """One thing that was read, with the line that says it.

    Args:
        what: the statement, as a reader would say it: "parameter w is updated".
        line: the line of the file, counted from 1.
        text: that piece of source, on one line.
    """

    what: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}    {self.text}"


@dataclass(frozen=True)
class Step:
    """How the update line uses the gradient: the parameter moves by `sign · rate · factor · gradient`.

    Args:
        sign: -1 where the gradient is subtracted (descent), +1 where it is added.
        rate: the learning rate as written, "1" where there is none.
        factor: what else multiplies the gradient ("1 / len(x)", "2"), or None.
        line: the line of the update.
    """

    sign: int
    rate: str
    factor: str | None
    line: int


@dataclass(frozen=True)
class Reading:
    """The roles that the functions and arrays of a script play.

    "Our names" are the names of the inputs: the script's variables where there are any.  A function's argument
    that carries the same name as our input is not listed in `args`, `loss_args`, `given_args`.

    Args:
        path: the file.
        namespace: the executed definitions (imports, functions, classes, literal constants).
        loss: name in the namespace of the function that computes the loss.
        gradient: name in the namespace of the function that computes the gradient.
        given: our name of an intermediate value -> name in the namespace of the function that computes it.
        args: argument of the gradient -> our name, where they differ.
        loss_args: argument of the loss -> our name, where they differ.
        given_args: our name of an intermediate value -> (argument of its function -> our name, where they differ).
        wrt: the parameters, in the order in which the gradient returns them.
        shapes: our name of an input -> its shape, sizes as symbols or, where the code fixes them, as numbers.
        dtypes: our name of an input -> dtype, where the script states one.
        keys: parameter -> key, where the gradient returns a dict.
        steps: parameter -> how the update uses its gradient; empty for parameters named by an option.
        facts: everything that was read, in the order of the lines.
    """

    path: Path
    namespace: Mapping[str, object]
    loss: str
    gradient: str
    given: Mapping[str, str]
    args: Mapping[str, str]
    loss_args: Mapping[str, str]
    given_args: Mapping[str, Mapping[str, str]]
    wrt: tuple[str, ...]
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    keys: Mapping[str, str]
    steps: Mapping[str, Step]
    facts: tuple[Fact, ...]
