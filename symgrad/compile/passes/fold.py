"""Constant folding: arithmetic of numbers alone, where it is exact in both dtypes, and factors that are exactly 1.

What the user wrote keeps its arithmetic: a number is computed beforehand only if every step of it, in the order
written, has a result of at most 24 bits, so that neither float32 nor float64 would have rounded.  1·x and x/1 are x
for every x, NaN and infinity included.  0·x is not 0, and x + 0 is not x where x is −0: these stay.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symgrad.compile.passes.record import Pass, alive
from symgrad.ops.record import ARG
from symgrad.program import Binding, Program

BITS = 24
"""The digits of a float32."""
_LARGEST = sympy.Integer(2) ** 100
"""Far from where float32 overflows or becomes subnormal."""


def exact(value: sympy.Expr) -> bool:
    """Whether a number is one in float32."""
    if not isinstance(value, sympy.Rational):
        return False
    top, bottom = abs(int(value.p)), int(value.q)
    if bottom & (bottom - 1) or (top and not 1 / _LARGEST <= abs(value) <= _LARGEST):
        return False
    return top == 0 or (top // (top & -top)).bit_length() <= BITS


def computed(fn: sympy.Expr) -> sympy.Rational | None:
    """The value of an expression of numbers whose every step is exact; None where one would round."""
    if not fn.args:
        return fn if exact(fn) else None
    if not (fn.is_Add or fn.is_Mul or fn.is_Pow) or len(fn.args) > 2:
        return None
    parts = [computed(a) for a in fn.args]
    if fn.is_Pow and not (fn.exp == -1 or fn.exp == 2):
        return None
    if None in parts:
        return None
    value = fn.func(*parts)
    return value if exact(value) else None


def fold(program: Program) -> Program:
    """The program with such numbers in place of what computes them."""
    number: dict[str, sympy.Rational] = {}
    instead: dict[str, str] = {}
    out: list[Binding] = []
    for b in program.bindings:
        args = tuple(instead.get(a, a) for a in b.args)
        b = b if args == b.args else replace(b, args=args)
        if b.op == "constant" and exact(b.attrs["value"]):
            number[b.name] = b.attrs["value"]
        elif b.op == "pointwise":
            value = _value(b, number)
            same = _the_same(program, b, number)
            if value is not None and b.shape == ():
                number[b.name] = value
                b = replace(b, op="constant", args=(), items=(("value", value),))
            elif same is not None:
                instead[b.name] = same
                continue
        out.append(b)
    if tuple(out) == program.bindings:
        return program
    outputs = tuple((label, instead.get(name, name)) for label, name in program.outputs)
    return alive(Program(program.inputs, tuple(out), outputs))


def _value(b: Binding, number: dict[str, sympy.Rational]) -> sympy.Rational | None:
    if not b.args or any(a not in number for a in b.args):
        return None
    with sympy.evaluate(False):
        fn = b.attrs["fn"].xreplace({ARG(i): number[a] for i, a in enumerate(b.args)})
    return computed(fn)


def _the_same(program: Program, b: Binding, number: dict[str, sympy.Rational]) -> str | None:
    """The argument that is left of 1·x or x/1."""
    if len(b.args) != 2 or b.kind != "real":
        return None
    for one, other in ((0, 1), (1, 0)):
        product = b.attrs["fn"] == ARG(0) * ARG(1) or (one == 1 and b.attrs["fn"] == ARG(0) / ARG(1))
        if product and number.get(b.args[one]) == 1 and program.type(b.args[other]) == b.type:
            return b.args[other]
    return None


FOLD = Pass(
    "fold", "Arithmetic of numbers that rounds in neither dtype is done beforehand; 1·x and x/1 are x.", fold
)
