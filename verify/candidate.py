"""The boundary to foreign code: a gradient somebody wrote, its arguments by name, one call, its results."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import SpecError, UnsupportedError
from symgrad.trace.function import parameters
from verify.spec import Spec, Values


@dataclass(frozen=True)
class Candidate:
    """A function under test.

    Attributes:
        function: what is called.
        names: for each of its arguments that we fill, our name of the value.
        keys: parameter → the key under which the function returns it in a dict.
        opaque: why the function cannot be traced, where that is known beforehand.
    """

    function: Callable[..., Any]
    names: Mapping[str, str]
    keys: Mapping[str, str]
    opaque: str = ""

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def arguments(self, values: Values) -> dict[str, Any]:
        """The arguments of a call, from known values."""
        return {argument: values(ours) for argument, ours in self.names.items()}


@dataclass(frozen=True)
class Finding:
    """Something wrong that is not, or not only, a wrong number."""

    kind: str
    text: str
    parameter: str | None = None


@dataclass(frozen=True)
class Answer:
    """The result of one call: an array for each parameter, or what is wrong with it."""

    gradients: Mapping[str, Any]
    finding: Finding | None = None


def match(
    function: Callable[..., Any],
    spec: Spec,
    args: Mapping[str, str] | None,
    keys: Mapping[str, str] | None = None,
) -> Candidate:
    """Match the candidate's arguments with our names.

    Raises:
        SpecError: ``args`` names something that does not exist.
        UnsupportedError: an argument of the candidate stands for nothing.
    """
    found = parameters(function)
    chosen = dict(args or {})
    for argument, ours in chosen.items():
        if argument not in found:
            raise SpecError(
                f"{argument!r} is no argument of the gradient.",
                where="args",
                expected=", ".join(found) or "no argument",
                got=argument,
            )
        if ours not in spec.names:
            raise SpecError(
                f"{ours!r} is not known here.",
                where=f"args[{argument!r}]",
                expected=", ".join(spec.names),
                got=ours,
            )
    names = {}
    for argument, p in found.items():
        ours = chosen.get(argument, argument)
        if ours in spec.names:
            names[argument] = ours
        elif p.default is p.empty:
            raise UnsupportedError(
                f"Nothing says what the gradient's argument {argument!r} is.",
                where=f"{getattr(function, '__name__', 'gradient')}({', '.join(found)})",
                expected=", ".join(spec.names),
                got=argument,
                fix=f"name it in args={{{argument!r}: ...}}, or say how it is computed with given={{...}}",
            )
        if argument in names and p.kind is p.POSITIONAL_ONLY:
            raise UnsupportedError(
                f"{argument!r} is positional only.", where="gradient", fix="leave the / away"
            )
    return Candidate(function, names, dict(keys or {}))


def run(candidate: Candidate, spec: Spec, values: Values) -> Answer:
    """Call the candidate once and sort its results by parameter."""
    arguments = candidate.arguments(values)
    before = {n: np.array(a) for n, a in arguments.items()}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = candidate.function(**arguments)
    except np.linalg.LinAlgError as error:
        return Answer({}, Finding("singular", f"{candidate.name} raises {_readable(error)}"))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever foreign code raises is the finding
        return Answer({}, Finding("raises", f"{candidate.name} raises {_readable(error)}"))
    for n, old in before.items():
        if np.shape(arguments[n]) != old.shape or not np.array_equal(arguments[n], old, equal_nan=True):
            return Answer({}, Finding("inputs", f"{candidate.name} changes its argument {n!r} in place"))
    return sort_results(result, candidate, spec)


def _readable(error: BaseException) -> str:
    """The error, with NumPy's signature of a matrix product in words."""
    sizes = re.search(r"core dimension.*\(size (\d+) is different from (\d+)\)", str(error))
    if sizes is None:
        return f"{type(error).__name__}: {error}"
    second, first = sizes.groups()
    return (
        f"{type(error).__name__}: the inner sizes of a matrix product differ, {first} and {second}; "
        "is a transpose (.T) missing or on the wrong side?"
    )


def by_parameter(result: Any, candidate: Candidate, spec: Spec) -> dict[str, Any] | Finding:
    """The results by parameter: one value, a tuple in the order of ``wrt``, or a dict."""
    wrt = spec.wrt
    if isinstance(result, Mapping):
        keys = {name: candidate.keys.get(name, name) for name in wrt}
        missing = [k for k in keys.values() if k not in result]
        if missing:
            got = ", ".join(map(str, result)) or "nothing"
            return Finding("type", f"the returned dict lacks {missing[0]!r}; it has {got}")
        return {name: result[key] for name, key in keys.items()}
    if isinstance(result, (tuple, list)) and not (isinstance(result, list) and len(wrt) == 1):
        if len(result) != len(wrt):
            return Finding("type", f"{len(result)} gradients came back, wanted {len(wrt)}: {', '.join(wrt)}")
        return dict(zip(wrt, result, strict=True))
    if len(wrt) > 1:
        kind = type(result).__name__
        return Finding("type", f"a {kind} came back, wanted a tuple or dict of {len(wrt)}: {', '.join(wrt)}")
    return {wrt[0]: result}


def sort_results(result: Any, candidate: Candidate, spec: Spec) -> Answer:
    """Results by parameter, each an array of floating-point numbers."""
    found = by_parameter(result, candidate, spec)
    if isinstance(found, Finding):
        return Answer({}, found)
    out = {}
    for name, value in found.items():
        finding = _unusable(value, name)
        if finding is not None:
            return Answer({}, finding)
        out[name] = np.asarray(value)
    return Answer(out)


def _unusable(value: Any, name: str) -> Finding | None:
    if value is None:
        return Finding("type", f"the gradient by {name} is None; is a return missing?", name)
    if not isinstance(value, (np.ndarray, np.generic, float)):
        return Finding("type", f"the gradient by {name} is a {type(value).__name__}, wanted an array", name)
    if np.asarray(value).dtype == object:
        return Finding("dtype", f"the gradient by {name} is an object array", name)
    if np.asarray(value).dtype.kind != "f":
        kind = np.asarray(value).dtype
        return Finding("dtype", f"the gradient by {name} has dtype {kind}, wanted floating point", name)
    return None
