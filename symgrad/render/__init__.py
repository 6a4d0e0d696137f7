"""From programs to what people read.

``recognise`` sees softmax and its kind in a loss, ``order`` puts the terms of gradients into the loss's order,
``simplify`` rewrites a program into textbook form with the rules of ``products``, ``sums``, ``matrices`` and
``scalar_rules`` and the parts of arrays of ``regions``, ``standardise`` names what layer normalisation makes,
``reuse`` reads a value where it is known, and ``log_softmax`` writes log p. ``repeats`` says what
needs a name, ``formula`` chooses names and writes values; ``notation`` knows the signs of matrices in each style,
``printers`` those of scalar functions, ``conditions`` what stands in brackets, ``entrywise`` how broadcasting is
written, ``spacing`` and ``names`` how names look. ``document`` puts a derivation together, ``steps`` tells the way to
it, ``sympy_expr`` gives SymPy expressions back.
"""

from symgrad.render.document import Document, Line
from symgrad.render.equation import Equation, share_functions
from symgrad.render.log_softmax import log_softmax
from symgrad.render.notation import to_ascii
from symgrad.render.recognise import recognise
from symgrad.render.simplify import simplify
from symgrad.render.steps import Step, steps
from symgrad.render.sympy_expr import to_sympy

__all__ = [
    "Document",
    "Equation",
    "Line",
    "Step",
    "log_softmax",
    "recognise",
    "share_functions",
    "simplify",
    "steps",
    "to_ascii",
    "to_sympy",
]
