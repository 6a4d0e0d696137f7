"""A script that was read, handed to ``check``: the glue between ``scripts`` and the rest."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

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
    question = partial(
        check,
        _signed(_function(reading, reading.gradient), reading),
        of=renamed(_function(reading, reading.loss), reading.loss_args),
        shapes=reading.shapes,
        wrt=wrt,
        given=given,
        domains=domains,
        args=dict(reading.args),
        keys=dict(reading.keys),
        cases=cases,
        seed=seed,
        deep=deep,
    )
    # The script's own dtype first: a gradient may act otherwise on float32.
    dtypes = ["float32"] if "float32" in reading.dtypes.values() else []
    for each in dict.fromkeys([*dtypes, np.dtype(dtype).name]):
        report = question(dtype=each)
        if not report:
            break
    return replace(report, notes=(*report.notes, *_factors(reading)))


def _signed(function: Callable[..., Any], reading: Reading) -> Callable[..., Any]:
    """The gradient, negated where the update adds it: then the function returns the direction of descent."""
    signs = {reading.steps[name].sign for name in reading.wrt if name in reading.steps}
    if signs != {1}:
        return function

    @functools.wraps(function)
    def negated(**arguments: Any) -> Any:
        result = function(**arguments)
        if isinstance(result, dict):
            return {key: -value for key, value in result.items()}
        if isinstance(result, tuple):
            return tuple(-value for value in result)
        return -result

    return negated


def _factors(reading: Reading) -> list[str]:
    """What else the update multiplies the gradient by; the function alone was checked."""
    found = []
    for name, step in reading.steps.items():
        if step.sign > 0:
            found.append(f"line {step.line} adds the gradient by {name}: its negative was checked")
        if step.factor is not None:
            found.append(f"line {step.line} multiplies the gradient by {name} by {step.factor}; not checked")
    return found


def _function(reading: Reading, name: str) -> Callable[..., Any]:
    found = reading.namespace.get(name)
    if not callable(found):
        raise ParseError(
            f"{name!r} is no function of this file.", where=str(reading.path), got=type(found).__name__
        )
    return found


def renamed(function: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    """The function with other argument names; ``names`` maps its own to the new ones."""
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
