"""Equal for all shapes and all real inputs: the candidate's normal form against the derived gradient's.

What is asked for: both programs have a normal form; it is the same for every parameter; the shapes are the
same as symbols; and whatever the candidate divides by, or takes a root or logarithm of, occurs in the loss
or its derived gradient too.  Whether NumPy agrees when the candidate is run is for the concrete cases to
say.
"""

from __future__ import annotations

from symgrad.ops.dims import format_shape
from symgrad.program import Program
from verify.normal_form import NormalForm, Opaque
from verify.polynomial import TooLarge
from verify.spec import Spec


def prove(spec: Spec, candidate: Program) -> str | None:
    """None where the candidate is proved equal to the derived gradient, else why it is not."""
    if not spec.general:
        return "the loss has another formula at other sizes"
    if any(i.domain != "real" for i in spec.inputs):
        return "restricted domains are tested only"
    for name in spec.wrt:
        want, got = spec.program.type(spec.program.output[name]), candidate.type(candidate.output[name])
        if want.shape != got.shape:
            return f"the shapes of {name} differ: {format_shape(want.shape)} and {format_shape(got.shape)}"
    opaque = Opaque()
    try:
        derived = NormalForm(spec.program, opaque)
        own = NormalForm(candidate, opaque)
    except TooLarge:
        return "the formula is not made of sums, products and functions of one entry, or is too large"
    except RecursionError:
        return "the formula is nested too deeply"
    surplus = own.partial - derived.partial
    if surplus:
        return f"the candidate needs {min(surplus).split('#')[0]}, which the loss does not"
    for name in spec.wrt:
        if dict(derived.output(name)) != dict(own.output(name)):
            return f"the normal forms of the gradient by {name} differ"
    return None
