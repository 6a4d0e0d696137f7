"""Other objects in the place of a module's parameters, for as long as a `with` block lasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from symgrad.errors import SpecError
from symgrad.nn.module import Module


@contextmanager
def swap_parameters(module: Module, mapping: Mapping[str, Any]) -> Iterator[None]:
    """Let `module` find other objects where its parameters are, to follow its `forward` with them.

    A parameter that several modules share is replaced wherever it stands, whichever of its names is
    given.  What was there before comes back at the end of the block, also when it is left by an exception.

    Args:
        module: the module whose `forward` is to run.
        mapping: dotted parameter names, as `named_parameters` gives them, and the objects to put there.

    Raises:
        SpecError: there is no parameter of that name.
    """
    places: list[
        tuple[dict[str, Any], str, str]
    ] = []  # dictionary, key, dotted name; every path, shared or not
    stack: list[tuple[str, Module]] = [("", module)]
    while stack:
        path, current = stack.pop()
        dot = f"{path}." if path else ""
        places += [
            (current._parameters, key, dot + key) for key, p in current._parameters.items() if p is not None
        ]
        stack += [(dot + key, child) for key, child in current.named_children()]
    by_name = {name: own[key] for own, key, name in places}
    unknown = sorted(mapping.keys() - by_name.keys())
    if unknown:
        raise SpecError(
            f"{type(module).__name__} has no parameter '{unknown[0]}'",
            where="swap_parameters",
            expected=", ".join(sorted(by_name)) or "none",
            got=unknown[0],
        )
    replacement = {id(by_name[name]): value for name, value in mapping.items()}
    before = {(id(own), key): (own, own[key]) for own, key, _ in places if id(own[key]) in replacement}
    for (_, key), (own, original) in before.items():
        own[key] = replacement[id(original)]
    try:
        yield
    finally:
        for (_, key), (own, original) in before.items():
            own[key] = original
