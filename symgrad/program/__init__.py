"""The program: symgrad's one language between writing a loss and running it.

``program`` is the data, ``domains`` what values its inputs may have, ``builder`` writes it, ``numpy_source`` spells
it out as NumPy code and runs it, ``failures`` says why that stopped, ``scalarise`` writes it out entry by entry at
fixed sizes, ``recent`` remembers what is made from it.
"""

from symgrad.program.builder import Builder, exact_number
from symgrad.program.domains import DOMAINS, at_sizes, check_labels, kind_of, labels_of
from symgrad.program.failures import FAILURES, explained
from symgrad.program.numpy_source import identifiers, numpy_callable, numpy_source
from symgrad.program.program import Binding, Input, Program
from symgrad.program.recent import Recent
from symgrad.program.scalarise import Entry, scalarise

__all__ = [
    "DOMAINS",
    "FAILURES",
    "Binding",
    "Builder",
    "Entry",
    "Input",
    "Program",
    "Recent",
    "at_sizes",
    "check_labels",
    "exact_number",
    "explained",
    "identifiers",
    "kind_of",
    "labels_of",
    "numpy_callable",
    "numpy_source",
    "scalarise",
]
