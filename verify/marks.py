"""``@gradient_of``: the question written at the function it asks about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from symgrad.errors import SpecError

F = TypeVar("F", bound=Callable[..., Any])

MARK = "__symgrad_gradient_of__"
"""The attribute that holds the question; a test collector looks for it without importing this package."""


@dataclass(frozen=True)
class Question:
    """The arguments of :func:`verify.check`, besides the gradient itself."""

    of: Any
    shapes: Mapping[str, object]
    wrt: str | Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments of ``check`` and ``assert_gradient``."""
        return {"of": self.of, "shapes": self.shapes, "wrt": self.wrt, **self.options}


def gradient_of(
    loss: Any, *, shapes: Mapping[str, object], wrt: str | Sequence[str], **options: Any
) -> Callable[[F], F]:
    """Say of which loss the decorated function is the gradient; the function itself stays as it is.

    Args:
        loss: as ``of`` in :func:`verify.check`.
        shapes: the shape of each argument of the loss.
        wrt: the parameter or parameters.
        options: whatever else :func:`verify.check` takes.
    """

    def attach(function: F) -> F:
        if not callable(function):
            raise SpecError(
                "gradient_of decorates a function.", where="gradient_of", got=type(function).__name__
            )
        setattr(function, MARK, Question(loss, dict(shapes), wrt, dict(options)))
        return function

    return attach


def question_of(function: Callable[..., Any]) -> Question | None:
    """The question attached to a function, or None."""
    found = getattr(function, MARK, None)
    return found if isinstance(found, Question) else None
