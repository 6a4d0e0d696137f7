"""From programs to what people read.

``simplify`` rewrites a program into textbook form, ``formula`` chooses names and writes values, ``notation`` knows
the signs of each style, ``names`` how names look; ``document`` puts a derivation together, ``steps`` tells the way
to it, ``sympy_expr`` gives SymPy expressions back.
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
