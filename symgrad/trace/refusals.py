"""Functions of the libraries that are known and refused, each with what to write instead."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from symgrad.errors import SymgradError, UnsupportedError
from symgrad.program import Builder

MISSING_ENTRIES = (
    "choose what a missing entry counts, such as np.where(mask, x, 0), and pass the mask as an argument"
)


def remembering(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule, or a method of a traced array, whose refusals stay refusals where the user's code catches them.

    What NumPy would have computed there is not known, so that going on would follow the wrong branch.
    """

    @functools.wraps(rule)
    def remembered(first: Any, *args: Any, **options: Any) -> Any:
        try:
            return rule(first, *args, **options)
        except SymgradError as error:
            (first if isinstance(first, Builder) else first.builder).refuse(error)
            raise

    return remembered


def refused(name: str, fix: str, *, within: str = "", what: str = "is not traced") -> Callable[..., Any]:
    """A rule that refuses ``name``, also where the user's code catches the error.

    Args:
        name: the function, as the message points at it.
        fix: what to write instead.
        within: the module that the sentence names in front.
        what: the end of the sentence.
    """

    def rule(builder: Builder, *args: Any, **options: Any) -> Any:
        raise builder.refuse(UnsupportedError(f"{within}{name} {what}.", where=name, fix=fix))

    return rule
