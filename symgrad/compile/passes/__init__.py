"""Passes over a program before it is compiled: each a pure function, in the order of ``PASSES``."""

from symgrad.compile.passes.table import PASSES, REUSE, WHY, Change, Planned, chosen, planned

__all__ = ["PASSES", "REUSE", "WHY", "Change", "Planned", "chosen", "planned"]
