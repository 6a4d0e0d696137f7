"""Truth values made of numbers: and, or, not, and the questions about NaN and infinity."""

from __future__ import annotations

from symgrad.ops.scalars.functions import Truth


class LogicalAnd(Truth):
    """1 where both are not 0."""

    nargs = 2


class LogicalOr(Truth):
    """1 where one or both are not 0."""

    nargs = 2


class LogicalXor(Truth):
    """1 where exactly one is not 0."""

    nargs = 2


class LogicalNot(Truth):
    """1 where x is 0."""

    nargs = 1


class IsNan(Truth):
    """1 where x is NaN: never, over the real numbers."""

    nargs = 1


class IsInf(Truth):
    """1 where x is infinite: never, over the real numbers."""

    nargs = 1


class IsFinite(Truth):
    """1 where x is finite: always, over the real numbers."""

    nargs = 1


__all__ = ["IsFinite", "IsInf", "IsNan", "LogicalAnd", "LogicalNot", "LogicalOr", "LogicalXor"]
