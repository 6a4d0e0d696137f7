"""The program: symgrad's one language between writing a loss and running it.

``program`` is the data, ``builder`` writes it, ``numpy_source`` spells it out as NumPy code (and runs it),
``scalarise`` writes it out entry by entry at fixed sizes.
"""

from symgrad.program.builder import Builder, exact_number
from symgrad.program.numpy_source import identifiers, numpy_callable, numpy_source
from symgrad.program.program import Binding, Input, Program
from symgrad.program.scalarise import Entry, scalarise

__all__ = [
    "Binding",
    "Builder",
    "Entry",
    "Input",
    "Program",
    "exact_number",
    "identifiers",
    "numpy_callable",
    "numpy_source",
    "scalarise",
]
