"""Whether operations are recorded: `no_grad`, `enable_grad`, `is_grad_enabled`.

The mode lives in a context variable, so that threads and coroutines do not disturb one another.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_recording: ContextVar[bool] = ContextVar("symgrad_grad_enabled", default=True)


def is_grad_enabled() -> bool:
    """True where operations on tensors that require a gradient are recorded."""
    return _recording.get()


class _Mode:
    """Context manager and decorator that sets the mode and restores what was before; may be nested and
    reused.
    """

    enabled: bool

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_recording.set(self.enabled))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        _recording.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_Mode):
    """`with no_grad():` or `@no_grad()`: what is computed inside has no graph."""

    enabled = False


class enable_grad(_Mode):
    """`with enable_grad():` records again inside a `no_grad` block."""

    enabled = True
