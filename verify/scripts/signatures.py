"""Parameters and arguments, as Python matches them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def positional(spec: ast.arguments) -> list[str]:
    """The parameters that can be given by position."""
    return [parameter.arg for parameter in [*spec.posonlyargs, *spec.args]]


def every(spec: ast.arguments) -> list[str]:
    """All named parameters."""
    return [*positional(spec), *(parameter.arg for parameter in spec.kwonlyargs)]


def defaults(spec: ast.arguments) -> dict[str, ast.expr]:
    """The parameters that may be left out, with their default values."""
    names = positional(spec)
    found = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults))
    words = zip(spec.kwonlyargs, spec.kw_defaults)
    found.update({parameter.arg: default for parameter, default in words if default is not None})
    return found


def match(
    name: str, spec: ast.arguments, arguments: Sequence[T], keywords: Mapping[str, T]
) -> tuple[dict[str, T], str | None]:
    """Arguments to parameters; the second result says what is wrong with the call, None where nothing is.

    Args:
        name: the function's name, for the message.
        spec: its parameters.
        arguments: what is given by position.
        keywords: what is given by name.
    """
    names = positional(spec)
    by_name = {parameter.arg for parameter in [*spec.args, *spec.kwonlyargs]}
    bound = dict(zip(names, arguments))
    if len(arguments) > len(names) and spec.vararg is None:
        return bound, f"{name} takes {len(names)} arguments and is given {len(arguments)}"
    for key, value in keywords.items():
        if key not in by_name and spec.kwarg is None:
            return bound, f"{name} has no argument {key}"
        if key in bound:
            return bound, f"{name} is given {key} twice"
        bound[key] = value
    optional = defaults(spec)
    absent = [parameter for parameter in every(spec) if parameter not in bound and parameter not in optional]
    return bound, f"{name} is called without {', '.join(absent)}" if absent else None
