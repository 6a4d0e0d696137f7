"""A script that was read, handed to ``check``: the glue between ``scripts`` and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from symgrad.errors import ParseError
from verify.checking import CASES, check
from verify.report import Report

if TYPE_CHECKING:
    from verify.scripts.reading import Reading


def check_script(
    reading: Reading,
    domains: Mapping[str, str] | None = None,
    dtype: Any = "float64",
    cases: int = CASES,
    seed: int = 0,
    deep: bool = False,
) -> Report:
    """Check the gradient of a script against its loss, with the roles that were read.

    Args:
        reading: what the script says.
        domains: restrictions on the values of inputs.
        dtype: of the arrays.
        cases: how many cases are drawn where nothing is proved.
        seed: another seed draws other cases.
        deep: also compare the derived gradient with SymPy's scalar derivative.

    Raises:
        ParseError: a function that was read of is not in the script's namespace.
    """
    given = {
        name: renamed(_function(reading, where), reading.given_args.get(name, {}))
        for name, where in reading.given.items()
    }
    wrt: Any = reading.wrt[0] if len(reading.wrt) == 1 else reading.wrt
    return check(
        _function(reading, reading.gradient),
        of=renamed(_function(reading, reading.loss), reading.loss_args),
        shapes=reading.shapes,
        wrt=wrt,
        given=given,
        domains=domains,
        dtype=dtype,
        args=dict(reading.args),
        keys=dict(reading.keys),
        cases=cases,
        seed=seed,
        deep=deep,
    )


def _function(reading: Reading, name: str) -> Callable[..., Any]:
    found = reading.namespace.get(name)
    if not callable(found):
        raise ParseError(
            f"{name!r} is no function of this file.", where=str(reading.path), got=type(found).__name__
        )
    return found


def renamed(function: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    """The function with other argument names; ``names`` maps its own to the new ones."""
    import functools
    import inspect

    if not names:
        return function
    signature = inspect.signature(function)
    new = [p.replace(name=names.get(p.name, p.name)) for p in signature.parameters.values()]
    back = {names.get(n, n): n for n in signature.parameters}

    @functools.wraps(function)
    def call(**arguments: Any) -> Any:
        return function(**{back[n]: v for n, v in arguments.items()})

    call.__signature__ = signature.replace(parameters=new)  # type: ignore[attr-defined]
    return call
