"""From programs to what people read.

``recognise`` sees softmax and its kind in a loss, ``simplify`` rewrites a program into textbook form with the rules of
``products``, ``sums``, ``matrices`` and ``scalar_rules``, and ``reuse`` reads a value where it is known. ``formula``
chooses names and writes values; ``notation`` knows the signs of matrices in each style, ``printers`` those of scalar
functions, ``entrywise`` how broadcasting is written, ``spacing`` and ``names`` how names look. ``document`` puts a
derivation together, ``steps`` tells the way to it, ``sympy_expr`` gives SymPy expressions back.
"""

from symgrad.render.document import Document, Line
from symgrad.render.equation import Equation, share_functions
from symgrad.render.notation import to_ascii
from symgrad.render.simplify import simplify
from symgrad.render.steps import Step, steps
from symgrad.render.sympy_expr import to_sympy

__all__ = [
    "Document",
    "Equation",
    "Line",
    "Step",
    "share_functions",
    "simplify",
    "steps",
    "to_ascii",
    "to_sympy",
]
