"""Update rules as small symbolic programs: one definition for printing, eager stepping and compiled loops.

rule.py      UpdateRule and Assignment, the symbols they are written in, which assignments are scalar
builders.py  sgd, adam, adamw, rmsprop, adagrad, adadelta, with OneFlow's arithmetic
checks.py    the ranges of their options
formula.py   printing a rule as a paper does: Unicode, ASCII, LaTeX
eager.py     executing a rule on NumPy arrays
"""

from symgrad.updates.builders import adadelta, adagrad, adam, adamw, rmsprop, sgd
from symgrad.updates.eager import apply_rule
from symgrad.updates.rule import GRADIENT, PARAMETER, STEP, Assignment, UpdateRule, hyper_symbol

__all__ = [
    "GRADIENT",
    "PARAMETER",
    "STEP",
    "Assignment",
    "UpdateRule",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "apply_rule",
    "hyper_symbol",
    "rmsprop",
    "sgd",
]
