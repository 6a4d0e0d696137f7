"""Differentiation of programs: one backward sweep for all parameters at once."""

from symgrad.calculus.backward import Differentiated, differentiate

__all__ = ["Differentiated", "differentiate"]
